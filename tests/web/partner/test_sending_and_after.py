"""Check and send, the receipt, what became of a claim, withdrawing, and the list of claims."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

from claims.models import Claim
from claims.operations.drafting import add_line
from claims.operations.review import Fix, LineDecision, approve_claim, reject_claim, return_claim, start_review
from claims.operations.sending import lapse_claim, withdraw_claim
from claims.web import history, plan_standing
from coop.lib import clock
from funds.operations.payments import approve_run, prepare_run
from funds.operations.results import Result, read_results
from partners.models import Person
from tests.factories import (
    DEADLINE,
    IN_USE,
    LAST_INSTANT,
    make_approved_claim,
    make_claim,
    make_draft,
    make_fund,
    make_person,
    make_sent_claim,
    marketer_of,
    set_clock,
    vendor,
)
from tests.web.partner.conftest import page, text_of

pytestmark = pytest.mark.django_db
SignIn = Callable[[Person], Client]


def sending(claim: Claim, **changes: object) -> dict[str, object]:
    return {"revision": claim.revision, "declared": "on", **changes}


def test_what_is_missing_stands_where_the_button_would_be(sign_in: SignIn) -> None:
    draft = make_draft(make_fund())
    client = sign_in(draft.created_by)
    said = page(client, f"/claims/{draft.pk}/send/")
    assert "Not ready to be sent yet" in said
    assert "5 things to fix first" in said
    assert "Send claim" not in said
    content = client.get(f"/claims/{draft.pk}/send/").content.decode()
    assert f'href="/claims/{draft.pk}/proof/#proof-call-script"' in content
    assert f'href="/claims/{draft.pk}/results/#id_calls"' in content


def test_sending_anyway_what_is_not_ready_sends_nothing_and_says_what_is_missing(sign_in: SignIn) -> None:
    draft = make_draft(make_fund())
    response = sign_in(draft.created_by).post(f"/claims/{draft.pk}/send/", sending(draft))
    assert response.status_code == 422
    assert "5 things to fix first" in text_of(response)
    draft.refresh_from_db()
    assert draft.status == "draft"


def test_a_complete_claim_is_sent_for_the_amount_on_the_button(sign_in: SignIn) -> None:
    claim = make_claim(make_fund(), "4000.00", "200.00")
    client = sign_in(claim.created_by)
    assert "Send claim for 4,200.00 USD" in page(client, f"/claims/{claim.pk}/send/")
    response = client.post(f"/claims/{claim.pk}/send/", sending(claim))
    assert response["Location"] == f"/claims/{claim.pk}/receipt/"
    said = page(client, f"/claims/{claim.pk}/receipt/")
    assert "Receipt: 4,200.00 USD claimed" in said
    assert "4 Mar 2024, 09:00:00.000000 UTC" in said
    assert "mend it until 28 Sep 2024, 23:59:59 UTC" in said
    for document in claim.documents.all():
        assert document.sha256 in said


def test_without_the_declaration_nothing_is_sent(sign_in: SignIn) -> None:
    claim = make_claim(make_fund())
    response = sign_in(claim.created_by).post(f"/claims/{claim.pk}/send/", {"revision": claim.revision})
    assert response.status_code == 400
    assert "Confirm that the claim is true before you send it" in text_of(response)
    claim.refresh_from_db()
    assert claim.sendings == 0


def test_a_second_sending_of_the_same_page_lands_on_the_receipt(sign_in: SignIn) -> None:
    claim = make_claim(make_fund())
    client = sign_in(claim.created_by)
    for _ in range(3):
        response = client.post(f"/claims/{claim.pk}/send/", sending(claim))
        assert response["Location"] == f"/claims/{claim.pk}/receipt/"
    assert client.get(f"/claims/{claim.pk}/send/")["Location"] == f"/claims/{claim.pk}/receipt/"
    claim.refresh_from_db()
    assert (claim.sendings, claim.held_minor) == (1, 400_000)


def test_a_claim_that_a_colleague_changed_is_not_sent_unseen(sign_in: SignIn) -> None:
    claim = make_claim(make_fund())
    colleague = make_person(claim.partner, name="Ben Adler")
    add_line(claim.pk, kind="csr", amount_minor=100, by=colleague, at=clock.now())
    response = sign_in(claim.created_by).post(f"/claims/{claim.pk}/send/", sending(claim))
    assert response.status_code == 409
    assert "Ben Adler added a line" in text_of(response)
    claim.refresh_from_db()
    assert claim.status == "draft"


def test_before_it_is_sent_again_the_page_says_what_was_asked_and_is_as_it_was(sign_in: SignIn) -> None:
    claim = make_sent_claim(make_fund())
    line = claim.lines.get()
    asked = [Fix(f"lines.{line.id}.invoiced_on", "The invoice says 4 March."), Fix("", "Explain the hours.")]
    return_claim(claim.id, fixes=asked, by=vendor("manager"), at=clock.now())
    said = page(sign_in(claim.created_by), f"/claims/{claim.pk}/send/")
    assert "What the reviewer asked for" in said
    assert "The invoice says 4 March." in said
    assert "2 of these have not been changed since." in said
    assert "is held in the fund for it" in said


def test_before_the_window_opens_the_page_says_from_when(sign_in: SignIn) -> None:
    claim = make_claim(make_fund(now=IN_USE), activity_from=date(2024, 1, 10), activity_to=date(2024, 1, 12))
    client = sign_in(claim.created_by)
    assert "Claims of this fund are taken from 15 Feb 2024" in page(client, f"/claims/{claim.pk}/")
    assert "send it on 15 Feb 2024 or later" in page(client, f"/claims/{claim.pk}/send/")


def test_at_the_last_instant_it_is_sent_and_at_the_next_it_is_refused(sign_in: SignIn) -> None:
    fund = make_fund()
    in_time, late = make_claim(fund, "10.00"), make_claim(fund, "20.00")
    client = sign_in(in_time.created_by)
    set_clock(LAST_INSTANT)
    assert client.post(f"/claims/{in_time.pk}/send/", sending(in_time)).status_code == 302
    set_clock(DEADLINE)
    response = client.post(f"/claims/{late.pk}/send/", sending(late))
    assert response.status_code == 422
    assert "Claims for FY24 H1 were taken until 14 Aug 2024, 23:59:59 UTC" in text_of(response)


def test_there_is_no_receipt_before_sending(sign_in: SignIn) -> None:
    draft = make_draft(make_fund())
    assert sign_in(draft.created_by).get(f"/claims/{draft.pk}/receipt/").status_code == 404


def test_the_receipt_stays_when_the_claim_was_returned(sign_in: SignIn) -> None:
    claim = make_sent_claim(make_fund())
    return_claim(claim.id, fixes=[Fix("", "Explain it.")], by=vendor("manager"), at=clock.now())
    said = page(sign_in(claim.created_by), f"/claims/{claim.pk}/receipt/")
    assert "This claim was returned to you after it was sent" in said
    assert "SHA-256" in said


# --- After sending -----------------------------------------------------------------------------------------------------


def test_after_sending_the_page_says_whose_turn_it_is_and_what_comes(sign_in: SignIn) -> None:
    claim = make_sent_claim(make_fund())
    client = sign_in(claim.created_by)
    said = page(client, f"/claims/{claim.pk}/")
    assert "Your claim for 4,000.00 USD was sent in time and waits for review." in said
    assert "With the channel manager since 4 Mar 2024 A decision is due by 6 Mar 2024." in said
    start_review(claim.id, by=vendor("manager"), at=clock.now())
    assert "With Mara Lindqvist, channel manager" in page(client, f"/claims/{claim.pk}/")


def test_a_decision_is_told_line_by_line_with_its_reason(sign_in: SignIn) -> None:
    claim = make_sent_claim(make_fund(), "1000.00", "500.00")
    line = claim.lines.last()
    assert line is not None
    less = LineDecision(line.pk, "approve_less", 40_000, "100.00 is for travel.")
    approve_claim(claim.id, decisions=[less], note="Well done.", by=vendor("manager"), at=clock.now())
    said = page(sign_in(claim.created_by), f"/claims/{claim.pk}/")
    assert "1,400.00 USD is approved of the 1,500.00 USD you claimed, and waits to be paid." in said
    assert "100.00 is for travel." in said
    assert "Well done." in said
    assert "With finance" in said
    assert "Waits for the next payment run" in said
    assert "500.00 400.00 100.00" in said


def test_a_paid_claim_shows_its_payment(sign_in: SignIn) -> None:
    claim = make_approved_claim(make_fund(), "1000.00")
    run = prepare_run(cutoff=clock.now().date(), by=vendor("finance"), at=clock.now())
    client = sign_in(claim.created_by)
    assert "Waits for the next payment run" in page(client, f"/claims/{claim.pk}/")
    approve_run(run.id, by=vendor("finance2"), at=clock.now())
    assert "Scheduled" in page(client, f"/claims/{claim.pk}/")
    result = Result(run.payments.get().pk, "sent", None, "SEPA-1")
    read_results(run.id, [result], by=vendor("finance"), at=clock.now())
    said = page(client, f"/claims/{claim.pk}/")
    assert "1,000.00 USD was paid to you." in said
    assert "SEPA-1" in said
    assert "Nobody needs to do anything since" not in said
    assert "Nobody needs to do anything" in said


def test_a_declined_claim_says_why_and_what_remains_possible(sign_in: SignIn) -> None:
    claim = make_sent_claim(make_fund())
    reject_claim(claim.id, reason="It was for another vendor.", by=vendor("manager"), at=clock.now())
    said = page(sign_in(claim.created_by), f"/claims/{claim.pk}/")
    assert "Declined" in said
    assert "It was for another vendor." in said
    assert "you can write a new claim for the same work" in said


def test_a_lapsed_claim_says_why_and_that_the_money_expired(sign_in: SignIn) -> None:
    draft = make_draft(make_fund())
    lapse_claim(draft.id, at=set_clock(DEADLINE))
    said = page(sign_in(draft.created_by), f"/claims/{draft.pk}/")
    assert "This claim was not sent by its deadline, 14 Aug 2024, 23:59:59 UTC, so it lapsed." in said
    assert "money that was not claimed by then has expired" in said


def test_withdrawing_asks_first_and_gives_the_money_back(sign_in: SignIn) -> None:
    claim = make_sent_claim(make_fund())
    client = sign_in(claim.created_by)
    said = page(client, f"/claims/{claim.pk}/withdraw/")
    assert "4,000.00 USD goes back to the fund, where it can be claimed until 14 Aug 2024, 23:59:59 UTC." in said
    client.post(f"/claims/{claim.pk}/withdraw/", {"revision": claim.revision})
    claim.refresh_from_db()
    assert (claim.status, claim.held_minor) == ("withdrawn", 0)
    assert "You withdrew this claim before a decision." in page(client, f"/claims/{claim.pk}/")
    assert client.get(f"/claims/{claim.pk}/withdraw/").status_code == 302


def test_withdrawing_after_the_deadline_warns_that_the_money_expires(sign_in: SignIn) -> None:
    claim = make_sent_claim(make_fund())
    set_clock(DEADLINE)
    said = page(sign_in(claim.created_by), f"/claims/{claim.pk}/withdraw/")
    assert "The money it holds would expire" in said


def test_an_approved_claim_is_not_withdrawn(sign_in: SignIn) -> None:
    claim = make_approved_claim(make_fund())
    response = sign_in(claim.created_by).post(f"/claims/{claim.pk}/withdraw/", {"revision": claim.revision})
    assert response.status_code == 302
    claim.refresh_from_db()
    assert claim.status == "approved"


def test_the_history_is_told_in_sentences(sign_in: SignIn) -> None:
    claim = make_sent_claim(make_fund())
    said = page(sign_in(claim.created_by), f"/claims/{claim.pk}/")
    name = claim.created_by.name
    assert f"{name} sent the claim for 4,000.00 USD" in said
    assert f"{name} worked on the claim" in said
    assert f"{name} started the claim" in said


def test_every_event_of_claims_and_plans_has_its_sentence() -> None:
    written = "\n".join(path.read_text() for path in Path(settings.BASE_DIR, "claims/operations").glob("*.py"))
    verbs = set(re.findall(r'"((?:claim|plan)\.[a-z_]+)"', written))
    assert {"claim.csr_signed", "plan.closed"} <= verbs
    assert verbs - set(history.SENTENCES) - set(history.TASK_SENTENCES) - set(plan_standing.SENTENCES) == set()


def test_the_vendor_is_led_to_the_review_and_knows_of_no_draft(sign_in: SignIn) -> None:
    fund = make_fund()
    sent, draft = make_sent_claim(fund), make_draft(fund)
    manager = sign_in(vendor("manager"))
    assert manager.get(f"/claims/{sent.pk}/")["Location"] == f"/review/{sent.pk}/"
    assert manager.get(f"/claims/{draft.pk}/").status_code == 404
    assert manager.get(f"/claims/{sent.pk}/about/").status_code == 403


# --- The list ----------------------------------------------------------------------------------------------------------


def test_the_list_shows_first_what_needs_the_reader(sign_in: SignIn) -> None:
    fund = make_fund()
    make_draft(fund, title="My draft")
    make_sent_claim(fund, title="Gone out")
    client = sign_in(marketer_of(fund.partner))
    said = page(client, "/claims/")
    assert "Needs you 1" in said
    assert "All claims 2" in said
    assert "My draft" in said
    assert "163 days to send" in said
    assert "Gone out" not in said
    said = page(client, "/claims/?show=all")
    assert "Gone out" in said
    assert "Claimed Approved Paid Left to act" in said


def test_an_empty_list_says_which_emptiness_it_is(sign_in: SignIn) -> None:
    fund = make_fund()
    client = sign_in(marketer_of(fund.partner))
    assert "There is no claim yet" in page(client, "/claims/")
    claim = make_draft(fund)
    withdraw_claim(claim.id, by=claim.created_by, at=clock.now())
    assert "No draft waits to be sent and no claim was returned to you." in page(client, "/claims/")


def test_the_list_comes_in_pages_and_only_of_ones_own_claims(sign_in: SignIn) -> None:
    fund, others = make_fund(), make_fund()
    make_draft(others, title="Not yours")
    for number in range(53):
        make_draft(fund, title=f"Draft {number}")
    client = sign_in(marketer_of(fund.partner))
    first = client.get("/claims/?show=all")
    assert first.content.decode().count('<th scope="row" class="lead">') == 50
    assert "Not yours" not in text_of(first)
    before = sorted(Claim.objects.filter(partner=fund.partner).values_list("id", flat=True))[3]
    second = client.get(f"/claims/?show=all&before={before}")
    assert second.content.decode().count('<th scope="row" class="lead">') == 3


def test_a_claim_is_sent_again_after_it_was_returned(sign_in: SignIn) -> None:
    claim = make_sent_claim(make_fund())
    return_claim(claim.id, fixes=[Fix("metrics.calls", "Count again.")], by=vendor("manager"), at=clock.now())
    claim.refresh_from_db()
    client = sign_in(claim.created_by)
    assert "Send claim again for 4,000.00 USD" in page(client, f"/claims/{claim.pk}/send/")
    assert client.post(f"/claims/{claim.pk}/send/", sending(claim)).status_code == 302
    assert "Sent again at" in page(client, f"/claims/{claim.pk}/receipt/")
