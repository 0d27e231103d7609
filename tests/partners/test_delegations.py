"""Standing in: who sees what on which days, who may arrange it, and what is refused."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from coop.lib import clock
from coop.lib.errors import Invalid, NotAllowed, NotFound, WrongStatus
from partners.models import Event, Partner, Person
from partners.operations import deactivate_person, delegate, end_delegation, set_portfolio
from partners.permissions import may_see
from partners.queries import acting_for, covered_by, covering
from tests import factories as make

pytestmark = pytest.mark.django_db
FIRST, LAST = date(2024, 3, 4), date(2024, 3, 8)


@pytest.fixture
def partners() -> list[Partner]:
    make.set_clock(make.CLAIMING)
    return [make.make_partner(name) for name in ("Adatum", "Contoso")]


def channel_manager(*portfolio: Partner, **more: Any) -> Person:
    return make.make_person(None, "channel_manager", portfolio=[partner.pk for partner in portfolio], **more)


def arrange(person: Person, to: Person, *, by: Person | None = None, **more: Any) -> Any:
    days = {"starts_on": FIRST, "ends_on": LAST, **more}
    return delegate(person.pk, to.pk, by=by or person, at=clock.now(), **days)


def seen(person: Person) -> list[str]:
    fresh = Person.objects.get(pk=person.pk)
    return sorted(Partner.objects.visible_to(fresh).values_list("name", flat=True))


def test_the_partners_of_who_is_away_are_seen_on_those_days_and_on_no_other(partners: list[Partner]) -> None:
    away, cover = channel_manager(*partners), channel_manager()
    arrange(away, cover, starts_on=FIRST + timedelta(days=1))
    for day, wanted in ((0, []), (1, ["Adatum", "Contoso"]), (4, ["Adatum", "Contoso"]), (5, [])):
        make.set_clock(make.CLAIMING + timedelta(days=day))
        assert seen(cover) == wanted, day
        assert may_see(Person.objects.get(pk=cover.pk), partners[0].pk) is bool(wanted)


def test_only_the_named_partners_are_covered_and_never_more_than_the_portfolio(partners: list[Partner]) -> None:
    away, cover = channel_manager(*partners), channel_manager()
    arrange(away, cover, partner_ids=[partners[0].pk])
    assert seen(cover) == ["Adatum"]
    set_portfolio(away.pk, [partners[1].pk], by=make.vendor("program"), at=clock.now())
    assert seen(cover) == []  # what left the portfolio is not covered either


def test_who_covers_for_somebody_who_sees_every_partner_sees_every_partner(partners: list[Partner]) -> None:
    cover = channel_manager()
    arrange(make.vendor("manager"), cover)
    assert seen(cover) == ["Adatum", "Contoso"]


def test_who_covers_for_somebody_that_has_left_sees_nothing_by_it(partners: list[Partner]) -> None:
    away, cover = channel_manager(*partners), channel_manager()
    arrange(away, cover)
    assert seen(cover) == ["Adatum", "Contoso"]
    deactivate_person(away.pk, by=make.vendor("program"), at=clock.now())
    assert seen(cover) == []
    assert acting_for(cover, partners[0].pk, FIRST) is None
    assert covered_by(cover.pk, FIRST) == []


def test_standing_in_is_not_handed_on(partners: list[Partner]) -> None:
    first, second, third = channel_manager(*partners), channel_manager(), channel_manager()
    arrange(first, second)
    arrange(second, third)
    assert seen(third) == []


def test_for_whom_somebody_acts_is_nobody_where_the_partner_is_their_own(partners: list[Partner]) -> None:
    away, cover = channel_manager(*partners), channel_manager(partners[0])
    arrange(away, cover)
    assert acting_for(cover, partners[0].pk, FIRST) is None
    assert acting_for(cover, partners[1].pk, FIRST) == away
    assert acting_for(cover, partners[1].pk, LAST + timedelta(days=1)) is None
    assert [d.person for d in covered_by(cover.pk, LAST)] == [away]
    assert [d.to for d in covering(away.pk, LAST)] == [cover]


def test_managers_arrange_it_for_themselves_and_program_admins_for_all(partners: list[Partner]) -> None:
    away, cover = channel_manager(*partners), channel_manager()
    with pytest.raises(NotAllowed, match="for themselves"):
        arrange(away, cover, by=cover)
    with pytest.raises(NotAllowed):
        arrange(away, cover, by=make.vendor("finance"))
    with pytest.raises(NotFound):
        arrange(away, make.vendor("finance"))
    assert arrange(away, cover, by=make.vendor("program"))
    assert Event.objects.filter(verb="delegation.created", vendor_only=True).count() == 1


def test_all_that_is_wrong_with_a_delegation_is_said_at_once(partners: list[Partner]) -> None:
    away = channel_manager(partners[0])
    with pytest.raises(Invalid) as refused:
        arrange(
            away,
            away,
            starts_on=FIRST - timedelta(days=1),
            ends_on=FIRST - timedelta(days=2),
            partner_ids=[partners[1].pk],
        )
    assert {(e.field, e.code) for e in refused.value.errors} == {
        ("to", "invalid"),
        ("ends_on", "invalid"),
        ("starts_on", "past"),
        ("partners", "not_found"),
    }


def test_two_do_not_stand_in_for_one_portfolio_on_one_day(partners: list[Partner]) -> None:
    away, cover, other = channel_manager(*partners), channel_manager(), channel_manager()
    arrange(away, cover, partner_ids=[partners[0].pk])
    assert arrange(away, other, partner_ids=[partners[1].pk])  # other partners
    with pytest.raises(Invalid) as refused:
        arrange(away, other, starts_on=LAST, ends_on=LAST)
    assert [(e.field, e.code) for e in refused.value.errors] == [("starts_on", "overlaps")] * 2
    assert "stands in from 4 Mar 2024 to 8 Mar 2024 already" in refused.value.errors[0].message
    assert arrange(away, other, starts_on=LAST + timedelta(days=1), ends_on=LAST + timedelta(days=1))


def test_a_delegation_is_ended_early_by_either_side_once(partners: list[Partner]) -> None:
    away, cover = channel_manager(*partners), channel_manager()
    delegation = arrange(away, cover)
    with pytest.raises(NotAllowed):
        end_delegation(delegation.pk, by=channel_manager(), at=clock.now())
    end_delegation(delegation.pk, by=cover, at=clock.now())
    assert seen(cover) == []
    with pytest.raises(WrongStatus):
        end_delegation(delegation.pk, by=away, at=clock.now())
    assert arrange(away, cover)  # the days are free again


def test_a_portfolio_is_assigned_by_a_program_admin_and_the_change_is_recorded(partners: list[Partner]) -> None:
    manager = channel_manager(partners[0])
    with pytest.raises(NotAllowed):
        set_portfolio(manager.pk, None, by=make.vendor("manager"), at=clock.now())
    set_portfolio(manager.pk, [partners[1].pk], by=make.vendor("program"), at=clock.now())
    event = Event.objects.get(verb="person.portfolio_set")
    assert (event.data["added"], event.data["removed"]) == ([str(partners[1].pk)], [str(partners[0].pk)])
    assert seen(manager) == ["Contoso"]
    assert seen(set_portfolio(manager.pk, None, by=make.vendor("program"), at=clock.now())) == ["Adatum", "Contoso"]
