"""Write the ledger, or one fund of it, as a file that proves itself."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from coop.lib import clock
from funds.models import Fund
from funds.queries.proof_file import proof_lines


class Command(BaseCommand):
    help = "Write entries, links, anchors and heads as JSON lines, to be checked with tools/verify_proof.py."

    def add_arguments(self, parser: ArgumentParser) -> None:
        scope = parser.add_mutually_exclusive_group(required=True)
        scope.add_argument("--fund", type=int, help="the id of one fund")
        scope.add_argument("--all", action="store_true", help="every fund")
        parser.add_argument("--since", type=date.fromisoformat, help="only what came after the heads before this day")
        parser.add_argument("file", help="the file to write")

    def handle(self, **options: Any) -> None:
        fund_id = options["fund"]
        if fund_id is not None and not Fund.objects.filter(id=fund_id).exists():
            raise CommandError(f"There is no fund {fund_id}.")
        with Path(options["file"]).open("w", encoding="utf-8", newline="\n") as file:
            file.writelines(proof_lines(fund_id=fund_id, since=options["since"], at=clock.now()))
        self.stdout.write(f"Written to {options['file']}. Check it with tools/verify_proof.py.")
