"""`manage.py prepare`: bring the database and the static files up to the code, in one process.

Runs before every start, by `manage.py up` and once for each release of a real installation (docker-compose.yml).
It is safe to repeat. A new sandbox gets its people, too, and its story.
"""

import hashlib
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from claims.models import Publication
from coop.sandbox import start_clock
from coop.story.load import BEGINS
from coop.story.welcome import welcome


class Command(BaseCommand):
    """Migrate, collect static files if they changed, load the catalog; fill a new sandbox."""

    help = "Bring database, catalog and static files up to the code; with --new, fill a sandbox"
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--without-static", action="store_true", help="the image holds the static files already")
        parser.add_argument("--new", action="store_true", help="this sandbox is new: load its people and the story")
        parser.add_argument("--empty", action="store_true", help="with --new: the vendor's people, but no story")
        parser.add_argument("--now", default="", help="with --new: where its clock stands")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["new"] and not settings.SANDBOX:
            raise CommandError("--new fills a sandbox, and with DATABASE_URL set this is none.")
        call_command("migrate", interactive=False, verbosity=0)
        if not options["without_static"]:
            collect_static_files()
        if options["new"]:
            begin(empty=options["empty"], now=options["now"])
        self.load_catalog()
        if options["new"]:
            fill(empty=options["empty"], now=options["now"])
        if settings.SANDBOX:
            (settings.COOP_HOME / "welcome.txt").write_text(welcome(), encoding="utf-8")

    def load_catalog(self) -> None:
        """Load the catalog that came with this release, unless it was published here before. Raises CommandError.

        What is refused of a later one leaves the rules in force as they are: that is no reason not to start.
        """
        try:
            call_command("load_catalog", if_new=True)
        except CommandError as error:
            if not Publication.objects.exists():
                raise
            self.stderr.write(f"{error} The rules that were in force stay in force.")


def begin(*, empty: bool, now: str) -> None:
    """Let a new sandbox's clock stand where its history begins, so that its first catalog is of that day."""
    if not empty:
        start_clock(BEGINS)
    elif now:
        call_command("clock", "set", now)


def fill(*, empty: bool, now: str) -> None:
    """Load the people of a new sandbox, or its story, and move its clock on. Raises CommandError."""
    if empty:
        call_command("load_people")
        return
    call_command("load_story")
    if now:
        try:
            call_command("clock", "move", now)
        except CommandError as error:
            raise CommandError(f"{error} Take a later NOW, or leave out the story with EMPTY=1.") from None


def collect_static_files() -> None:
    """Collect static files, unless none changed since the last time; compressing them takes seconds."""
    root = Path(settings.STATIC_ROOT)
    stamp = root.with_name(f"{root.name}.digest")
    digest = static_digest()
    if stamp.exists() and stamp.read_text() == digest and root.is_dir():
        return
    call_command("collectstatic", interactive=False, clear=True, verbosity=0)
    stamp.write_text(digest)


def static_digest() -> str:
    """Return a digest of name, size and time of change of every static file there is."""
    found = hashlib.sha256()
    for finder in get_finders():
        for path, storage in finder.list([]):
            status = Path(storage.path(path)).stat()
            found.update(f"{path} {status.st_size} {status.st_mtime_ns}\n".encode())
    return found.hexdigest()
