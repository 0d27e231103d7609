"""Load the catalog: programs, splits, thresholds, calendars, periods, activities."""

from __future__ import annotations

import tomllib
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from claims.operations.catalog import load_catalog
from coop.lib import clock


class Command(BaseCommand):
    help = "Load programs, calendars and activities from a catalog file. Safe to repeat; says what it changed."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", nargs="?", type=Path, default=settings.BASE_DIR / "catalog.toml")

    def handle(self, *, file: Path, **options: Any) -> None:
        try:
            catalog = tomllib.loads(file.read_text(encoding="utf-8"))
        except OSError as error:
            raise CommandError(f"The catalog cannot be read: {error}") from None
        except tomllib.TOMLDecodeError as error:
            raise CommandError(f"{file} is not a TOML file: {error}") from None
        if catalog.get("format") != 2:
            raise CommandError(f"{file} has format {catalog.get('format')}; this version reads format 2.")
        said = load_catalog(catalog, at=clock.now())
        for sentence in said:
            self.stdout.write(sentence)
        self.stdout.write(f"catalog loaded: {len(said)} changes" if said else "catalog loaded: nothing changed")
