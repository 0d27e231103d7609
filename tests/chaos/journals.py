"""What the processes of the load wrote down: every act that was begun, and every answer."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass
class Journals:
    """`answered` by op; `open` are acts that were begun and never answered; the rest are notes of other kinds."""

    answered: dict[str, dict[str, Any]] = field(default_factory=dict)
    open: dict[str, dict[str, Any]] = field(default_factory=dict)
    again: list[dict[str, Any]] = field(default_factory=list)
    moves: list[dict[str, Any]] = field(default_factory=list)
    reads: int = 0
    wrong_reads: int = 0
    struggles: int = 0

    def of(self, *kinds: str, ok: bool | None = None) -> list[dict[str, Any]]:
        """The answered acts of some kinds: the taken ones, the refused ones, or both."""
        found = [act for act in self.answered.values() if act["kind"] in kinds]
        return found if ok is None else [act for act in found if (act["status"] < 300) == ok]

    def opened(self, *kinds: str) -> list[dict[str, Any]]:
        return [act for act in self.open.values() if act["kind"] in kinds]

    def figures(self) -> dict[str, dict[str, int]]:
        """By kind: how many were taken, refused, and left without an answer."""
        found: dict[str, dict[str, int]] = defaultdict(lambda: {"taken": 0, "refused": 0, "open": 0})
        for act in self.answered.values():
            found[act["kind"]]["taken" if act["status"] < 300 else "refused"] += 1
        for act in self.open.values():
            found[act["kind"]]["open"] += 1
        return dict(sorted(found.items()))


def read(folder: Path) -> Journals:
    found = Journals()
    for path in sorted(folder.glob("*.jsonl")):
        for text in path.read_text(encoding="utf-8").splitlines():
            note(found, json.loads(text))
    return found


def note(found: Journals, line: dict[str, Any]) -> None:
    if "begun" in line:
        found.open[line["op"]] = line
    elif "answered" in line:
        found.answered[line["op"]] = line
        found.open.pop(line["op"], None)
    elif "again" in line:
        found.again.append(line)
    elif "moved" in line:
        found.moves.append(line)
    elif "reads" in line:
        found.reads, found.wrong_reads = found.reads + line["reads"], found.wrong_reads + line["wrong"]
    elif "struggles" in line:
        found.struggles += 1
