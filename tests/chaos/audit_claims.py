"""What the auditor says of claims: what was acknowledged is there, once and as it was said; nothing late, nothing lost."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import datetime
from typing import Any

from claims import states
from coop.lib.db import rows
from tests.chaos.journals import Journals
from tests.chaos.lines import Line, asked, line

# The verb of the state machine that an event tells of.
VERBS = {
    "claim.submitted": "submit",
    "claim.withdrawn": "withdraw",
    "claim.review_started": "start_review",
    "claim.returned": "return",
    "claim.approved": "approve",
    "claim.rejected": "reject",
    "claim.paid": "pay",
    "claim.payment_returned": "unpay",
    "claim.lapsed": "lapse",
    "claim.disputed": "dispute",
    "claim.dispute_upheld": "uphold",
    "claim.dispute_granted": "grant",
    "claim.dispute_returned": "reopen",
}
DECISIONS = ("approve", "return", "reject", "start_review", "withdraw", "dispute", "decide_dispute", "submit")
TERMINAL = ("paid", "withdrawn", "lapsed")
CLOSE_AT = "coalesce(f.own_close_at, p.claims_close_at)"
CURE_AT = "coalesce(f.own_cure_at, p.cure_close_at)"
LATE = f"""
  SELECT 'claim', c.id, c.first_submitted_at, c.submitted_at FROM claims_claim c JOIN funds_fund f ON f.id = c.fund_id
  JOIN funds_earningperiod p ON p.id = f.earning_period_id
  WHERE c.first_submitted_at >= {CLOSE_AT} OR c.submitted_at >= {CURE_AT} OR c.first_submitted_at < p.claims_open_at"""
# Where the money of a claim must lie, by its status: held, approved, paid.
POSITION = """
  SELECT 'claim', c.id, c.status, held, approved, paid FROM claims_claim c CROSS JOIN LATERAL (
    SELECT coalesce(sum(CASE WHEN to_bucket = 'in_review' THEN amount_minor ELSE 0 END
        - CASE WHEN from_bucket = 'in_review' THEN amount_minor ELSE 0 END), 0) AS held,
      coalesce(sum(amount_minor) FILTER (WHERE kind = 'approval'), 0) AS approved,
      coalesce(sum(CASE kind WHEN 'payment' THEN amount_minor WHEN 'return' THEN -amount_minor END), 0) AS paid
    FROM funds_entry WHERE reference_type = 'claim' AND reference = c.id::text) e
  WHERE (held::bigint, approved::bigint, paid::bigint) <> CASE
    WHEN c.status IN ('submitted', 'in_review', 'action_required') THEN (c.claimed_minor, 0::bigint, 0::bigint)
    WHEN c.status = 'approved' THEN (0::bigint, c.approved_minor, 0::bigint)
    WHEN c.status = 'paid' THEN (0::bigint, c.approved_minor, c.approved_minor)
    ELSE (0::bigint, 0::bigint, 0::bigint) END"""


class Claims:
    """What the database holds of claims, read once."""

    def __init__(self, journals: Journals) -> None:
        self.journals = journals
        self.status: dict[str, tuple[str, int]] = {}
        self.titles: Counter[str] = Counter()
        self.deadlines: dict[str, tuple[datetime, datetime, datetime | None]] = {}
        found = rows(
            f"""SELECT c.id::text, c.status, c.revision, c.title, {CLOSE_AT}, {CURE_AT}, c.first_submitted_at
                FROM claims_claim c JOIN funds_fund f ON f.id = c.fund_id
                JOIN funds_earningperiod p ON p.id = f.earning_period_id"""
        )
        for claim, status, revision, title, close, cure, first in found:
            self.status[claim] = (status, revision)
            self.titles[title] += 1
            self.deadlines[claim] = (close, cure, first)
        self.events: dict[str, list[str]] = defaultdict(list)
        for claim, verb in rows("SELECT subject, verb FROM partners_event WHERE subject_type = 'claim' ORDER BY id"):
            self.events[claim].append(verb)


def claims(journals: Journals) -> list[Line]:
    there = Claims(journals)
    return [
        acknowledged(there),
        refused(there),
        as_said(there),
        papers(journals),
        sendings(there),
        asked("no claim was sent outside its windows", LATE, f"{len(there.status)} claims"),
        *deadlines(there),
        one_history(there),
        asked("the money of each claim lies where its status says", POSITION, f"{len(there.status)} claims"),
        again(journals),
    ]


def acknowledged(there: Claims) -> Line:
    taken = there.journals.of("claim", ok=True)
    broken = [f"{act['op']} is there {there.titles[act['op']]} times" for act in taken if there.titles[act["op"]] != 1]
    open_now = {act["op"] for act in there.journals.opened("claim")}
    known = {act["op"] for act in taken} | open_now
    broken += [f"nobody sent {title}" for title in there.titles if title not in known]
    return line("every acknowledged claim is there exactly once", broken, f"{len(taken)} claims")


def refused(there: Claims) -> Line:
    acts = there.journals.of("claim", ok=False)
    return line(
        "no refused claim is there", (act["op"] for act in acts if there.titles[act["op"]]), f"{len(acts)} refusals"
    )


def as_said(there: Claims) -> Line:
    """Each claim is in the status that was answered last, or in one that may follow it."""
    answers = [act for act in there.journals.of(*DECISIONS, ok=True) if "claim" in act]
    broken = []
    for act in answers:
        status, revision = there.status.get(act["claim"], ("missing", 0))
        said, at = act["result"]["status"], act["result"]["revision"]
        if revision < at or (revision == at and status != said) or status not in later(said):
            broken.append(
                f"claim {act['claim']}: {act['op']} was told {said} at revision {at}, it is {status} at {revision}"
            )
    return line("every claim is as was acknowledged, or later", broken, f"{len(answers)} answers")


def later(status: str) -> set[str]:
    """A status and all that may follow it."""
    found, grown = {status}, True
    while grown:
        steps = {to for table in states.CLAIMS.values() for before, to in table.items() if before in found}
        grown = not steps <= found
        found |= steps
    return found


def papers(journals: Journals) -> Line:
    """Lines, documents and plans, each named after its op."""
    broken, looked_at = [], 0
    for kind, sql in (
        ("line", "SELECT invoice_number, count(*) FROM claims_claimline GROUP BY 1"),
        (
            "document",
            "SELECT split_part(filename, '.', 1), count(*) FROM claims_document WHERE filename <> '' GROUP BY 1",
        ),
        ("plan", "SELECT title, count(*) FROM claims_plan WHERE version = 1 GROUP BY 1"),
    ):
        there = dict(rows(sql))
        by_op = [act for act in journals.of(kind) if act.get("named", True)]
        looked_at += len(by_op)
        for act in by_op:
            wanted = 1 if act["status"] < 300 else 0
            if there.get(act["op"], 0) != wanted:
                broken.append(f"{kind} {act['op']} is there {there.get(act['op'], 0)} times, not {wanted}")
    return line("lines, documents and plans are there exactly once", broken, f"{looked_at} papers")


def sendings(there: Claims) -> Line:
    """A claim was sent as often as was acknowledged; only what was never answered may come on top."""
    taken = Counter(act["claim"] for act in there.journals.of("submit", ok=True))
    unsure = Counter(act["claim"] for act in there.journals.opened("submit"))
    broken = []
    for claim in there.status:
        times = there.events[claim].count("claim.submitted")
        if not taken[claim] <= times <= taken[claim] + unsure[claim]:
            broken.append(f"claim {claim} was sent {times} times, {taken[claim]} were acknowledged")
    return line(
        "every sending was acknowledged once, and every acknowledged one is there",
        broken,
        f"{sum(taken.values())} sendings",
    )


def deadlines(there: Claims) -> list[Line]:
    """A try that began at or after the deadline was refused; one that was answered before it was not called late."""
    late_taken, lost, late_tries, in_time, in_the_second = [], [], 0, 0, 0
    for act in there.journals.of("submit"):
        before, after = (datetime.fromisoformat(act[name]) for name in ("clock_before", "clock_after"))
        close, cure, first = there.deadlines[act["claim"]]
        # A claim that was in time before may be mended until the cure deadline.
        deadline = cure if first is not None and first < before and resent(there, act) else close
        taken = act["status"] < 300
        in_the_second += abs((before - deadline).total_seconds()) <= 2
        if before >= deadline:
            late_tries += 1
            if taken:
                late_taken.append(f"{act['op']}: claim {act['claim']} at {before}, deadline {deadline}")
        elif after < deadline:
            in_time += 1
            if act["code"] == "window_closed":
                lost.append(f"{act['op']}: claim {act['claim']} at {after}, deadline {deadline}")
    return [
        line("nothing late was taken", late_taken, f"{late_tries} late tries"),
        line(
            "nothing in time was refused as late",
            lost,
            f"{in_time} tries in time, {in_the_second} within 2 s of a deadline",
        ),
    ]


def resent(there: Claims, act: dict[str, Any]) -> bool:
    """Whether this is not the first sending of its claim."""
    others = (a for a in there.journals.of("submit", ok=True) if a["claim"] == act["claim"])
    return any(other["answered"] < act["answered"] for other in others)


def one_history(there: Claims) -> Line:
    """The events of each claim are a path through the state machine, and end where the claim stands."""
    broken = []
    for claim, (status, _) in there.status.items():
        at = "draft"
        for verb in (VERBS[event] for event in there.events[claim] if event in VERBS):
            if at not in states.CLAIMS[verb]:
                broken.append(f"claim {claim}: {verb} after {at}")
                break
            at = states.CLAIMS[verb][at]
        else:
            if at != status:
                broken.append(f"claim {claim} is {status}, its events end at {at}")
    ended = sum(status in TERMINAL for status, _ in there.status.values())
    return line("no claim has two ends", broken, f"{len(there.status)} claims, {ended} ended")


def again(journals: Journals) -> Line:
    different = [f"{line['again']}: {line['status']} {line['code']}" for line in journals.again if not line["same"]]
    return line("an act that is sent again gets the same answer", different, f"{len(journals.again)} sent again")
