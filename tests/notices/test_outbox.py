"""The outbox: every event is told once, whoever fails or is killed meanwhile."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from coop import telling
from coop.lib import clock
from partners import events
from partners.audience import Audience
from partners.models import Event, Notice, Untold
from partners.telling import Telling, ToldOf
from tests.factories import make_partner, make_person, vendor

pytestmark = pytest.mark.django_db


def tell_all_of(group: Sequence[Event], who: Audience) -> Iterator[ToldOf]:
    """Tells all writers of the partner; an event that says so cannot be told."""
    for event in group:
        if event.data.get("poison"):
            raise ValueError("This event cannot be told.")
        words = Telling(
            "needs_you", f"e:{event.pk}", "Title", "Text", "/", "partner", event.subject, event.partner_id, event.at
        )
        yield event, who.of_partner(event.partner_id), words


@pytest.fixture(autouse=True)
def _verb(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(telling.VERBS, "test.happened", tell_all_of)


def test_people_of_the_partner_are_told_once_and_the_outbox_is_empty() -> None:
    partner = make_partner()
    people = [make_person(partner), make_person(partner, "partner_admin")]
    events.record("test.happened", partner, by=None, at=clock.now(), partner_id=partner.id)
    telling.tell_untold(at=clock.now())
    assert not Untold.objects.exists()
    telling.tell_untold(at=clock.now())
    assert sorted(Notice.objects.values_list("person", flat=True)) == sorted(one.pk for one in people)


def test_who_did_it_and_who_has_left_and_who_is_of_another_partner_are_not_told() -> None:
    partner = make_partner()
    actor, left, guest, colleague = (
        make_person(partner, role) for role in ("marketer", "marketer", "agency", "marketer")
    )
    make_person(make_partner())
    type(left).objects.filter(id=left.pk).update(is_active=False)
    events.record("test.happened", partner, by=actor, at=clock.now(), partner_id=partner.id)
    telling.tell_untold(at=clock.now())
    assert [one.person_id for one in Notice.objects.all()] == [colleague.pk]
    assert guest.pk != colleague.pk


def test_what_is_the_vendors_paper_is_told_to_no_partner() -> None:
    partner = make_partner()
    make_person(partner)
    events.record("test.happened", partner, by=vendor(), at=clock.now(), partner_id=partner.id, vendor_only=True)
    telling.tell_untold(at=clock.now())
    assert not Notice.objects.exists()
    assert not Untold.objects.exists()


def test_an_event_that_cannot_be_told_stays_and_is_reported_and_the_others_go_on() -> None:
    partner = make_partner()
    person = make_person(partner)
    at = clock.now()
    telling.tell_untold(at=at)
    good = events.record("test.happened", partner, by=None, at=at, partner_id=partner.id)
    bad = events.record("test.happened", partner, by=None, at=at, partner_id=partner.id, poison=True)
    last = events.record("test.happened", partner, by=None, at=at, partner_id=partner.id)
    tally = telling.tell_untold(at=at)
    assert (tally.events, [name for name, _ in tally.failures]) == (2, [f"event {bad.pk}"])
    assert set(person.notices.values_list("key", flat=True)) == {f"e:{good.pk}", f"e:{last.pk}"}
    assert list(Untold.objects.values_list("event", flat=True)) == [bad.pk]
    assert telling.tell_untold(at=at).events == 0  # tried again, failed again
    assert person.notices.count() == 2


def test_an_event_that_is_committed_after_a_later_one_was_told_goes_before_the_later_ones_of_its_record() -> None:
    """Numbers are given before the commit: 1 and 3 of a record become visible once 2, of another one, was told."""
    partner, other = make_partner(), make_partner()
    make_person(partner), make_person(other)
    Untold.objects.all().delete()
    first, second, third = (
        events.record("test.happened", one, by=None, at=clock.now(), partner_id=one.id)
        for one in (partner, other, partner)
    )
    late = [Untold(event=event) for event in (first, third)]
    Untold.objects.exclude(event=second).delete()

    def commit(told: int) -> None:
        Untold.objects.bulk_create(late)
        late.clear()

    telling.tell_untold(at=clock.now(), step=commit)
    assert not Untold.objects.exists()
    told = Notice.objects.order_by("id").values_list("key", flat=True)
    assert list(told) == [f"e:{event.pk}" for event in (second, first, third)]


def test_more_events_than_a_batch_holds_are_told_with_the_same_few_statements_a_batch(
    django_assert_max_num_queries: object,
) -> None:
    partner = make_partner()
    person = make_person(partner)
    at = clock.now()
    telling.tell_untold(at=at)
    Event.objects.bulk_create(
        Event(at=at, verb="test.happened", subject_type="partner", subject=str(partner.pk), partner=partner)
        for _ in range(telling.BATCH + 7)
    )
    with django_assert_max_num_queries(40):  # type: ignore[operator]
        telling.tell_untold(at=at)
    assert person.notices.count() == telling.BATCH + 7
