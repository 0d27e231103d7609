"""Read or move the sandbox's clock."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from coop.lib import clock
from coop.lib.dates import show_instant
from coop.lib.errors import Refused
from coop.sandbox import move_clock, require_sandbox, start_clock


def read_instant(text: str) -> datetime:
    """An instant like 2024-03-01T00:00:00Z, or a day, which means its first instant in UTC. Raises CommandError."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise CommandError(f"“{text}” is not an instant. Write 2024-03-01 or 2024-03-01T00:00:00Z.") from None
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)


class Command(BaseCommand):
    help = "Sandbox only: show the time, set the time of a new sandbox, or move it forward and run what falls due."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("action", nargs="?", choices=["show", "set", "move"], default="show")
        parser.add_argument("to", nargs="?", help="2024-03-01 or 2024-03-01T00:00:00Z")
        parser.add_argument("--without-jobs", action="store_true", help="move: run no jobs on the way")

    def handle(self, *, action: str, to: str | None, without_jobs: bool, **options: Any) -> None:
        try:
            require_sandbox()
            if action == "set" and to:
                start_clock(read_instant(to))
            elif action == "move" and to:
                for done in move_clock(read_instant(to), run_jobs=not without_jobs, by=None).ran:
                    self.stdout.write(f"{show_instant(done.at)}: {done.job}, {done.worked} done, {done.failed} failed")
            elif action != "show":
                raise CommandError(f"Say to when: manage.py clock {action} 2024-03-01")
        except Refused as refusal:
            raise CommandError(refusal.message) from None
        self.stdout.write(f"the clock stands at {show_instant(clock.now())}")
