"""Who sees what: every role against every table, before any page or client exists."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db.models import Model

from claims.models import Claim
from funds.models import Earning, Enrollment, Entry, Fund, Import, Payment, PaymentRun
from partners import events
from partners.models import Event, Location, Partner, Person
from partners.permissions import may_see
from tests import factories as make

pytestmark = pytest.mark.django_db


@dataclass
class World:
    """Two partners who must not know of each other, each with a fund, a draft, a sent claim and a payment."""

    ours: Fund
    theirs: Fund
    people: dict[str, Person]


@pytest.fixture
def world(db: None) -> World:
    ours, theirs = (make.make_fund() for _ in range(2))
    for fund in (ours, theirs):
        make.make_draft(fund)
        make.make_approved_claim(fund, "1000.00")
    make.pay_all()
    for fund in (ours, theirs):
        make.make_sent_claim(fund, "500.00")
        make.make_approved_claim(fund, "250.00")
    make.prepare()  # a run that nobody approved yet
    people = {
        "marketer": make.marketer_of(ours.partner),
        "partner_admin": make.make_person(ours.partner, "partner_admin"),
        "agency": make.make_person(ours.partner, "agency"),
        "portfolio manager": make.make_person(role="channel_manager", portfolio=[ours.partner_id]),
        "manager of nobody": make.make_person(role="channel_manager", portfolio=[]),
        "manager of all": make.vendor("manager"),
        "finance": make.vendor("finance"),
        "program_admin": make.vendor("program"),
        "auditor": make.vendor("auditor"),
    }
    return World(ours, theirs, people)


def seen(model: type[Model], person: object) -> set[int]:
    """The partners whose rows of this table the person sees."""
    rows = model.objects.visible_to(person)  # type: ignore[attr-defined]
    return set(rows.values_list("id" if model is Partner else "partner_id", flat=True))


OWNED = [Partner, Location, Enrollment, Fund, Entry, Earning, Claim, Payment]
ALL_OF = ("manager of all", "finance", "program_admin", "auditor")
ONE_OF = ("marketer", "partner_admin", "portfolio manager")


def test_partners_and_portfolios_see_their_own_and_the_vendor_sees_all(world: World) -> None:
    ours, theirs = world.ours.partner_id, world.theirs.partner_id
    for model in OWNED:
        for who in ONE_OF:
            assert seen(model, world.people[who]) == {ours}, (model, who)
        for who in ALL_OF:
            assert seen(model, world.people[who]) == {ours, theirs}, (model, who)
        assert seen(model, world.people["manager of nobody"]) == set(), model
        assert seen(model, world.people["agency"]) == ({ours} if model is Partner else set()), model
        assert seen(model, AnonymousUser()) == set(), model


def test_who_was_deactivated_sees_nothing(world: World) -> None:
    for person in world.people.values():
        person.is_active = False
        for model in (*OWNED, Person, Event, Import):
            assert not model.objects.visible_to(person).exists(), (model, person.role)  # type: ignore[attr-defined]


def test_a_draft_is_the_partners_own_paper(world: World) -> None:
    mine = set(Claim.objects.visible_to(world.people["marketer"]).values_list("status", flat=True))
    assert mine == {"draft", "paid", "submitted", "approved"}
    for who in ("portfolio manager", *ALL_OF):
        assert "draft" not in Claim.objects.visible_to(world.people[who]).values_list("status", flat=True), who


def test_a_payment_is_seen_by_its_partner_once_its_run_is_approved(world: World) -> None:
    assert [p.status for p in Payment.objects.visible_to(world.people["marketer"])] == ["sent"]
    assert {p.status for p in Payment.objects.visible_to(world.people["finance"])} == {"sent", "unprocessed"}
    assert PaymentRun.objects.count() == 2


def test_imports_hold_lines_of_many_partners_and_are_for_the_vendors_office(world: World) -> None:
    allowed = {who for who, person in world.people.items() if Import.objects.visible_to(person).exists()}
    assert allowed == {"finance", "program_admin", "auditor"}


def test_people_are_seen_by_who_works_with_them(world: World) -> None:
    def emails(who: str) -> set[str]:
        return set(Person.objects.visible_to(world.people[who]).values_list("email", flat=True))

    ours = set(world.ours.partner.people.values_list("email", flat=True))
    theirs = set(world.theirs.partner.people.values_list("email", flat=True))
    house = set(Person.objects.filter(partner__isnull=True).values_list("email", flat=True))
    assert emails("marketer") == {world.people["marketer"].email}
    assert emails("agency") == {world.people["agency"].email}
    assert emails("partner_admin") == ours
    assert emails("portfolio manager") == ours | house
    assert emails("manager of nobody") == house
    for who in ALL_OF:
        assert emails(who) == ours | theirs | house, who


def test_partners_read_the_events_of_their_own_records_without_what_is_for_the_vendor(world: World) -> None:
    hidden = events.record(
        "fund.looked_at", world.ours, by=None, at=make.CLAIMING, partner_id=world.ours.partner_id, vendor_only=True
    )
    for who in ("marketer", "partner_admin"):
        read = Event.objects.visible_to(world.people[who])
        assert set(read.values_list("partner_id", flat=True)) == {world.ours.partner_id}
        assert not read.filter(vendor_only=True).exists()
    assert not Event.objects.visible_to(world.people["agency"]).exists()
    assert Event.objects.visible_to(world.people["portfolio manager"]).filter(id=hidden.id).exists()


def test_a_manager_of_every_partner_reads_the_events_of_every_partner(world: World) -> None:
    for who in ALL_OF:
        read = set(Event.objects.visible_to(world.people[who]).values_list("partner_id", flat=True))
        assert {world.ours.partner_id, world.theirs.partner_id} <= read, who
    portfolio = Event.objects.visible_to(world.people["portfolio manager"])
    assert set(portfolio.values_list("partner_id", flat=True)) == {world.ours.partner_id, None}
    assert set(portfolio.filter(partner=None).values_list("subject_type", flat=True)) <= {"earning_period", "program"}


def test_may_see_says_the_same_as_the_querysets(world: World) -> None:
    for who, person in world.people.items():
        for fund in (world.ours, world.theirs):
            listed = Fund.objects.visible_to(person).filter(id=fund.id).exists()
            assert may_see(person, fund.partner_id) is listed, who


def test_what_a_manager_sees_changes_with_the_portfolio_at_once(world: World) -> None:
    person = world.people["manager of nobody"]
    assert not Fund.objects.visible_to(person).exists()
    person.portfolio.add(world.theirs.partner_id)
    again = Person.objects.get(id=person.id)  # a request reads the person anew
    assert seen(Fund, again) == {world.theirs.partner_id}
