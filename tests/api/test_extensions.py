"""Extensions over the API: asked for by partners, decided by program admins, shown where a deadline is."""

from __future__ import annotations

from typing import Any

from funds.models import Fund
from tests import factories
from tests.api.client import Api

ASKING = {"until": "2024-08-30", "because": "Our printer is late."}


def ask(partner: Api, fund: Fund, **changes: Any) -> Any:
    return partner.post("extensions/", {"earning_period": str(fund.earning_period_id), **ASKING, **changes})


def test_a_partner_asks_and_a_program_admin_grants_a_day(partner: Api, program: Api, finance: Api, fund: Fund) -> None:
    asked = ask(partner, fund)
    assert (asked.status, asked["status"], asked["until"], asked["partner"]) == (
        201,
        "asked",
        "2024-08-30",
        str(fund.partner_id),
    )
    path = f"extensions/{asked['id']}/"
    day = {"claims_close_on": "2024-08-28", "reason": "Until the invoice is there."}
    assert partner.post(f"{path}grant/", day).status == 403
    assert finance.post(f"{path}grant/", day).status == 403
    assert program.post(f"{path}grant/", day, headers={"If-Match": '"9"'}).code == "stale"
    assert program.post(f"{path}grant/", {"claims_close_on": "2024-08-14"}).fields == {"reason": "required"}
    assert program.post(f"{path}grant/", {**day, "claims_close_on": "2024-08-14"}).fields == {
        "claims_close_on": "not_later"
    }
    granted = program.post(f"{path}grant/", day)
    assert (granted["status"], granted["claims_close_on_before"], granted["claims_close_on"]) == (
        "granted",
        "2024-08-14",
        "2024-08-28",
    )
    shown = partner.get(f"funds/{fund.pk}/")
    assert (shown["expires_on"], shown["expires_at"], shown["cure_by"], shown["own_deadline"]) == (
        "2024-08-28",
        "2024-08-29T00:00:00Z",
        "2024-10-13T00:00:00Z",
        True,
    )
    period = f"earning-periods/{fund.earning_period_id}/"
    assert (partner.get(period)["claims_close_on"], partner.get(period)["own_claims_close_on"]) == (
        "2024-08-14",
        "2024-08-28",
    )
    assert program.get(period)["own_claims_close_on"] is None
    assert program.post(f"{path}decline/", {"reason": "No."}).code == "wrong_status"


def test_a_request_is_declined_and_listed(partner: Api, program: Api, fund: Fund) -> None:
    asked = ask(partner, fund)
    assert ask(partner, fund).code == "wrong_status"
    assert [one["id"] for one in program.get("extensions/", status="asked")["results"]] == [asked["id"]]
    declined = program.post(f"extensions/{asked['id']}/decline/", {"reason": "45 days are enough."})
    assert (declined["status"], declined["reason"], declined["claims_close_on"]) == (
        "declined",
        "45 days are enough.",
        None,
    )
    assert program.get("extensions/", status="asked")["results"] == []
    assert partner.get("extensions/", earning_period=str(fund.earning_period_id))["results"][0]["status"] == "declined"


def test_a_period_is_extended_for_one_partner(partner: Api, program: Api, fund: Fund) -> None:
    path = f"earning-periods/{fund.earning_period_id}/extend/"
    body = {"claims_close_on": "2024-08-30", "reason": "Late invoices.", "partner": str(fund.partner_id)}
    tried = program.post(f"{path}?dry_run=true", body)
    assert (tried.status, partner.get(f"funds/{fund.pk}/")["own_deadline"]) == (200, False)
    assert program.post(path, body)["claims_close_on"] == "2024-08-14"
    assert partner.get(f"funds/{fund.pk}/")["expires_on"] == "2024-08-30"
    assert program.post(path, {**body, "partner": "987654321"}).status == 404


def test_nothing_is_asked_for_or_granted_after_the_deadline(partner: Api, program: Api, fund: Fund) -> None:
    asked = ask(partner, fund)
    factories.set_clock(factories.DEADLINE)
    assert ask(partner, fund).code == "window_closed"
    day = {"claims_close_on": "2024-08-30", "reason": "Late."}
    refused = program.post(f"extensions/{asked['id']}/grant/", day)
    assert (refused.status, refused.code) == (422, "window_closed")
    assert "use an adjustment" in refused["detail"]
    assert program.post(f"extensions/{asked['id']}/decline/", {"reason": "It is too late."}).status == 200
