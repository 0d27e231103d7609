"""Say whether the ledger is still what was recorded."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from funds.queries.proof import verify_ledger


class Command(BaseCommand):
    help = "Compute every link, anchor and head anew; exit 1 and name what was changed, removed or inserted."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--head",
            action="append",
            default=[],
            help="the hash of a daily head that was kept elsewhere, as it was mailed; may be given several times",
        )
        parser.add_argument("--json", action="store_true", help="print the result as JSON")

    def handle(self, **options: Any) -> None:
        verdict = verify_ledger(options["head"])
        if options["json"]:
            self.stdout.write(json.dumps({"sentence": verdict.sentence, **asdict(verdict)}, default=str, indent=2))
        else:
            for fault in verdict.faults:
                self.stdout.write(f"{fault.kind}: {fault.subject}: {fault.detail}")
        if verdict.found:
            raise CommandError(verdict.sentence)
        if not options["json"]:
            self.stdout.write(verdict.sentence)
