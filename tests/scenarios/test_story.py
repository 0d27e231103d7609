"""The demo story: what a new user finds must be there, and must agree with itself."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection, transaction
from pytest_django import DjangoDbBlocker

from claims import rules, states
from claims.models import Claim, Document, Duplicate, Invitation, Plan, PlanActivity
from claims.queries import findings_of
from coop.lib import clock
from coop.lib.errors import Invalid
from coop.people import PASSWORD
from coop.story.load import load_story
from coop.story.welcome import demo_people, welcome
from coop.telling import tell_untold
from funds.models import Adjustment, EarningPeriod, Fund, Import, Payment, PaymentRun
from partners.models import Delegation, Notice, Partner, Person, Untold
from tests.factories import load_catalog, shipped_catalog
from tests.scenarios.world import differences, instant, reach

pytestmark = [pytest.mark.django_db, pytest.mark.xdist_group("story")]

STATEMENTS = 15_000  # of SQL; each costs about half a millisecond of the start of a demo


@pytest.fixture(scope="module", autouse=True)
def cost(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[int]:
    """The story, loaded once for all tests of this file and taken back after them; gives the statements that it took.

    What a test does to it is taken back with the test, whose own transaction lies inside this one.
    """
    with django_db_blocker.unblock(), transaction.atomic():
        load_catalog(*(program["code"] for program in shipped_catalog()["programs"]), years=(2020, 2027))
        with connection.execute_wrapper(counting := Counting()):
            load_story()
        yield counting.statements
        transaction.set_rollback(True)


class Counting:
    """Counts statements without keeping them."""

    statements = 0

    def __call__(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        self.statements += 1
        return execute(sql, params, many, context)


def claim(title: str) -> Claim:
    return Claim.objects.with_names().get(title=title)


def failed(claim: Claim) -> list[str]:
    return [found.field for found in rules.failed(findings_of(claim, at=clock.now()))]


def test_the_story_agrees_with_its_ledger() -> None:
    assert differences() == []


def test_the_story_is_quick_to_load(cost: int) -> None:
    assert cost < STATEMENTS


def test_the_story_was_told_as_it_went_and_only_the_last_week_is_new() -> None:
    tell_untold(at=clock.now())
    assert not Untold.objects.exists()
    mia = Person.objects.get(email="mia@cedarridge.example")
    new = mia.notices.filter(read_at__isnull=True)
    assert {"deadline", "forecast", "needs_you", "payment", "expired", "decision"} <= set(
        mia.notices.values_list("kind", flat=True)
    )
    assert 0 < new.count() < 25
    assert min(new.values_list("created_at", flat=True)) >= instant("2024-07-26 09:00")


def test_nobody_of_the_story_was_told_of_what_they_may_not_see() -> None:
    tell_untold(at=clock.now())
    for subject_type, model in {"fund": Fund, "claim": Claim, "plan": Plan, "payment": Payment}.items():
        told = Notice.objects.filter(subject_type=subject_type).values_list("person", "subject").distinct()
        for person in Person.objects.filter(id__in={person_id for person_id, _ in told}):
            subjects = {int(subject) for person_id, subject in told if person_id == person.pk}
            seen = model.objects.visible_to(person).filter(id__in=subjects)
            assert set(seen.values_list("id", flat=True)) == subjects, f"{person} and {subject_type}"


def test_the_story_stands_twelve_days_before_a_deadline_with_three_periods_alive() -> None:
    at = clock.now()
    assert at == instant("2024-08-02 09:00")
    periods = EarningPeriod.objects.filter(program__code="mci-csp-reseller", earn_open_at__lte=at)
    live = {period.code: period.state(at) for period in periods if period.state(at) != "closed"}
    assert live == {"FY25-H1": "earning", "FY24-H2": "in_use", "FY24-H1": "claiming"}


def test_there_is_a_claim_in_every_state_and_the_main_partner_has_most_of_them() -> None:
    assert set(Claim.objects.values_list("status", flat=True)) == set(states.STATUSES)
    cedar_ridge = Claim.objects.filter(partner__name="Cedar Ridge Cloud").values_list("status", flat=True)
    assert set(cedar_ridge) == set(states.STATUSES) - {"lapsed", "disputed"}


def test_one_draft_is_ready_and_one_lacks_several_things() -> None:
    assert failed(claim("Floor days for the sales team")) == []
    lacking = failed(claim("Pages about moving to the cloud"))
    assert "activity_to" in lacking
    assert {field.partition(".")[0] for field in lacking} >= {"lines", "metrics"}


def test_a_returned_claim_has_fixes_on_four_fields() -> None:
    returned = claim("Security readiness calls")
    assert returned.status == "action_required"
    assert len({fix["field"] for fix in returned.returned_fixes}) == 4


def test_one_claim_is_approved_in_full_and_one_in_part() -> None:
    full, part = claim("Briefaktion Hafenbetriebe"), claim("High Plains technology days")
    assert full.approved_minor == full.claimed_minor
    assert 0 < part.approved_minor < part.claimed_minor
    assert sorted(part.lines.values_list("decision", flat=True)) == ["approve", "decline"]


def test_some_money_was_converted_some_expired_and_one_fund_was_clawed_back_below_zero() -> None:
    converted = Fund.objects.filter(converted_minor__gt=0)
    assert {fund.program.code for fund in converted.select_related("program")} == {
        "mci-csp-reseller",
        "mixed-reality-add",
    }
    assert Fund.objects.filter(expired_minor__gt=0, paid_minor__gt=0).exists()
    overdrawn = Fund.objects.get(available_minor__lt=0)
    assert overdrawn.entries.filter(kind="clawback").exists()


def test_both_forms_of_imports_are_committed_and_one_is_ready_with_lines_to_reject() -> None:
    assert set(Import.objects.filter(status="committed").values_list("format", flat=True)) == {
        "partner_center",
        "incentives",
    }
    ready = Import.objects.get(status="ready")
    assert (ready.new, ready.rejected) == (15, 6)
    assert not Import.objects.filter(status="committed", rejected__gt=0).exists()


def test_one_run_waits_for_the_second_person_and_pays_again_what_failed() -> None:
    draft = PaymentRun.objects.get(status="draft")
    assert draft.prepared_by.email == "finance@vendor.example"
    assert [row["partner_name"] for row in draft.held] == ["Tidewater Hosting"]
    failed_payment = Payment.objects.get(status="failed")
    assert failed_payment.run.status == "settled"
    assert draft.payments.filter(partner=failed_payment.partner, amount_minor=failed_payment.amount_minor).exists()


def test_one_adjustment_is_posted_and_one_waits_for_the_second_person() -> None:
    posted, waiting = Adjustment.objects.order_by("id")
    assert (posted.status, posted.fund.show(posted.amount_minor)) == ("posted", "86.20 USD")
    assert (waiting.status, waiting.fund.show(waiting.amount_minor)) == ("requested", "-1,410.75 USD")


def test_there_is_a_plan_in_force_one_that_waits_one_to_be_mended_and_an_amendment() -> None:
    plans = {(plan.title, plan.version): plan.status for plan in Plan.objects.all()}
    assert plans == {
        ("Devices for schools, spring", 1): "approved",
        ("Radio before the summer", 1): "approved",
        ("Autumn with accountants", 1): "submitted",
        ("Herbst an den Häfen", 1): "approved",
        ("Herbst an den Häfen", 2): "submitted",
        ("Shops on our servers", 1): "returned",
    }
    trade_in = PlanActivity.objects.get(title="Trade-in weeks for schools")
    assert (trade_in.requested_minor, trade_in.approved_minor, trade_in.reserved_minor) == (250_000, 200_000, 26_640)


def test_the_same_invoice_in_two_partners_claims_was_found() -> None:
    pair = Duplicate.objects.get(kind="invoice")
    assert {pair.claim.partner.name, pair.other.partner.name} == {"Cedar Ridge Cloud", "Harbor & Pine IT"}


def test_an_agency_helps_a_manager_is_away_and_a_decision_is_disputed() -> None:
    [invitation] = Invitation.objects.all()
    assert (invitation.person.role, invitation.task) == ("agency", "proof")
    assert Delegation.objects.get().to.email == "pcmm@vendor.example"
    disputed = claim("Anzeigen zur Kieler Woche")
    assert (disputed.status, disputed.first_decided_by.email) == ("disputed", "tomas@vendor.example")


def test_partners_are_of_four_countries_and_channel_managers_have_portfolios() -> None:
    assert set(Partner.objects.values_list("country", flat=True)) == {"US", "DE", "GB", "JP"}
    managers = Person.objects.filter(role="channel_manager", sees_every_partner=False)
    assert sorted(manager.portfolio.count() for manager in managers) == [2, 2, 4]


def test_everybody_signs_in_with_the_password_that_is_told() -> None:
    assert all(person.check_password(PASSWORD) for person in Person.objects.all())
    people = demo_people()
    assert {person["email"] for person in people} < set(Person.objects.values_list("email", flat=True))
    assert all(person["look"] for person in people)
    assert people[0]["email"] == "mia@cedarridge.example"
    told = welcome()
    assert PASSWORD in told
    assert len(told.splitlines()) <= 25


def test_the_documents_are_whole_files() -> None:
    ends = {"application/pdf": b"%%EOF\n", "image/png": b"IEND\xaeB`\x82"}
    for document in Document.objects.filter(stored__media_type__in=ends):
        with document.stored.file.open("rb") as file:
            assert file.read().endswith(ends[document.media_type]), document.filename


def test_addresses_and_mail_are_reserved_for_examples() -> None:
    assert all(email.endswith(".example") for email in Person.objects.values_list("email", flat=True))
    assert all(".example/" in document.url for document in Document.objects.exclude(url=""))


def test_the_story_is_told_once() -> None:
    with pytest.raises(Invalid, match="partners in this sandbox already"):
        load_story()


def test_past_the_deadline_what_is_left_expires_and_the_ready_draft_lapses() -> None:
    left = Fund.objects.filter(earning_period__code="FY24-H1", available_minor__gt=0)
    expected = {fund.id: fund.expired_minor + fund.available_minor + fund.reserved_minor for fund in left}

    reach("2024-08-15")

    assert {fund.id: fund.expired_minor for fund in Fund.objects.filter(id__in=expected)} == expected
    assert claim("Floor days for the sales team").status == "lapsed"
    assert claim("Security readiness calls").status == "action_required"
    assert differences() == []
