"""Load exchange rates from a file."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from coop.lib import clock
from coop.lib.errors import Refused
from funds.operations.rates import load_rates


class Command(BaseCommand):
    help = "Load exchange rates from a CSV file (base, quote, on, rate, source), all or none. Safe to repeat."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)

    def handle(self, *, file: Path, **options: Any) -> None:
        try:
            with file.open("rb") as opened:
                loaded = load_rates(file=opened, by=None, at=clock.now())
        except OSError as error:
            raise CommandError(f"{file} cannot be read: {error.strerror}.") from None
        except Refused as refusal:
            faults = [error.message for error in refusal.errors[:50]]
            raise CommandError("\n".join(["No rate was loaded.", *faults]) if faults else refusal.message) from None
        self.stdout.write(f"{loaded.new:,} rates loaded, {loaded.unchanged:,} were known already")
