"""The portfolio, one partner's page, and standing in for a colleague."""

from datetime import timedelta

import pytest
from django.urls import reverse

from coop.lib import clock
from partners.models import Delegation
from tests.factories import (
    CLAIMING,
    IN_USE,
    make_approved_claim,
    make_enrollment,
    make_fund,
    make_location,
    make_partner,
    make_person,
    make_sent_plan,
    set_clock,
    vendor,
)
from tests.web.vendor.conftest import Enter, get_within_bound, words

pytestmark = pytest.mark.django_db


def test_partners_are_ranked_by_what_they_lose_and_when(enter: Enter) -> None:
    small = make_fund("25000.00", enrollment=make_enrollment(make_location(make_partner("Adatum"))))
    large = make_fund("50000.00", enrollment=make_enrollment(make_location(make_partner("Zava"))))
    make_partner("Contoso")
    set_clock(CLAIMING)
    make_sent_plan(small)
    make_approved_claim(large, "4000.00")
    client = enter("manager")
    page = words(get_within_bound(client, reverse("portfolio")))
    assert "3 partners, 2 with money that expires" in page
    assert page.index("Zava") < page.index("Adatum") < page.index("Contoso")
    assert "16,000.00 USD in 163 days" in page
    assert "14 Aug 2024, 23:59:59 UTC" in page
    assert "1 of 1" in page
    table = b"".join(client.get(f"{reverse('portfolio')}?format=csv").streaming_content).decode()
    assert '"16,000.00 USD",2024-08-15T00:00:00+00:00,0,0,0,1,1' in table


def test_the_page_of_a_partner_has_balances_plans_claims_and_people(enter: Enter) -> None:
    fund = make_fund()
    plan = make_sent_plan(fund, title="Spring in Austria")
    page = words(enter("manager").get(reverse("portfolio-partner", args=[fund.partner_id])))
    for said in ("10,003.55 USD on 14 Aug 2024, 23:59:59 UTC", "Spring in Austria", plan.created_by.name, "Balances"):
        assert said in page, said


def test_a_manager_sees_the_own_portfolio_and_partners_see_none(enter: Enter) -> None:
    mine, other = make_partner("Mine"), make_partner("Theirs")
    client = enter(make_person(role="channel_manager", portfolio=[mine.pk]))
    page = words(client.get(reverse("portfolio")))
    assert "Mine" in page
    assert "Theirs" not in page
    assert client.get(reverse("portfolio-partner", args=[other.pk])).status_code == 404
    assert enter(make_person(mine)).get(reverse("portfolio")).status_code == 403
    nobody = enter(make_person(role="channel_manager", portfolio=[]))
    assert "No partner is assigned to you" in words(nobody.get(reverse("portfolio")))


def test_somebody_is_let_stand_in_and_ended_after_asking(enter: Enter) -> None:
    set_clock(IN_USE)
    mine = make_partner("Mine")
    ada = make_person(role="channel_manager", name="Ada Away", portfolio=[mine.pk])
    cleo = make_person(role="channel_manager", name="Cleo Cover", portfolio=[])
    client, new = enter(ada), reverse("portfolio-delegation-new")
    assert "Nobody stands in" in words(client.get(reverse("portfolio-delegations")))
    today = clock.now().date()
    sent = {"to": cleo.pk, "starts_on": today, "ends_on": today - timedelta(days=1), "partners": [mine.pk], "note": ""}
    refused = client.post(new, sent)
    assert refused.status_code == 400
    assert "The last day lies before the first one." in words(refused)
    client.post(new, sent | {"ends_on": today + timedelta(days=7)})
    page = words(get_within_bound(client, reverse("portfolio-delegations")))
    assert "Cleo Cover for Ada Away Mine 1 Feb 2024 to 8 Feb 2024 Now" in page
    assert "Mine" in words(enter(cleo).get(reverse("portfolio")))
    end = reverse("portfolio-delegation-end", args=[Delegation.objects.get().pk])
    assert enter("pcmm").get(end).status_code == 404, "a colleague who is not one of the two"
    assert "End this now?" in words(client.get(end))
    client.post(end)
    assert "Mine" not in words(enter(cleo).get(reverse("portfolio")))
    assert "Ended 1 Feb 2024" in words(client.get(reverse("portfolio-delegations")))


def test_a_program_admin_says_it_for_others_and_finance_may_not(enter: Enter) -> None:
    set_clock(IN_USE)
    today = clock.now().date()
    away, cover = vendor("manager"), vendor("pcmm")
    sent = {"person": away.pk, "to": cover.pk, "starts_on": today, "ends_on": today, "note": "Holiday"}
    client = enter("program")
    assert "Who is away" in words(client.get(reverse("portfolio-delegation-new")))
    client.post(reverse("portfolio-delegation-new"), sent)
    assert Delegation.objects.get().created_by == vendor("program")
    assert enter("finance").get(reverse("portfolio-delegations")).status_code == 403
