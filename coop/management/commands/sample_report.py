"""Write a report as the vendor would send it, for the locations that are enrolled here."""

from __future__ import annotations

import csv
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from coop.lib import clock
from coop.lib.errors import Refused
from coop.story.sample import sample_rows
from funds.states import IMPORT_FORMATS


class Command(BaseCommand):
    help = "Write earnings of the period that earns now, as the vendor's portal exports them; a few lines are bad on purpose."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--lines", type=int, default=50_000)
        parser.add_argument("--form", choices=list(IMPORT_FORMATS), default="partner_center")
        parser.add_argument(
            "--seed", type=int, default=1, help="the same seed gives the same file; another gives new lines"
        )

    def handle(self, *, lines: int, form: str, seed: int, **options: Any) -> None:
        if not 1 <= lines <= 10_000_000:
            raise CommandError("Ask for 1 to 10,000,000 lines.")
        writer = csv.writer(self.stdout, lineterminator="\n")
        try:
            for row in sample_rows(lines, form=form, seed=seed, at=clock.now()):
                writer.writerow(row)
        except Refused as refusal:
            raise CommandError(refusal.message) from None
