"""Load the catalog: programs, splits, thresholds, calendars, periods, activities, rules. All of it, or nothing."""

from __future__ import annotations

import tomllib
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from claims.operations.catalog import load_catalog, load_if_new, number_of
from coop.lib import clock
from coop.lib.errors import Invalid


class Command(BaseCommand):
    help = (
        "Load programs, activities and rules from a catalog file. Safe to repeat; says what it changed, or every fault."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", nargs="?", type=Path, default=settings.BASE_DIR / "catalog.toml")
        parser.add_argument(
            "--if-new",
            action="store_true",
            help="leave alone a file that was published here before, as each start does",
        )

    def handle(self, *, file: Path, if_new: bool, **options: Any) -> None:
        try:
            catalog = tomllib.loads(file.read_text(encoding="utf-8"))
        except OSError as error:
            raise CommandError(f"The catalog cannot be read: {error}") from None
        except tomllib.TOMLDecodeError as error:
            raise CommandError(f"{file} is not a TOML file: {error}") from None
        try:
            said = load_if_new(catalog, at=clock.now()) if if_new else load_catalog(catalog, at=clock.now())
        except Invalid as refusal:
            for fault in refusal.errors:
                self.stderr.write(f"{fault.field}: {fault.message}")
            raise CommandError(f"{file} was not loaded: {number_of(refusal.errors)}.") from None
        for sentence in said:
            self.stdout.write(sentence)
        self.stdout.write(f"catalog loaded: {len(said)} changes" if said else "catalog loaded: nothing changed")
