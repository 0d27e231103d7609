"""The pages of one's notices, and the bell on every page."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.test import Client
from django.urls import reverse

from coop.lib import clock
from partners.models import Notice, Person
from partners.telling import Telling, tell
from tests.factories import CLAIMING, make_partner, make_person, set_clock, vendor
from tests.web.partner.conftest import text_of

pytestmark = pytest.mark.django_db
END = datetime(2024, 8, 15, tzinfo=UTC)


@pytest.fixture
def reader() -> Person:
    set_clock(CLAIMING)
    person = make_person(make_partner())
    Person.objects.filter(id=person.id).update(time_zone="Europe/Berlin")
    return Person.objects.get(id=person.id)


@pytest.fixture
def client(reader: Person) -> Client:
    browser = Client()
    browser.force_login(reader)
    return browser


def give(
    person: Person, key: str = "k", kind: str = "deadline", title: str = "7 days left", link: str = "/funds/"
) -> Notice:
    partner = person.partner_id
    words = Telling(
        kind, key, title, "What is left expires.", link, "fund", "1", partner, CLAIMING, END, "UTC", 1_000_355, "USD"
    )
    tell([person], words, at=clock.now())
    return Notice.objects.get(person=person, key=key)


def test_a_notice_shows_its_words_its_money_and_both_clocks(client: Client, reader: Person) -> None:
    give(reader)
    said = text_of(client.get(reverse("notices")))
    assert "1 new notice." in said
    assert "A deadline comes near New 10,003.55 USD 7 days left What is left expires." in said
    assert "Act until 14 Aug 2024, 23:59:59 UTC (15 Aug 2024, 01:59:59 Europe/Berlin, your time)" in said


def test_the_bell_counts_in_words_on_every_page_and_rests_when_all_is_read(client: Client, reader: Person) -> None:
    assert "No new notices" in text_of(client.get(reverse("glossary")))
    for number in range(3):
        give(reader, key=str(number))
    assert "3 new notices" in text_of(client.get(reverse("glossary")))
    newest = Notice.objects.order_by("-id").values_list("id", flat=True)[0]
    answer = client.post(reverse("notices-read"), {"until": newest}, follow=True)
    assert "3 notices are marked as read." in text_of(answer)
    assert "No new notices" in text_of(client.get(reverse("glossary")))


def test_opening_marks_read_and_goes_to_the_very_page_and_looking_marks_nothing(client: Client, reader: Person) -> None:
    found = give(reader, link="/funds/7/")
    client.get(reverse("notices"))
    assert Notice.objects.unread().count() == 1
    assert client.get(reverse("notice-open", args=[found.id])).status_code == 405
    answer = client.post(reverse("notice-open", args=[found.id]))
    assert (answer.status_code, answer["Location"]) == (302, "/funds/7/")
    found.refresh_from_db()
    assert found.read_at == CLAIMING


def test_the_new_ones_come_first_and_each_can_be_marked_alone(client: Client, reader: Person) -> None:
    old = give(reader, key="a", title="An old one")
    new = give(reader, key="b", title="A new one")
    client.post(reverse("notice-read", args=[new.id]))
    said = text_of(client.get(reverse("notices")))
    assert said.index(old.title) < said.index(new.title)


def test_a_filter_shows_one_kind_and_marks_only_that(client: Client, reader: Person) -> None:
    give(reader, key="a", title="A deadline")
    newest = give(reader, key="b", kind="payment", title="A payment")
    said = text_of(client.get(reverse("notices"), {"kind": "payment"}))
    assert "A payment" in said
    assert "7 days" not in said
    client.post(reverse("notices-read"), {"until": newest.id, "kind": "payment"})
    assert [one.title for one in Notice.objects.unread()] == ["A deadline"]
    assert "No notices of this kind" in text_of(client.get(reverse("notices"), {"kind": "rules"}))
    assert "A deadline" in text_of(client.get(reverse("notices"), {"kind": "nonsense"}))


def test_marking_all_leaves_what_came_after_the_page_was_made(client: Client, reader: Person) -> None:
    first = give(reader, key="a")
    give(reader, key="b", title="Came later")
    client.post(reverse("notices-read"), {"until": first.id})
    assert [one.title for one in Notice.objects.unread()] == ["Came later"]


def test_more_than_fifty_are_on_several_pages(client: Client, reader: Person) -> None:
    for number in range(52):
        give(reader, key=str(number), title=f"Number {number}")
    said = client.get(reverse("notices")).content.decode()
    assert said.count("<h2>") == 50
    assert client.get(reverse("notices"), {"page": "2"}).content.decode().count("<h2>") == 2


def test_others_notices_do_not_exist(client: Client, reader: Person) -> None:
    theirs = give(make_person(reader.partner), title="Not yours")
    assert "Not yours" not in text_of(client.get(reverse("notices")))
    for name in ("notice-open", "notice-read"):
        assert client.post(reverse(name, args=[theirs.id])).status_code == 404
    client.post(reverse("notices-read"), {"until": theirs.id})
    theirs.refresh_from_db()
    assert theirs.read_at is None


@pytest.mark.parametrize("role", ["agency", "partner_admin", "finance", "auditor", "channel_manager", "program_admin"])
def test_everybody_has_the_page_and_is_told_when_it_is_empty(role: str) -> None:
    set_clock(CLAIMING)
    vendor()
    person = make_person(make_partner() if role in ("agency", "partner_admin") else None, role)
    browser = Client()
    browser.force_login(person)
    answer = browser.get(reverse("notices"))
    assert answer.status_code == 200
    assert "No notices yet" in text_of(answer)


def test_who_is_not_signed_in_is_asked_to_sign_in() -> None:
    assert Client().get(reverse("notices")).status_code == 302
