"""Each rule with real dates and cents: what passes, what fails, and the words that say what was seen and what to do.

The worked examples of docs/rules.md. The rules are pure, so most of this needs no database.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claims import rules
from claims.models import Activity
from claims.rules import DocumentFacts, Facts, Finding, LineFacts, Metric, Proof
from tests import factories as make

OPEN, CLOSE = datetime(2024, 2, 15, tzinfo=UTC), datetime(2024, 8, 15, tzinfo=UTC)
CURE = datetime(2024, 9, 29, tzinfo=UTC)
SCRIPT, LOG = Proof("call-script", "Call script", "The text that the callers used."), Proof("call-log", "Call log")
CALLS, CONTACTS = Metric("calls", "Calls made", "count"), Metric("contacts", "Successful contacts", "count")


def invoice(amount: int = 400_000, on: date | None = date(2024, 3, 2), number: str = "1") -> LineFacts:
    return LineFacts(number, "invoice", "Fabrikam Print", f"INV-{number}", on, amount)


GOOD = Facts(
    at=datetime(2024, 3, 4, tzinfo=UTC),
    zone="UTC",
    currency="USD",
    use_from=date(2024, 1, 1),
    use_to=date(2024, 6, 30),
    claims_open_at=OPEN,
    claims_close_at=CLOSE,
    cure_close_at=CURE,
    returned=False,
    sent_in_time=False,
    activity_name="Telemarketing",
    activity_from=date(2024, 3, 1),
    activity_to=date(2024, 3, 2),
    activity_valid=True,
    held_minor=0,
    available_minor=1_000_355,
    settled=True,
    settle_on=date(2024, 1, 30),
    payout_profile_complete=True,
    proofs=(SCRIPT, LOG),
    metrics_wanted=(CALLS, CONTACTS),
    lines=(invoice(),),
    documents=(DocumentFacts("invoice", "1"), DocumentFacts("call-script"), DocumentFacts("call-log")),
    metrics={"calls": "480", "contacts": "0"},
)


def found(rule: str, **change: Any) -> list[Finding]:
    return [finding for finding in rules.evaluate(replace(GOOD, **change)) if finding.rule == rule]


def one(rule: str, **change: Any) -> Finding:
    (finding,) = found(rule, **change)
    return finding


def only_failure(rule: str, **change: Any) -> Finding:
    """The one finding that fails; nothing but this rule does."""
    (finding,) = rules.failed(rules.evaluate(replace(GOOD, **change)))
    assert finding.rule == rule
    return finding


def test_a_complete_claim_passes_every_rule_and_says_what_was_checked() -> None:
    findings = rules.evaluate(GOOD)
    assert {finding.outcome for finding in findings} == {"passed"}
    assert len({finding.rule for finding in findings}) == len(rules.RULES) == 9
    for finding in findings:
        assert finding.text[-1] == "."
        assert finding.seen
        assert finding.wanted
        assert finding.fix == ""


def test_r1_the_activity_lies_inside_the_use_period() -> None:
    assert rules.failed(found("use_period", activity_from=date(2024, 6, 24), activity_to=date(2024, 6, 30))) == []
    late = only_failure("use_period", activity_from=date(2024, 6, 24), activity_to=date(2024, 7, 1))
    assert (late.field, late.seen, late.wanted) == ("activity_to", "last day 1 Jul 2024", "1 Jan 2024 to 30 Jun 2024")
    assert late.fix == "Give a last day from 1 Jan 2024 to 30 Jun 2024. Work outside it belongs to another fund."
    early = only_failure("use_period", activity_from=date(2023, 12, 31))
    assert (early.field, early.seen) == ("activity_from", "first day 31 Dec 2023")
    missing = rules.failed(found("use_period", activity_from=None, activity_to=None))
    assert [finding.seen for finding in missing] == ["no first day", "no last day"]
    turned = only_failure("use_period", activity_from=date(2024, 3, 2), activity_to=date(2024, 3, 1))
    assert (turned.field, turned.fix) == ("activity_to", "Swap the two days.")


@pytest.mark.parametrize(
    ("at", "outcome"),
    [
        (OPEN - timedelta(microseconds=1), "failed"),
        (OPEN, "passed"),
        (CLOSE - timedelta(microseconds=1), "passed"),
        (CLOSE, "failed"),
    ],
)
def test_r2_the_claim_is_sent_inside_the_claim_window(at: datetime, outcome: str) -> None:
    assert one("claim_window", at=at).outcome == outcome


def test_r2_says_when_to_send_and_in_the_zone_of_the_program() -> None:
    early = only_failure("claim_window", at=datetime(2024, 2, 14, 23, 59, 59, tzinfo=UTC))
    assert early.seen == "14 Feb 2024, 23:59:59 UTC"
    assert early.wanted == "15 Feb 2024, 00:00 UTC to 14 Aug 2024, 23:59:59 UTC"
    assert early.fix == "Finish the draft now and send it on 15 Feb 2024 or later."
    late = only_failure("claim_window", at=CLOSE)
    assert late.fix == "The claim deadline has passed; this fund takes no more claims."
    vancouver = {"zone": "America/Vancouver", "claims_open_at": datetime(2024, 2, 15, 8, tzinfo=UTC)}
    there = only_failure("claim_window", at=datetime(2024, 2, 15, 7, tzinfo=UTC), **vancouver)
    assert there.fix == "Finish the draft now and send it on 15 Feb 2024 or later."
    auckland = {"zone": "Pacific/Auckland", "claims_open_at": datetime(2024, 2, 14, 11, tzinfo=UTC)}
    there = only_failure("claim_window", at=datetime(2024, 2, 14, 10, tzinfo=UTC), **auckland)
    assert there.fix == "Finish the draft now and send it on 15 Feb 2024 or later.", "the day there, not in UTC"


@pytest.mark.parametrize(
    ("at", "outcome"), [(CLOSE, "passed"), (CURE - timedelta(microseconds=1), "passed"), (CURE, "failed")]
)
def test_r2_a_returned_claim_that_was_sent_in_time_is_mended_until_the_cure_deadline(
    at: datetime, outcome: str
) -> None:
    finding = one("claim_window", at=at, returned=True, sent_in_time=True)
    assert (finding.outcome, finding.wanted) == (outcome, "until 28 Sep 2024, 23:59:59 UTC")
    assert one("claim_window", at=CLOSE, returned=True, sent_in_time=False).outcome == "failed"


def test_r3_every_line_has_its_evidence_of_money() -> None:
    lines = (invoice(275_000), LineFacts("2", "csr", "", "", None, 125_000))
    first, second = found("money_evidence", lines=lines)
    assert (first.outcome, second.outcome) == ("passed", "failed")
    assert (second.field, second.seen, second.wanted) == ("lines.2", "1,250.00 USD of this line", "its CSR as a file")
    assert second.fix == "Upload the CSR for this line."
    alone = only_failure("money_evidence", documents=GOOD.documents[1:])
    assert alone.fix == "Upload the invoice for Fabrikam Print INV-1."
    csr = (*GOOD.documents, DocumentFacts("csr"))
    assert rules.failed(found("money_evidence", lines=lines, documents=csr)) == []
    wrong_line = (DocumentFacts("invoice", "7"), *GOOD.documents[1:])
    assert only_failure("money_evidence", documents=wrong_line).field == "lines.1"
    nothing = found("money_evidence", lines=())
    assert [(finding.field, finding.seen) for finding in nothing] == [("lines", "no line")]


def test_r4_every_required_proof_is_there() -> None:
    missing = only_failure("proof_of_execution", documents=GOOD.documents[:2])
    assert (missing.field, missing.seen, missing.wanted) == (
        "documents.call-log",
        "nothing uploaded for it",
        "Call log",
    )
    assert missing.text == "Telemarketing must be proved by: call log."
    assert missing.fix == "Upload this: call log."
    script = only_failure("proof_of_execution", documents=(GOOD.documents[0], GOOD.documents[2]))
    assert script.fix == "Upload this: call script. The text that the callers used."


def test_r4_of_a_group_any_one_is_enough_and_an_optional_proof_is_left_to_the_reviewer() -> None:
    group = (Proof("photo", "Photo", group="look"), Proof("address", "Landing-page URL", group="look"))
    optional = Proof("slides", "Slides", required=False)
    finding = one("proof_of_execution", proofs=(*group, optional), documents=(DocumentFacts("address"),))
    assert (finding.outcome, finding.seen) == ("passed", "Landing-page URL")
    missing = one("proof_of_execution", proofs=group, documents=())
    assert missing.wanted == "Photo or landing-page URL"
    assert missing.field == "documents.photo"
    address = one("proof_of_execution", proofs=(Proof("url", "URL or screenshots"),), documents=())
    assert address.fix == "Upload this: URL or screenshots."


@pytest.mark.django_db
def test_r4_telemarketing_asks_for_a_call_log_from_fiscal_year_2024_on() -> None:
    make.load_catalog()
    telemarketing = Activity.objects.get(code="telemarketing")
    before, after = (telemarketing.proofs_on(day) for day in (date(2023, 6, 5), date(2024, 3, 4)))
    assert [proof.code for proof in before] == ["call-script"]
    assert [proof.code for proof in after] == ["call-script", "call-log"]
    documents = GOOD.documents[:2]
    assert one("proof_of_execution", proofs=tuple(before), documents=documents).outcome == "passed"
    assert only_failure("proof_of_execution", proofs=tuple(after), documents=documents).field == "documents.call-log"


@pytest.mark.django_db
def test_r4_the_vendors_own_invoice_is_proof_where_an_activity_asks_for_it() -> None:
    """Partner-program participation asks for the original invoice: the evidence of money is the proof."""
    make.load_catalog()
    day = date(2024, 3, 1)
    asked = tuple(Activity.objects.get(code="partner-program").proofs_on(day))
    assert asked
    finding = one("proof_of_execution", proofs=asked, documents=(DocumentFacts("invoice", "1"),))
    assert finding.outcome == "passed", (asked, finding)


def test_r5_every_required_metric_is_given() -> None:
    missing = only_failure("results", metrics={"calls": "480"})
    assert (missing.field, missing.seen) == ("metrics.contacts", "nothing")
    assert missing.wanted.startswith("a whole number")
    assert missing.fix.startswith("Fill in “Successful contacts” with a whole number")
    assert rules.failed(found("results", metrics={"calls": "480", "contacts": "0"})) == []
    for answer in ("", " ", "many", "-1", "1.5", "1,000", "٣"):
        assert only_failure("results", metrics={"calls": "480", "contacts": answer}).field == "metrics.contacts"


def test_r6_the_claim_asks_for_no_more_than_is_available() -> None:
    assert one("money_there", lines=(invoice(1_000_355),)).outcome == "passed"
    more = only_failure("money_there", lines=(invoice(1_000_356),))
    assert more.seen == "10,003.56 USD claimed, 10,003.55 USD there"
    assert more.wanted == "more than zero and at most 10,003.55 USD"
    assert more.fix == "Lower the lines by 0.01 USD in all."
    assert one("money_there", available_minor=0, held_minor=400_000).outcome == "passed"  # its own hold counts
    assert one("money_there", available_minor=-5, held_minor=399_999).fix == "Lower the lines by 0.01 USD in all."
    assert {finding.fix for finding in found("money_there", lines=())} <= {"Enter what the work cost."}
    estimate = only_failure("money_there", settled=False)
    assert estimate.seen == "4,000.00 USD claimed, 10,003.55 USD estimated"
    assert estimate.fix == "Wait until the earnings are final, after 30 Jan 2024."


@pytest.mark.parametrize(
    ("on", "outcome"),
    [
        (date(2023, 12, 31), "failed"),
        (date(2024, 1, 1), "passed"),
        (date(2024, 8, 14), "passed"),
        (date(2024, 8, 15), "failed"),
        (None, "failed"),
    ],
)
def test_r7_every_invoice_is_dated_in_time(on: date | None, outcome: str) -> None:
    finding = one("invoice_date", lines=(invoice(on=on),))
    assert (finding.outcome, finding.wanted) == (outcome, "1 Jan 2024 to 14 Aug 2024")
    assert finding.field == "lines.1.invoiced_on"
    if on is None:
        assert finding.seen == "no date"
        assert finding.fix.startswith("Enter the day")


def test_r7_work_done_in_house_has_no_invoice_and_so_no_date() -> None:
    assert found("invoice_date", lines=(LineFacts("1", "csr", "", "", None, 400_000),)) == []


def test_r8_an_incomplete_payout_profile_fails_and_an_unknown_one_warns() -> None:
    assert one("payout_profile", payout_profile_complete=True).outcome == "passed"
    unknown = one("payout_profile", payout_profile_complete=None)
    assert (unknown.outcome, unknown.seen) == ("warning", "not known here")
    assert rules.failed(rules.evaluate(replace(GOOD, payout_profile_complete=None))) == []
    assert only_failure("payout_profile", payout_profile_complete=False).seen == "not complete"


def test_r9_the_program_pays_for_the_activity() -> None:
    finding = only_failure("activity_offered", activity_valid=False)
    assert (finding.seen, finding.field) == ("Telemarketing", "activity")


def test_all_that_is_wrong_is_found_at_once_each_at_its_field() -> None:
    wrong = replace(
        GOOD, at=CLOSE, activity_from=None, lines=(), documents=(), metrics={}, payout_profile_complete=False
    )
    failures = rules.failed(rules.evaluate(wrong))
    assert {finding.rule for finding in failures} - {"money_there"} == {
        "claim_window",
        "use_period",
        "money_evidence",
        "proof_of_execution",
        "results",
        "payout_profile",
    }
    for finding in failures:
        assert finding.fix[-1] == ".", finding
        assert finding.fix[0].isupper(), finding
        assert "None" not in f"{finding.seen}{finding.wanted}{finding.fix}"


moments = st.integers(-400, 400).map(lambda days: GOOD.at + timedelta(days=days))
days = st.one_of(st.none(), st.dates(date(2023, 6, 1), date(2025, 1, 1)))


@given(
    moments,
    days,
    days,
    st.integers(-(10**12), 10**12),
    st.lists(st.integers(1, 10**12), max_size=4),
    st.booleans(),
    st.text(),
)
def test_whatever_the_facts_every_rule_answers_and_a_failure_says_what_to_do(
    at: datetime, first: date | None, last: date | None, available: int, amounts: list[int], settled: bool, said: str
) -> None:
    lines = tuple(invoice(amount, first, str(n)) for n, amount in enumerate(amounts))
    facts = replace(
        GOOD, at=at, activity_from=first, activity_to=last, available_minor=available, lines=lines, settled=settled
    )
    facts = replace(facts, metrics={"calls": said})
    for finding in rules.evaluate(facts):
        assert bool(finding.fix) == (finding.outcome != "passed")
        assert finding.seen
        assert finding.as_dict()["rule"] == finding.rule
