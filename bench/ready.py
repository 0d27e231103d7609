"""Django, ready for a benchmark's process: import this before anything of the product."""

from __future__ import annotations

import sys
from pathlib import Path

import django

from bench.measure import Row, save

django.setup()


def asked() -> tuple[float, int]:
    """Scale and number of rounds, as the command said."""
    return float(sys.argv[1]), int(sys.argv[2])


def alone() -> bool:
    """Whether the peers are left out."""
    return "alone" in sys.argv


def finish(rows: list[Row]) -> None:
    save(rows, Path(sys.argv[3]))


def scaled(full: int, scale: float, least: int = 1) -> int:
    return max(least, round(full * scale))
