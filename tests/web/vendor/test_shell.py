"""The frame of every page: who sees which places, the sandbox's banner, what is said where there is no page."""

import pytest
from django.test import Client
from django.urls import reverse

from coop.people import PASSWORD, load_vendor_people
from coop.shell import PLACES
from partners.states import ROLES
from tests.factories import CLAIMING, make_fund, make_partner, make_person, make_sent_claim, set_clock
from tests.web.vendor.conftest import Enter, words

pytestmark = pytest.mark.django_db


def test_every_role_has_places_and_none_more_than_seven() -> None:
    assert set(PLACES) == set(ROLES)
    assert all(0 < len(places) <= 7 for places in PLACES.values())


@pytest.mark.parametrize("role", ["marketer", "partner_admin", "agency"])
def test_partners_people_see_their_organisation_and_the_clock_in_the_frame(enter: Enter, role: str) -> None:
    set_clock(CLAIMING)
    page = words(enter(make_person(make_partner("Halden Cloud"), role)).get(reverse("glossary")))
    assert "Halden Cloud" in page
    assert ROLES[role] in page
    assert "the clock stands at 4 Mar 2024, 09:00 UTC" in page


def test_the_worklist_carries_the_number_of_claims_that_wait(enter: Enter) -> None:
    make_sent_claim(make_fund())
    assert "Worklist 1 waiting" in words(enter("manager").get(reverse("glossary")))


def test_a_payment_run_marks_its_own_place_and_not_the_payments(enter: Enter) -> None:
    page = enter("finance").get(reverse("payment-runs")).content.decode()
    marked = [part for part in page.split("<a ") if 'aria-current="page"' in part]
    assert len(marked) == 1
    assert reverse("payment-runs") in marked[0]


def test_pages_ask_a_stranger_to_sign_in() -> None:
    for name in ("worklist", "finance", "imports", "payment-runs", "payments", "search", "glossary", "clock"):
        response = Client().get(reverse(name))
        assert response.status_code == 302, name
        assert response["Location"].startswith(reverse("account_login")), name


def test_the_sign_in_page_of_a_sandbox_lists_people_to_sign_in_as() -> None:
    load_vendor_people(CLAIMING)
    make_person(make_partner())  # has no password, so nobody can sign in as them
    page = words(Client().get(reverse("account_login")))
    assert page.count(PASSWORD) == 8
    assert "finance2@vendor.example Finance at the vendor" in page


def test_a_page_that_is_not_there_keeps_the_frame_for_who_signed_in(enter: Enter) -> None:
    response = enter("finance").get("/nowhere/")
    assert response.status_code == 404
    assert "Payment runs" in words(response)
    assert "Payment runs" not in words(Client().get("/nowhere/"))


def test_a_refused_page_says_who_may(enter: Enter) -> None:
    response = enter("manager").get(reverse("finance"))
    assert response.status_code == 403
    assert "Your role is channel manager. To see the pages of finance, ask" in words(response)


def test_health_needs_no_sign_in_and_tells_of_database_and_broker() -> None:
    response = Client().get("/healthz")
    assert response.status_code == 200
    assert response.json()["database"] == "reachable"
    assert response.json()["broker"] == "reachable"
