"""Disputing a declined claim: who, until when, what becomes of the money, and that it ends."""

from datetime import UTC, datetime, timedelta

import pytest

from claims.checks import CHECKS
from claims.models import Claim
from claims.operations.disputes import decide_dispute, dispute_claim, take_dispute
from claims.operations.review import Fix, LineDecision, approve_claim, reject_claim, return_claim, start_review
from claims.operations.sending import submit_claim, withdraw_claim
from coop.lib import clock
from coop.lib.errors import (
    InsufficientFunds,
    Invalid,
    NotAllowed,
    NotFound,
    SelfDecision,
    Stale,
    WindowClosed,
    WrongStatus,
)
from funds.checks import check_ledger
from funds.models import Fund
from tests.factories import (
    CLAIMING,
    CURE_DEADLINE,
    DEADLINE,
    expire,
    make_claim,
    make_fund,
    make_partner,
    make_person,
    make_sent_claim,
    set_clock,
    vendor,
)

pytestmark = pytest.mark.django_db

WHY = "The call log was on page 3 of the invoice."


def declined(fund: Fund | None = None, *amounts: str) -> Claim:
    claim = make_sent_claim(fund or make_fund(), *amounts)
    return reject_claim(claim.pk, reason="No call log.", by=vendor("manager"), at=clock.now())


def disputed(fund: Fund | None = None, *amounts: str) -> Claim:
    claim = declined(fund, *amounts)
    return dispute_claim(claim.pk, reason=WHY, by=claim.submitted_by, at=clock.now())


def decide(claim: Claim, outcome: str, **more: object) -> Claim:
    values = {"reason": "We looked again.", "by": vendor("pcmm"), "at": clock.now(), **more}
    return decide_dispute(claim.pk, outcome=outcome, **values)


def buckets(claim: Claim) -> dict[str, int]:
    fund = Fund.objects.get(id=claim.fund_id)
    found = {name: getattr(fund, f"{name}_minor") for name in ("available", "in_review", "approved", "expired")}
    return {name: minor for name, minor in found.items() if minor}


def in_order() -> bool:
    return not check_ledger(CHECKS).differences


def test_a_disputed_claim_says_why_by_whom_and_until_when_it_is_decided() -> None:
    claim = Claim.objects.get(id=disputed().pk)
    assert (claim.status, claim.whose_turn, claim.reviewer) == ("disputed", "channel_manager", None)
    assert (claim.dispute, claim.disputed_by, claim.first_decided_by) == (WHY, claim.submitted_by, vendor("manager"))
    # Sent on Monday 4 March: five business days later is the next Monday.
    assert claim.review_due_at == datetime(2024, 3, 12, tzinfo=UTC)
    assert buckets(claim) == {"available": 1_000_355}, "a dispute holds nothing"


def test_a_dispute_needs_a_reason_and_a_declined_claim() -> None:
    claim = declined()
    with pytest.raises(Invalid, match="Say why"):
        dispute_claim(claim.pk, reason="  ", by=claim.submitted_by, at=clock.now())
    approved = approve_claim(make_sent_claim(claim.fund, "10.00").pk, by=vendor("manager"), at=clock.now())
    with pytest.raises(WrongStatus):
        dispute_claim(approved.pk, reason=WHY, by=claim.submitted_by, at=clock.now())


def test_only_the_partners_own_people_dispute() -> None:
    claim = declined()
    with pytest.raises(NotFound):
        dispute_claim(claim.pk, reason=WHY, by=make_person(make_partner("Elsewhere")), at=clock.now())
    with pytest.raises(NotAllowed):
        dispute_claim(claim.pk, reason=WHY, by=vendor("manager"), at=clock.now())
    with pytest.raises(Stale):
        dispute_claim(claim.pk, reason=WHY, revision=claim.revision - 1, by=claim.submitted_by, at=clock.now())


def test_a_decision_can_be_disputed_for_thirty_days() -> None:
    claim, late = declined(), declined(make_fund())
    last = datetime(2024, 4, 3, 23, 59, 59, 999_999, tzinfo=UTC)
    with pytest.raises(WindowClosed, match="until 3 Apr 2024, 23:59:59 UTC"):
        dispute_claim(late.pk, reason=WHY, by=late.submitted_by, at=set_clock(last + timedelta(microseconds=1)))
    assert dispute_claim(claim.pk, reason=WHY, by=claim.submitted_by, at=set_clock(last)).status == "disputed"


def test_who_waited_for_the_lock_until_too_late_is_refused() -> None:
    """The door read the clock in time; the operation reads it once more after its lock."""
    claim = declined()
    set_clock(datetime(2024, 4, 4, tzinfo=UTC))
    with pytest.raises(WindowClosed):
        dispute_claim(claim.pk, reason=WHY, by=claim.submitted_by, at=CLAIMING)


def test_who_decided_first_neither_takes_nor_decides_the_dispute() -> None:
    claim = disputed()
    for act in (take_dispute, lambda pk, **who: decide_dispute(pk, outcome="uphold", reason="No.", **who)):
        with pytest.raises(SelfDecision, match="You made the decision"):
            act(claim.pk, by=vendor("manager"), at=clock.now())
    assert take_dispute(claim.pk, by=vendor("pcmm"), at=clock.now()).reviewer == vendor("pcmm")


def test_granting_takes_the_money_again_and_approves_it() -> None:
    claim = decide(disputed(None, "1000.00", "500.00"), "grant")
    assert (claim.status, claim.approved_minor, claim.reviewer) == ("approved", 150_000, vendor("pcmm"))
    assert [(line.decision, line.approved_minor) for line in claim.lines.all()] == [
        ("approve", 100_000),
        ("approve", 50_000),
    ]
    assert buckets(claim) == {"available": 850_355, "approved": 150_000}
    assert in_order()


def test_granting_decides_line_by_line() -> None:
    claim = disputed(None, "1000.00", "500.00")
    first, second = claim.lines.all()
    said = [
        LineDecision(first.pk, "approve_less", 60_000, "The rest was paid before."),
        LineDecision(second.pk, "decline", None, "Not shown."),
    ]
    claim = decide(claim, "grant", decisions=said)
    assert (claim.approved_minor, buckets(claim)) == (60_000, {"available": 940_355, "approved": 60_000})
    assert in_order()


def test_after_the_deadline_granted_money_comes_back_out_of_expired() -> None:
    fund = make_fund()
    claim = make_sent_claim(fund)
    set_clock(datetime(2024, 8, 14, 12, tzinfo=UTC))
    reject_claim(claim.pk, reason="No call log.", by=vendor("manager"), at=clock.now())
    set_clock(DEADLINE)
    expire()
    dispute_claim(claim.pk, reason=WHY, by=claim.submitted_by, at=clock.now())
    assert buckets(claim) == {"expired": 1_000_355}
    claim = decide(claim, "grant")
    assert buckets(claim) == {"approved": 400_000, "expired": 600_355}
    assert in_order()


def test_money_that_was_claimed_by_others_meanwhile_is_not_granted() -> None:
    fund = make_fund()
    claim = disputed(fund)
    make_sent_claim(fund, "9000.00")
    with pytest.raises(InsufficientFunds):
        decide(claim, "grant")
    assert Claim.objects.get(id=claim.pk).status == "disputed"


def test_upholding_ends_it() -> None:
    claim = decide(disputed(), "uphold", reason_code="first-decision-stands", reason="")
    assert (claim.status, claim.decision_note) == (
        "rejected",
        "The first decision follows the rules, and nothing new was shown.",
    )
    assert [line.reason for line in claim.lines.all()] == ["No call log."], "the first reasons stay"
    with pytest.raises(WrongStatus, match="not disputed again"):
        dispute_claim(claim.pk, reason="Once more.", by=claim.submitted_by, at=clock.now())


def test_a_dispute_that_is_returned_is_mended_and_decided_by_another_person() -> None:
    claim = disputed()
    line = claim.lines.get()
    said = [LineDecision(line.pk, "return", None, "Upload page 3 by itself.")]
    claim = decide(claim, "return", decisions=said, fixes=[Fix("documents.call-log", "Add the log.")])
    assert (claim.status, claim.held_minor) == ("action_required", 400_000)
    assert [fix["field"] for fix in claim.returned_fixes] == ["", "documents.call-log", f"lines.{line.pk}"]
    assert buckets(claim) == {"available": 600_355, "in_review": 400_000}
    claim = submit_claim(claim.pk, by=claim.submitted_by, at=clock.now())
    with pytest.raises(SelfDecision):
        start_review(claim.pk, by=vendor("manager"), at=clock.now())
    claim = reject_claim(claim.pk, reason="Still no log.", by=vendor("gtm"), at=clock.now())
    again = dispute_claim(claim.pk, reason="Now it is there.", by=claim.submitted_by, at=clock.now())
    assert again.first_decided_by == vendor("gtm"), "a new decision may be disputed anew"
    for before in ("gtm", "manager"):
        with pytest.raises(SelfDecision):
            decide(again, "grant", by=vendor(before))
    assert decide(again, "grant").status == "approved"
    assert in_order()


def test_what_a_returned_dispute_holds_is_released_when_it_is_withdrawn() -> None:
    claim = decide(disputed(), "return")
    withdraw_claim(claim.pk, by=claim.submitted_by, at=clock.now())
    assert buckets(claim) == {"available": 1_000_355}
    assert in_order()


def test_nothing_is_returned_that_nobody_could_mend() -> None:
    claim = make_sent_claim(make_fund(now=datetime(2024, 8, 14, 12, tzinfo=UTC)))
    set_clock(datetime(2024, 9, 20, tzinfo=UTC))
    reject_claim(claim.pk, reason="No call log.", by=vendor("manager"), at=clock.now())
    dispute_claim(claim.pk, reason=WHY, by=claim.submitted_by, at=clock.now())
    set_clock(datetime(2024, 9, 29, tzinfo=UTC))
    with pytest.raises(WindowClosed, match="could be mended until"):
        decide(claim, "return")
    assert decide(claim, "grant").status == "approved"


def test_who_waited_for_the_lock_until_nobody_could_mend_it_returns_nothing() -> None:
    """The door read the clock in time; the operation reads it once more after its lock."""
    claim = disputed()
    sent = make_sent_claim(claim.fund, "10.00")
    before, _ = clock.now(), set_clock(CURE_DEADLINE)
    with pytest.raises(WindowClosed, match="could be mended until"):
        decide_dispute(claim.pk, outcome="return", reason="Add the log.", by=vendor("pcmm"), at=before)
    with pytest.raises(WindowClosed, match="could be mended until"):
        return_claim(sent.pk, fixes=[Fix("lines", "Add it.")], by=vendor("pcmm"), at=before)


@pytest.mark.parametrize(
    ("given", "field"), [({"outcome": "maybe"}, "outcome"), ({"outcome": "grant", "reason": " "}, "reason")]
)
def test_a_decision_that_cannot_be_one_is_refused(given: dict[str, str], field: str) -> None:
    claim = disputed()
    with pytest.raises(Invalid) as refused:
        decide(claim, **given)
    assert [error.field for error in refused.value.errors] == [field]


def test_every_step_is_kept_with_its_decision() -> None:
    claim = decide(disputed(), "grant")
    kept = [(one.act, one.decided_by, one.approved_minor, bool(one.findings)) for one in claim.decisions.all()]
    assert kept == [
        ("decline", vendor("manager"), 0, True),
        ("dispute_granted", vendor("pcmm"), 400_000, True),
    ]
    draft = make_claim(claim.fund)
    with pytest.raises(NotFound):
        dispute_claim(draft.pk, reason=WHY, by=vendor("manager"), at=clock.now())
