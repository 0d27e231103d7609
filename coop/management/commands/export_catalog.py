"""Write the catalog in force as a file. Loading it again changes nothing."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from claims.queries.book import current_publication
from claims.queries.catalog import catalog_file, current_catalog
from coop.lib.errors import WrongStatus


class Command(BaseCommand):
    help = "Write the whole catalog in force as TOML, to a file or to standard output."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", nargs="?", type=Path)

    def handle(self, *, file: Path | None, **options: Any) -> None:
        try:
            text = catalog_file(current_catalog(), f"publication {current_publication()[0]}")
        except WrongStatus as refusal:
            raise CommandError(refusal.message) from None
        if file is None:
            self.stdout.write(text, ending="")
            return
        try:
            file.write_text(text, encoding="utf-8")
        except OSError as error:
            raise CommandError(f"The catalog cannot be written: {error}") from None
        self.stdout.write(f"catalog written: {file}")
