"""The page of the sandbox's clock, the search and the glossary."""

from datetime import UTC, datetime

import pytest
from django.urls import reverse
from pytest_django import Settings

from coop.clock_page import month_later
from coop.lib import clock
from coop.web import GLOSSARY, read_glossary
from tests.factories import (
    CLAIMING,
    earn,
    make_claim,
    make_enrollment,
    make_fund,
    make_location,
    make_partner,
    make_person,
    make_plan,
    make_sent_claim,
    make_sent_plan,
    set_clock,
)
from tests.web.vendor.conftest import Enter, get_within_bound, words

pytestmark = pytest.mark.django_db


def test_the_page_says_where_the_clock_stands_and_what_comes(enter: Enter) -> None:
    make_fund()
    page = words(get_within_bound(enter("manager"), reverse("clock")))
    assert "It is 4 Mar 2024, 09:00 UTC" in page
    assert "To the next due date: 31 Mar 2024, 00:00 UTC" in page
    assert "what is left expires (today 10,003.55 USD in 1 fund). Claims for FY24 H2 open. 15 Aug 2024" in page


def test_a_fund_below_zero_lessens_nothing_that_expires(enter: Enter) -> None:
    make_fund()
    lacking = make_fund("50000.00", enrollment=make_enrollment(), now=CLAIMING)
    set_clock(CLAIMING)
    earn(lacking.enrollment, "-60000.00")
    page = words(enter("manager").get(reverse("clock")))
    assert "what is left expires (today 10,003.55 USD in 1 fund)" in page


def test_moving_runs_the_jobs_on_the_way_and_tells_them(enter: Enter) -> None:
    fund = make_fund()
    make_claim(fund)
    client = enter(make_person(fund.partner))
    response = client.post(
        reverse("clock"), {"to": "other", "day": "2024-08-15", "time": "00:00", "run_jobs": "on"}, follow=True
    )
    page = words(response)
    assert clock.now() == datetime(2024, 8, 15, tzinfo=UTC)
    assert "The clock moved from 4 Mar 2024, 09:00 UTC to 15 Aug 2024, 00:00 UTC" in page
    assert "Expiry of what was not claimed 15 Aug 2024" in page
    assert "Drafts and returned claims that were not sent in time 15 Aug 2024" in page
    fund.refresh_from_db()
    assert fund.expired_minor == 1_000_355
    assert "The clock moved from" not in words(client.get(reverse("clock"))), "the result is shown once"


def test_moving_without_jobs_says_that_none_ran(enter: Enter) -> None:
    make_fund()
    page = words(enter("finance").post(reverse("clock"), {"to": "month"}, follow=True))
    assert clock.now() == datetime(2024, 4, 4, 9, tzinfo=UTC)
    assert "No job ran, as you asked" in page


def test_the_clock_does_not_go_back_and_a_day_must_be_named(enter: Enter) -> None:
    set_clock(CLAIMING)
    client = enter("finance")
    back = client.post(reverse("clock"), {"to": "other", "day": "2024-01-01"})
    assert back.status_code == 400
    assert "only goes forward" in words(back)
    assert "Enter the day to move to" in words(client.post(reverse("clock"), {"to": "other"}))
    assert "Write the time as 23:59" in words(
        client.post(reverse("clock"), {"to": "other", "day": "2024-05-01", "time": "25:00"})
    )
    assert clock.now() == CLAIMING


def test_the_auditor_may_look_at_the_clock_and_not_move_it(enter: Enter) -> None:
    set_clock(CLAIMING)
    client = enter("auditor")
    assert "An auditor changes nothing" in words(client.get(reverse("clock")))
    assert client.post(reverse("clock"), {"to": "day"}).status_code == 403
    assert clock.now() == CLAIMING


def test_outside_a_sandbox_there_is_no_clock_page(enter: Enter, settings: Settings) -> None:
    client = enter("finance")
    settings.SANDBOX = False
    assert client.get(reverse("clock")).status_code == 404
    assert "the clock stands at" not in words(client.get(reverse("glossary")))


def test_one_month_on_from_the_last_of_a_month_is_the_last_of_the_next() -> None:
    assert month_later(datetime(2024, 1, 31, 8, tzinfo=UTC)) == datetime(2024, 2, 29, 8, tzinfo=UTC)
    assert month_later(datetime(2024, 12, 31, 8, tzinfo=UTC)) == datetime(2025, 1, 31, 8, tzinfo=UTC)


def test_a_search_finds_claims_and_funds_by_every_name(enter: Enter) -> None:
    location = make_location(make_partner("Halden Cloud"), name="Bergen")
    claim = make_sent_claim(make_fund(enrollment=make_enrollment(location)), title="Spring calls")
    client = enter("manager")
    line = claim.lines.get()
    for text in (claim.number.lower(), "spring", line.invoice_number, "fabrikam"):
        page = words(get_within_bound(client, f"{reverse('search')}?q={text}"))
        assert "Spring calls" in page, text
        assert "No fund matches" in page, text
    for text in ("bergen", "halden"):
        assert "Bergen, FY24 H1" in words(client.get(reverse("search"), {"q": text}))


def test_a_search_finds_nothing_of_others(enter: Enter) -> None:
    fund = make_fund()
    make_claim(fund, title="A draft of theirs")
    stranger = enter(make_person(make_partner("Elsewhere")))
    assert "Nothing that you can see matches" in words(stranger.get(reverse("search"), {"q": "theirs"}))
    assert "Nothing that you can see matches" in words(stranger.get(reverse("search"), {"q": "Northwind"}))
    assert "Nothing that you can see matches" in words(enter("manager").get(reverse("search"), {"q": "draft of"}))
    assert "too short" in words(stranger.get(reverse("search"), {"q": "x"}))
    assert "Write the number or title of a claim or plan" in words(stranger.get(reverse("search")))


def test_a_claim_with_several_lines_of_a_supplier_is_found_once(enter: Enter) -> None:
    make_sent_claim(make_fund(), "100.00", "200.00", title="Two invoices")
    assert words(enter("manager").get(reverse("search"), {"q": "Fabrikam"})).count("Two invoices") == 1


def test_the_glossary_shows_every_word_of_its_file(enter: Enter) -> None:
    sections = read_glossary(GLOSSARY)
    number = sum(len(section["words"]) for section in sections)
    assert number == GLOSSARY.read_text(encoding="utf-8").count("\n- **")
    ids = [word["id"] for section in sections for word in section["words"]]
    page = enter("finance").get(reverse("glossary")).content.decode()
    assert all(f'id="{word}"' in page for word in ids)
    assert len(ids) == len(set(ids))


def test_a_search_finds_plans_by_number_and_title_for_those_who_see_them(enter: Enter) -> None:
    fund = make_fund()
    plan, draft = make_sent_plan(fund, title="Autumn fair"), make_plan(fund, title="A plan of theirs")
    manager, owner = enter("manager"), enter(plan.created_by)
    for text in (plan.number.lower(), "autumn"):
        html = get_within_bound(manager, f"{reverse('search')}?q={text}").content.decode()
        assert f'href="{reverse("plan-review", args=[plan.pk])}">Autumn fair' in html
    assert "No plan matches" not in words(owner.get(reverse("search"), {"q": draft.number}))
    assert "A plan of theirs" in words(owner.get(reverse("search"), {"q": draft.number}))
    assert "Nothing that you can see matches" in words(manager.get(reverse("search"), {"q": "plan of theirs"}))
