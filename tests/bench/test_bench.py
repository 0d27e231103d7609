"""The benchmarks run, at a size that measures nothing, so that they do not rot."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from bench import measure
from bench.__main__ import NAMES

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = (ROOT / "docs" / "performance.md").read_text()


@pytest.mark.slow
@pytest.mark.platform
@pytest.mark.timeout(600)
def test_every_benchmark_runs_and_prints_its_table(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    env = {name: value for name, value in os.environ.items() if name != "COOP_TESTING"}
    done = subprocess.run(
        [sys.executable, "-m", "bench", "--scale", "0.002", "--rounds", "1", "--alone"],
        cwd=ROOT,
        env={**env, "COOP_HOME": str(tmp_path / "home")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for promise in range(1, 10):
        assert re.search(rf"^V{promise} ", done.stdout, flags=re.MULTILINE), promise


def test_the_document_has_a_place_for_the_table_of_every_benchmark() -> None:
    assert re.findall(r"<!-- bench (\w+) -->\n.*?<!-- end -->", DOCUMENT, flags=re.DOTALL) == list(NAMES)


def test_a_ratio_is_taken_within_each_round_and_says_how_far_it_is_off() -> None:
    assert measure.ratio([2.0, 8.0, 30.0], [1.0, 2.0, 10.0]) == 3.0
    assert measure.Row("V1", "", "", "", 3.0, 4).verdict == "met"
    assert measure.Row("V1", "", "", "", 6.0, 4).verdict == "1.5 times off"
    assert measure.Row("V2", "", "", "", 0.25, 0.5, at_most=False).verdict == "2.0 times off"


def test_rounds_take_turns_in_who_begins() -> None:
    called: list[str] = []
    took = measure.rounds(2, {"a": lambda: called.append("a"), "b": lambda: called.append("b") or 5.0})
    assert called == ["a", "b", "b", "a"]
    assert took["b"] == [5.0, 5.0]
