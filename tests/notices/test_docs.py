"""docs/notices.md says what the code does."""

import re
from pathlib import Path

from coop.jobs import BY_NAME
from coop.telling import VERBS
from partners import states

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "notices.md").read_text()


def table_under(heading: str) -> list[list[str]]:
    part = PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in part.splitlines() if line.startswith("|")]
    return rows[2:]


def test_the_table_of_kinds_is_that_of_the_states() -> None:
    told = {kind.strip("`"): (name, way) for kind, name, way in table_under("Kinds")}
    assert told == {kind: (name, states.WAYS[way]) for kind, (name, way) in states.NOTICES.items()}


def test_the_table_of_events_has_each_verb_that_is_told_and_no_other() -> None:
    told = [verb for row in table_under("From events") for verb in re.findall(r"`([a-z_]+\.[a-z_]+)`", row[0])]
    assert sorted(told) == sorted(VERBS)


def test_every_kind_is_given_by_somebody() -> None:
    rows = [*table_under("From events"), *table_under("By the clock")]
    given = {kind for row in rows for kind in row[1].split(", ")}
    assert given == set(states.NOTICES)


def test_the_jobs_by_the_clock_are_jobs() -> None:
    assert {row[0].strip("`") for row in table_under("By the clock")} <= set(BY_NAME)
