"""Guards that `--break NAME` takes away."""

from __future__ import annotations

NAMES: dict[str, str] = {}


def take_away(name: str) -> None:
    raise SystemExit(f"There is no guard {name}.")
