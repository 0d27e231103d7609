"""What a catalog may not change of the one before: rule versions that were published, because claims were decided by them."""

from __future__ import annotations

from typing import Any

from claims.rules.book import DIMENSIONS
from claims.rules.faults.shape import Faults, Row
from coop.lib.errors import FieldError

# Examples decide nothing, and a version that is open may be closed.
MAY_CHANGE = ("examples", "valid_to")


def faults_against(catalog: Row, published: Row) -> list[FieldError]:
    """What a catalog takes back of a published one. Both as they are kept (days are text)."""
    faults = Faults()
    check_kept(faults, catalog, published)
    rows = catalog.get("rules", ())
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        return faults  # what is no list of rules is told elsewhere
    now = {(row.get("code"), row.get("version")): row for row in rows}
    for before in published["rules"]:
        code, version = before["code"], before["version"]
        place = f"rules.{code}/{version}"
        after = now.get((code, version))
        if after is None:
            faults.add(
                place, "published", f"Version {version} was published. Close it with valid_to instead of taking it out."
            )
        elif content(before) != content(after):
            faults.add(
                place,
                "published",
                f"Version {version} was published, and claims were decided by it: it stays as it is. Close it with "
                f"valid_to, and give the change the next version, {version + 1}.",
            )
        elif before.get("valid_to") and before.get("valid_to") != after.get("valid_to"):
            faults.add(
                f"{place}.valid_to",
                "published",
                f"Version {version} was published with its last day, {before['valid_to']}: it stays. Give what holds "
                f"after it the next version, {version + 1}.",
            )
    return faults


def check_kept(faults: Faults, catalog: Row, published: Row) -> None:
    """What claims, plans and funds rest on is closed and never taken out; a program may be named as one of the others."""
    others = catalog.get("other_programs", ())
    for section in ("programs", "categories", "activities"):
        rows = catalog.get(section)
        known = {row.get("code") for row in rows if isinstance(row, dict)} if isinstance(rows, list) else set()
        for row in published[section]:
            code = row["code"]
            if code not in known and not (section == "programs" and isinstance(others, list) and code in others):
                faults.add(
                    f"{section}.{code}",
                    "published",
                    f"“{code}” was published, and records rest on it. Close it with valid_to instead of taking it out.",
                )


def content(row: Row) -> dict[str, Any]:
    """What claims are decided by: all of a rule but its examples and its last day. The order of a scope says nothing."""
    kept = {name: value for name, value in row.items() if name not in MAY_CHANGE}
    return {
        name: sorted(map(str, value)) if name in DIMENSIONS and isinstance(value, list) else value
        for name, value in kept.items()
    }
