"""What an adjustment refuses, who may do what, and that what was previewed is what is posted."""

from collections.abc import Callable
from datetime import date
from threading import Event as Signal
from time import sleep
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from claims.checks import CHECKS
from coop.lib import clock
from coop.lib.db import execute
from coop.lib.errors import Invalid, NotAllowed, NotFound, Refused, SelfDecision, Stale, WindowNotOpen, WrongStatus
from funds import states
from funds.checks import check_ledger
from funds.models import Adjustment, Entry, Fund, Rebate
from funds.operations.adjustments import (
    approve_adjustment,
    decline_adjustment,
    entries_of,
    preview_adjustment,
    preview_approval,
    request_adjustment,
)
from funds.operations.settlement import expire_period, settle_period
from partners.models import Event
from tests import factories as make
from tests.funds.test_races import at_once, outcomes

DAY = date(2024, 3, 4)
SOUND: dict[str, Any] = {"amount_minor": 10_00, "reason_code": "wrong_calculation", "effective_on": DAY}


def ask(fund: Fund, **changes: Any) -> Adjustment:
    return request_adjustment(fund.id, **{**SOUND, "by": make.vendor("finance"), "at": clock.now(), **changes})


def refusals(fund: Fund, **changes: Any) -> dict[str, str]:
    with pytest.raises(Invalid) as refused:
        ask(fund, **changes)
    return {error.field: error.code for error in refused.value.errors}


@pytest.fixture
def next_half(fund: Fund) -> Fund:
    """The estimate of the same enrollment for FY24 H2."""
    make.earn(fund.enrollment, "30000.00", on="2024-02-10")
    return Fund.objects.with_names().get(enrollment=fund.enrollment, earning_period__code="FY24-H2")


# --- What must fit together ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reason", states.REASON_CODES)
def test_each_of_the_eight_reasons_is_kept_on_the_entry(fund: Fund, reason: str) -> None:
    adjustment = ask(fund, reason_code=reason, note="Agreed on 1 March.")
    entry = Entry.objects.get(reference_type="adjustment", reference=str(adjustment.pk))
    assert (entry.reason_code, entry.note, entry.key) == (reason, "Agreed on 1 March.", f"adjustment:{adjustment.pk}")


@pytest.mark.parametrize("reason", ["ops_adjustment", "policy_exception"])
def test_a_reason_that_explains_nothing_needs_a_note(fund: Fund, reason: str) -> None:
    assert refusals(fund, reason_code=reason, note="  ") == {"note": "required"}


def test_all_that_is_wrong_is_said_at_once(fund: Fund, next_half: Fund) -> None:
    assert refusals(
        fund,
        purpose="write_off",
        amount_minor=-5,
        reason_code="because",
        effective_on=date(2024, 3, 5),
        note="a\x00b",
        to_fund_id=next_half.pk,
    ) == {
        "amount": "must_be_positive",
        "reason_code": "invalid_choice",
        "effective_on": "too_early",  # and in the future; the other half begins on 1 January
        "note": "invalid",
        "to_fund": "not_wanted",
    } | {"effective_on": "in_the_future"}


@pytest.mark.parametrize(
    ("day", "code"),
    [
        (date(2023, 6, 30), "too_early"),
        (date(2023, 7, 1), ""),
        (date(2024, 3, 4), ""),
        (date(2024, 3, 5), "in_the_future"),
    ],
)
def test_it_is_for_a_day_from_the_first_of_earning_until_today(fund: Fund, day: date, code: str) -> None:
    if code:
        assert refusals(fund, effective_on=day) == {"effective_on": code}
    else:
        assert ask(fund, effective_on=day).effective_on == day


def test_nothing_moves_by_an_adjustment_of_nothing(fund: Fund) -> None:
    assert refusals(fund, amount_minor=0) == {"amount": "must_not_be_zero"}


def test_a_rollover_goes_to_another_half_of_the_same_enrollment(fund: Fund, next_half: Fund) -> None:
    rollover = {"purpose": "rollover", "reason_code": "coop_rollover"}
    other = make.make_fund()
    assert refusals(fund, **rollover) == {"to_fund": "required"}
    assert refusals(fund, **rollover, to_fund_id=fund.pk) == {"to_fund": "same_fund"}
    assert refusals(fund, **rollover, to_fund_id=other.pk) == {"to_fund": "does_not_fit"}
    assert refusals(fund, **rollover, to_fund_id=987_654) == {"to_fund": "not_found"}
    assert refusals(fund, purpose="rollover", to_fund_id=next_half.pk) == {"reason_code": "does_not_fit"}
    assert ask(fund, **rollover, to_fund_id=next_half.pk).status == "posted"


def test_money_is_not_rolled_over_into_a_fund_whose_money_is_rebate_by_now(fund: Fund) -> None:
    february = make.set_clock(make.CLAIMING.replace(month=2, day=10))  # FY23 H2 takes claims until the 14th
    make.earn(fund.enrollment, "1000.00", on="2023-06-15")
    below = Fund.objects.get(enrollment=fund.enrollment, earning_period__code="FY23-H2")
    assert below.settled_at is None  # its test is overdue; the adjustment does it first
    wanted = {"purpose": "rollover", "reason_code": "coop_rollover", "to_fund_id": below.pk}
    assert refusals(fund, **wanted, effective_on=february.date()) == {"to_fund": "becomes_rebate"}


@pytest.mark.parametrize("purpose", ["rollover", "to_rebate"])
def test_an_estimate_cannot_be_moved(next_half: Fund, fund: Fund, purpose: str) -> None:
    to_fund = fund.pk if purpose == "rollover" else None
    with pytest.raises(WindowNotOpen, match="is an estimate until 30 Jul 2024"):
        ask(next_half, purpose=purpose, reason_code="coop_rollover", to_fund_id=to_fund)


def test_a_write_off_is_no_gift(fund: Fund) -> None:
    assert refusals(fund, purpose="write_off") == {"amount": "more_than_missing"}
    ask(fund, amount_minor=-10_000_00 - 3_55)  # needs the second person: waits, and moves nothing
    ask(fund, amount_minor=-500_00)
    assert refusals(fund, purpose="write_off") == {"amount": "more_than_missing"}


def test_money_whose_threshold_test_is_overdue_is_tested_first(db: None) -> None:
    fund = make.make_fund("24999.98", settled=False)
    with pytest.raises(Refused, match=r"but 0\.00 USD is available"):
        ask(fund, purpose="to_rebate", amount_minor=1)


# --- Who --------------------------------------------------------------------------------------------------------------


def test_only_finance_asks_approves_and_declines(fund: Fund) -> None:
    waiting = ask(fund, amount_minor=5_000_00)
    for who in ("program", "auditor", "manager"):
        with pytest.raises(NotAllowed):
            ask(fund, by=make.vendor(who))
    for who in ("program", "auditor"):
        with pytest.raises(NotAllowed):
            approve_adjustment(waiting.pk, by=make.vendor(who), at=clock.now())
        with pytest.raises(NotAllowed):
            decline_adjustment(waiting.pk, reason="No", by=make.vendor(who), at=clock.now())
    for person in (make.marketer_of(fund.partner), make.vendor("manager")):
        with pytest.raises(NotFound):
            approve_adjustment(waiting.pk, by=person, at=clock.now())
    with pytest.raises(NotAllowed):
        ask(fund, by=make.marketer_of(fund.partner))
    with pytest.raises(NotFound):
        ask(fund, by=make.marketer_of(make.make_partner("Another")))


def test_nobody_approves_what_they_asked_for_and_everybody_may_take_it_back(fund: Fund) -> None:
    waiting = ask(fund, amount_minor=1_000_01)
    with pytest.raises(SelfDecision, match="Another person of finance must look at it"):
        approve_adjustment(waiting.pk, by=make.vendor("finance"), at=clock.now())
    with pytest.raises(Invalid):
        decline_adjustment(waiting.pk, reason=" ", by=make.vendor("finance"), at=clock.now())
    declined = decline_adjustment(waiting.pk, reason="Wrong fund.", by=make.vendor("finance"), at=clock.now())
    assert (declined.status, declined.decline_reason, declined.revision) == ("declined", "Wrong fund.", 2)
    assert entries_of(declined) == []
    with pytest.raises(WrongStatus):
        approve_adjustment(waiting.pk, by=make.vendor("finance2"), at=clock.now())


def test_the_limit_of_one_person_counts_in_both_directions(fund: Fund) -> None:
    needed = {
        amount: ask(fund, amount_minor=amount).second_person_needed for amount in (100_000, -100_000, 100_001, -100_001)
    }
    assert needed == {100_000: False, -100_000: False, 100_001: True, -100_001: True}


def test_everything_is_tested_again_when_the_second_person_approves(fund: Fund) -> None:
    waiting = ask(fund, purpose="to_rebate", reason_code="coop_rollover", amount_minor=9_000_00)
    make.make_sent_claim(fund, "2000.00")
    with pytest.raises(Refused, match=r"9,000\.00 USD was asked for, but 8,003\.55 USD is available"):
        approve_adjustment(waiting.pk, by=make.vendor("finance2"), at=clock.now())
    upwards = ask(fund, amount_minor=2_000_00)
    make.set_clock(make.DEADLINE)
    with pytest.raises(Refused, match="What is added now could not be claimed"):
        approve_adjustment(upwards.pk, by=make.vendor("finance2"), at=clock.now())
    assert Adjustment.objects.filter(status="requested").count() == 2


def test_partners_see_what_was_posted_and_not_what_waits_or_was_declined(fund: Fund) -> None:
    posted, waiting = ask(fund), ask(fund, amount_minor=5_000_00)
    declined = decline_adjustment(
        ask(fund, amount_minor=6_000_00).pk, reason="No.", by=make.vendor("finance2"), at=clock.now()
    )
    marketer = make.marketer_of(fund.partner)
    assert set(Adjustment.objects.visible_to(marketer)) == {posted}
    assert set(Adjustment.objects.visible_to(make.vendor("manager"))) == {posted}
    assert set(Adjustment.objects.visible_to(make.vendor("auditor"))) == {posted, waiting, declined}
    seen = Event.objects.visible_to(marketer).filter(subject_type="adjustment").values_list("verb", "subject")
    assert list(seen) == [("adjustment.posted", str(posted.pk))]


# --- Once, and as it was shown ------------------------------------------------------------------------------------------


def test_what_waits_already_is_not_asked_for_twice(fund: Fund) -> None:
    first = ask(fund, amount_minor=5_000_00)
    with pytest.raises(WrongStatus, match=f"Adjustment {first.pk} asks for the same and waits"):
        ask(fund, amount_minor=5_000_00)
    assert ask(fund, amount_minor=5_000_01).status == "requested"


def test_a_second_click_on_the_same_preview_posts_nothing(fund: Fund) -> None:
    fund.refresh_from_db()
    seen = fund.entries_posted
    ask(fund, seen_entries=seen)
    with pytest.raises(Stale):
        ask(fund, seen_entries=seen)
    assert Adjustment.objects.count() == 1


def test_a_preview_keeps_nothing_and_shows_what_is_then_posted(fund: Fund) -> None:
    def told(entries: Any) -> list[tuple[str, str, int, str]]:
        return [(entry.kind, entry.to_bucket, entry.amount_minor, entry.effective_on.isoformat()) for entry in entries]

    wanted = {**SOUND, "amount_minor": -1_003_55, "purpose": "correction"}
    before = Entry.objects.count(), Event.objects.count(), Rebate.objects.count()
    preview = preview_adjustment(fund.id, **wanted, by=make.vendor("finance"), at=clock.now())
    expected = [("adjustment", "program", 1_003_55, "2024-03-04"), ("conversion", "converted", 9_000_00, "2024-03-04")]
    assert told(preview.entries) == expected
    assert preview.adjustment.second_person_needed
    [(was, becomes)] = preview.funds
    assert (was.available_minor, becomes.available_minor, becomes.converted_minor) == (10_003_55, 0, 9_000_00)
    assert (Entry.objects.count(), Event.objects.count(), Rebate.objects.count()) == before
    assert not Adjustment.objects.exists()

    waiting = ask(fund, **wanted)
    again = preview_approval(waiting.pk, by=make.vendor("finance"), at=clock.now())
    assert told(again.entries) == expected
    done = approve_adjustment(waiting.pk, by=make.vendor("finance2"), at=clock.now())
    assert told(entries_of(done)) == expected
    assert {entry.actor for entry in entries_of(done) if entry.kind == "adjustment"} == {make.vendor("finance2")}


# --- What the database refuses ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("attack", "wall"),
    [
        ("SET status = 'posted', decided_at = now()", "adjustment_above_the_limit_has_a_second_person"),
        (
            "SET status = 'posted', decided_at = now(), approved_by_id = requested_by_id",
            "adjustment_above_the_limit_has_a_second_person",
        ),
        ("SET status = 'declined'", "decided_adjustment_has_an_instant"),
        ("SET amount_minor = 1", "an adjustment is decided once"),
        ("SET reason_code = 'previous_period'", "an adjustment is decided once"),
        ("SET second_person_needed = false, status = 'posted', decided_at = now()", "an adjustment is decided once"),
    ],
)
def test_what_waits_is_not_decided_or_changed_past_the_second_person(fund: Fund, attack: str, wall: str) -> None:
    ask(fund, amount_minor=5_000_00)
    with pytest.raises(DatabaseError, match=wall), transaction.atomic():
        execute(f"UPDATE funds_adjustment {attack}")


@pytest.mark.parametrize(
    "attack",
    [
        "UPDATE funds_adjustment SET note = ''",
        "UPDATE funds_adjustment SET revision = 9",
        "DELETE FROM funds_adjustment",
    ],
)
def test_what_was_posted_stands(fund: Fund, attack: str) -> None:
    ask(fund)
    with pytest.raises(DatabaseError, match="an adjustment is decided once"), transaction.atomic():
        execute(attack)


@pytest.mark.parametrize(
    ("purpose", "amount", "to_fund", "wall"),
    [
        ("correction", 0, False, "adjustment_amount_fits_its_purpose"),
        ("write_off", -1, False, "adjustment_amount_fits_its_purpose"),
        ("gift", 1, False, "adjustment_purpose_is_known"),
        ("rollover", 1, False, "only_a_rollover_names_another_fund"),
        ("correction", 1, True, "only_a_rollover_names_another_fund"),
        ("rollover", 1, True, "adjustment_to_fund_same_partner"),
    ],
)
def test_an_adjustment_that_makes_no_sense_cannot_be_stored(
    fund: Fund, purpose: str, amount: int, to_fund: bool, wall: str
) -> None:
    other = make.make_fund()
    with pytest.raises(DatabaseError, match=wall), transaction.atomic():
        execute(
            """INSERT INTO funds_adjustment (fund_id, to_fund_id, partner_id, purpose, amount_minor, reason_code, effective_on,
                 note, status, requested_by_id, requested_at, decline_reason, second_person_needed, created_at, revision)
               VALUES (%s, %s, %s, %s, %s, 'coop_rollover', '2024-03-04', '', 'requested', %s, now(), '', false, now(), 1)""",
            [
                fund.pk,
                other.pk if to_fund else None,
                fund.partner_id,
                purpose,
                amount,
                make.vendor("finance").pk,
            ],
        )


# --- Any history --------------------------------------------------------------------------------------------------------

STEPS = st.lists(
    st.tuples(
        st.sampled_from(["correction", "rollover", "to_rebate", "write_off", "claim", "earning"]),
        st.integers(min_value=-12_000_00, max_value=12_000_00),
    ),
    min_size=1,
    max_size=6,
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
@pytest.mark.django_db(transaction=False)
def test_after_any_adjustments_the_ledger_agrees_and_the_threshold_holds(
    db: None, steps: list[tuple[str, int]]
) -> None:
    fund = make.make_fund(enrollment=make.make_enrollment())
    make.earn(fund.enrollment, "30000.00", on="2024-02-10")
    target = Fund.objects.get(enrollment=fund.enrollment, earning_period__code="FY24-H2")
    for step, amount in steps:
        try:
            take(step, amount, fund, target)
        except Refused:
            continue
    fund.refresh_from_db()
    corrections = sum(
        adjustment.amount_minor
        for adjustment in Adjustment.objects.filter(fund=fund, status="posted", purpose="correction")
        if adjustment.reason_code != "coop_rollover"
    )
    if fund.earned_minor + corrections < 10_000_00:
        assert fund.available_minor <= 0
    else:
        paid_out = Adjustment.objects.filter(fund=fund, status="posted", purpose="to_rebate")
        assert fund.converted_minor == sum(adjustment.amount_minor for adjustment in paid_out)
    owed = Rebate.objects.filter(enrollment=fund.enrollment, source="conversion")
    assert sum(rebate.amount_minor for rebate in owed) == fund.converted_minor
    assert check_ledger(CHECKS).differences == []


def take(step: str, amount: int, fund: Fund, target: Fund) -> None:
    """One step of a history; what is refused changes nothing."""
    if step == "claim":
        make.make_sent_claim(fund, f"{abs(amount) // 100 + 1}.00")
        return
    if step == "earning":
        make.earn(fund.enrollment, f"{amount // 100}.{abs(amount) % 100:02}" if amount else "1.00", on="2023-11-20")
        return
    adjustment = ask(
        fund,
        purpose=step,
        amount_minor=amount if step == "correction" else abs(amount),
        reason_code="coop_rollover" if step in ("rollover", "to_rebate") else "previous_period",
        to_fund_id=target.pk if step == "rollover" else None,
    )
    if adjustment.status == "requested":
        approve_adjustment(adjustment.pk, by=make.vendor("finance2"), at=clock.now())


# --- At once ------------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_two_rollovers_of_the_same_money_at_once_move_it_once() -> None:
    fund = make.make_fund("25000.00")
    make.earn(fund.enrollment, "30000.00", on="2024-02-10")
    target = Fund.objects.get(enrollment=fund.enrollment, earning_period__code="FY24-H2")
    wanted = {"purpose": "rollover", "reason_code": "coop_rollover", "to_fund_id": target.pk, "amount_minor": 600_00}
    make.make_sent_claim(fund, "9000.00")

    def rollover() -> Callable[[], Adjustment]:
        return lambda: ask(fund, **wanted)

    make.vendor("finance")
    assert outcomes(at_once(rollover() for _ in range(6))) == {"done": 1, "insufficient_funds": 5}
    fund.refresh_from_db()
    target.refresh_from_db()
    assert (fund.available_minor, target.available_minor) == (400_00, 12_600_00)


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_two_approvals_at_once_post_once() -> None:
    fund = make.make_fund()
    waiting = ask(fund, amount_minor=5_000_00)
    approvers = [make.vendor("finance2"), make.make_person(None, "finance")]

    def approve(person: Any) -> Callable[[], Adjustment]:
        return lambda: approve_adjustment(waiting.pk, by=person, at=clock.now())

    assert outcomes(at_once(approve(person) for person in approvers)) == {"done": 1, "wrong_status": 1}
    assert Entry.objects.filter(reference_type="adjustment").count() == 1


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_an_adjustment_and_the_threshold_test_at_once_end_alike_in_either_order() -> None:
    fund = make.make_fund("24999.98", settled=False)
    half = fund.earning_period
    for answer in at_once([lambda: ask(fund, amount_minor=1), lambda: settle_period(half.pk, at=clock.now())]):
        assert not isinstance(answer, Exception), answer
    fund.refresh_from_db()
    assert (fund.available_minor, fund.converted_minor) == (10_000_00, 0)
    assert check_ledger(CHECKS).differences == []


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_money_that_is_added_while_the_deadline_passes_expires_with_the_rest() -> None:
    """The fund is empty, so the sweep would not find it before the adjustment is committed: it must wait for it."""
    fund = make.make_fund("25000.00")
    make.make_sent_claim(fund, "10000.00")
    make.vendor("finance")
    make.set_clock(make.LAST_INSTANT)
    added = Signal()

    def add() -> None:
        with transaction.atomic():
            ask(fund, amount_minor=700_00, effective_on=make.LAST_INSTANT.date())
            added.set()
            sleep(0.5)

    def expire() -> None:
        assert added.wait(20)
        expire_period(fund.earning_period_id, at=make.set_clock(make.DEADLINE))

    for answer in at_once([add, expire]):
        assert not isinstance(answer, Exception), answer
    fund.refresh_from_db()
    assert (fund.available_minor, fund.expired_minor) == (0, 700_00)
    assert check_ledger(CHECKS).differences == []
