"""What every write keeps: one effect for one key, dry runs, revisions."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from claims.models import Claim
from coop.lib import clock
from coop.lib.models import IdempotencyRecord
from funds.models import Fund
from partners.models import Event, Partner
from tests import factories
from tests.api.client import Answer, Api, api_of

NORTHWIND = {"external_id": "P-9", "name": "Northwind", "country": "US"}


# --- Idempotency ------------------------------------------------------------------------------------------------------


def test_the_same_key_and_body_get_the_first_answer_again(program: Api) -> None:
    first = program.post("partners/", NORTHWIND, key="one")
    again = program.post("partners/", dict(reversed(NORTHWIND.items())), key="one")
    assert (first.status, first.body, first.headers["ETag"]) == (again.status, again.body, again.headers["ETag"])
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert Partner.objects.filter(external_id="P-9").count() == 1


def test_the_same_key_with_another_body_is_refused(program: Api) -> None:
    program.post("partners/", NORTHWIND, key="one")
    refused = program.post("partners/", {**NORTHWIND, "name": "Southwind"}, key="one")
    assert (refused.status, refused.code) == (422, "idempotency_mismatch")


def test_a_key_is_of_one_person_and_one_address(program: Api, finance: Api) -> None:
    program.post("partners/", NORTHWIND, key="one")
    assert finance.post("partners/", {**NORTHWIND, "external_id": "P-10"}, key="one").status == 201
    where = {"partner": "1", "external_id": "L-9", "name": "Head office", "country": "US"}
    assert program.post("locations/", where, key="one").code != "idempotency_mismatch"


def test_a_refusal_is_replayed_too(program: Api) -> None:
    wrong = {**NORTHWIND, "country": "usa"}
    first, again = (program.post("partners/", wrong, key="one") for _ in range(2))
    assert (first.status, first.body) == (again.status, again.body)
    assert first.status == 400
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.headers["Content-Type"] == "application/problem+json"


def test_a_retry_of_the_claim_that_emptied_the_fund_is_answered_not_refused(partner: Api, fund: Fund) -> None:
    claim = factories.make_claim(fund, "10003.55")
    first, again = (partner.post(f"claims/{claim.pk}/submit/", key="one") for _ in range(2))
    assert (first.status, again.status) == (200, 200)
    assert first.body == again.body


def test_an_answer_is_forgotten_after_a_day(program: Api) -> None:
    program.post("partners/", NORTHWIND, key="one")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE lib_idempotencyrecord SET created_at = created_at - interval '25 hours'")
    assert program.post("partners/", {**NORTHWIND, "external_id": "P-10"}, key="one").status == 201
    assert IdempotencyRecord.objects.count() == 1


@pytest.mark.parametrize("key", ["", "x" * 201, "schlüssel", "a\tb"])
def test_a_key_that_is_none_is_refused(program: Api, key: str) -> None:
    refused = program.post("partners/", NORTHWIND, key=key)
    assert (refused.status, refused.fields) == (400, {"Idempotency-Key": "invalid"})


def test_of_uploads_the_bytes_count(partner: Api, draft: Claim) -> None:
    path = f"claims/{draft.pk}/documents/"
    first = partner.upload(path, factories.PDF, "a.pdf", kind="invoice", key="one")
    again = partner.upload(path, factories.PDF, "a.pdf", kind="invoice", key="one")
    assert (first.status, first.body) == (201, again.body)
    assert partner.upload(path, factories.PDF + b"!", "a.pdf", kind="invoice", key="one").code == "idempotency_mismatch"


def test_deleting_is_replayed_with_its_empty_answer(partner: Api, draft: Claim) -> None:
    path = f"claims/{draft.pk}/lines/{draft.lines.get().pk}/"
    first, again = (partner.delete(path, key="one") for _ in range(2))
    assert (first.status, again.status, again.content) == (204, 204, b"")
    assert partner.delete(path).status == 404


def at_once(send: Callable[[], Answer], times: int = 8) -> list[Answer]:
    """The same request from several connections, all let go together."""
    gate = threading.Barrier(times)
    answers: list[Answer] = []

    def one() -> None:
        gate.wait()
        try:
            answers.append(send())
        finally:
            connection.close()

    threads = [threading.Thread(target=one) for _ in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


@pytest.mark.django_db(transaction=True)
def test_the_same_request_sent_eight_times_at_once_makes_one_claim() -> None:
    fund = factories.make_fund()
    partner = api_of(factories.marketer_of(fund.partner))
    body = {"fund": str(fund.pk), "activity": "telemarketing"}
    answers = at_once(lambda: partner.post("claims/", body, key="one"))
    kinds = {(answer.status, answer.code) for answer in answers}
    assert (201, "") in kinds
    assert kinds <= {(201, ""), (409, "in_progress")}
    assert len({answer["id"] for answer in answers if answer.status == 201}) == 1
    assert Claim.objects.count() == 1
    assert partner.post("claims/", body, key="one").headers["Idempotent-Replayed"] == "true"


@pytest.mark.django_db(transaction=True)
def test_a_claim_sent_eight_times_at_once_holds_its_money_once() -> None:
    claim = factories.make_claim(factories.make_fund())
    partner = api_of(claim.created_by)
    answers = at_once(lambda: partner.post(f"claims/{claim.pk}/submit/", key="one"))
    assert {answer.status for answer in answers} <= {200, 409}
    assert partner.get(f"funds/{claim.fund_id}/")["in_review"] == "4000.00"


# --- Dry run ----------------------------------------------------------------------------------------------------------


def test_a_dry_run_answers_as_if_and_keeps_nothing(partner: Api, draft: Claim) -> None:
    before = Event.objects.count()
    answer = partner.post(f"claims/{draft.pk}/submit/", key="one", dry_run="true")
    assert (answer.status, answer["status"]) == (200, "submitted")
    assert Claim.objects.get(pk=draft.pk).status == "draft"
    assert Event.objects.count() == before
    assert partner.get(f"funds/{draft.fund_id}/")["in_review"] == "0.00"
    real = partner.post(f"claims/{draft.pk}/submit/", key="one")
    assert (real.status, "Idempotent-Replayed" in real.headers) == (200, False)


def test_a_dry_run_of_an_upload_leaves_no_file(partner: Api, draft: Claim, settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path
    answer = partner.upload(
        f"claims/{draft.pk}/documents/", factories.PDF, "a.pdf", kind="invoice", query={"dry_run": "true"}
    )
    assert answer.status == 201
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_dry_run_says_what_is_wrong(program: Api) -> None:
    refused = program.post("partners/", {**NORTHWIND, "country": "usa"}, dry_run="true")
    assert (refused.status, refused.fields) == (400, {"country": "invalid"})
    assert program.post("partners/", NORTHWIND, dry_run="yes").fields == {"dry_run": "invalid"}


# --- Revisions --------------------------------------------------------------------------------------------------------


def test_a_write_on_an_older_reading_is_stale(partner: Api, draft: Claim) -> None:
    read = partner.get(f"claims/{draft.pk}/")
    etag = read.headers["ETag"]
    assert etag == f'"{read["revision"]}"'
    changed = partner.patch(f"claims/{draft.pk}/", {"title": "Calls"}, headers={"If-Match": etag})
    assert changed.status == 200
    assert changed.headers["ETag"] == f'"{read["revision"] + 1}"'
    stale = partner.patch(f"claims/{draft.pk}/", {"title": "More calls"}, headers={"If-Match": etag})
    assert (stale.status, stale.code) == (412, "stale")
    assert partner.post(f"claims/{draft.pk}/submit/", headers={"If-Match": etag}).status == 412


def test_lines_and_documents_go_by_the_revision_of_their_claim(partner: Api, draft: Claim) -> None:
    etag = partner.get(f"claims/{draft.pk}/").headers["ETag"]
    path = f"claims/{draft.pk}/lines/{draft.lines.get().pk}/"
    assert partner.get(path).headers["ETag"] == etag
    changed = partner.patch(path, {"amount": "10.00"}, headers={"If-Match": etag})
    assert (changed.status, changed["amount"]) == (200, "10.00")
    assert partner.delete(path, headers={"If-Match": etag}).status == 412
    assert partner.delete(path, headers={"If-Match": changed.headers["ETag"]}).status == 204


@pytest.mark.parametrize("said", ["3", '"x"', '"1", "2"', '"\u0661"'])
def test_an_etag_that_is_none_is_refused(partner: Api, draft: Claim, said: str) -> None:
    refused = partner.patch(f"claims/{draft.pk}/", {"title": "Calls"}, headers={"If-Match": said})
    assert (refused.status, refused.fields) == (400, {"If-Match": "invalid"})


def test_every_verb_heeds_if_match(vendor: Callable[[str], Api]) -> None:
    fund = factories.make_fund()
    partner = api_of(factories.marketer_of(fund.partner))
    factories.make_approved_claim(fund, "300.00")
    run = factories.prepare()
    sent, draft = factories.make_sent_claim(fund, "10.00").pk, factories.make_claim(fund, "10.00").pk
    program, manager, finance, finance2 = (vendor(who) for who in ("program", "manager", "finance", "finance2"))
    factories.make_approved_claim(fund, "300.00")
    approved = factories.make_approved_run().pk
    waiting = factories.make_adjustment(fund, "5000.00").pk
    later = {"claims_close_on": "2024-08-20", "reason": "Holidays"}
    sent_result = {"results": [{"payment": "1", "status": "sent"}]}
    tries: list[tuple[Api, str, Any]] = [
        (program, f"people/{factories.marketer_of(fund.partner).pk}/deactivate/", None),
        (program, f"earning-periods/{fund.earning_period_id}/extend/", later),
        (partner, f"claims/{draft}/submit/", None),
        (partner, f"claims/{sent}/withdraw/", None),
        (manager, f"claims/{sent}/start_review/", None),
        (manager, f"claims/{sent}/approve/", None),
        (manager, f"claims/{sent}/return/", {"reason": "Send the log."}),
        (manager, f"claims/{sent}/reject/", {"reason": "Not covered."}),
        (finance2, f"payment-runs/{run.pk}/approve/", None),
        (finance2, f"payment-runs/{run.pk}/cancel/", None),
        (finance2, f"adjustments/{waiting}/approve/", None),
        (finance2, f"adjustments/{waiting}/decline/", {"reason": "No."}),
        (finance, f"payment-runs/{approved}/export/", None),
        (finance, f"payment-runs/{approved}/results/", sent_result),
    ]
    for api, path, body in tries:
        stale = api.post(path, body, headers={"If-Match": '"99"'})
        assert (stale.status, stale.code) == (412, "stale"), f"{path}: {stale}"


# --- Extending a period -----------------------------------------------------------------------------------------------


def test_an_extension_moves_both_deadlines_by_as_many_days(program: Api, partner: Api, fund: Fund) -> None:
    path = f"earning-periods/{fund.earning_period_id}/extend/"
    answer = program.post(path, {"claims_close_on": "2024-08-20", "reason": "The portal was down."})
    assert answer.status == 200, answer
    assert (answer["claims_close_at"], answer["cure_close_on"]) == ("2024-08-21T00:00:00Z", "2024-10-04")
    assert answer["cure_close_at"] == "2024-10-05T00:00:00Z"
    assert partner.get(f"funds/{fund.pk}/")["expires_on"] == "2024-08-20"
    event = program.get("events/", verb="earning_period.extended")["results"][0]
    assert event["data"]["reason"] == "The portal was down."


def test_an_extension_goes_later_only_and_has_a_reason(program: Api, manager: Api, fund: Fund) -> None:
    path = f"earning-periods/{fund.earning_period_id}/extend/"
    refused = program.post(path, {"claims_close_on": "2024-08-14", "reason": "Why not"})
    assert refused.fields == {"claims_close_on": "not_later"}
    assert program.post(path, {"claims_close_on": "2024-08-20"}).fields == {"reason": "required"}
    assert manager.post(path, {"claims_close_on": "2024-08-20", "reason": "Please"}).status == 403
    factories.set_clock(factories.DEADLINE)
    assert program.post(path, {"claims_close_on": "2024-08-20", "reason": "Late"}).code == "window_closed"


# --- The clock --------------------------------------------------------------------------------------------------------


def test_the_clock_goes_forward_only_and_not_by_the_auditor(vendor: Callable[[str], Api], fund: Fund) -> None:
    auditor, finance = vendor("auditor"), vendor("finance")
    assert auditor.get("clock/")["now"] == "2024-03-04T09:00:00Z"
    assert auditor.put("clock/", {"now": "2024-03-05T00:00:00Z"}).code == "not_allowed"
    assert finance.put("clock/", {"now": "2024-03-01T00:00:00Z"}).fields == {"now": "backwards"}
    assert finance.put("clock/", {"now": "2024-03-05"}).fields == {"now": "invalid"}
    moved = finance.put("clock/", {"now": "2024-08-15T02:00:00+02:00"})
    ran = [run["job"] for run in moved["ran"] if run["job"] in ("gather_rebates", "expire_periods")]
    assert (moved["now"], ran) == ("2024-08-15T00:00:00Z", ["gather_rebates", "expire_periods"])
    assert clock.now() - factories.DEADLINE == timedelta(0)


def test_outside_a_sandbox_there_is_no_clock(finance: Api, settings: Any) -> None:
    settings.SANDBOX = False
    assert finance.get("clock/").status == 404
    assert finance.put("clock/", {"now": "2030-01-01T00:00:00Z"}).status == 404
