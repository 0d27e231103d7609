"""Read every stored file through and say which differs from its hash."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from claims.operations.files import check_file
from claims.queries.retention import to_check
from coop.lib import clock


class Command(BaseCommand):
    help = "Read every stored file through; exit 1 and name each that is missing or differs from its hash."

    def handle(self, **options: Any) -> None:
        at = clock.now()
        ids = to_check(nights=1)
        faults = [fault for fault in (check_file(stored_id, at=at) for stored_id in ids) if fault]
        for fault in faults:
            self.stdout.write(fault)
        said = f"{len(ids):,} files read"
        if faults:
            raise CommandError(f"{said}: {len(faults)} differ")
        self.stdout.write(f"{said}: all are as they were sent")
