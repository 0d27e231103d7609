"""A refused claim says the reason on the field that mends it, in the words of the API, before and after it was sent."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.test import Client

from claims.models import Claim
from claims.operations.documents import remove_document
from claims.operations.drafting import change_line, update_claim
from claims.operations.review import Fix, return_claim, start_review
from claims.operations.sending import submit_claim
from coop.lib import clock
from partners.models import Person
from tests.api.client import api_of
from tests.factories import add_invoice, make_claim, make_fund, vendor
from tests.web.partner.conftest import text_of

pytestmark = pytest.mark.django_db
SignIn = Callable[[Person], Client]


def line(claim: Claim, **changes: Any) -> None:
    change_line(claim.pk, claim.lines.earliest("id").pk, changes, by=claim.created_by, at=clock.now())


def say(claim: Claim, **changes: Any) -> None:
    update_claim(claim.pk, changes, by=claim.created_by, at=clock.now())


def without(claim: Claim, kind: str) -> None:
    for document in claim.documents.filter(kind=kind):
        remove_document(claim.pk, document.pk, by=claim.created_by, at=clock.now())


def no_file(claim: Claim) -> None:
    without(claim, "invoice")


def too_much(claim: Claim) -> None:
    add_invoice(claim, "12000.00")


# What is done to a complete claim, the activity, the field that mends it, and the page of that field.
CASES: dict[str, tuple[Callable[[Claim], None], str, str, str]] = {
    "no first day": (lambda c: say(c, activity_from=None), "telemarketing", "activity_from", "about/"),
    "too early": (lambda c: say(c, activity_from=date(2023, 12, 1)), "telemarketing", "activity_from", "about/"),
    "ends before it begins": (lambda c: say(c, activity_to=date(2024, 2, 1)), "telemarketing", "activity_to", "about/"),
    "invoice too late": (
        lambda c: line(c, invoiced_on=date(2024, 9, 1)),
        "telemarketing",
        "lines.{line}.invoiced_on",
        "lines/{line}/",
    ),
    "no invoice date": (
        lambda c: line(c, invoiced_on=None),
        "telemarketing",
        "lines.{line}.invoiced_on",
        "lines/{line}/",
    ),
    "no file": (no_file, "telemarketing", "lines.{line}", "lines/{line}/"),
    "more than there is": (too_much, "telemarketing", "lines", "lines/?kind=invoice"),
    "no call log": (lambda c: without(c, "call-log"), "telemarketing", "documents.call-log", "proof/"),
    "no number of calls": (lambda c: say(c, metrics={"calls": ""}), "telemarketing", "metrics.calls", "results/"),
    "completed too late": (
        lambda c: line(c, details={"course-code": "AZ-104", "completion-date": "2024-07-01"}),
        "exams-tuition",
        "lines.{line}.details.completion-date",
        "lines/{line}/",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_the_reason_reads_the_same_at_its_field_and_in_the_api(sign_in: SignIn, case: str) -> None:
    spoil, activity, field, path = CASES[case]
    fund = make_fund()
    claim = make_claim(fund, "100.00", activity=activity)
    first = claim.lines.earliest("id")
    if activity == "exams-tuition":
        line(claim, details={"course-code": "AZ-104", "completion-date": "2024-03-01"})
    client, api = sign_in(claim.created_by), api_of(claim.created_by)
    field, path = field.format(line=first.pk), path.format(line=first.pk)

    def same_words() -> None:
        advised = api.get(f"claims/{claim.pk}/")["findings"]
        refused = api.post(f"claims/{claim.pk}/submit/")
        assert refused.status == 422
        mine = [found for found in refused["findings"] if found["outcome"] == "failed" and found["field"] == field]
        assert mine, [found["field"] for found in refused["findings"] if found["outcome"] == "failed"]
        for found in mine:
            assert found in advised
            for where in (path, "", "send/"):
                said = text_of(client.get(f"/claims/{claim.pk}/{where}"))
                assert found["text"] in said, where
                assert found["fix"] in said, where

    spoil(claim)
    same_words()


@pytest.mark.parametrize("case", ["invoice too late", "no call log", "no number of calls", "too early"])
def test_after_a_return_the_words_are_the_same_and_the_note_stands_beside_them(sign_in: SignIn, case: str) -> None:
    spoil, activity, field, path = CASES[case]
    claim = make_claim(make_fund(), "100.00", activity=activity)
    by, at = vendor("manager"), clock.now()
    submit_claim(claim.pk, by=claim.created_by, at=at)
    start_review(claim.pk, by=by, at=at)
    number = claim.lines.earliest("id").pk
    field, path = field.format(line=number), path.format(line=number)
    return_claim(claim.pk, fixes=[Fix(field, "Look at this once more.")], by=by, at=at)
    claim.refresh_from_db()
    spoil(claim)
    refused = api_of(claim.created_by).post(f"claims/{claim.pk}/submit/")
    found = next(one for one in refused["findings"] if one["outcome"] == "failed" and one["field"] == field)
    said = text_of(sign_in(claim.created_by).get(f"/claims/{claim.pk}/{path}"))
    assert found["text"] in said
    assert found["fix"] in said
    assert "The reviewer wrote: Look at this once more." in said
