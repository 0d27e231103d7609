"""Deciding over REST: lines with reasons of the list, documents one by one, disputes, and what is kept of it."""

from __future__ import annotations

from typing import Any

import pytest

from claims.models import Claim
from tests import factories
from tests.api.client import Api, api_of


@pytest.fixture
def claim(db: None) -> Claim:
    return factories.make_sent_claim(factories.make_fund(), "1000.00", "500.00")


def api(who: str) -> Api:
    return api_of(factories.vendor(who))


def by_kind(claim: Claim) -> dict[str, str]:
    return {document.kind: str(document.pk) for document in claim.documents.all()}


def test_lines_take_a_reason_of_the_list_and_documents_are_decided_one_by_one(claim: Claim) -> None:
    first, second = claim.lines.all()
    proof = by_kind(claim)["call-script"]
    answer = api("manager").post(
        f"claims/{claim.pk}/approve/",
        {
            "decisions": [
                {"id": str(first.pk), "decision": "approve"},
                {"id": str(second.pk), "decision": "decline", "reason_code": "claimed-before"},
            ],
            "documents": [{"id": proof, "decision": "decline", "reason": "An older script."}],
        },
    )
    assert answer.status == 200, answer
    line = answer["lines"][1]
    assert (line["reason_code"], line["reason"]) == ("claimed-before", "The same cost was claimed before.")
    document = next(document for document in answer["documents"] if document["id"] == proof)
    assert (document["decision"], document["reason"]) == ("decline", "An older script.")

    [kept] = api_of(claim.submitted_by).get(f"claims/{claim.pk}/decisions/")["results"]
    assert (kept["act"], kept["approved_amount"], kept["asked_amount"]) == ("approve", "1000.00", "1500.00")
    assert [row["approved_amount"] for row in kept["lines"]] == ["1000.00", "0.00"]
    assert [row["reason"] for row in kept["documents"]] == ["An older script."]
    assert kept["publication"]
    assert {finding["outcome"] for finding in kept["findings"]} >= {"passed"}


def test_all_that_is_wrong_with_a_decision_is_said_at_once(claim: Claim) -> None:
    first, _ = claim.lines.all()
    proof = by_kind(claim)["call-script"]
    answer = api("manager").post(
        f"claims/{claim.pk}/approve/",
        {
            "decisions": [{"id": str(first.pk), "decision": "decline", "reason_code": "no-such-reason"}],
            "documents": [{"id": proof, "decision": "decline"}, {"id": "999999", "decision": "accept"}],
        },
    )
    assert answer.status == 400
    assert sorted(error["field"] for error in answer["errors"]) == [
        "decisions.0.reason_code",
        "documents.0.reason",
        "documents.1.id",
    ]


def test_a_document_to_be_returned_is_mended_where_it_was_given(claim: Claim) -> None:
    first, _ = claim.lines.all()
    proof = by_kind(claim)["call-script"]
    invoice = str(claim.documents.get(line=first).pk)
    refused = api("manager").post(
        f"claims/{claim.pk}/approve/",
        {"documents": [{"id": proof, "decision": "return", "reason_code": "unreadable"}]},
    )
    assert (refused.status, refused["errors"][0]["field"]) == (400, "documents")
    answer = api("manager").post(
        f"claims/{claim.pk}/return/",
        {
            "documents": [
                {"id": proof, "decision": "return", "reason_code": "unreadable"},
                {"id": invoice, "decision": "return", "reason": "Page 2 is missing."},
            ]
        },
    )
    assert answer.status == 200, answer
    assert answer["fixes"] == [
        {
            "field": "documents.call-script",
            "message": "“proof.png”: The file cannot be read, or a part of it is missing.",
        },
        {"field": f"lines.{first.pk}", "message": "“invoice.pdf”: Page 2 is missing."},
    ]
    again = api_of(claim.submitted_by).post(f"claims/{claim.pk}/submit/")
    assert {document["decision"] for document in again["documents"]} == {""}, "what was returned is looked at anew"


def test_a_dispute_goes_to_a_second_person_and_ends(claim: Claim) -> None:
    partner, manager, pcmm = api_of(claim.submitted_by), api("manager"), api("pcmm")
    path = f"claims/{claim.pk}"
    manager.post(f"{path}/reject/", {"reason": "No call log."})
    disputed = partner.post(f"{path}/dispute/", {"reason": "It is on page 3."})
    assert (disputed.status, disputed["status"], disputed["whose_turn"]) == (200, "disputed", "channel_manager")
    assert (disputed["dispute"], disputed["review_due_by"]) == ("It is on page 3.", "2024-03-12T00:00:00Z")

    uphold: dict[str, Any] = {"outcome": "uphold", "reason_code": "first-decision-stands"}
    own = manager.post(f"{path}/decide_dispute/", uphold)
    assert (own.status, own["code"]) == (403, "self_decision")
    unclear = pcmm.post(f"{path}/decide_dispute/", {"outcome": "uphold"})
    assert (unclear.status, unclear["errors"][0]["field"]) == (400, "reason")
    assert pcmm.post(f"{path}/decide_dispute/", uphold)["status"] == "rejected"
    twice = partner.post(f"{path}/dispute/", {"reason": "Once more."})
    assert (twice.status, twice["code"]) == (409, "wrong_status")
    acts = [row["act"] for row in partner.get(f"{path}/decisions/")["results"]]
    assert acts == ["dispute_upheld", "decline"]
