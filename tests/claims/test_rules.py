"""Each rule with real dates and cents: what passes, what fails, and the words that say what was seen and what to do.

The worked examples of docs/rules.md, on the shipped rules. They are pure, so this needs no database.
"""

from __future__ import annotations

import tomllib
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claims import rules
from claims.rules.book import Book, Case, Rule, read_book
from claims.rules.examples import complete
from claims.rules.facts import CLAIM, IDEA, PLAN, DocumentFacts, DuplicateFacts, Facts, LineFacts
from claims.rules.findings import Finding
from claims.rules.kinds import KINDS

CATALOG = tomllib.loads((Path(__file__).resolve().parents[2] / "catalog.toml").read_text(encoding="utf-8"))
BOOK = read_book(CATALOG)
OPEN, CLOSE = datetime(2024, 2, 15, tzinfo=UTC), datetime(2024, 8, 15, tzinfo=UTC)
CURE = datetime(2024, 9, 29, tzinfo=UTC)
MARCH = date(2024, 3, 1)


def case(activity: str = "telemarketing", *, program: str = "mci-csp-reseller", **more: Any) -> Case:
    """A case in the United States, on 1 March 2024 unless said otherwise."""
    day, country = more.pop("day", MARCH), more.pop("country", "US")
    category = next(
        row["category"]
        for one in CATALOG["activities"]
        if one["code"] == activity
        for row in one["categories"]
        if row["valid_from"] <= day <= row.get("valid_to", date.max)
    )
    return Case(program, activity, category, country, BOOK.class_of(country, day), more.pop("partner", "P-1"), day)


def invoice(amount: int = 400_000, on: date | None = date(2024, 3, 2), number: str = "1", **more: Any) -> LineFacts:
    return LineFacts(number, "invoice", "Fabrikam Print", f"INV-{number}", on, amount, **more)


def good(activity: str = "telemarketing", *, subject: str = CLAIM, **more: Any) -> Facts:
    """A complete claim of 4,000.00 of telemarketing (1,000.00 of others), in a fund that earned 10,003.55."""
    facts = complete(BOOK, case(activity, **more), subject)
    facts = replace(facts, available_minor=1_000_355, earned_minor=1_000_355)
    if activity == "telemarketing" and subject == CLAIM:
        facts = replace(
            facts,
            activity_to=facts.case.day + timedelta(1),
            lines=(invoice(on=facts.case.day + timedelta(1)),),
            metrics={"calls": "480", "successful-contacts": "0"},
            plan=replace(facts.plan, left_minor=400_000) if facts.plan else None,
        )
    return facts


GOOD = good()


def found(kind: str, facts: Facts = GOOD, *, book: Book = BOOK, **change: Any) -> list[Finding]:
    return [finding for finding in rules.evaluate(book, replace(facts, **change)) if finding.kind == kind]


def one(kind: str, facts: Facts = GOOD, *, book: Book = BOOK, **change: Any) -> Finding:
    (finding,) = found(kind, facts, book=book, **change)
    return finding


def only_failure(kind: str, facts: Facts = GOOD, **change: Any) -> Finding:
    """The one finding that fails; nothing but this rule does."""
    (finding,) = rules.failed(rules.evaluate(BOOK, replace(facts, **change)))
    assert finding.kind == kind
    return finding


def outcomes(kind: str, facts: Facts = GOOD, **change: Any) -> list[str]:
    return [finding.outcome for finding in found(kind, facts, **change)]


def test_a_complete_claim_passes_every_rule_and_says_what_was_checked() -> None:
    findings = rules.evaluate(BOOK, GOOD)
    assert {finding.outcome for finding in findings} == {"passed"}
    for finding in findings:
        assert finding.text[-1] == "."
        assert finding.seen
        assert finding.wanted
        assert finding.fix == ""
        assert finding.basis.startswith(f"Rule {finding.rule}, version {finding.version}, since ")


@pytest.mark.parametrize("activity", [activity["code"] for activity in CATALOG["activities"]])
def test_a_complete_claim_plan_and_idea_of_every_activity_passes(activity: str) -> None:
    program = "surface-adr" if activity == "tv-radio" else "mci-csp-reseller"
    for subject in (CLAIM, PLAN, IDEA):
        facts = good(activity, subject=subject, program=program)
        assert [one for one in rules.evaluate(BOOK, facts) if one.outcome == "failed"] == []


def test_r1_the_activity_lies_inside_the_use_period() -> None:
    assert set(outcomes("use_period", activity_from=date(2024, 6, 24), activity_to=date(2024, 6, 30))) == {"passed"}
    late = only_failure("use_period", activity_from=date(2024, 6, 24), activity_to=date(2024, 7, 1))
    assert (late.field, late.seen, late.wanted) == ("activity_to", "last day 1 Jul 2024", "1 Jan 2024 to 30 Jun 2024")
    assert late.fix == "Give a last day from 1 Jan 2024 to 30 Jun 2024. Work outside it belongs to another fund."
    early = rules.failed(found("use_period", activity_from=date(2023, 12, 31)))[0]
    assert (early.field, early.seen) == ("activity_from", "first day 31 Dec 2023")
    missing = rules.failed(found("use_period", activity_from=None, activity_to=None))
    assert [finding.seen for finding in missing] == ["no first day", "no last day"]
    turned = only_failure("use_period", activity_from=date(2024, 3, 2), activity_to=date(2024, 3, 1))
    assert (turned.field, turned.fix) == ("activity_to", "Swap the two days.")


def test_r1_a_plan_is_told_at_its_own_fields() -> None:
    plan = good(subject=PLAN)
    late = rules.failed(found("use_period", plan, activity_to=date(2024, 7, 1)))
    assert [finding.field for finding in late] == ["ends_on"]
    assert one("money_there", plan, available_minor=0).field == "requested_amount"


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
    described = (invoice(275_000), LineFacts("2", "csr", "", "", None, 125_000, details={"csr": "[]"}))
    assert found("money_evidence", lines=described)[1].fix == "Sign the statement (CSR) for this line."
    alone = only_failure("money_evidence", documents=GOOD.documents[1:])
    assert alone.fix == "Upload the invoice for Fabrikam Print INV-1."
    csr = (*GOOD.documents, DocumentFacts("csr"))
    assert rules.failed(found("money_evidence", lines=lines, documents=csr)) == []
    wrong_line = (DocumentFacts("invoice", "7"), *GOOD.documents[1:])
    assert only_failure("money_evidence", documents=wrong_line).field == "lines.1"
    nothing = found("money_evidence", lines=())
    assert [(finding.field, finding.seen) for finding in nothing] == [("lines", "no line")]


def test_r3_only_the_vendors_own_invoice_shows_a_partner_program() -> None:
    facts = good("partner-program")
    in_house = (LineFacts("1", "csr", "", "", None, 75_000),)
    refused = only_failure("money_evidence", facts, lines=in_house, documents=(DocumentFacts("csr", "1"),))
    assert (refused.field, refused.seen) == ("lines.1", "750.00 USD of this line, shown by a CSR")
    assert refused.wanted == "the invoice of a supplier: a CSR does not count here"
    assert only_failure("money_evidence", facts, lines=(), documents=()).wanted == "at least one invoice"


def test_r4_every_required_proof_is_there() -> None:
    missing = only_failure("proof_of_execution", documents=[d for d in GOOD.documents if d.kind != "call-log"])
    assert (missing.field, missing.seen, missing.wanted) == (
        "documents.call-log",
        "nothing uploaded for it",
        "Call log",
    )
    assert missing.text == "Telemarketing must be proved by: call log."
    assert missing.fix.startswith("Upload this: call log. A list of the calls")
    assert missing.basis.endswith("for activity telemarketing (an example, not published)")


def test_r4_of_several_that_serve_any_one_is_enough() -> None:
    facts = good("website-search")
    for missing in ("url", "screenshots"):
        kept = [document for document in facts.documents if document.kind != missing]
        assert rules.failed(rules.evaluate(BOOK, replace(facts, documents=kept))) == []
    kept = [document for document in facts.documents if document.kind not in ("url", "screenshots")]
    neither = only_failure("proof_of_execution", facts, documents=kept)
    assert (neither.wanted, neither.field) == ("Address of the page or screenshots", "documents.url")


def test_r4_telemarketing_asks_for_a_call_log_from_fiscal_year_2024_on() -> None:
    for day, asked in ((date(2023, 6, 5), ["call-script"]), (date(2023, 7, 1), ["call-script", "call-log"])):
        wanted = found("proof_of_execution", good(day=day), documents=())
        assert [finding.field.removeprefix("documents.") for finding in wanted] == asked


def test_r4_what_depends_on_an_answer_is_asked_for_by_it() -> None:
    facts = good("seminar")
    kept = [document for document in facts.documents if document.kind != "slides"]
    shown = {**facts.metrics, "brand-in-photos": "yes"}
    assert rules.failed(rules.evaluate(BOOK, replace(facts, documents=kept, metrics=shown))) == []
    not_shown = {**facts.metrics, "brand-in-photos": "no"}
    missing = only_failure("proof_of_execution", facts, documents=kept, metrics=not_shown)
    assert missing.field == "documents.slides"
    unsaid = {**facts.metrics, "brand-in-photos": ""}
    [open_question] = [
        one for one in found("results", facts, metrics=unsaid, documents=kept) if one.outcome != "passed"
    ]
    assert (open_question.outcome, open_question.wanted) == ("person", "yes or no")


def test_r4_a_campaign_shows_all_that_each_of_its_parts_needs() -> None:
    facts = good("multi-touch")
    facts = replace(facts, metrics={"parts": "direct-mail, website-search", "search": "yes"})
    asked = {finding.field for finding in found("proof_of_execution", facts)}
    assert asked == {
        "documents.final-piece",
        "documents.proof-of-distribution",
        "documents.url",
        "documents.statement-of-work",
    }
    assert rules.failed(rules.evaluate(BOOK, facts)) == []
    alone = only_failure("proof_of_parts", facts, metrics={"parts": "direct-mail"})
    assert (alone.field, alone.seen, alone.wanted) == ("metrics.parts", "1 part", "at least 2 parts")
    strange = only_failure("results", facts, metrics={"parts": "telemarketing"})
    assert (strange.field, strange.seen) == ("metrics.parts", "telemarketing")


def test_r5_every_required_metric_is_given() -> None:
    missing = only_failure("results", metrics={"calls": "480"})
    assert (missing.field, missing.seen) == ("metrics.successful-contacts", "nothing")
    assert missing.wanted.startswith("a whole number")
    assert missing.fix.startswith("Fill in “Successful contacts” with a whole number")
    assert set(outcomes("results", metrics={"calls": "480", "successful-contacts": "0"})) == {"passed"}
    for answer in ("", " ", "many", "-1", "1.5", "1,000", "٣"):
        wrong = only_failure("results", metrics={"calls": "480", "successful-contacts": answer})
        assert wrong.field == "metrics.successful-contacts"


def test_r6_the_claim_asks_for_no_more_than_is_available() -> None:
    assert one("money_there", lines=(invoice(1_000_355),)).outcome == "passed"
    more = only_failure("money_there", lines=(invoice(1_000_356),))
    assert more.seen == "10,003.56 USD claimed, 10,003.55 USD there"
    assert more.wanted == "more than zero and at most 10,003.55 USD"
    assert more.fix == "Lower the lines by 0.01 USD in all."
    assert one("money_there", available_minor=0, held_minor=400_000).outcome == "passed"  # its own hold counts
    assert one("money_there", available_minor=-5, held_minor=399_999).fix == "Lower the lines by 0.01 USD in all."
    assert found("money_there", lines=()) == []
    estimate = only_failure("money_there", settled=False)
    assert estimate.seen == "4,000.00 USD claimed, 10,003.55 USD estimated"
    assert estimate.fix == "Wait until the earnings are final, after 30 Jan 2024."
    below = only_failure("money_there", available_minor=-500)
    assert below.text == "Nothing can be planned or claimed from a fund below zero."
    plan = one("money_there", good(subject=PLAN), asked_minor=1_000_356)
    assert (plan.seen, plan.fix) == ("10,003.56 USD asked for, 10,003.55 USD there", "Ask for 0.01 USD less.")


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
    assert rules.failed(rules.evaluate(BOOK, replace(GOOD, payout_profile_complete=None))) == []
    assert only_failure("payout_profile", payout_profile_complete=False).seen == "not complete"


def test_r9_the_program_pays_for_the_activity() -> None:
    finding = only_failure("activity_offered", activity_valid=False)
    assert (finding.seen, finding.field) == ("telemarketing", "activity")
    assert outcomes("activity_offered", good("tv-radio", program="surface-adr")) == ["passed"]
    elsewhere = one("activity_offered", good("tv-radio"))
    assert (elsewhere.outcome, elsewhere.text) == (
        "failed",
        "TV and radio advertising is paid for by the Surface programs only.",
    )


# --- Limits -------------------------------------------------------------------------------------------------------------


def limited(activity: str, amount: int, **more: Any) -> Finding:
    """What the limit says of an amount, with the fund's own money out of the way."""
    program = more.pop("program", "mci-csp-reseller")
    facts = replace(good(activity, program=program), lines=(invoice(amount),), available_minor=10**10)
    (finding,) = (one for one in found("limit", facts, **more) if not one.rule.endswith(".person"))
    return finding


def test_r10_an_activity_is_paid_up_to_its_limit_with_all_its_claims() -> None:
    assert limited("syndicated-content", 1_875_000).outcome == "passed"
    over = limited("syndicated-content", 500_001, used_in_fund_minor=1_375_000)
    assert (over.outcome, over.field, over.text) == ("failed", "lines", "At most 18,750.00 USD in a use period.")
    assert over.seen == "5,000.01 USD claimed, 13,750.00 USD held or granted for other claims"
    assert over.wanted == "at most 18,750.00 USD in all"
    assert over.fix == "Lower the lines by 0.01 USD in all."
    assert limited("syndicated-content", 500_000, used_in_fund_minor=1_375_000).outcome == "passed"


def test_r10_a_percentage_is_of_what_the_fund_earned_and_surface_has_its_own() -> None:
    """A quarter of 10,003.55 is 2,500.8875: rounded half-even to 2,500.89."""
    assert limited("spiff", 250_089).outcome == "passed"
    over = limited("spiff", 250_090)
    assert (over.outcome, over.wanted) == ("failed", "at most 2,500.89 USD, 25 % of the 10,003.55 USD earned")
    surface = limited("spiff", 1_000_355, program="surface-adr")
    assert (surface.outcome, surface.rule) == ("passed", "limit.spiff.surface")
    assert surface.basis == (
        "Rule limit.spiff.surface, version 1, since 1 Jul 2019, for program surface-add, surface-adr, for activity spiff"
    )
    assert limited("spiff", 1_000_356, program="surface-adr").outcome == "failed"
    assert limited("on-site-champ", 500_178).outcome == "passed"
    assert limited("on-site-champ", 500_179).outcome == "failed"


def test_r10_of_two_limits_the_greater_counts_and_surface_has_none() -> None:
    assert limited("product-seeding", 300_000).outcome == "passed"
    over = limited("product-seeding", 300_001)
    assert over.wanted == "at most 3,000.00 USD, the greater of 10 % of the 10,003.55 USD earned and 3,000.00 USD"
    assert limited("product-seeding", 400_000, earned_minor=4_000_000).outcome == "passed"
    assert limited("product-seeding", 400_001, earned_minor=4_000_000).outcome == "failed"
    assert limited("product-seeding", 10**9, program="surface-add").wanted == "any amount"


def test_r10_an_amount_a_person_is_for_those_who_went() -> None:
    facts = replace(good("vendor-conference"), available_minor=10**10)
    for people, amount, outcome in (("2", 1_000_000, "passed"), ("2", 1_000_001, "failed"), ("0", 1, "failed")):
        metrics = {**facts.metrics, "travellers": people}
        findings = found("limit", facts, lines=(invoice(amount),), metrics=metrics)
        by_rule = {finding.rule: finding for finding in findings}
        assert by_rule["limit.vendor-conference.person"].outcome == outcome
    assert by_rule["limit.vendor-conference.person"].wanted == "at most 0.00 USD for 0 people"


def test_r10_a_limit_of_the_program_counts_all_the_partners_funds() -> None:
    assert limited("vendor-conference", 500_000, used_in_program_minor=4_000_000).outcome == "passed"
    over = limited("vendor-conference", 500_001, used_in_program_minor=4_000_000, used_in_fund_minor=0)
    assert (over.outcome, over.rule) == ("failed", "limit.vendor-conference")
    assert over.wanted == "at most 45,000.00 USD in all your funds of the program and period"


def test_r10_a_limit_in_another_currency_takes_the_stored_rate_or_a_person() -> None:
    euros = {"currency": "EUR", "rates": {"USD": Decimal("0.92")}}
    assert limited("syndicated-content", 1_725_000, **euros).outcome == "passed"
    assert limited("syndicated-content", 1_725_001, **euros).outcome == "failed"
    unknown = limited("syndicated-content", 100, currency="EUR")
    assert (unknown.outcome, unknown.fix) == ("person", "A reviewer compares the two amounts.")
    assert unknown.seen == "1.00 EUR claimed; no rate from USD to EUR is known"


def test_r10_an_idea_without_a_fund_is_told_what_a_percentage_depends_on() -> None:
    idea = replace(good("spiff", subject=IDEA), fund_known=False, earned_minor=0)
    finding = one("limit", idea)
    assert (finding.outcome, finding.field) == ("warning", "amount")
    assert (
        finding.wanted
        == "At most 25 % of the co-op that the fund earned, over all claims of one fund for the activity."
    )


def test_r11_no_more_people_are_paid_for_than_the_limit_allows() -> None:
    facts = good("vendor-conference")
    for people, outcome in (("3", "passed"), ("4", "failed"), ("999999999999", "failed")):
        assert outcomes("head_count", facts, metrics={"travellers": people}) == [outcome]
    assert outcomes("head_count", facts, metrics={}) == []  # R5 asks for it
    plan = good("vendor-conference", subject=PLAN)
    unsaid = one("head_count", plan, metrics={})
    assert (unsaid.outcome, unsaid.field, unsaid.fix) == ("failed", "answers.travellers", "Say how many people go.")
    assert one("head_count", good("vendor-conference", subject=IDEA), metrics={}).outcome == "warning"


amounts = st.integers(1, 10**11)


@given(amounts, amounts, amounts)
def test_the_greater_of_two_limits_is_never_below_either(earned: int, asked: int, used: int) -> None:
    finding = limited("product-seeding", asked, earned_minor=earned, used_in_fund_minor=used)
    share = (Decimal(earned) / 10).to_integral_value()
    assert (finding.outcome == "passed") == (asked + used <= max(int(share), 300_000))


@given(st.integers(-(10**11), 10**11), amounts)
def test_a_limit_by_percent_is_rounded_half_even_and_never_below_nothing(earned: int, asked: int) -> None:
    most = int((Decimal(max(earned, 0)) / 4).to_integral_value())
    assert (limited("customer-offer", asked, earned_minor=earned).outcome == "passed") == (asked <= most)


@given(amounts, st.integers(0, 10**11))
def test_what_a_limit_says_is_missing_is_enough_to_pass(asked: int, used: int) -> None:
    finding = limited("syndicated-content", asked, used_in_fund_minor=used)
    if finding.outcome == "failed" and finding.fix.startswith("Lower"):
        less = int(finding.fix.removeprefix("Lower the lines by ").partition(" ")[0].replace(",", "").replace(".", ""))
        assert limited("syndicated-content", asked - less, used_in_fund_minor=used).outcome == "passed"
        assert limited("syndicated-content", asked - less + 1, used_in_fund_minor=used).outcome == "failed"


# --- Allowances and small claims ----------------------------------------------------------------------------------------


def test_r12_the_share_of_the_cost_is_that_of_the_most_specific_rule() -> None:
    later = date(2024, 7, 1)
    lines = (invoice(80_000, later, cost_minor=100_000),)
    us = one("allowance", good("product-seeding", day=later), lines=lines)
    assert (us.outcome, us.rule, us.wanted) == (
        "passed",
        "allowance.product-seeding.us",
        "at most 800.00 USD, 80 % of what it cost",
    )
    over = one("allowance", good("product-seeding", day=later), lines=(invoice(80_001, later, cost_minor=100_000),))
    assert (over.outcome, over.field) == ("failed", "lines.1.amount")
    assert over.fix == "Claim 800.00 USD of it, or enter what it cost if that was more."
    assert one("allowance", good("product-seeding", day=later, country="DE"), lines=lines).rule == "allowance"
    assert one("allowance", good("product-seeding"), lines=lines).rule == "allowance", "FY24 is as it was published"


def test_r12_a_partners_agreement_goes_before_its_country() -> None:
    agreement = Rule(
        "allowance.p-1001",
        1,
        "By its agreement 90 % is paid to this partner.",
        date(2024, 1, 1),
        date(2024, 12, 31),
        slot="allowance",
        scope={"partners": frozenset({"P-1001"})},
        params={"percent": "90"},
    )
    book = Book([agreement, *BOOK.rules], BOOK.country_classes)
    day = date(2024, 7, 1)
    assert one("allowance", good("product-seeding", day=day, partner="P-1001"), book=book).rule == "allowance.p-1001"
    assert one("allowance", good("product-seeding", day=day), book=book).rule == "allowance.product-seeding.us"
    after = good("product-seeding", day=date(2025, 1, 1), partner="P-1001")
    assert one("allowance", after, book=book).rule == "allowance.product-seeding.us"


@given(st.integers(1, 10**11), st.integers(1, 10**11))
def test_a_share_of_the_cost_is_rounded_half_even(cost: int, claimed: int) -> None:
    day = date(2024, 7, 1)
    facts = replace(good("product-seeding", day=day), lines=(invoice(claimed, day, cost_minor=cost),))
    most = int((Decimal(cost) * 4 / 5).to_integral_value())
    assert (one("allowance", facts).outcome == "passed") == (claimed <= most)


@pytest.mark.parametrize(
    ("country", "amount", "waived"),
    [("US", 2_499, True), ("US", 2_500, False), ("MX", 9_999, True), ("MX", 10_000, False), ("XK", 1, False)],
)
def test_r13_a_small_claim_needs_only_the_evidence_of_money(country: str, amount: int, waived: bool) -> None:
    facts = replace(good(country=country), lines=(invoice(amount),), documents=(DocumentFacts("invoice", "1"),))
    failed = rules.failed(rules.evaluate(BOOK, replace(facts, metrics={})))
    assert {finding.kind for finding in failed} == (set() if waived else {"proof_of_execution", "results"})
    if waived:
        said = one("poe_threshold", facts)
        assert said.outcome == "passed"
        assert said.wanted.endswith(": only the evidence of money")
        assert said.basis.endswith("(an example, not published)")
    alone = replace(facts, documents=())
    assert [one.kind for one in rules.failed(found("money_evidence", alone))] == ["money_evidence"]


def test_r13_a_country_is_of_the_class_of_the_day() -> None:
    before, after = (BOOK.class_of("KR", day) for day in (date(2023, 6, 30), date(2023, 7, 1)))
    assert (before, after) == ("class-c", "class-b")


def test_r14_what_is_aired_was_approved_before() -> None:
    facts = good("tv-radio", program="surface-adr")

    def approved(on: date | None) -> list[DocumentFacts]:
        return [replace(d, dated_on=on) if d.kind == "final-approval" else d for d in facts.documents]

    assert outcomes("approval_before", facts, documents=approved(date(2024, 2, 29))) == ["passed"]
    late = only_failure("approval_before", facts, documents=approved(MARCH))
    assert (late.field, late.seen, late.wanted) == (
        "documents.final-approval",
        "dated 1 Mar 2024",
        "a day before 1 Mar 2024",
    )
    [unsaid] = found("approval_before", facts, documents=approved(None))
    assert (unsaid.outcome, unsaid.seen) == ("person", "no day on it")


# --- Plans, advice and what is confirmed --------------------------------------------------------------------------------


def test_r15_where_the_program_asks_for_it_the_work_was_approved_before_it_began() -> None:
    assert one("plan_approval").seen == "plan P-1, approved on 1 Jan 2024"
    none = only_failure("plan_approval", plan=None)
    assert (none.field, none.seen) == ("plan_activity", "no plan")
    assert none.wanted == "the approved activity of a plan, approved by 1 Mar 2024"
    assert GOOD.plan is not None
    on_the_day = replace(GOOD.plan, approved_on=MARCH)
    assert one("plan_approval", plan=on_the_day).outcome == "passed"
    late = only_failure("plan_approval", plan=replace(GOOD.plan, approved_on=date(2024, 3, 2)))
    assert late.seen == "plan P-1, approved on 2 Mar 2024"
    assert late.fix == "Work that began before the approval is not paid. Correct the first day if it was mistyped."
    other = only_failure("plan_approval", plan=replace(GOOD.plan, activity="seminar"))
    assert other.seen == "plan P-1, which is approved for another activity"
    assert only_failure("plan_approval", plan=replace(GOOD.plan, approved_on=None)).seen == "plan P-1, not approved"
    for setting in ("optional", "none"):
        assert found("plan_approval", plan=None, plan_approval=setting) == []


def test_r15_a_plan_that_begins_before_it_can_be_approved_and_an_idea_are_warned() -> None:
    plan = replace(good(subject=PLAN), plan_approval="required", at=datetime(2024, 3, 2, tzinfo=UTC))
    assert [(one.outcome, one.field) for one in found("plan_approval", plan)] == [("warning", "starts_on")]
    assert outcomes("plan_approval", plan, at=datetime(2024, 3, 1, 23, tzinfo=UTC)) == ["passed"]
    assert outcomes("plan_approval", good(subject=IDEA), plan_approval="required") == ["warning"]


def test_r16_a_claim_that_leaves_its_plan_is_pointed_out() -> None:
    assert GOOD.plan is not None
    less = [one for one in found("within_plan", plan=replace(GOOD.plan, left_minor=399_999)) if one.fix]
    assert [(one.outcome, one.field, one.seen) for one in less] == [("warning", "lines", "4,000.00 USD claimed")]
    assert less[0].wanted == "at most 3,999.99 USD, which plan P-1 has left"
    days = [one for one in found("within_plan", plan=replace(GOOD.plan, ends_on=MARCH)) if one.fix]
    assert [(one.outcome, one.field, one.seen) for one in days] == [
        ("warning", "activity_from", "1 Mar 2024 to 2 Mar 2024")
    ]
    assert found("within_plan", plan=None) == []


def test_r17_the_solution_area_is_one_of_the_day() -> None:
    assert one("solution_area", solution_area="modern-work").seen == "Modern Work"
    assert outcomes("solution_area", solution_area="Modern Work") == ["passed"], "its name will do"
    none = one("solution_area", solution_area="")
    assert (none.outcome, none.field, none.seen) == ("warning", "solution_area", "none named")
    assert none.wanted == "Modern Work, Security, Business Applications, Azure"
    assert outcomes("solution_area", solution_area="cloud-ai-platforms") == ["warning"], "of FY26"
    later = good(day=date(2025, 7, 1))
    assert outcomes("solution_area", later, solution_area="cloud-ai-platforms") == ["passed"]


def test_r18_guidance_is_advice_and_never_a_refusal() -> None:
    facts = replace(good(day=date(2025, 8, 1), program="distributor-software"), solution_area="security")
    spent = {"cloud-ai-platforms": 60_000, "security": 40_000}
    area = one("guidance", facts, by_area=spent)
    assert (area.outcome, area.field) == ("warning", "solution_area")
    assert area.seen == "Cloud & AI Platforms 60 %, AI Business Solutions 0 %, Security 40 %"
    assert area.wanted == "Cloud & AI Platforms 45 %, AI Business Solutions 35 %, Security 20 %"
    assert area.fix == "Plan more for AI Business Solutions. This is advice: it stops nothing."
    category = one("guidance", facts, by_category={"market-development": 45, "demand-generation": 55})
    assert (category.outcome, category.wanted) == (
        "passed",
        "Demand Generation 40 %, Market Development 45 %, Partner Skilling 15 %",
    )
    assert found("guidance", good(day=date(2025, 8, 1)), by_area=spent) == [], "for distributors only"
    assert rules.failed(rules.evaluate(BOOK, replace(facts, by_area=spent))) == []


def test_r19_evidence_that_was_given_before_is_pointed_out_without_the_others_data() -> None:
    assert one("duplicate_evidence").outcome == "passed"
    seen = (DuplicateFacts("file", "documents.9"), DuplicateFacts("invoice", "lines.1", "C-4711"))
    other, own = found("duplicate_evidence", duplicates=seen)
    assert (other.outcome, other.field) == ("warning", "documents.9")
    assert other.seen == "the same file was given before, in another claim"
    assert own.seen.endswith("with the same number was given before, in C-4711")


def test_r20_what_only_the_partner_can_know_is_confirmed() -> None:
    facts = good("seminar")
    denied = only_failure("declaration", facts, metrics={**facts.metrics, "no-alcohol": "no"})
    assert (denied.field, denied.text, denied.seen) == ("metrics.no-alcohol", "Alcohol is not paid.", "no")
    [unsaid] = found("declaration", facts, metrics={**facts.metrics, "no-alcohol": ""})
    assert (unsaid.outcome, unsaid.seen) == ("person", "not confirmed")
    lines = (invoice(100_000, description="Catering with Wine and beer"),)
    warned = [one for one in found("declaration", facts, lines=lines) if one.outcome == "warning"]
    assert [(one.field, one.seen) for one in warned] == [("lines.1.description", "“Catering with Wine and beer”")]
    assert warned[0].fix.startswith("Take the cost of beer, wine out of the line")
    lines = (invoice(100_000, description="Room in the old winery"),)
    assert {one.outcome for one in found("declaration", facts, lines=lines)} == {"passed"}


def test_r21_what_an_invoice_must_show_is_written_beside_it() -> None:
    facts = good("exams-tuition")
    assert set(outcomes("line_detail", facts)) == {"passed"}

    def beside(**details: str) -> list[Finding]:
        values = {code.replace("_", "-"): value for code, value in details.items()}
        seen = found("line_detail", facts, lines=(invoice(100_000, details=values),))
        return [one for one in seen if one.outcome != "passed"]

    nothing = beside()
    assert {one.outcome for one in nothing} == {"person"}
    assert [one.field for one in nothing] == ["lines.1.details.course-code", "lines.1.details.completion-date"]
    assert nothing[0].fix == "Fill in “Code of the course or exam” for Fabrikam Print INV-1."
    (late,) = beside(course_code="AZ-900", completion_date="2024-07-01")
    assert (late.seen, late.wanted) == ("1 Jul 2024", "a day from 1 Jan 2024 to 30 Jun 2024")
    (unread,) = beside(course_code="AZ-900", completion_date="1 March")
    assert unread.seen == "1 March"


# --- All of them --------------------------------------------------------------------------------------------------------


def test_all_that_is_wrong_is_found_at_once_each_at_its_field() -> None:
    wrong = replace(
        GOOD, at=CLOSE, activity_from=None, lines=(), documents=(), metrics={}, payout_profile_complete=False, plan=None
    )
    failures = rules.failed(rules.evaluate(BOOK, wrong))
    assert {finding.kind for finding in failures} == {
        "claim_window",
        "use_period",
        "plan_approval",
        "money_evidence",
        "proof_of_execution",
        "results",
        "payout_profile",
    }
    for finding in failures:
        assert finding.fix[-1] == ".", finding
        assert finding.fix[0].isupper(), finding
        assert "None" not in f"{finding.seen}{finding.wanted}{finding.fix}"


def test_the_most_specific_rule_of_a_slot_counts_and_the_order_stays_that_of_the_catalog() -> None:
    """The same question may be answered for a partner, a country, its class, a program, an activity or a category."""
    day = date(2024, 1, 1)
    scopes = [
        {},
        {"categories": frozenset({"market-development"})},
        {"activities": frozenset({"telemarketing"})},
        {"programs": frozenset({"mci-csp-reseller"})},
        {"country_classes": frozenset({"class-a"})},
        {"countries": frozenset({"US"})},
        {"partners": frozenset({"P-1"})},
    ]
    rows = [Rule(f"allowance.{n}", 1, "So.", day, slot="allowance", scope=scope) for n, scope in enumerate(scopes)]
    for last in range(len(rows)):
        (wins,) = Book(reversed(rows[: last + 1])).in_force(GOOD.case)
        assert wins.code == f"allowance.{last}"


def test_every_rule_is_said_in_one_plain_sentence_with_its_figures() -> None:
    said = {rule.code: KINDS[rule.kind].words(rule) for rule in BOOK.rules}
    assert all(not words[0].islower() and words.endswith(".") and "None" not in words for words in said.values())
    assert said["limit.syndicated-content"] == "At most 18,750.00 USD, over all claims of one fund for the activity."
    assert said["limit.product-seeding"] == (
        "At most 10 % of the co-op that the fund earned or 3,000.00 USD, whichever is greater, over all claims of one fund "
        "for the activity."
    )
    assert said["allowance.product-seeding.us"] == "80 % of the actual cost is paid."
    assert said["proof_of_execution.seminar.slides"] == "Proof: slides, if “brand-in-photos” is answered no."
    assert said["poe_threshold.class-b"] == "A claim below 100.00 USD needs only the evidence of money."


moments = st.integers(-400, 400).map(lambda days: GOOD.at + timedelta(days=days))
days = st.one_of(st.none(), st.dates(date(2023, 6, 1), date(2025, 1, 1)))


@given(
    st.sampled_from([activity["code"] for activity in CATALOG["activities"]]),
    st.sampled_from([CLAIM, PLAN, IDEA]),
    moments,
    days,
    days,
    st.integers(-(10**12), 10**12),
    st.lists(st.integers(1, 10**12), max_size=4),
    st.booleans(),
    st.text(),
)
def test_whatever_the_facts_every_rule_answers_and_a_failure_says_what_to_do(
    activity: str,
    subject: str,
    at: datetime,
    first: date | None,
    last: date | None,
    available: int,
    amounts: list[int],
    settled: bool,
    said: str,
) -> None:
    facts = good(activity, subject=subject)
    lines = tuple(invoice(amount, first, str(n), details={"completion-date": said}) for n, amount in enumerate(amounts))
    facts = replace(
        facts, at=at, activity_from=first, activity_to=last, available_minor=available, lines=lines, settled=settled
    )
    facts = replace(facts, metrics=dict.fromkeys(facts.metrics, said), earned_minor=available)
    for finding in rules.evaluate(BOOK, facts):
        assert bool(finding.fix) == (finding.outcome != "passed")
        assert finding.seen
        assert finding.as_dict()["rule"] == finding.rule
