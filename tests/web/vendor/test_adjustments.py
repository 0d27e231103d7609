"""The pages of adjustments: choosing a fund, the preview, asking, approving, declining; and funds below zero."""

import re
from datetime import date
from typing import Any

import pytest
from django.urls import reverse

from coop.lib import clock
from funds.models import Adjustment, Fund
from funds.operations.adjustments import request_adjustment
from tests.factories import earn, make_approved_claim, make_claim, make_fund, make_person, marketer_of, vendor
from tests.web.vendor.conftest import Enter, get_within_bound, words

pytestmark = pytest.mark.django_db

NEW = {"act": "take", "amount": "500.00", "reason_code": "wrong_calculation", "effective_on": "2023-12-31", "note": ""}


@pytest.fixture
def fund() -> Fund:
    return make_fund("50000.00")


def ask(fund: Fund, minor: int, **more: Any) -> Adjustment:
    wanted = {"reason_code": "ar_compliance", "effective_on": date(2024, 3, 4), **more}
    return request_adjustment(fund.pk, amount_minor=minor, by=vendor("finance"), at=clock.now(), **wanted)


def kept(response: Any) -> dict[str, str]:
    """The hidden fields of the page's form."""
    found = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', response.content.decode())
    return {name: value for name, value in found if name != "csrfmiddlewaretoken"}


def test_a_fund_is_chosen_by_words_or_on_its_own_page(enter: Enter, fund: Fund) -> None:
    finance = enter("finance")
    url = reverse("adjustment-new")
    assert "Which fund?" in words(finance.get(url))
    page = words(get_within_bound(finance, f"{url}?q=northwind+FY24-H1"))
    assert "Northwind Traders, Head office Earned Jul to Dec 2023" in page
    assert "No fund fits these words" in words(finance.get(f"{url}?q=nobody"))
    assert f"{url}?fund={fund.pk}" in finance.get(reverse("fund", args=[fund.pk])).content.decode()


def test_what_is_asked_for_is_previewed_then_posted_and_a_second_click_posts_nothing(enter: Enter, fund: Fund) -> None:
    finance = enter("finance")
    url = reverse("adjustment-new")
    form = words(get_within_bound(finance, f"{url}?fund={fund.pk}"))
    assert "More than 1,000.00 USD waits for a second person" in form
    assert "Write off" not in form  # nothing is missing

    preview = finance.post(url, {**NEW, "fund": fund.pk, "step": "check"})
    text = words(preview)
    for said in (
        "Preview of entries",
        "Adjusted downwards available to program",
        "Available 20,000.00 USD 19,500.00 USD",
        "Post adjustment: take 500.00 USD",
    ):
        assert said in text, said
    assert not Adjustment.objects.exists()

    changed = finance.post(url, {**kept(preview), "step": "change"})
    assert changed.status_code == 200
    assert 'value="500.00"' in changed.content.decode()

    posted = finance.post(url, {**kept(preview), "step": "post"})
    made = Adjustment.objects.get()
    assert posted["Location"] == reverse("adjustment", args=[made.pk])
    again = finance.post(url, {**kept(preview), "step": "post"})
    assert "The fund has other entries than when you looked at the preview" in words(again)
    assert Adjustment.objects.count() == 1
    assert "Adjusted downwards" in words(get_within_bound(finance, posted["Location"]))


def test_what_is_wrong_stands_at_its_field(enter: Enter, fund: Fund) -> None:
    finance = enter("finance")
    wrong = {**NEW, "fund": fund.pk, "reason_code": "policy_exception", "effective_on": "2023-06-30", "amount": "x"}
    page = finance.post(reverse("adjustment-new"), wrong)
    assert page.status_code == 400
    assert "cannot be read as an amount" in words(page)
    page = finance.post(reverse("adjustment-new"), {**wrong, "amount": "5.00"})
    assert page.status_code == 400
    assert "Say in the note what happened" in words(page)
    assert "is before FY24 H1 began to earn" in words(page)


def test_a_large_one_goes_to_a_second_person(enter: Enter, fund: Fund) -> None:
    finance, second = enter("finance"), enter("finance2")
    url = reverse("adjustment-new")
    preview = finance.post(url, {**NEW, "amount": "11000.00", "fund": fund.pk, "step": "check"})
    assert "Request adjustment: take 11,000.00 USD" in words(preview)
    assert "Converted to rebate" in words(preview)  # 9,000.00 are left of the half: below the threshold
    finance.post(url, {**kept(preview), "step": "post"})
    made = Adjustment.objects.get()
    page_url = reverse("adjustment", args=[made.pk])
    own = words(finance.get(page_url))
    assert "You asked for this, so somebody else approves it" in own
    assert "Approve:" not in own
    assert "Waiting for a second person" in words(get_within_bound(second, reverse("adjustments")))
    theirs = words(second.get(page_url))
    assert "Approve: take 11,000.00 USD" in theirs
    assert "Entries that the approval would post now" in theirs
    second.post(reverse("adjustment-approve", args=[made.pk]), {"revision": made.revision})
    made.refresh_from_db()
    assert made.status == "posted"
    assert "approved it, and it was posted" in words(second.get(page_url))


def test_it_is_declined_with_a_reason_beside_its_field(enter: Enter, fund: Fund) -> None:
    made = ask(fund, 5_000_00)
    second = enter("finance2")
    url = reverse("adjustment-decline", args=[made.pk])
    refused = second.post(url, {"reason": ""})
    assert refused.status_code == 400
    assert "Say why it is declined" in words(refused)
    second.post(url, {"reason": "The mapping was right.", "revision": made.revision})
    page = words(second.get(reverse("adjustment", args=[made.pk])))
    assert f"{vendor('finance2').name} declined it" in page
    assert "The mapping was right." in page


def test_ones_own_request_is_taken_back(enter: Enter, fund: Fund) -> None:
    made = ask(fund, 5_000_00)
    client = enter(made.requested_by)
    told = {"reason": "Asked for twice.", "revision": made.revision}
    client.post(reverse("adjustment-decline", args=[made.pk]), told)
    assert f"{made.requested_by.name} took it back" in words(client.get(reverse("adjustment", args=[made.pk])))


def test_a_rollover_is_chosen_from_the_halves_that_still_take_claims(enter: Enter, fund: Fund) -> None:
    earn(fund.enrollment, "30000.00", on="2024-02-10")
    target = Fund.objects.get(enrollment=fund.enrollment, earning_period__code="FY24-H2")
    finance = enter("finance")
    wanted = {**NEW, "act": "rollover", "reason_code": "coop_rollover", "effective_on": "2024-03-04", "fund": fund.pk}
    assert "Say into which fund the money goes" in words(finance.post(reverse("adjustment-new"), wanted))
    preview = finance.post(reverse("adjustment-new"), {**wanted, "to_fund": target.pk})
    assert "Move 500.00 USD to FY24 H2" in words(preview)
    assert "Earned Jan to Jun 2024" in words(preview)
    finance.post(reverse("adjustment-new"), {**kept(preview), "step": "post"})
    assert Adjustment.objects.get().to_fund == target


def test_who_reads_and_who_acts(enter: Enter, fund: Fund) -> None:
    posted, waiting = ask(fund, 5_00), ask(fund, 5_000_00)
    for who in ("program", "auditor"):
        assert "New adjustment" not in words(enter(who).get(reverse("adjustments")))
        assert "Decline this adjustment" not in words(enter(who).get(reverse("adjustment", args=[waiting.pk])))
        assert enter(who).get(reverse("adjustment-new")).status_code == 403
    marketer = enter(marketer_of(fund.partner))
    assert marketer.get(reverse("adjustments")).status_code == 403
    assert marketer.get(reverse("adjustment", args=[waiting.pk])).status_code == 404
    page = words(marketer.get(reverse("adjustment", args=[posted.pk])))
    assert "AR compliance" in page
    assert "History" not in page
    assert (
        enter(make_person(None, "channel_manager", portfolio=[]))
        .get(reverse("adjustment", args=[posted.pk]))
        .status_code
        == 404
    )


def test_the_entry_of_a_fund_leads_to_its_adjustment(enter: Enter, fund: Fund) -> None:
    made = ask(fund, 5_00, note="Counted twice.")
    page = enter(marketer_of(fund.partner)).get(reverse("fund", args=[fund.pk]))
    assert f'href="{reverse("adjustment", args=[made.pk])}"' in page.content.decode()
    assert "AR compliance, Counted twice." in words(page)


def test_a_fund_below_zero_is_told_wherever_it_is_met(enter: Enter, fund: Fund) -> None:
    make_approved_claim(fund, "19700.00")
    draft = make_claim(fund, "10.00")
    ask(fund, -646_70)
    short = "346.70 USD more was taken back"
    partner = enter(draft.created_by)
    for url in (
        reverse("home"),
        reverse("fund", args=[fund.pk]),
        reverse("claim", args=[draft.pk]),
        reverse("claim-new"),
    ):
        assert short in words(partner.get(url)), url
    assert "1 fund below zero" in words(get_within_bound(enter("finance"), reverse("funds")))
    below = words(enter("manager").get(f"{reverse('funds')}?show=overdrawn"))
    assert "Funds below zero" in below
    assert "-346.70" in below
    form = words(enter("finance").get(f"{reverse('adjustment-new')}?fund={fund.pk}"))
    assert "Write off what is missing" in form
