"""A job that fails, for who shows failures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from coop.jobs import BY_NAME, Done, each


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Lets a job fail on claim 41 until `monkeypatch.undo()`."""

    def act(record: int) -> None:
        raise ValueError("the total does not fit")

    def fail(name: str) -> None:
        changed = replace(BY_NAME[name], run=lambda at, progress: each(Done(name, at), [41], act, kind="claim"))
        monkeypatch.setitem(BY_NAME, name, changed)

    return fail
