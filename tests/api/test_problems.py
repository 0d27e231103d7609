"""The shape of every error, and who may come in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from claims.models import Claim
from coop.lib import clock
from funds.models import Fund
from partners.models import ApiKey
from partners.operations import create_api_key, deactivate_person
from tests import factories
from tests.api.client import Api, api_of

MEMBERS = {"type", "title", "status", "detail", "code", "errors", "findings"}
PARTNER = {"external_id": "P-9", "name": "Northwind", "country": "US"}


def is_problem(answer: Any, status: int, code: str) -> None:
    assert (answer.status, answer.code) == (status, code), answer
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert set(answer.body) == MEMBERS
    assert answer["status"] == status
    assert answer["title"]
    assert answer["detail"]


def test_each_code_has_the_shape_and_the_status_of_the_contract(
    vendor: Callable[[str], Api], partner: Api, draft: Claim
) -> None:
    program, manager, path = vendor("program"), vendor("manager"), f"claims/{draft.pk}"
    is_problem(program.post("partners/", {}), 400, "invalid")
    is_problem(Api().get("funds/"), 401, "not_authenticated")
    is_problem(partner.post("partners/", PARTNER), 403, "not_allowed")
    is_problem(partner.get("funds/999/"), 404, "not_found")
    is_problem(partner.send("DELETE", "funds/"), 405, "method_not_allowed")
    is_problem(partner.send("OPTIONS", "funds/"), 405, "method_not_allowed")
    is_problem(partner.patch(f"{path}/", {"title": "x"}, headers={"If-Match": '"99"'}), 412, "stale")
    is_problem(program.post("partners/", raw=b"a=1", content_type="text/plain"), 415, "unsupported_media_type")
    is_problem(program.post("partners/", raw=b"{}" + b" " * 5_300_000), 413, "too_large")
    is_problem(partner.upload(f"{path}/documents/", b"MZ", "x.exe", kind="invoice"), 415, "unsupported_media_type")
    partner.delete(f"{path}/lines/{draft.lines.get().pk}/")
    failed = partner.post(f"{path}/submit/")
    is_problem(failed, 422, "rule_failed")
    said = {"rule", "version", "outcome", "text", "seen", "wanted", "fix", "field", "basis"}
    assert said == set(failed["findings"][0])
    too_much = {"kind": "invoice", "supplier": "A", "invoice_number": "1", "invoiced_on": "2024-03-02"}
    partner.post(f"{path}/lines/", {**too_much, "amount": "10003.56"})
    partner.upload(f"{path}/documents/", factories.PDF, "invoice.pdf", kind="invoice")
    is_problem(partner.post(f"{path}/submit/"), 422, "insufficient_funds")
    is_problem(manager.post(f"{path}/approve/"), 404, "not_found")
    factories.set_clock(factories.IN_USE)
    is_problem(partner.post(f"{path}/submit/"), 422, "window_not_open")
    factories.set_clock(factories.DEADLINE)
    is_problem(partner.post(f"{path}/submit/"), 422, "window_closed")


def test_wrong_status_and_second_person(vendor: Callable[[str], Api], fund: Fund) -> None:
    claim = factories.make_approved_claim(fund)
    is_problem(vendor("manager").post(f"claims/{claim.pk}/reject/", {"reason": "No"}), 409, "wrong_status")
    run = factories.prepare()
    is_problem(vendor("finance").post(f"payment-runs/{run.pk}/approve/"), 403, "self_decision")
    is_problem(vendor("finance").get(f"payment-runs/{run.pk}/export/"), 409, "wrong_status")


@pytest.mark.parametrize(
    "path", ["/api/", "/api/v1/", "/api/v1/nothing/", "/api/v1/funds", "/api/v1/funds/x/", "/api/v1/funds/007/"]
)
def test_an_unknown_address_is_a_problem_too(path: str, finance: Api) -> None:
    is_problem(finance.get(path), 404, "not_found")


@pytest.mark.parametrize("number", ["\u0661", "1%00", "-1", "1e3", "9" * 20, "%E0%A4%A", "..%2f1"])
def test_an_id_is_ascii_digits(number: str, finance: Api) -> None:
    is_problem(finance.get(f"/api/v1/funds/{number}/"), 404, "not_found")


BODIES = {
    "not JSON": (b"{", "JSON"),
    "NaN": (b'{"name": NaN}', "NaN"),
    "Infinity": (b'{"name": -Infinity}', "Infinity"),
    "a list": (b"[]", "object"),
    "a string": (b'"x"', "object"),
    "null": (b"null", ""),
    "twice the same name": (b'{"name": "a", "name": "b"}', "twice"),
    "deep": (b"[" * 30 + b"]" * 30, "deeper"),
    "very deep": (b"[" * 200_000 + b"]" * 200_000, "deeper"),
    "a byte-order mark": (b"\xef\xbb\xbf{}", "JSON"),
    "not UTF-8": (b'{"name": "\xff"}', "UTF-8"),
    "UTF-16": ("{}".encode("utf-16"), "UTF-8"),
    "many digits": (b'{"name": ' + b"9" * 5_000 + b"}", ""),
    "a huge exponent": (b'{"name": 1e400}', "string"),
    "half of a pair": (b'{"name": "\\ud800"}', "half"),
    "NUL": (b'{"name": "\\u0000"}', "control"),
    "half of a pair as a name": (b'{"\\ud800": "x"}', ""),
    "a zero-width name": ('{"name": "\u200b"}'.encode(), "empty"),
    "a turned-around name": ('{"name": "a\u202eb"}'.encode(), "direction"),
}


@pytest.mark.parametrize("case", BODIES)
def test_a_body_that_could_be_misread_is_refused(case: str, program: Api) -> None:
    raw, word = BODIES[case]
    answer = program.post("partners/", raw=raw)
    is_problem(answer, 400, "invalid")
    assert word in answer["detail"]


def test_a_broken_form_is_refused(partner: Api, draft: Claim) -> None:
    path = f"claims/{draft.pk}/documents/"
    for kind in ("multipart/form-data", "multipart/form-data; boundary=x"):
        answer = partner.post(path, raw=b"--x\r\nnonsense", content_type=kind)
        assert (answer.status, answer.code) == (400, "invalid"), answer


def test_all_errors_of_a_body_come_at_once_each_at_its_field(program: Api) -> None:
    answer = program.post("people/", {"email": 3, "role": "king", "partner": 7, "is_staff": True})
    assert answer.fields == {
        "email": "not_text",
        "name": "required",
        "role": "invalid_choice",
        "partner": "not_text",
        "is_staff": "unknown_field",
    }


def test_a_body_cannot_set_what_is_not_its_own(partner: Api, draft: Claim) -> None:
    for field in ("status", "id", "revision", "partner", "fund", "claimed_amount", "submitted_at"):
        answer = partner.patch(f"claims/{draft.pk}/", {field: "1"})
        assert answer.fields == {field: "unknown_field"}


@pytest.mark.parametrize(
    "query", [{"colour": "red"}, {"ordering": "id"}, {"known": "2024-01-01"}, {"partner__name": "x"}]
)
def test_an_unknown_parameter_is_refused(partner: Api, query: dict[str, str]) -> None:
    answer = partner.get("funds/", **query)
    is_problem(answer, 400, "invalid")
    assert answer.fields == {next(iter(query)): "unknown_parameter"}


def test_a_filter_that_cannot_be_read_is_refused(partner: Api) -> None:
    assert partner.get("funds/", partner="\u0661").fields == {"partner": "invalid"}
    assert partner.get("/api/v1/funds/?partner=1&partner=2").fields == {"partner": "duplicate"}
    assert partner.get("claims/", status="open").fields == {"status": "invalid"}
    assert partner.get("events/", since="yesterday").fields == {"since": "invalid"}


# --- Keys -------------------------------------------------------------------------------------------------------------


def test_who_sends_no_key_or_a_wrong_one_is_told_how(db: None) -> None:
    for said in ("", "Bearer", "Bearer x", "Basic eDp5", "Bearer " + "x" * 5_000, "Bearer schlüssel"):
        answer = Api().send("GET", "funds/", headers={"Authorization": said} if said else {})
        is_problem(answer, 401, "not_authenticated")
        assert answer.headers["WWW-Authenticate"] == 'Bearer realm="coop"'


def test_a_revoked_key_an_expired_one_and_one_of_somebody_who_left_open_nothing(fund: Fund) -> None:
    person = factories.marketer_of(fund.partner)
    revoked = api_of(person)
    ApiKey.objects.filter(person=person).update(revoked_at=clock.now())
    assert revoked.get("funds/").status == 401
    _, secret = create_api_key(person_id=person.pk, expires_at=factories.DEADLINE, by=None, at=clock.now())
    assert Api(secret).get("funds/").status == 200
    factories.set_clock(factories.DEADLINE)
    assert Api(secret).get("funds/").status == 401
    left = api_of(person)
    deactivate_person(person.pk, by=factories.vendor("program"), at=clock.now())
    assert left.get("funds/").status == 401


def test_a_key_does_no_more_than_its_scopes(fund: Fund, draft: Claim) -> None:
    person = factories.marketer_of(fund.partner)
    reader, writer = api_of(person, "funds:read"), api_of(person, "claims:write")
    assert reader.get(f"funds/{fund.pk}/").status == 200
    is_problem(reader.post(f"claims/{draft.pk}/submit/"), 403, "not_allowed")
    is_problem(reader.put("clock/", {"now": "2024-03-05T00:00:00Z"}), 403, "not_allowed")
    is_problem(writer.get(f"funds/{fund.pk}/"), 403, "not_allowed")
    assert writer.post(f"claims/{draft.pk}/submit/").status == 200
    manager = api_of(factories.vendor("manager"), "funds:read", "claims:write")
    is_problem(manager.post(f"claims/{draft.pk}/approve/"), 403, "not_allowed")


def test_answers_are_kept_by_no_cache(partner: Api) -> None:
    for answer in (partner.get("funds/"), partner.get("funds/999/")):
        assert answer.headers["Cache-Control"] == "no-store"
        assert "Authorization" in answer.headers["Vary"]
        assert "Content-Security-Policy" in answer.headers
