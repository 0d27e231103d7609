"""Deciding claims: documents one by one, reasons of the list, what is kept of a decision, and approving several at once."""

from datetime import UTC, date, datetime, timedelta

import pytest

from claims.models import Claim, Duplicate
from claims.operations.bulk import approve_clean
from claims.operations.review import approve_claim, note_internally, reject_claim, return_claim, start_review
from claims.operations.sending import submit_claim
from claims.operations.verdicts import DocumentDecision, Fix, LineDecision, in_words
from claims.queries.precedents import precedents_of
from claims.queries.vendor import findings_for_review
from claims.queries.worklist import coverage, worklist
from coop.lib import clock
from coop.lib.errors import Invalid, NotAllowed, RuleFailed, Stale, WrongStatus
from partners.models import Event
from partners.operations import delegate
from tests.factories import (
    add_invoice,
    load_catalog,
    make_claim,
    make_enrollment,
    make_fund,
    make_location,
    make_partner,
    make_person,
    make_sent_claim,
    make_sent_plan,
    set_clock,
    shipped_catalog,
    vendor,
)

pytestmark = pytest.mark.django_db


def proof_of(claim: Claim) -> int:
    return claim.documents.get(kind="call-script").pk


def test_a_decision_is_kept_with_the_findings_that_the_reviewer_saw() -> None:
    claim = make_sent_claim(make_fund(), "1000.00", "500.00")
    seen = [found.as_dict() for found in findings_for_review(claim, at=clock.now())]
    second = claim.lines.all()[1]
    said = [LineDecision(second.pk, "approve_less", 30_000, "", "tax-included")]
    claim = approve_claim(claim.pk, decisions=said, note="Well done.", by=vendor("manager"), at=clock.now())
    kept = claim.decisions.get()
    assert kept.findings == seen
    assert (kept.act, kept.asked_minor, kept.approved_minor, kept.note) == ("approve", 150_000, 130_000, "Well done.")
    assert kept.acting_for is None
    assert [(row["decision"], row["approved"], row["reason_code"], row["reason"]) for row in kept.rows] == [
        ("approve", 100_000, "", ""),
        ("approve_less", 30_000, "tax-included", "Taxes that you can reclaim are not paid back."),
    ]


def test_rules_that_are_published_later_leave_a_kept_decision_as_it_was() -> None:
    claim = make_sent_claim(make_fund())
    claim = approve_claim(claim.pk, by=vendor("manager"), at=clock.now())
    before = claim.decisions.get()
    load_catalog(minimum_payment="12.00")
    later = make_sent_claim(claim.fund, "10.00")
    later = reject_claim(later.pk, reason="No.", by=vendor("manager"), at=clock.now())
    after = claim.decisions.get()
    assert (after.publication_id, after.findings) == (before.publication_id, before.findings)
    assert later.decisions.get().publication_id > before.publication_id


def test_a_claim_that_came_in_time_is_judged_by_when_it_came() -> None:
    claim = make_sent_claim(make_fund(now=datetime(2024, 8, 14, 12, tzinfo=UTC)))
    at = set_clock(datetime(2024, 9, 30, tzinfo=UTC))
    assert [found.rule for found in findings_for_review(claim, at=at) if found.outcome == "failed"] == []


def test_who_stands_in_decides_for_whom_they_stand_in() -> None:
    claim = make_sent_claim(make_fund())
    away = make_person(role="channel_manager", portfolio=[claim.partner_id], name="Ana Ruiz")
    stand_in = make_person(role="channel_manager", portfolio=[], name="Bo Lind")
    at = clock.now()
    assert worklist(stand_in, at).total == 0
    delegate(away.pk, stand_in.pk, starts_on=at.date(), ends_on=at.date() + timedelta(days=5), by=away, at=at)
    stand_in = type(stand_in).objects.get(id=stand_in.pk)
    covered = coverage(stand_in, at.date())
    assert covered.sentences == ["You stand in for Ana Ruiz until 9 Mar 2024: all partners."]
    assert coverage(away, at.date()).sentences == ["Bo Lind stands in for you until 9 Mar 2024: all partners."]
    assert worklist(stand_in, at, view="covered", covered=covered.partners).total == 1
    claim = approve_claim(claim.pk, by=stand_in, at=at)
    assert claim.decisions.get().acting_for == away
    assert Event.objects.get(verb="claim.approved").acting_as == "for Ana Ruiz"


# --- Documents --------------------------------------------------------------------------------------------------------


def test_a_returned_document_becomes_a_fix_and_is_looked_at_anew_after_sending() -> None:
    claim = make_sent_claim(make_fund())
    proof, others = proof_of(claim), claim.documents.exclude(kind="call-script")
    said = [
        DocumentDecision(proof, "return", "", "unreadable"),
        *(DocumentDecision(document.pk, "accept") for document in others),
    ]
    claim = return_claim(claim.pk, fixes=[], documents=said, by=vendor("manager"), at=clock.now())
    words = "“proof.png”: The file cannot be read, or a part of it is missing."
    assert claim.returned_fixes == [{"field": "documents.call-script", "message": words}]
    assert claim.decisions.get().documents[-1]["kind"] in ("call-script", "call-log", "invoice")
    submit_claim(claim.pk, by=claim.submitted_by, at=clock.now())
    assert claim.documents.get(id=proof).decision == ""
    assert set(others.values_list("decision", flat=True)) == {"accept"}, "what stands is not judged twice"


def test_words_that_stand_in_the_fix_list_already_are_not_said_twice() -> None:
    claim = make_sent_claim(make_fund())
    line = claim.lines.get()
    claim = return_claim(
        claim.pk,
        fixes=[Fix(f"lines.{line.pk}", "Another date."), Fix("documents.call-script", "Blurred.")],
        decisions=[LineDecision(line.pk, "return", None, "Another date.")],
        documents=[DocumentDecision(proof_of(claim), "return", "Blurred.")],
        by=vendor("manager"),
        at=clock.now(),
    )
    assert [fix["message"] for fix in claim.returned_fixes] == ["Another date.", "Blurred."]


def test_no_claim_is_approved_while_one_of_its_documents_is_to_be_returned() -> None:
    claim = make_sent_claim(make_fund())
    said = [DocumentDecision(proof_of(claim), "return", "Blurred.")]
    with pytest.raises(Invalid, match="A document is to be returned"):
        approve_claim(claim.pk, documents=said, by=vendor("manager"), at=clock.now())
    claim.refresh_from_db()
    assert (claim.status, claim.documents.get(id=proof_of(claim)).decision) == ("submitted", "")


def test_everything_that_is_wrong_with_a_decision_is_said_at_once() -> None:
    claim = make_sent_claim(make_fund(), "1000.00", "500.00")
    first, second = claim.lines.all()
    with pytest.raises(Invalid) as refused:
        approve_claim(
            claim.pk,
            decisions=[LineDecision(first.pk, "decline"), LineDecision(second.pk, "decline", None, "", "unreadable")],
            documents=[DocumentDecision(proof_of(claim), "maybe"), DocumentDecision(0, "accept")],
            by=vendor("manager"),
            at=clock.now(),
        )
    assert [error.field for error in refused.value.errors] == [
        "decisions.0.reason",
        "decisions.1.reason_code",
        "documents.0.decision",
        "documents.1.id",
    ]


@pytest.mark.parametrize(
    ("code", "text", "words"),
    [
        ("", " Own words. ", "Own words."),
        ("over-limit", "", "The amount is above the limit for this activity."),
        ("over-limit", "By 12.00.", "The amount is above the limit for this activity. By 12.00."),
        (
            "over-limit",
            "The amount is above the limit for this activity. By 1.00.",
            "The amount is above the limit for this activity. By 1.00.",
        ),
        ("other", "Own words.", "Own words."),
        ("other", "", ""),
    ],
)
def test_a_reason_of_the_list_and_own_words_are_read_as_one(code: str, text: str, words: str) -> None:
    load_catalog()
    assert shipped_catalog()["reasons"]
    assert in_words("claim", "approve_less", code, text) == words


# --- Notes and like cases ---------------------------------------------------------------------------------------------


def test_an_internal_note_is_read_by_the_vendor_alone() -> None:
    claim = make_sent_claim(make_fund())
    note_internally(claim.pk, text="Ask Pedro.", by=vendor("manager"), at=clock.now())
    noted = Event.objects.about("claim", claim.pk).filter(verb="claim.noted")
    assert noted.visible_to(vendor("pcmm")).count() == 1
    assert noted.visible_to(claim.submitted_by).count() == 0
    with pytest.raises(NotAllowed):
        note_internally(claim.pk, text="Mine.", by=vendor("finance"), at=clock.now())
    with pytest.raises(Invalid):
        note_internally(claim.pk, text=" ", by=vendor("manager"), at=clock.now())


def test_like_cases_are_of_the_same_activity_about_the_amount_and_of_ones_own_portfolio() -> None:
    mine, other = (make_fund(enrollment=make_enrollment(make_location(make_partner(name)))) for name in ("A", "B"))
    for fund, amount in ((mine, "90.00"), (mine, "900.00"), (other, "110.00")):
        claim = make_sent_claim(fund, amount)
        said = [LineDecision(claim.lines.get().pk, "approve_less", 5_000, f"Of {amount}.")]
        approve_claim(claim.pk, decisions=said, by=vendor("manager"), at=clock.now())
    waiting = make_sent_claim(mine, "100.00")
    assert {one.reason for one in precedents_of(waiting, vendor("manager"))} == {"Of 90.00.", "Of 110.00."}
    own = make_person(role="channel_manager", portfolio=[mine.partner_id])
    assert [one.reason for one in precedents_of(waiting, own)] == ["Of 90.00."]


# --- The worklist -----------------------------------------------------------------------------------------------------


def test_claims_plans_and_disputes_wait_in_one_list() -> None:
    fund = make_fund()
    claim = make_sent_claim(fund, "100.00")
    plan = make_sent_plan(fund, "5000.00")
    person, at = vendor("manager"), clock.now()
    page = worklist(person, at)
    assert [(item.kind, item.record.pk) for item in page.items] == [("plan", plan.pk), ("claim", claim.pk)]
    assert (page.sums, page.following) == ("5,100.00 USD", ("plan", plan.pk))
    assert page.items[0].risk == "Until it is approved no work begins: 118 days left to do it"
    assert [item.kind for item in worklist(person, at, view="plans").items] == ["plan"]
    assert worklist(person, at, view="overdue").total == 0
    late = worklist(person, datetime(2024, 3, 7, tzinfo=UTC), view="overdue")
    assert late.total == 2
    assert all(item.overdue for item in late.items)


# --- Several at once --------------------------------------------------------------------------------------------------


def test_a_claim_in_which_nothing_is_open_is_approved_among_several() -> None:
    claim = make_sent_claim(make_fund())
    assert approve_clean(claim.pk, by=vendor("manager"), at=clock.now()).status == "approved"
    with pytest.raises(WrongStatus):
        approve_clean(claim.pk, by=vendor("manager"), at=clock.now())


def test_a_claim_that_changed_or_that_a_colleague_has_is_not_approved_among_several() -> None:
    claim = make_sent_claim(make_fund())
    with pytest.raises(Stale):
        approve_clean(claim.pk, revision=claim.revision - 1, by=vendor("manager"), at=clock.now())
    start_review(claim.pk, by=vendor("pcmm"), at=clock.now())
    with pytest.raises(RuleFailed, match="Somebody else is reviewing"):
        approve_clean(claim.pk, by=vendor("manager"), at=clock.now())


def test_evidence_that_was_seen_before_is_never_approved_among_several() -> None:
    fund = make_fund()
    line = {"supplier": "Acme", "invoice_number": "A-1"}
    claims = []
    for _ in range(2):
        claim = make_claim(fund, "10.00")
        add_invoice(claim, "20.00", on=date(2024, 3, 2), **line)
        claims.append(submit_claim(claim.pk, by=claim.created_by, at=clock.now()))
    assert Duplicate.objects.filter(resolution="").exists()
    for claim in claims:
        with pytest.raises(RuleFailed, match="seen before"):
            approve_clean(claim.pk, by=vendor("manager"), at=clock.now())
        claim.refresh_from_db()
        assert claim.status == "submitted"
