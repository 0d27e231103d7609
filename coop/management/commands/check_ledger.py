"""Recompute everything from the entries and say which record differs."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from claims.checks import CHECKS
from funds.checks import check_ledger


class Command(BaseCommand):
    help = "Recompute all totals from the entries; exit 1 and name each record that differs."

    def handle(self, **options: Any) -> None:
        report = check_ledger(CHECKS)
        for found in report.differences:
            self.stdout.write(f"{found.check}: {found.subject}: {found.detail}")
        said = f"{report.funds:,} funds and {report.entries:,} entries checked"
        if report.differences:
            raise CommandError(f"{said}: {len(report.differences)} differences")
        self.stdout.write(f"{said}: everything agrees")
