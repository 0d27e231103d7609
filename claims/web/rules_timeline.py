"""The versions of a rule on a line of time, drawn as SVG: where they overlap, and where none holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from claims.rules.faults.spans import Dated, Span, gaps, overlaps, span_of, whole
from coop.lib.dates import show_day

YEAR = timedelta(days=365)


def timeline(code: str, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """What `claims/rules/_timeline.html` draws of the versions of a rule; None where no days can be read."""
    found = [(row, span) for row in rows if (span := span_of(row))]
    if not found:
        return None
    spans = [span for _, span in found]
    span = whole(spans)
    first = span.first
    ends = [s.last for s in spans if s.last != date.max] + [s.first for s in spans]
    last = max(ends) + YEAR

    def across(day: date) -> float:
        return round((min(day, last) - first).days * 100 / max((last - first).days, 1), 3)

    def bar(part: Span, row: int, kind: str) -> dict[str, Any]:
        start = across(part.first)
        width = max(across(part.last) - start, 0.4)
        return {"x": f"{start}%", "width": f"{width:.3f}%", "y": row * 22 + 4, "kind": kind, "text": part.words}

    bars = [bar(s, index, "holds") for index, s in enumerate(spans)]
    doubled = [shared for _, _, shared in overlaps([Dated(str(i), s) for i, s in enumerate(spans)])]
    holes = gaps(spans, span)
    marks = [bar(part, len(spans), kind) for kind, parts in (("overlap", doubled), ("gap", holes)) for part in parts]
    return {
        "code": code,
        "height": (len(spans) + bool(marks)) * 22 + 4,
        "bars": [*bars, *marks],
        "first": show_day(first),
        "last": show_day(last),
        "rows": [f"Version {row['version']} holds {part.words}." for row, part in found],
        "faults": [f"Two versions hold {part.words}." for part in doubled]
        + [f"No version holds {part.words}." for part in holes],
    }
