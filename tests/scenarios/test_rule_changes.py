"""A rule changes for next year: old claims stay as they were decided, and the simulator gives back what really happened."""

from __future__ import annotations

import copy
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.db import connection

from claims.models import Claim, Decision, Publication, RuleDraft
from claims.operations.catalog import load_catalog as publish
from claims.operations.plan_review import PlanDecision, approve_plan
from claims.operations.review import Fix, LineDecision, approve_claim, reject_claim, return_claim
from claims.operations.rule_drafts import begin_draft, change_rule, publish_draft, request_publication
from claims.operations.sending import submit_claim
from claims.queries import findings_of
from claims.queries.book import case_of_claim
from claims.queries.catalog import current_catalog
from claims.queries.simulation import FactsThen, InForce, chosen_rules, run
from claims.rules import evaluate
from claims.rules.findings import failed
from claims.rules.simulation import GAINS, LOSES, SAME, totals
from coop.lib import clock
from coop.lib.errors import RuleFailed
from tests.factories import (
    CLAIMING,
    add_invoice,
    complete,
    make_approved_claim,
    make_claim,
    make_draft,
    make_fund,
    make_sent_claim,
    make_sent_plan,
    period,
    set_clock,
    vendor,
)

pytestmark = pytest.mark.django_db

FIRST, LAST = date(2023, 7, 1), date(2024, 6, 30)
SPRING = datetime(2024, 5, 2, 9, tzinfo=UTC)


def rule(code: str) -> dict[str, Any]:
    """The newest version of a rule in force, to be changed."""
    return copy.deepcopy(max((r for r in current_catalog()["rules"] if r["code"] == code), key=lambda r: r["version"]))


def draft_of(*rows: dict[str, Any], from_day: date, title: str = "FY25") -> RuleDraft:
    draft = begin_draft(title=title, by=vendor("program"), at=clock.now())
    for row in rows:
        draft = change_rule(draft.id, row, from_day=from_day, by=vendor("program"), at=clock.now())
    return draft


def smaller_spiff() -> dict[str, Any]:
    """SPIFF rewards at most 10 % of what was earned, instead of 25 %."""
    examples = [
        {"outcome": "passed", "facts": {"earned": "10000.00", "claimed": "1000.00"}},
        {"outcome": "failed", "facts": {"earned": "10000.00", "claimed": "1000.01"}},
    ]
    return {**rule("limit.spiff"), "params": {"percent": "10"}, "examples": examples}


def recorded_calls() -> dict[str, Any]:
    """Telemarketing shows a recording besides its log."""
    any_of = [{"code": "recording", "name": "Recording of a call"}]
    row = rule("proof_of_execution.telemarketing.call-log")
    sentence = "Telemarketing must be proved by: recording of a call."
    examples = [{"outcome": "passed", "facts": {}}, {"outcome": "failed", "facts": {"without": ["recording"]}}]
    return {**row, "params": {"any_of": any_of}, "sentence": sentence, "examples": examples}


def a_year_of_claims() -> dict[str, Claim]:
    """Claims and a plan of one fund of 10,003.55 USD that were decided in every way there is."""
    fund = make_fund()
    manager = vendor("manager")
    claims = {"approved": make_approved_claim(fund, "1000.00")}

    half = make_sent_claim(fund, "800.00", "200.00", activity="print-advertising")
    first, second = half.lines.order_by("id")
    decisions = [
        LineDecision(first.pk, "approve_less", 50_000, "The brand is not on all of it."),
        LineDecision(second.pk, "decline", None, "Not seen."),
    ]
    claims["in part"] = approve_claim(half.id, decisions=decisions, by=manager, at=clock.now())

    other = make_sent_claim(fund, "300.00", activity="direct-mail")
    claims["declined"] = reject_claim(other.id, reason="The same cost was claimed before.", by=manager, at=clock.now())

    back = make_sent_claim(fund, "400.00", activity="spiff")
    return_claim(back.id, fixes=[Fix("lines", "Which people?")], by=manager, at=clock.now())
    set_clock(SPRING)
    back = submit_claim(back.id, by=back.created_by, at=clock.now())
    claims["mended"] = approve_claim(back.id, by=manager, at=clock.now())
    claims["at its limit"] = make_approved_claim(fund, "2000.00", activity="spiff")
    claims["after its deadline"] = make_sent_claim(fund, "100.00")
    set_clock(datetime(2024, 6, 28, 9, tzinfo=UTC))
    late = claims["after its deadline"]
    claims["after its deadline"] = approve_claim(late.id, by=manager, at=clock.now())

    plan = make_sent_plan(fund, "700.00")
    [planned] = plan.activities.all()
    less = [PlanDecision(planned.pk, "approve_less", 60_000, "Less will do.")]
    approve_plan(plan.id, decisions=less, by=manager, at=clock.now())
    return claims


def everything() -> dict[str, tuple[Any, ...]]:
    """Of every table how many rows it has, and a hash of them."""
    with connection.cursor() as cursor:
        found = {}
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT count(*), md5(string_agg(t::text, ',' ORDER BY t::text)) FROM \"{table}\" t")
            found[table] = cursor.fetchone()
        return found


def what_is_kept(claim: Claim) -> tuple[Any, ...]:
    fresh = Claim.objects.get(id=claim.id)
    return (
        fresh.status,
        fresh.claimed_minor,
        fresh.approved_minor,
        fresh.findings,
        list(fresh.lines.order_by("id").values("decision", "approved_minor", "reason")),
        list(Decision.objects.filter(claim=claim).values("act", "publication", "findings", "rows", "approved_minor")),
    )


def test_a_rule_changed_for_next_year_leaves_old_claims_decided_as_they_were() -> None:
    claims = a_year_of_claims()
    open_draft = make_claim(make_fund_again(), "250.00")
    before = {name: what_is_kept(claim) for name, claim in claims.items()}
    first = Publication.objects.get()

    draft = draft_of(smaller_spiff(), recorded_calls(), from_day=date(2024, 7, 1))
    request_publication(draft.id, by=vendor("program"), at=clock.now())
    second = publish_draft(draft.id, by=vendor("program2"), at=clock.now())

    assert {name: what_is_kept(claim) for name, claim in claims.items()} == before
    calls, spiff = second.said
    assert (
        calls
        == "Changed from 1 Jul 2024 on for Telemarketing: “Proof: recording of a call” instead of “Proof: call log”."
    )
    assert spiff.startswith("Changed from 1 Jul 2024 on for Internal incentives (SPIFF): “At most 10 % of the co-op")
    # Work of March 2024 is asked for the call log that it was always asked for, also when it is sent after the change.
    assert failed(findings_of(Claim.objects.with_names().get(id=open_draft.id), clock.now())) == []
    sent = submit_claim(open_draft.id, by=open_draft.created_by, at=clock.now())
    approve_claim(sent.id, by=vendor("manager"), at=clock.now())
    assert list(Decision.objects.filter(claim=sent).values_list("publication", flat=True)) == [second.pk]
    assert list(Decision.objects.filter(claim=claims["approved"]).values_list("publication", flat=True)) == [first.pk]


def make_fund_again() -> Any:
    """The fund of the year's claims, which has a part of its money left."""
    return Claim.objects.order_by("id").select_related("fund").first().fund  # type: ignore[union-attr]


def test_the_change_counts_for_work_from_its_day_on() -> None:
    fund = make_fund(now=datetime(2024, 7, 2, 9, tzinfo=UTC))
    draft = draft_of(recorded_calls(), from_day=date(2024, 7, 1))
    request_publication(draft.id, by=vendor("program"), at=clock.now())
    publish_draft(draft.id, by=vendor("program2"), at=clock.now())
    june = make_claim(fund, "100.00", activity_from=date(2024, 6, 29), activity_to=date(2024, 6, 30))
    submit_claim(june.id, by=june.created_by, at=clock.now())
    july = make_draft(fund, activity_from=date(2024, 7, 1), activity_to=date(2024, 7, 1))
    add_invoice(july, "100.00")
    wanted = {found.field for found in failed(findings_of(Claim.objects.with_names().get(id=july.id), clock.now()))}
    assert "documents.recording" in wanted
    with pytest.raises(RuleFailed):
        submit_claim(july.id, by=july.created_by, at=clock.now())


def test_the_simulator_gives_back_what_really_happened_on_the_rules_of_that_year_and_writes_nothing() -> None:
    claims = a_year_of_claims()
    last_year = Publication.objects.get()
    publish({**current_catalog(), "reasons": current_catalog()["reasons"][:-1]}, at=clock.now())
    draft = draft_of(smaller_spiff(), from_day=date(2024, 7, 1))
    before = everything()
    for choice in (f"publication-{last_year.pk}", f"publication-{last_year.pk + 1}", f"draft-{draft.pk}"):
        found = run(choice, FIRST, LAST, [], vendor("program"))
        assert {outcome.verdict for outcome in found.outcomes} == {SAME}
        really = {claim.pk: Claim.objects.get(id=claim.pk).approved_minor for claim in claims.values()}
        simulated = {o.decided.key.pk: o.would_minor for o in found.outcomes if isinstance(o.decided.key, Claim)}
        assert simulated == really
        assert sorted(simulated.values()) == [0, 10_000, 40_000, 50_000, 100_000, 200_000]
        assert [o.would_minor for o in found.outcomes if not isinstance(o.decided.key, Claim)] == [60_000]
        assert not any(outcome.lost or outcome.more_proofs or outcome.fewer_proofs for outcome in found.outcomes)
    assert everything() == before


def test_the_facts_of_a_claim_are_rebuilt_as_they_were_when_it_was_sent() -> None:
    """On them the rules of that day find nothing that fails: or else the claim could not have been sent."""
    claims = a_year_of_claims()
    strict = draft_of(smaller_spiff(), from_day=date(2019, 7, 2))
    then, now = InForce().at(SPRING), chosen_rules(f"draft-{strict.pk}", vendor("program"))
    found = [Claim.objects.with_names().get(id=claim.pk) for claim in claims.values()]
    rebuilt = FactsThen(found, [], now)
    facts = {
        name: rebuilt.of_claim(claim, case_of_claim(claim), then) for name, claim in zip(claims, found, strict=True)
    }
    for name, of_claim in facts.items():
        assert failed(evaluate(then.book, of_claim)) == [], name
        assert of_claim.earned_minor == 1_000_355
    # The mended SPIFF was sent when nothing else of its kind was; the one at the limit saw its 400.00.
    assert facts["mended"].used_in_fund_minor == 0
    assert facts["at its limit"].used_in_fund_minor == 40_000


def test_the_simulator_says_who_loses_what_flips_and_what_it_costs() -> None:
    claims = a_year_of_claims()
    draft = draft_of(smaller_spiff(), recorded_calls(), from_day=date(2024, 1, 1), title="As if from January")
    before = everything()
    found = run(f"draft-{draft.pk}", FIRST, LAST, ["mci-csp-reseller"], vendor("program"))
    assert everything() == before
    outcomes = {o.decided.key.pk: o for o in found.outcomes if isinstance(o.decided.key, Claim)}

    flipped = outcomes[claims["approved"].pk]
    assert (flipped.verdict, flipped.would_minor, flipped.is_flipped) == (LOSES, 0, True)
    assert [found.seen for found in flipped.lost] == ["nothing uploaded for it"]
    assert (flipped.more_proofs, flipped.fewer_proofs) == (["Recording of a call"], ["Call log"])
    # 10 % of 10,003.55 is 1,000.36; the 400.00 before leave 600.36 of the 2,000.00.
    limited = outcomes[claims["at its limit"].pk]
    assert (limited.verdict, limited.would_minor, limited.is_flipped) == (LOSES, 60_036, False)
    for name in ("in part", "declined", "mended"):
        assert outcomes[claims[name].pk].verdict == SAME
        assert outcomes[claims[name].pk].would_minor == claims[name].approved_minor
    whole = totals(found.outcomes)
    assert (whole.flipped, whole.refused_minor, whole.over_limits_minor) == (2, 110_000, 139_964)


def test_a_higher_share_lets_partners_gain_and_nobody_lose() -> None:
    fund = make_fund()
    full = make_draft(fund, "spiff")
    add_invoice(full, "2500.88", cost_minor=400_000)
    complete(full)
    submit_claim(full.id, by=full.created_by, at=clock.now())
    approve_claim(full.id, by=vendor("manager"), at=clock.now())
    examples = [
        {"outcome": "passed", "facts": {"earned": "10000.00", "claimed": "5000.00"}},
        {"outcome": "failed", "facts": {"earned": "10000.00", "claimed": "5000.01"}},
    ]
    draft = draft_of(
        {**rule("limit.spiff"), "params": {"percent": "50"}, "examples": examples}, from_day=date(2024, 1, 1)
    )
    [outcome] = run(f"draft-{draft.pk}", FIRST, LAST, [], vendor("program")).outcomes
    assert (outcome.verdict, outcome.would_minor, outcome.more_minor) == (GAINS, 250_088, 149_911)


def test_the_simulator_asks_no_query_for_each_claim(django_assert_max_num_queries: Any) -> None:
    fund = make_fund()
    draft = draft_of(recorded_calls(), from_day=date(2024, 1, 1))
    for _ in range(6):
        make_approved_claim(fund, "100.00")
    with django_assert_max_num_queries(14):
        found = run(f"draft-{draft.pk}", FIRST, LAST, [], vendor("program"))
    assert sum(outcome.is_flipped for outcome in found.outcomes) == 6


def test_a_channel_manager_simulates_only_what_their_portfolio_holds() -> None:
    fund = make_fund()
    make_approved_claim(fund, "100.00")
    number = Publication.objects.get().pk
    assert len(run(f"publication-{number}", FIRST, LAST, [], vendor("manager")).outcomes) == 1
    assert run(f"publication-{number}", FIRST, date(2024, 2, 1), [], vendor("manager")).outcomes == []
    assert run(f"publication-{number}", FIRST, LAST, ["hosting"], vendor("manager")).outcomes == []
    assert period().use_to >= CLAIMING.date()
