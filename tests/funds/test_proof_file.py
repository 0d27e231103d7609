"""The exported proof, and the script that checks it: run with plain Python on whole and on tampered files."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from funds.ledger import Movement, lock_fund, post
from funds.models import Entry, Fund, LedgerHead
from funds.operations.heads import record_head
from funds.queries.proof_file import FIELDS, proof_lines
from tests import factories as make

SCRIPT = settings.BASE_DIR / "tools" / "verify_proof.py"
DAY = date(2024, 3, 4)
NIGHT = datetime(2024, 3, 5, 0, 5, tzinfo=UTC)
STRANGE = 'a "quoted" note,\nof two lines \\ with \t tab, \x7f, é, \u2028 and 𝄞'

Lines = list[dict[str, Any]]


def check(lines: Lines, folder: Path, *more: str) -> tuple[int, str]:
    """What the script says of a file of these lines: its exit code and its words."""
    proof = folder / "proof.jsonl"
    proof.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")
    ran = subprocess.run(  # -I: none of our packages, whatever the environment says
        [sys.executable, "-I", SCRIPT, proof, *more], capture_output=True, text=True, timeout=60, check=False
    )
    return ran.returncode, ran.stdout + ran.stderr


@pytest.fixture
def proof(fund: Fund) -> Lines:
    """Two funds, the first with four entries and a strange note, two heads, and an entry after the last head."""
    make.make_fund("90000.00", enrollment=make.make_enrollment(make.make_location()))
    make.make_sent_claim(fund, "100.00")
    record_head(DAY, at=NIGHT)
    make.make_sent_claim(fund, "200.00")
    strange = Movement(
        "adjustment", "program", "available", 5, DAY, "adjustment", "1", "strange", "policy_exception", STRANGE
    )
    post(lock_fund(fund.id), strange, by=make.vendor("finance"), at=NIGHT)
    record_head(DAY + timedelta(days=1), at=NIGHT + timedelta(days=1))
    make.make_sent_claim(fund, "300.00")
    return [json.loads(line) for line in proof_lines(at=NIGHT)]


def kept_head() -> str:
    return bytes(LedgerHead.objects.first().hash).hex()  # type: ignore[union-attr]


def entries_of(lines: Lines) -> list[int]:
    """The places of the lines that hold entries."""
    return [place for place, line in enumerate(lines) if "entry" in line]


def test_an_untouched_proof_is_confirmed_and_holds_what_was_recorded(proof: Lines, tmp_path: Path) -> None:
    code, said = check(proof, tmp_path, "--head", kept_head())
    assert (code, said.splitlines()[0]) == (
        0,
        f"6 entries match; the last head is {kept_head()} of 2024-03-05. The hashes that you kept are in it.",
    )
    assert [line["entry"]["note"] for line in proof if "entry" in line].count(STRANGE) == 1
    assert tuple(proof[entries_of(proof)[0]]["entry"]) == FIELDS


def recomputed(lines: Lines) -> Lines:
    """All links made anew, as a forger would who knows how: the anchors and heads stay."""
    link, fund = b"", None
    for line in lines:
        if line.get("entry"):
            link = b"" if line["fund"] != fund else link
            fund = line["fund"]
            link = sha256(link + json.dumps(list(line["entry"].values()), ensure_ascii=False).encode()).digest()
            line["link"] = link.hex()
    return lines


OTHER: dict[str, Any] = {
    "id": 999_999,
    "fund": 999_999,
    "partner": 999_999,
    "currency": "EUR",
    "kind": "gift",
    "from": "paid",
    "to": "paid",
    "amount_minor": 1,
    "effective_on": "2024-03-03",
    "recorded_at": "2024-03-04T09:00:00.000001",
    "actor": 999_999,
    "reference_type": "other",
    "reference": "other",
    "reason": "other",
    "key": "other",
    "note": "other",
}


@pytest.mark.django_db
def test_a_change_of_any_field_of_any_entry_is_found(proof: Lines, tmp_path: Path) -> None:
    places = entries_of(proof)
    for turn, field in enumerate(FIELDS):
        lines = json.loads(json.dumps(proof))
        lines[places[turn % len(places)]]["entry"][field] = OTHER[field]
        code, said = check(lines, tmp_path)
        assert (code, "is not what was recorded" in said) == (1, True), (field, said)


def swap(lines: Lines, one: int, other: int) -> Lines:
    lines[one], lines[other] = lines[other], lines[one]
    return lines


def without(lines: Lines, place: int) -> Lines:
    del lines[place]
    lines[-1]["end"] -= "entry" not in lines[-1]
    return lines


def with_another(lines: Lines, place: int, **more: Any) -> Lines:
    lines.insert(place, {**lines[place], **more})
    lines[-1]["end"] += 1
    return lines


def changed_link(lines: Lines, place: int) -> Lines:
    lines[place]["link"] = sha256(b"another").hexdigest()
    return lines


def changed_head(lines: Lines, **more: Any) -> Lines:
    next(line for line in lines if "head" in line)["head"].update(more)
    return lines


def changed_anchor(lines: Lines, **more: Any) -> Lines:
    next(line for line in lines if "anchor" in line)["anchor"].update(more)
    return lines


def emptied(lines: Lines, place: int) -> Lines:
    lines[place]["entry"] = None
    return lines


ATTACKS: dict[str, Callable[[Lines, list[int]], Lines]] = {
    "the first entry is gone": lambda lines, at: without(lines, at[0]),
    "an entry in the middle is gone": lambda lines, at: without(lines, at[1]),
    "the only entry of a fund is gone": lambda lines, at: without(lines, at[-1]),
    "an entry is gone, its link is there": lambda lines, at: emptied(lines, at[1]),
    "an entry is there twice": lambda lines, at: with_another(lines, at[1]),
    "an entry is added without link": lambda lines, at: with_another(lines, at[1], number=None, link=None),
    "two entries are swapped": lambda lines, at: swap(lines, at[1], at[2]),
    "a link is changed": lambda lines, at: changed_link(lines, at[1]),
    "an amount is changed and all links are computed anew": lambda lines, at: recomputed(
        [*lines[: at[0]], {**lines[at[0]], "entry": {**lines[at[0]]["entry"], "amount_minor": 1}}, *lines[at[0] + 1 :]]
    ),
    "an anchored entry is gone and all numbers and links are made anew": lambda lines, at: recomputed(
        [
            {**line, "number": line["number"] - 1} if place in at[2:-1] else line
            for place, line in enumerate([*lines[:-1], {"end": lines[-1]["end"] - 1}])
            if place != at[1]
        ]
    ),
    "a head is changed": lambda lines, at: changed_head(lines, hash=sha256(b"another").hexdigest()),
    "a head counts more": lambda lines, at: changed_head(lines, entries=7),
    "a head is dated back": lambda lines, at: changed_head(lines, at="2024-03-04T00:05:00"),
    "an anchor is changed": lambda lines, at: changed_anchor(lines, link=sha256(b"another").hexdigest()),
    "an anchor is of another number": lambda lines, at: changed_anchor(lines, number=1),
    "the first head is gone": lambda lines, at: [line for place, line in enumerate(lines) if place not in (1, 2, 3)],
    "the file is cut": lambda lines, at: lines[:-2],
}


@pytest.mark.django_db
def test_a_tampered_proof_is_found(proof: Lines, tmp_path: Path) -> None:
    for attack, tampered in ATTACKS.items():
        lines = json.loads(json.dumps(proof))
        code, said = check(tampered(lines, entries_of(lines)), tmp_path)
        assert (code, "NOT as recorded" in said) == (1, True), (attack, said)


@pytest.mark.django_db
def test_a_forger_who_rewrites_heads_too_is_caught_by_the_head_that_was_kept_and_by_nothing_else(
    proof: Lines, tmp_path: Path
) -> None:
    kept = kept_head()
    proof[entries_of(proof)[0]]["entry"]["amount_minor"] = 1
    forged = forge_all(recomputed(proof))
    assert check(forged, tmp_path)[0] == 0  # the file agrees with itself
    code, said = check(forged, tmp_path, "--head", kept)
    assert code == 1
    assert f"The hash that you kept, {kept[:12]}, is not in this file" in said


def forge_all(lines: Lines) -> Lines:
    """Anchors and heads made anew over the links as they stand."""
    links = {(line["fund"], line["number"]): line["link"] for line in lines if "entry" in line}
    state, head = "", None
    for line in lines:
        if "head" in line:
            head = line["head"]
            head["previous"] = state or None
            values = [head["day"], head["at"], head["funds"], head["entries"]]
        elif "anchor" in line:
            anchor = line["anchor"]
            anchor["link"] = links[anchor["fund"], anchor["number"]]
            values = list(anchor.values())
        else:
            continue
        state = sha256(bytes.fromhex(state) + json.dumps(values).encode()).hexdigest()
        assert head is not None
        head["hash"] = state
    return lines


@pytest.mark.django_db
def test_the_proof_of_one_fund_holds_nothing_of_others_and_is_confirmed(
    proof: Lines, fund: Fund, tmp_path: Path
) -> None:
    lines = [json.loads(line) for line in proof_lines(fund_id=fund.id, at=NIGHT)]
    assert {line["fund"] for line in lines if "entry" in line} == {fund.id}
    assert {line["anchor"]["fund"] for line in lines if "anchor" in line} == {fund.id}
    assert {tuple(line["head"]) for line in lines if "head" in line} == {("day", "hash")}
    code, said = check(lines, tmp_path, "--head", kept_head())
    assert code == 0, said
    lines[entries_of(lines)[1]]["entry"]["amount_minor"] = 1
    assert check(recomputed(lines), tmp_path)[0] == 1  # an anchor of its own says so


@pytest.mark.django_db
def test_a_proof_since_a_day_begins_at_the_anchors_before_it(proof: Lines, fund: Fund, tmp_path: Path) -> None:
    lines = [json.loads(line) for line in proof_lines(since=DAY + timedelta(days=1), at=NIGHT)]
    assert [line["entry"]["fund"] for line in lines if "entry" in line] == [fund.id] * 3
    assert len([line for line in lines if "head" in line]) == 1
    assert check(lines, tmp_path)[0] == 0
    lines[entries_of(lines)[0]]["entry"]["amount_minor"] = 1
    assert check(lines, tmp_path)[0] == 1


@pytest.mark.django_db
def test_the_command_writes_the_file_and_an_entry_that_was_gone_is_in_it_as_gone(
    proof: Lines, fund: Fund, tmp_path: Path
) -> None:
    target = tmp_path / "ledger.jsonl"
    call_command("export_proof", "--all", str(target), verbosity=0)
    written = [json.loads(line) for line in target.read_text(encoding="utf-8").splitlines()]
    assert written[1:] == proof[1:]
    call_command("export_proof", "--fund", str(fund.id), str(target), verbosity=0)
    assert len(target.read_text(encoding="utf-8").splitlines()) < len(written)
    with pytest.raises(CommandError, match="There is no fund 0"):
        call_command("export_proof", "--fund", "0", str(target))
    assert Entry.objects.count() == written[-1]["end"]


@pytest.mark.parametrize("text", ["", "{}", "[1]", "no json", '{"proof": "coop ledger", "version": 2}', "\x00"])
def test_a_file_that_is_no_proof_is_refused_with_its_own_code(tmp_path: Path, text: str) -> None:
    target = tmp_path / "proof.jsonl"
    target.write_text(text)
    ran = subprocess.run([sys.executable, "-I", SCRIPT, target], capture_output=True, text=True, check=False)
    assert ran.returncode == 2
    assert "cannot be read as a proof" in ran.stderr
