"""Reviewing a claim: the page, the check of the letter, sending, returning, and being overtaken."""

from typing import Any

import pytest
from django.urls import reverse

from claims.letters import letter_of
from claims.models import Claim
from claims.operations.review import Fix, return_claim, start_review
from claims.operations.sending import submit_claim, withdraw_claim
from coop.lib import clock
from tests.factories import (
    make_approved_plan,
    make_claim,
    make_fund,
    make_partner,
    make_person,
    make_sent_claim,
    vendor,
)
from tests.web.vendor.conftest import Enter, get_within_bound, words

pytestmark = pytest.mark.django_db


def answer(claim: Claim, *said: tuple[str, str, str], note: str = "", revision: int | None = None) -> dict[str, Any]:
    """What the form sends: for each line outcome, approved amount and reason."""
    sent: dict[str, Any] = {"revision": revision or claim.revision, "note": note}
    for line, (outcome, approved, reason) in zip(claim.lines.all(), said, strict=True):
        sent |= {
            f"line-{line.pk}-outcome": outcome,
            f"line-{line.pk}-approved": approved,
            f"line-{line.pk}-reason": reason,
        }
    return sent


# It shows more than any other page: what the rules look at, evidence, like cases, duplicates and history.
WORKSPACE = 22

ACCEPT = ("approve", "", "")


@pytest.fixture
def claim() -> Claim:
    return make_sent_claim(make_fund(), "4000.00", title="Spring calls")


def test_the_page_shows_claim_checks_lines_evidence_fund_and_history(enter: Enter, claim: Claim) -> None:
    page = words(get_within_bound(enter("manager"), reverse("review", args=[claim.pk]), WORKSPACE))
    for said in (
        "Northwind Traders asks for 4,000.00 USD for telemarketing",
        "checks passed",
        "What the rule says",
        "version 1",
        "Fabrikam Print",
        "invoice.pdf",
        "SHA-256",
        "Approved in all: 4,000.00 USD",
        "In review 4,000.00 USD 0.00 USD",
        "This is the first claim of this partner",
        "Review due 6 Mar 2024",
    ):
        assert said in page, said


def test_the_page_leads_to_the_plan_that_the_claim_is_made_on(enter: Enter) -> None:
    fund = make_fund()
    planned = make_approved_plan(fund, "3000.00", title="Spring calls").activities.get()
    claim = make_sent_claim(fund, "2500.00", plan_activity_id=planned.pk)
    response = get_within_bound(enter("manager"), reverse("review", args=[claim.pk]), WORKSPACE)
    assert f"Plan {planned.plan}: {planned.title}, 3,000.00 USD approved" in words(response)
    assert reverse("plan", args=[planned.plan_id]) in response.content.decode()


def test_the_letter_says_that_money_of_a_plan_goes_back_to_it(enter: Enter) -> None:
    fund = make_fund()
    planned = make_approved_plan(fund, "3000.00").activities.get()
    claim = make_sent_claim(fund, "2500.00", plan_activity_id=planned.pk)
    decision = answer(claim, ("decline", "", "No call log."))
    page = words(enter("manager").post(reverse("review-decision", args=[claim.pk]), decision))
    assert "The 2,500.00 USD go back to your plan, as far as it reserved them, and else to the fund." in page


def test_evidence_leaves_as_a_download(enter: Enter, claim: Claim) -> None:
    client = enter("manager")
    page = client.get(reverse("review", args=[claim.pk])).content.decode()
    document = claim.documents.first()
    address = f"{reverse('document-content', args=[document.pk])}?download=1"
    assert address in page
    download = client.get(address)
    assert download["Content-Disposition"].startswith("attachment")
    assert b"".join(download.streaming_content).startswith(b"%PDF")
    download.close()


def test_starting_a_review_tells_colleagues_who_is_at_it(enter: Enter, claim: Claim) -> None:
    enter("pcmm").post(reverse("review", args=[claim.pk]), {"act": "start"})
    page = words(enter("manager").get(reverse("review", args=[claim.pk])))
    assert "Pedro Campos is reviewing this claim since 4 Mar 2024, 09:00 UTC" in page


def test_the_running_total_is_computed_on_the_server_with_and_without_script(enter: Enter, claim: Claim) -> None:
    client, url = enter("manager"), reverse("review", args=[claim.pk])
    sent = answer(claim, ("approve_less", "3,600.00", "")) | {"act": "total"}
    for headers in ({}, {"HX-Request": "true"}):
        page = words(client.post(url, sent, headers=headers))
        assert "Approved in all: 3,600.00 USD of 4,000.00 USD. The other 400.00 USD go back to available" in page
        assert "There is a problem" not in page
    claim.refresh_from_db()
    assert claim.status == "submitted"


def test_a_decision_without_amount_or_reason_is_refused_at_its_fields(enter: Enter, claim: Claim) -> None:
    response = enter("manager").post(
        reverse("review-decision", args=[claim.pk]), answer(claim, ("approve_less", "5000", ""))
    )
    assert response.status_code == 400
    page = words(response)
    assert "Enter an amount above zero and below the 4,000.00 USD of this line" in page
    assert "Say why: anything but a plain approval needs a reason" in page


def test_the_checked_letter_is_the_one_that_the_partner_reads(enter: Enter, claim: Claim) -> None:
    client, url = enter("manager"), reverse("review-decision", args=[claim.pk])
    sent = answer(claim, ("approve_less", "3,600.00", "Drinks are not covered."), note="Well done.")
    check = words(client.post(url, sent))
    assert "Approve 3,600.00 USD" in check
    letter = check[check.index("Vendor channel team") : check.index("Decided by Mara Lindqvist")]
    assert "We approve 3,600.00 USD of the 4,000.00 USD you claimed" in letter
    assert "Drinks are not covered." in letter
    claim.refresh_from_db()
    assert claim.status == "submitted", "nothing is sent before it is confirmed"

    assert client.post(url, sent | {"act": "confirm"}).status_code == 302
    claim = Claim.objects.with_names().select_related("reviewer").get(id=claim.pk)
    assert (claim.status, claim.approved_minor) == ("approved", 360_000)
    partner = words(enter(claim.submitted_by).get(reverse("claim", args=[claim.pk])))
    assert letter.strip() in partner


def test_a_sent_decision_leads_to_the_next_claim_and_the_last_to_the_worklist(enter: Enter) -> None:
    fund = make_fund()
    first, second = make_sent_claim(fund, "4000.00"), make_sent_claim(fund, "100.00")
    client = enter("manager")
    for claim, following in ((first, reverse("review", args=[second.pk])), (second, reverse("worklist"))):
        sent = answer(claim, ACCEPT) | {"act": "confirm"}
        assert client.post(reverse("review-decision", args=[claim.pk]), sent)["Location"] == following


def test_lines_all_declined_decline_the_claim_with_their_reasons(enter: Enter) -> None:
    claim = make_sent_claim(make_fund(), "1000.00", "500.00")
    said = answer(claim, ("decline", "", "Paid before."), ("decline", "", "Not marketing."))
    client, url = enter("manager"), reverse("review-decision", args=[claim.pk])
    assert "Decline this claim" in words(client.post(url, said))
    client.post(url, said | {"act": "confirm"})
    claim.refresh_from_db()
    assert claim.status == "rejected"
    assert "Paid before." in claim.decision_note
    assert "Not marketing." in claim.decision_note


def fixes(*given: tuple[str, str]) -> dict[str, Any]:
    sent: dict[str, Any] = {"fix-TOTAL_FORMS": len(given), "fix-INITIAL_FORMS": 0}
    for index, (field, message) in enumerate(given):
        sent |= {f"fix-{index}-field": field, f"fix-{index}-message": message}
    return sent


def test_a_line_marked_return_opens_the_fix_list_with_its_reason(enter: Enter, claim: Claim) -> None:
    said = answer(claim, ("return", "", "The date on the file is another."))
    page = enter("manager").post(reverse("review-decision", args=[claim.pk]), said)
    assert "What has to be mended?" in words(page)
    assert "The date on the file is another." in page.content.decode()


def test_an_empty_fix_list_is_refused(enter: Enter, claim: Claim) -> None:
    sent = {"revision": claim.revision, "note": "", "act": "check", **fixes(("", "  "))}
    response = enter("manager").post(reverse("review-return", args=[claim.pk]), sent)
    assert response.status_code == 400
    assert "at least one fix with its words" in words(response)


def test_a_return_sends_the_edited_fix_list_and_marks_its_lines(enter: Enter, claim: Claim) -> None:
    line = claim.lines.get()
    client, url = enter("manager"), reverse("review-return", args=[claim.pk])
    sent = answer(claim, ("return", "", "First words.")) | fixes(
        (f"lines.{line.pk}", "Upload the invoice itself."), ("documents.call-log", "Add the call log.")
    )
    check = words(client.post(url, sent | {"act": "check"}))
    assert "2 things have to be mended before we can decide" in check
    assert "Return with 2 fixes" in check
    client.post(url, sent | {"act": "confirm"})
    claim.refresh_from_db()
    line.refresh_from_db()
    assert claim.status == "action_required"
    assert sorted(fix["message"] for fix in claim.returned_fixes) == ["Add the call log.", "Upload the invoice itself."]
    assert (line.decision, line.reason) == ("return", "Upload the invoice itself.")


def test_one_more_fix_can_be_added_without_losing_words(enter: Enter, claim: Claim) -> None:
    sent = {"revision": claim.revision, "note": "Kept", "act": "add", **fixes(("", "Kept too"))}
    page = enter("manager").post(reverse("review-return", args=[claim.pk]), sent).content.decode()
    assert "Kept too" in page
    assert 'name="fix-1-message"' in page


def test_who_was_overtaken_reads_by_whom_and_keeps_the_input(enter: Enter, claim: Claim) -> None:
    sent = answer(claim, ("approve_less", "3,600.00", "Drinks are not covered."))
    start_review(claim.pk, by=vendor("pcmm"), at=clock.now())
    client, url = enter("manager"), reverse("review-decision", args=[claim.pk])
    response = client.post(url, sent | {"act": "confirm"})
    assert response.status_code == 412
    page = words(response)
    assert "Pedro Campos started to review this claim" in page
    assert "Drinks are not covered." in page
    claim.refresh_from_db()
    assert claim.status == "in_review"
    fresh = sent | {"revision": claim.revision, "act": "confirm"}
    assert f'value="{claim.revision}"' in response.content.decode()
    assert client.post(url, fresh).status_code == 302


def test_words_for_a_claim_that_was_withdrawn_meanwhile_are_given_back(enter: Enter, claim: Claim) -> None:
    sent = answer(claim, ("decline", "", "Paid before by another program."))
    withdraw_claim(claim.pk, by=claim.submitted_by, at=clock.now())
    response = enter("manager").post(reverse("review-decision", args=[claim.pk]), sent | {"act": "confirm"})
    assert response.status_code == 412
    assert "What you had written" in words(response)
    assert "Paid before by another program." in words(response)


def test_a_decided_claim_is_shown_with_its_letter(enter: Enter, claim: Claim) -> None:
    client = enter("manager")
    client.post(reverse("review-decision", args=[claim.pk]), answer(claim, ACCEPT) | {"act": "confirm"})
    page = words(get_within_bound(client, reverse("review", args=[claim.pk]), WORKSPACE))
    assert "The letter that was sent" in page
    assert "We approve 4,000.00 USD, all that you claimed" in page
    assert "With finance, to be paid" in page


def test_a_claim_sent_again_has_no_letter_of_its_earlier_return(claim: Claim) -> None:
    return_claim(claim.pk, fixes=[Fix("", "Mend this")], by=vendor("manager"), at=clock.now())
    returned = Claim.objects.with_names().select_related("reviewer").get(id=claim.pk)
    letter = letter_of(returned)
    assert letter is not None
    assert letter.fixes == ["Mend this"]
    submit_claim(claim.pk, by=claim.submitted_by, at=clock.now())
    assert letter_of(Claim.objects.with_names().select_related("reviewer").get(id=claim.pk)) is None


@pytest.mark.parametrize("who", ["finance", "program", "auditor"])
def test_other_roles_of_the_vendor_look_but_do_not_decide(enter: Enter, claim: Claim, who: str) -> None:
    client = enter(who)
    page = words(get_within_bound(client, reverse("review", args=[claim.pk]), WORKSPACE))
    assert "Channel managers decide on claims" in page
    assert "Check the letter" not in page
    refused = client.post(reverse("review-decision", args=[claim.pk]), answer(claim, ACCEPT) | {"act": "confirm"})
    assert refused.status_code == 403


def test_a_draft_and_a_foreign_role_are_refused(enter: Enter) -> None:
    draft = make_claim(make_fund())
    assert enter("manager").get(reverse("review", args=[draft.pk])).status_code == 404
    stranger = enter(make_person(make_partner("Elsewhere")))
    assert stranger.get(reverse("review", args=[draft.pk])).status_code == 403
    own = enter(draft.created_by)
    assert own.get(reverse("review", args=[draft.pk])).status_code == 403
