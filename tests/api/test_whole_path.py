"""From an earnings line to a paid claim over REST alone, with the exact figures; once with the jobs and once without."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from claims.checks import CHECKS
from funds.checks import check_ledger
from tests import factories
from tests.api.client import Api, api_of
from tests.scenarios.world import instant

PROGRAM = "mci-csp-reseller"


@pytest.fixture(autouse=True)
def empty_sandbox(db: None) -> None:
    """The catalog and the vendor's people, and nobody else."""
    factories.set_clock(instant("2023-07-01"))
    factories.load_catalog(years=(2023, 2025))
    for who in ("program", "finance", "finance2", "manager", "auditor"):
        factories.vendor(who)


class Story:
    """What a client's program does, step by step; every answer is one of the API."""

    def __init__(self, vendor: Callable[[str], Api], *, jobs: bool) -> None:
        self.jobs = jobs
        self.program, self.finance = vendor("program"), vendor("finance")
        self.finance2, self.manager = vendor("finance2"), vendor("manager")

    def reach(self, now: str, *, jobs: bool | None = None) -> Any:
        moved = self.program.put("clock/", {"now": now, "run_jobs": self.jobs if jobs is None else jobs})
        assert moved.status == 200, moved
        return moved

    def begin(self) -> None:
        """A partner with a location, enrolled, and a marketer; then the earnings."""
        partner = self.program.post("partners/", {"external_id": "P-1", "name": "Northwind", "country": "US"})
        assert partner.status == 201, partner
        where = {"partner": partner["id"], "external_id": "L-1", "name": "Head office", "country": "US"}
        self.location = self.program.post("locations/", where)["id"]
        enrollment = {"location": self.location, "program": PROGRAM, "starts_on": "2023-07-01"}
        answer = self.program.post("enrollments/", {**enrollment, "payout_profile_complete": True})
        assert answer.status == 201, answer
        mia = {"email": "mia@northwind.example", "name": "Mia", "role": "marketer", "partner": partner["id"]}
        person = self.program.post("people/", mia)
        assert person.status == 201, person
        # A key is made by a command or a page, not over REST.
        self.mia = api_of(factories.Person.objects.get(pk=person["id"]))
        line = {"location": "L-1", "program": PROGRAM, "currency": "USD"}
        lines = [
            {**line, "external_id": "E-1", "earned_on": "2023-08-15", "amount": "25000.00"},
            {**line, "external_id": "E-2", "earned_on": "2023-09-15", "amount": "8.88"},
        ]
        delivery = self.finance.post("earnings/", {"lines": lines})
        assert (delivery.status, delivery["created"], delivery["rejected"]) == (201, 2, []), delivery

    def fund(self) -> Answer:
        funds = self.mia.get("funds/", location=self.location)
        assert len(funds["results"]) == 1
        return self.mia.get(f"funds/{funds['results'][0]['id']}/")

    def draft(self, amount: str) -> tuple[str, str]:
        """A complete claim, ready to be sent; its id and its line's."""
        dates = {"activity_from": "2024-03-01", "activity_to": "2024-03-20"}
        body = {"fund": self.fund()["id"], "activity": "digital-advertising", **dates}
        claim = self.mia.post("claims/", {**body, "metrics": {"results-summary": "20 leads"}})
        assert claim.status == 201, claim
        path = f"claims/{claim['id']}"
        invoice = {"kind": "invoice", "supplier": "Acme", "invoice_number": f"A-{amount}", "invoiced_on": "2024-03-20"}
        line = self.mia.post(f"{path}/lines/", {**invoice, "amount": amount})
        assert line.status == 201, line
        files = [
            self.mia.upload(f"{path}/documents/", factories.PDF + amount.encode(), "invoice.pdf", kind="invoice"),
            self.mia.upload(f"{path}/documents/", factories.PNG, "ad.png", kind="ad-screenshot"),
            self.mia.post(f"{path}/documents/", {"kind": "landing-page-url", "url": "https://northwind.example/ad"}),
        ]
        assert [file.status for file in files] == [201, 201, 201], files
        return claim["id"], line["id"]

    def pay(self) -> None:
        """A run of two people."""
        run = self.finance.post("payment-runs/", {"cutoff": "2024-03-01"})
        assert (run.status, run["totals"][0]["amount"]) == (201, "3600.00"), run
        path = f"payment-runs/{run['id']}"
        assert self.finance.post(f"{path}/approve/").code == "self_decision"
        assert self.finance2.post(f"{path}/approve/")["status"] == "approved"
        file = self.finance.get(f"{path}/export/", format="csv")
        assert b"3600.00" in file.content
        assert self.finance.post(f"{path}/export/")["status"] == "exported"
        filled = file.content.decode().replace(",,,,", ",sent,2024-03-01,BANK-1,")
        settled = self.finance.upload(f"{path}/results/", filled.encode(), "run.csv")
        assert (settled.status, settled["status"]) == (200, "settled"), settled

    def tell(self) -> list[tuple[str, str, str]]:
        """The whole story up to the deadline and past it; returns the entries as kind, amount and effective day."""
        self.begin()
        self.reach("2024-03-01T00:00:00Z")
        fund = self.fund()
        assert (fund["earned"], fund["remaining"], fund["expires_on"]) == ("10003.55", "10003.55", "2024-08-14")
        claim, line = self.draft("4000.00")
        sent = self.mia.post(f"claims/{claim}/submit/")
        assert (sent.status, sent["status"], sent["whose_turn"]) == (200, "submitted", "channel_manager"), sent
        assert self.fund()["in_review"] == "4000.00"
        less = {
            "id": line,
            "decision": "approve_less",
            "approved_amount": "3600.00",
            "reason": "Beverages are not paid.",
        }
        approved = self.manager.post(f"claims/{claim}/approve/", {"decisions": [less]})
        assert (approved.status, approved["status"], approved["approved_amount"]) == (200, "approved", "3600.00"), (
            approved
        )
        self.pay()
        paid = self.mia.get(f"claims/{claim}/")
        assert (paid["status"], paid["paid_amount"]) == ("paid", "3600.00")

        in_time, _ = self.draft("1000.00")
        late, _ = self.draft("500.00")
        self.reach("2024-08-14T23:59:59.999Z")
        assert self.mia.post(f"claims/{in_time}/submit/").status == 200
        self.reach("2024-08-15T00:00:00Z")
        refused = self.mia.post(f"claims/{late}/submit/")
        assert (refused.status, refused.code) == (422, "window_closed"), refused
        self.reach("2024-09-15T00:00:00Z")
        refused = self.mia.post(f"claims/{late}/submit/")
        assert (refused.status, refused.code) == (422, "window_closed"), refused
        if not self.jobs:
            assert self.fund()["expired"] == "0.00"
            ran = self.reach("2024-09-15T00:00:00Z", jobs=True)["ran"]
            assert {"lapse_claims", "expire_periods"} <= {run["job"] for run in ran}
        assert self.mia.get(f"claims/{late}/")["status"] == "lapsed"
        return self.entries()

    def entries(self) -> list[tuple[str, str, str]]:
        rows = self.mia.get(f"funds/{self.fund()['id']}/entries/")["results"]
        assert all(row["text"] and row["currency"] == "USD" for row in rows)
        return [(row["kind"], row["amount"], row["effective_on"]) for row in rows]


from tests.api.client import Answer  # noqa: E402

ENTRIES = [
    ("earning", "10003.55", "2023-09-15"),
    ("hold", "4000.00", "2024-03-01"),
    ("approval", "3600.00", "2024-03-01"),
    ("release", "400.00", "2024-03-01"),
    ("payment", "3600.00", "2024-03-01"),
    ("hold", "1000.00", "2024-08-14"),
    ("expiry", "5403.55", "2024-08-14"),
]


@pytest.mark.parametrize("jobs", [True, False], ids=["jobs on the way", "jobs once at the end"])
def test_earnings_become_a_paid_claim_and_what_is_left_expires(vendor: Callable[[str], Api], jobs: bool) -> None:
    story = Story(vendor, jobs=jobs)
    assert story.tell() == ENTRIES
    fund = story.fund()
    figures = {name: fund[name] for name in ("earned", "available", "in_review", "approved", "paid", "expired")}
    assert figures == {
        "earned": "10003.55",
        "available": "0.00",
        "in_review": "1000.00",
        "approved": "0.00",
        "paid": "3600.00",
        "expired": "5403.55",
    }
    assert check_ledger(CHECKS).differences == []
