"""Later claim deadlines: for one partner, a period, a program. A date only ever moves later, and the later one counts."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection

from claims.checks import CHECKS
from claims.operations.review import Fix, return_claim
from claims.operations.sending import submit_claim
from coop import jobs
from coop.lib import clock
from coop.lib.errors import Invalid, NotAllowed, NotFound, Stale, WindowClosed, WrongStatus
from funds.checks import check_ledger
from funds.models import Entry, Extension, Fund
from funds.operations.extensions import ask_extension, decline_extension, grant_extension
from funds.operations.periods import extend_period, extend_program
from funds.operations.settlement import due_to_expire, expire_period
from funds.queries.deadlines import closed, closes_at, open_still
from partners.models import Event
from tests import factories as make

pytestmark = pytest.mark.django_db

THE_30TH = date(2024, 8, 30)
OWN_DEADLINE = datetime(2024, 8, 31, tzinfo=UTC)
OWN_CURE_DEADLINE = datetime(2024, 10, 15, tzinfo=UTC)  # 45 days after 30 Aug: the end of 14 Oct
WHY = "Their supplier invoices late."


@pytest.fixture
def two(db: None) -> tuple[Fund, Fund]:
    """Two partners with 10,003.55 each in FY24 H1; the first is the one that asks for time."""
    funds = []
    for name in ("Northwind", "Contoso"):
        enrollment = make.make_enrollment(make.make_location(make.make_partner(name)))
        funds.append(make.make_fund(enrollment=enrollment))
    return funds[0], funds[1]


def grant(fund: Fund, until: date = THE_30TH) -> Extension:
    return grant_extension(
        period_id=fund.earning_period_id,
        partner_id=fund.partner_id,
        claims_close_on=until,
        reason=WHY,
        by=make.vendor(),
        at=clock.now(),
    )


def again(fund: Fund) -> Fund:
    return Fund.objects.with_names().get(id=fund.id)


def deadlines(fund: Fund) -> tuple[date, datetime, date, datetime]:
    fund = again(fund)
    return fund.claims_close_on, fund.claims_close_at, fund.cure_close_on, fund.cure_close_at


def run_due(at: datetime) -> None:
    make.set_clock(at)
    for done in jobs.run_due(at):
        assert not done.failed, done.notes


def agrees() -> None:
    assert check_ledger(CHECKS).differences == []


# --- One partner ------------------------------------------------------------------------------------------------------


def test_a_partner_asks_and_a_program_admin_grants_both_of_its_dates(two: tuple[Fund, Fund]) -> None:
    fund, other = two
    marketer = make.marketer_of(fund.partner)
    asked = ask_extension(
        fund.earning_period_id, until=THE_30TH, because=" Invoice is late. ", by=marketer, at=clock.now()
    )
    assert (asked.status, asked.asked_because, asked.partner_id) == ("asked", "Invoice is late.", fund.partner_id)
    granted = grant_extension(
        asked.pk, claims_close_on=date(2024, 8, 28), reason=WHY, revision=1, by=make.vendor(), at=clock.now()
    )
    assert (granted.status, granted.claims_close_on_before, granted.claims_close_on, granted.revision) == (
        "granted",
        date(2024, 8, 14),
        date(2024, 8, 28),
        2,
    )
    at, cure_at = datetime(2024, 8, 29, tzinfo=UTC), datetime(2024, 10, 13, tzinfo=UTC)
    assert deadlines(fund) == (date(2024, 8, 28), at, date(2024, 10, 12), cure_at)
    assert deadlines(other)[:2] == (date(2024, 8, 14), make.DEADLINE)
    events = {event.verb: event for event in Event.objects.filter(subject_type="extension")}
    assert set(events) == {"extension.asked", "extension.granted"}
    assert events["extension.granted"].partner_id == fund.partner_id
    assert events["extension.granted"].data == {
        "program": make.RESELLER,
        "code": "FY24-H1",
        "partner": "Northwind",
        "before": "2024-08-14",
        "claims_close_on": "2024-08-28",
        "reason": WHY,
    }


def test_only_ones_own_partner_asks_and_only_a_program_admin_decides(two: tuple[Fund, Fund]) -> None:
    fund, _ = two
    asking = {"until": THE_30TH, "because": "Late.", "at": clock.now()}
    with pytest.raises(NotAllowed, match="marketer or partner admin"):
        ask_extension(fund.earning_period_id, by=make.vendor("finance"), **asking)
    stranger = make.make_person(make.make_partner("Fabrikam"))
    with pytest.raises(NotFound):
        ask_extension(fund.earning_period_id, by=stranger, **asking)
    asked = ask_extension(fund.earning_period_id, by=make.marketer_of(fund.partner), **asking)
    for who in (make.marketer_of(fund.partner), make.vendor("finance"), make.vendor("manager"), make.vendor("auditor")):
        with pytest.raises(NotAllowed):
            grant_extension(asked.pk, claims_close_on=THE_30TH, reason=WHY, by=who, at=clock.now())
        with pytest.raises(NotAllowed):
            decline_extension(asked.pk, reason="No.", by=who, at=clock.now())
    assert list(Extension.objects.visible_to(stranger)) == []


def test_all_that_is_wrong_with_a_request_is_said_at_once(two: tuple[Fund, Fund]) -> None:
    marketer = make.marketer_of(two[0].partner)
    with pytest.raises(Invalid) as caught:
        ask_extension(two[0].earning_period_id, until=date(2024, 8, 14), because=" ", by=marketer, at=clock.now())
    assert {error.field: error.code for error in caught.value.errors} == {"until": "not_later", "because": "required"}
    with pytest.raises(Invalid, match="more than a year"):
        ask_extension(two[0].earning_period_id, until=date(3024, 8, 30), because="Late.", by=marketer, at=clock.now())


def test_a_request_is_made_once_and_decided_once(two: tuple[Fund, Fund]) -> None:
    fund, _ = two
    more = {"by": make.marketer_of(fund.partner), "at": clock.now()}
    asked = ask_extension(fund.earning_period_id, until=THE_30TH, because="Late.", **more)
    with pytest.raises(WrongStatus, match="waits for its decision already"):
        ask_extension(fund.earning_period_id, until=THE_30TH, because="Please.", **more)
    admin = {"by": make.vendor(), "at": clock.now()}
    with pytest.raises(Stale):
        decline_extension(asked.pk, reason="No.", revision=9, **admin)
    with pytest.raises(Invalid):
        decline_extension(asked.pk, reason=" ", **admin)
    declined = decline_extension(asked.pk, reason="45 days are enough.", **admin)
    assert (declined.status, declined.reason, deadlines(fund)[0]) == (
        "declined",
        "45 days are enough.",
        date(2024, 8, 14),
    )
    with pytest.raises(WrongStatus, match="declined on"):
        grant_extension(asked.pk, claims_close_on=THE_30TH, reason=WHY, **admin)
    ask_extension(fund.earning_period_id, until=THE_30TH, because="With the invoice now.", **more)  # asks again


def test_a_date_moves_later_only_and_not_once_it_has_passed(two: tuple[Fund, Fund]) -> None:
    fund, _ = two
    grant(fund)
    for day in (date(2024, 8, 30), date(2024, 8, 20), date(2024, 8, 14)):
        with pytest.raises(Invalid, match="30 Aug 2024 now; it only moves to a later day"):
            grant(fund, day)
    make.set_clock(make.DEADLINE)  # the period's deadline passed, the partner's own is ahead
    assert grant(fund, date(2024, 9, 6)).claims_close_on_before == THE_30TH
    make.set_clock(datetime(2024, 9, 7, tzinfo=UTC))
    with pytest.raises(WindowClosed, match="A deadline that has passed is not moved any more; use an adjustment"):
        grant(fund, date(2024, 9, 20))
    with pytest.raises(WindowClosed):
        ask_extension(
            fund.earning_period_id,
            until=date(2024, 9, 20),
            because="Late.",
            by=make.marketer_of(fund.partner),
            at=clock.now(),
        )


# --- What the own deadline does ---------------------------------------------------------------------------------------


def test_each_fund_expires_once_at_its_own_deadline_and_effective_on_that_day(two: tuple[Fund, Fund]) -> None:
    """Contoso loses 10,003.55 on 14 Aug 2024. Northwind, extended to 30 Aug, claims 4,000.00 on the 29th and loses 6,003.55
    on the 30th."""
    fund, other = two
    grant(fund)
    claim = make.make_claim(fund, "4000.00")
    run_due(make.DEADLINE)
    assert list(Entry.objects.filter(kind="expiry").values_list("fund_id", "amount_minor", "effective_on")) == [
        (other.id, 1_000_355, date(2024, 8, 14))
    ]
    half = make.period()
    assert (half.closed_at, half.expired_at) == (make.DEADLINE, None)
    assert due_to_expire(make.DEADLINE) == []  # it is not looked at each minute for the rest of the month
    make.set_clock(OWN_DEADLINE - timedelta(days=2))
    submit_claim(claim.pk, by=claim.created_by, at=clock.now())
    run_due(OWN_DEADLINE - timedelta(microseconds=1))
    assert Entry.objects.filter(kind="expiry").count() == 1
    assert due_to_expire(OWN_DEADLINE) == [half.pk]
    run_due(OWN_DEADLINE)
    expiry = Entry.objects.get(kind="expiry", fund_id=fund.id)
    assert (expiry.amount_minor, expiry.effective_on, expiry.recorded_at) == (600_355, THE_30TH, OWN_DEADLINE)
    assert make.period().expired_at == OWN_DEADLINE
    said = Event.objects.filter(verb="fund.expired", subject=str(fund.id)).get()
    assert (said.data["amount_minor"], said.data["effective_on"]) == (600_355, "2024-08-30")
    run_due(OWN_DEADLINE + timedelta(days=1))
    assert Entry.objects.filter(kind="expiry").count() == 2
    agrees()


def test_a_sweep_that_is_late_expires_each_fund_for_its_own_day(two: tuple[Fund, Fund]) -> None:
    fund, other = two
    grant(fund)
    run_due(datetime(2024, 9, 9, tzinfo=UTC))
    expired = dict(Entry.objects.filter(kind="expiry").values_list("fund_id", "effective_on"))
    assert expired == {fund.id: THE_30TH, other.id: date(2024, 8, 14)}
    assert make.period().expired_at is not None
    agrees()


def test_drafts_plans_and_returned_claims_lapse_by_the_funds_own_deadlines(two: tuple[Fund, Fund]) -> None:
    fund, _ = two
    grant(fund)
    drafts = [make.make_claim(one, "100.00") for one in two]
    plans = [make.make_approved_plan(one, "500.00") for one in two]
    returned = [make.make_sent_claim(one, "200.00") for one in two]
    for claim in returned:
        return_claim(claim.pk, fixes=[Fix("lines", "Which days?")], by=make.vendor("manager"), at=clock.now())

    def statuses() -> list[list[str]]:
        for record in (*drafts, *plans, *returned):
            record.refresh_from_db()
        return [[one.status for one in kind] for kind in (drafts, plans, returned)]

    run_due(make.DEADLINE)
    assert statuses() == [["draft", "lapsed"], ["approved", "lapsed"], ["action_required"] * 2]
    run_due(OWN_DEADLINE)
    assert statuses() == [["lapsed"] * 2, ["lapsed"] * 2, ["action_required"] * 2]
    run_due(make.CURE_DEADLINE)
    assert statuses()[2] == ["action_required", "lapsed"]
    run_due(OWN_CURE_DEADLINE)
    assert statuses()[2] == ["lapsed"] * 2
    released = Entry.objects.filter(fund=fund, to_bucket="expired").values_list("amount_minor", "effective_on")
    assert sorted(released) == [(20_000, date(2024, 10, 14)), (50_000, THE_30TH), (930_355, THE_30TH)]
    agrees()


def test_lines_of_earnings_come_in_until_the_partners_own_deadline_and_open_funds_that_have_it(
    two: tuple[Fund, Fund],
) -> None:
    fund, other = two
    grant(fund)
    run_due(make.DEADLINE)
    make.earn(fund.enrollment, "100.00")  # 40.00 more, at once claimable
    assert again(fund).available_minor == 1_004_355
    with pytest.raises(AssertionError, match="rejected"):
        make.earn(other.enrollment, "100.00")
    branch = make.make_enrollment(make.make_location(fund.partner, name="Branch"))
    make.earn(branch, "50000.00")
    new = Fund.objects.with_names().get(enrollment=branch)
    assert (deadlines(new), new.available_minor) == (deadlines(fund), 2_000_000)
    run_due(OWN_DEADLINE)
    assert again(new).expired_minor == 2_000_000
    with pytest.raises(AssertionError, match="rejected"):
        make.earn(fund.enrollment, "100.00")
    agrees()


def test_what_a_queryset_says_of_a_deadline_is_what_the_fund_says(two: tuple[Fund, Fund]) -> None:
    grant(two[0])
    for at in (make.DEADLINE - timedelta(microseconds=1), make.DEADLINE, OWN_DEADLINE):
        found = {fund.pk: fund for fund in Fund.objects.with_names().annotate(closes=closes_at())}
        still = set(Fund.objects.filter(open_still(at)).values_list("id", flat=True))
        over = set(Fund.objects.filter(closed(at)).values_list("id", flat=True))
        assert still == {pk for pk, fund in found.items() if at < fund.claims_close_at}
        assert over == set(found) - still
        assert all(fund.closes == fund.claims_close_at for fund in found.values())


# --- A period, a program ----------------------------------------------------------------------------------------------


def test_the_later_of_the_two_dates_counts(two: tuple[Fund, Fund]) -> None:
    fund, other = two
    grant(fund)
    more = {"reason": "The portal was down.", "by": make.vendor()}
    extend_period(fund.earning_period_id, claims_close_on=date(2024, 8, 20), at=clock.now(), **more)
    assert (deadlines(fund)[0], deadlines(other)[0]) == (THE_30TH, date(2024, 8, 20))
    assert deadlines(fund)[2:] == (date(2024, 10, 14), OWN_CURE_DEADLINE)
    extend_period(fund.earning_period_id, claims_close_on=date(2024, 9, 2), at=clock.now(), **more)
    assert deadlines(fund) == deadlines(other)
    assert (again(fund).own_close_on, deadlines(fund)[0], deadlines(fund)[2]) == (
        None,
        date(2024, 9, 2),
        date(2024, 10, 17),
    )
    kept = [
        (one.partner_id, one.claims_close_on_before, one.claims_close_on) for one in Extension.objects.order_by("id")
    ]
    assert kept == [
        (fund.partner_id, date(2024, 8, 14), THE_30TH),
        (None, date(2024, 8, 14), date(2024, 8, 20)),
        (None, date(2024, 8, 20), date(2024, 9, 2)),
    ]
    agrees()


def test_a_program_is_extended_by_as_many_days_in_every_open_period(db: None) -> None:
    make.make_fund()  # on 4 March 2024: FY24 H1 takes claims, FY24 H2 is being earned, FY23 H2 is over
    at = make.set_clock(datetime(2024, 7, 1, 9, tzinfo=UTC))  # from 1 July FY24 H2 is in use, too
    before = {code: make.period(code) for code in ("FY23-H2", "FY24-H1", "FY24-H2")}
    moved = extend_program(make.RESELLER, days=7, reason="The portal was down for a week.", by=make.vendor(), at=at)
    assert [period.code for period in moved] == ["FY24-H1", "FY24-H2"]
    for code, old in before.items():
        days = timedelta(days=0 if code == "FY23-H2" else 7)
        now = make.period(code)
        assert (now.claims_close_on, now.cure_close_on) == (old.claims_close_on + days, old.cure_close_on + days)
        assert now.claims_open_on == old.claims_open_on
    assert Event.objects.filter(verb="earning_period.extended").count() == 2
    assert Extension.objects.filter(partner=None, reason="The portal was down for a week.").count() == 2


def test_a_program_is_extended_by_a_program_admin_with_a_reason_and_some_days(db: None) -> None:
    make.make_fund()
    with pytest.raises(NotAllowed):
        extend_program(make.RESELLER, days=7, reason=WHY, by=make.vendor("finance"), at=clock.now())
    with pytest.raises(Invalid) as caught:
        extend_program(make.RESELLER, days=0, reason="", by=make.vendor(), at=clock.now())
    assert [error.field for error in caught.value.errors] == ["days", "reason"]
    at = make.set_clock(datetime(2030, 1, 1, tzinfo=UTC))
    with pytest.raises(WindowClosed, match="nothing to extend"):
        extend_program(make.RESELLER, days=7, reason=WHY, by=make.vendor(), at=at)


def test_an_expired_fund_and_its_wall_know_no_other_day(two: tuple[Fund, Fund]) -> None:
    """Even the sweep itself could not expire an extended fund early: the database refuses."""
    fund, _ = two
    grant(fund)
    at = make.set_clock(make.DEADLINE)
    expire_period(fund.earning_period_id, at=at)
    assert again(fund).expired_minor == 0
    with connection.cursor() as cursor, pytest.raises(Exception, match="money expires only after the claim deadline"):
        cursor.execute(
            """INSERT INTO funds_entry (fund_id, partner_id, currency, kind, from_bucket, to_bucket, amount_minor, effective_on,
                 recorded_at, reference_type, reference, key)
               VALUES (%s, %s, 'USD', 'expiry', 'available', 'expired', 100, '2024-08-14', %s, 'earning_period', '1', 'now')""",
            [fund.id, fund.partner_id, at],
        )
