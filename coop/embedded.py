"""PostgreSQL and a Redis-protocol broker out of Python wheels, for a machine that has neither.

The settings ask this module for the servers' addresses, so it imports nothing but the standard library. The supervisor
and the tests start the servers with it. Both listen on unix sockets in folders that only their owner may enter: no
port, no password, nothing on the network.

The wheels give the programs only. Their Python layers are not imported: they leave servers running, change the modes
of parent folders, and cannot bear a space in a path.
"""

import hashlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

from coop.children import Account, last_lines, start_child, stop_children

POSTGRES_MAJOR = "18"
ROLE = "coop"
SOCKET_PATH_LIMIT = 100  # bytes; the kernel's own limit is 107 on Linux and 103 on a Mac
ROOTS_DATA = Path("/var/lib")
SHORT_SOCKETS = Path("/tmp")
SILENCE_LIMIT = 60.0  # seconds without any answer; a server that answers "starting up" may take as long as it needs


class ServerFailed(Exception):
    """An embedded server cannot run; the message is one sentence that says what to do."""


# Addresses ------------------------------------------------------------------------------------------------------------


def home() -> Path:
    """Return the folder of all data of this sandbox: COOP_HOME, or `.coop` beside manage.py.

    PostgreSQL refuses to run as root, so root's servers run as another user, who could not enter a folder inside a
    closed one such as root's own home. The data then live in /var/lib under a name made from the folder asked for.
    """
    named = os.environ.get("COOP_HOME") or str(Path(__file__).resolve().parent.parent / ".coop")
    folder = Path(named).expanduser().resolve()
    if os.geteuid() == 0 and not _open_to_all(folder.parent):
        return ROOTS_DATA / f"coop-{_digest(folder)}"
    return folder


def database_url(home: Path, name: str = "coop") -> str:
    """Return the address of database `name` on the embedded PostgreSQL, its socket folder percent-encoded."""
    folder = _socket_folder(home / "postgres", ".s.PGSQL.5432")
    return f"postgresql://{ROLE}@{quote(str(folder), safe='')}/{name}"


def redis_url(home: Path) -> str:
    """Return the address of the embedded broker, as redis-py and Django's cache write it."""
    return f"unix://{quote(str(_broker_socket(home)))}?db=0"


def _digest(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:10]


def _open_to_all(folder: Path) -> bool:
    """Tell whether any user may pass through `folder` and all folders above it, as far as they exist."""
    return all(part.stat().st_mode & 0o001 for part in (folder, *folder.parents) if part.exists())


def _socket_folder(folder: Path, socket_name: str) -> Path:
    """Return where a server of `folder` puts its socket: there, or under /tmp when the path would be too long."""
    if len(os.fsencode(folder / socket_name)) <= SOCKET_PATH_LIMIT:
        return folder
    return SHORT_SOCKETS / f"coop-{os.geteuid()}-{_digest(folder)}"


def _broker_socket(home: Path) -> Path:
    return _socket_folder(home / "broker", "broker.sock") / "broker.sock"
