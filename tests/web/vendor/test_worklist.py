"""The channel manager's worklist."""

import pytest
from django.urls import reverse

from claims.operations.review import start_review
from claims.queries.worklist import next_claim, worklist
from coop.lib import clock
from tests.factories import (
    make_enrollment,
    make_fund,
    make_location,
    make_partner,
    make_person,
    make_sent_claim,
    make_sent_plan,
    vendor,
)
from tests.web.vendor.conftest import Enter, get_within_bound, words

pytestmark = pytest.mark.django_db


def test_an_empty_worklist_says_that_the_queue_is_clear(enter: Enter) -> None:
    assert "Queue clear" in words(enter("manager").get(reverse("worklist")))


def test_a_row_says_partner_amount_risk_and_when_the_review_is_due(enter: Enter) -> None:
    make_sent_claim(make_fund(), "4000.00")
    page = words(get_within_bound(enter("manager"), reverse("worklist")))
    for said in (
        "Northwind Traders",
        "4,000.00 USD",
        "If declined, 163 days left to claim it again",
        "6 Mar 2024",
        "Today",
    ):
        assert said in page


def test_the_most_urgent_comes_first_and_review_next_leads_to_it(enter: Enter) -> None:
    fund = make_fund()
    make_sent_claim(fund, "100.00", title="The small one")
    large = make_sent_claim(fund, "4000.00", title="The large one")
    response = enter("manager").get(reverse("worklist"))
    page = words(response)
    assert page.index("The large one") < page.index("The small one")
    assert f'href="{reverse("review", args=[large.pk])}">Review next' in response.content.decode()


def test_review_next_leaves_out_what_a_colleague_is_reviewing(enter: Enter) -> None:
    fund = make_fund()
    small, large = make_sent_claim(fund, "100.00"), make_sent_claim(fund, "4000.00")
    start_review(large.pk, by=vendor("pcmm"), at=clock.now())
    assert next_claim(vendor("manager"), clock.now()) == small.pk
    assert next_claim(vendor("pcmm"), clock.now()) == large.pk
    assert "Pedro Campos is reviewing it" in words(enter("manager").get(reverse("worklist")))


def test_the_view_of_my_own_reviews_says_so_when_it_is_empty(enter: Enter) -> None:
    make_sent_claim(make_fund())
    page = words(enter("manager").get(reverse("worklist"), {"show": "mine"}))
    assert "Nothing fits this view" in page
    assert "Showing only: In my review" in page


def test_pages_follow_one_another_without_gap_or_repetition() -> None:
    fund = make_fund()
    sent = {make_sent_claim(fund, f"{amount}.00").pk for amount in (100, 200, 300, 300, 50)}
    seen: list[int] = []
    after = ""
    for _ in range(3):
        page = worklist(vendor("manager"), clock.now(), after=after, size=2)
        seen += [item.record.pk for item in page.items]
        after = page.after
    assert after == ""
    assert len(seen) == 5
    assert set(seen) == sent


def test_the_list_is_narrowed_by_program_and_by_name_or_number(enter: Enter) -> None:
    fund = make_fund()
    claim = make_sent_claim(fund, "100.00", title="Spring calls")
    plan = make_sent_plan(fund, "200.00", title="Summer calls")
    client, here = enter("manager"), reverse("worklist")

    def titles(**asked: object) -> list[str]:
        page = words(client.get(here, asked))
        return [title for title in (claim.title, plan.title) if title in page]

    assert titles(q="CALLS") == [claim.title, plan.title]
    assert titles(q=plan.number.lower()) == [plan.title]
    assert titles(q="spring", program=fund.program_id) == [claim.title]
    assert titles(program=fund.program_id + 1) == []
    page = client.get(here, {"q": "spring", "show": "new"}).content.decode()
    assert "“spring”" in page
    assert f'href="{here}?show=new"' in page  # takes the words away and keeps the view


def test_a_place_that_cannot_be_read_is_the_beginning(enter: Enter) -> None:
    make_sent_claim(make_fund(), title="Here")
    assert "Here" in words(enter("manager").get(reverse("worklist"), {"after": "x-1-2", "show": "nonsense"}))


def test_a_channel_manager_sees_and_opens_only_the_claims_of_the_portfolio(enter: Enter) -> None:
    mine, other = make_partner("Mine"), make_partner("Other")
    claims = [
        make_sent_claim(make_fund(enrollment=make_enrollment(make_location(partner))), title=f"Of {partner}")
        for partner in (mine, other)
    ]
    client = enter(make_person(role="channel_manager", portfolio=[mine.pk]))
    page = words(client.get(reverse("worklist")))
    assert "Of Mine" in page
    assert "Of Other" not in page
    assert client.get(reverse("review", args=[claims[0].pk])).status_code == 200
    for name in ("review", "review-return"):
        assert client.get(reverse(name, args=[claims[1].pk])).status_code == 404
    assert client.post(reverse("review-decision", args=[claims[1].pk])).status_code == 404
    assert "Of Other" not in words(client.get(reverse("search"), {"q": "Of "}))


@pytest.mark.parametrize("who", ["finance", "program", "auditor"])
def test_others_are_told_that_channel_managers_decide(enter: Enter, who: str) -> None:
    response = enter(who).get(reverse("worklist"))
    assert response.status_code == 403
    assert "ask somebody whose role is channel manager" in words(response)


def test_the_view_of_plans_leads_to_plans_and_offers_nothing_that_is_done_with_claims(enter: Enter) -> None:
    fund = make_fund()
    make_sent_claim(fund, "4000.00")
    plan = make_sent_plan(make_fund(enrollment=make_enrollment(make_location(fund.partner, name="Hove"))), "100.00")
    client = enter("manager")
    page = client.get(reverse("worklist"), {"show": "plans"}).content.decode()
    assert f'href="{reverse("plan-review", args=[plan.pk])}">Review next' in page
    assert "picked claims" not in page
    assert "picked claims" in client.get(reverse("worklist")).content.decode()
