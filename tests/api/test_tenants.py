"""Nobody reads, changes or infers anything of another partner: its records answer as if they did not exist.

The addresses come from the router itself: a new one is tested here by itself, or fails because nobody said whose its
records are.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import pytest

from claims.models import Claim, Publication
from coop.lib import clock
from funds.models import Entry, Payment
from funds.operations.extensions import ask_extension
from partners.hooks.operations import create_webhook
from partners.hooks.operations import test_webhook as send_test
from partners.models import Event, Partner, Person
from tests import factories
from tests.api.client import Answer, Api, api_of
from tests.api.routes import Route, routes

NOWHERE = 987_654_321
PUBLIC = ("program", "activity", "earning-period")  # the published rules are everybody's
VENDORS = ("publication",)  # all of the vendor's people see them, whatever their portfolio holds; partners see none
VENDOR_ONLY = ("import", "payment-run", "reconciliation", "reconciled-line")
PERSONAL = ("webhook", "webhook-delivery")  # nobody but their owner sees them; here the marketer's
CANARY = "Kanarie"

BODIES: dict[str, Any] = {
    "POST claims/{pk}/return/": {"reason": "Send the log."},
    "POST claims/{pk}/reject/": {"reason": "No."},
    "POST claims/{claim_id}/lines/": {"kind": "csr", "amount": "1.00"},
    "POST claims/{claim_id}/documents/": {"kind": "invoice", "url": "https://x.example/"},
    "PATCH claims/{claim_id}/lines/{pk}/": {"amount": "1.00"},
    "PATCH claims/{pk}/": {"title": "Mine now"},
    "PATCH plans/{pk}/": {"title": "Mine now"},
    "POST claims/{pk}/dispute/": {"reason": "It was there."},
    "POST claims/{pk}/decide_dispute/": {"outcome": "uphold", "reason": "No."},
    "POST plans/{pk}/return/": {"note": "No."},
    "POST plans/{pk}/decline/": {"note": "No."},
    "PATCH people/{pk}/": {"name": "Mine now"},
    "PATCH enrollments/{pk}/": {"ends_on": "2024-12-31"},
    "PUT partners/{pk}/payout-account/": {"holder": "Me", "country": "DE", "iban": "DE75512108001245126199"},
    "POST payments/{pk}/return/": {"returned_on": "2024-03-04", "reason": "Mine now"},
    "POST payment-runs/{pk}/results/": {"results": [{"payment": "1", "status": "sent"}]},
    "PATCH webhooks/{pk}/": {"url": "https://mine.example.com/"},
    "POST webhooks/{pk}/replay/": {"since": "2024-01-01T00:00:00Z"},
    "POST earning-periods/{pk}/extend/": {"claims_close_on": "2024-08-20", "reason": "Holidays"},
    "POST extensions/{pk}/grant/": {"claims_close_on": "2024-08-20", "reason": "Holidays"},
    "POST extensions/{pk}/decline/": {"reason": "No."},
}


class House:
    """One partner with a record of every kind."""

    def __init__(self, name: str) -> None:
        self.partner: Partner = factories.make_partner(name)
        location = factories.make_location(self.partner, name=f"{name} Hall")
        enrollment = factories.make_enrollment(location)
        self.fund = factories.make_fund("50000.00", enrollment=enrollment)
        self.person: Person = factories.make_person(self.partner, name=f"{name} Meier")
        self.admin: Person = factories.make_person(self.partner, "partner_admin", name=f"{name} Chefin")
        factories.make_payout_account(self.partner)
        paid = self.decided = factories.make_approved_claim(self.fund, "300.00", by=self.person)
        self.run = factories.make_approved_run()
        self.reconciliation = factories.make_reconciliation(self.run)
        self.claim: Claim = factories.make_sent_claim(self.fund, "10.00", by=self.person, title=f"{name} calls")
        self.draft: Claim = factories.make_claim(self.fund, "10.00", by=self.person, title=f"{name} draft")
        self.plan = factories.make_sent_plan(self.fund, "10.00", by=self.person, title=f"{name} plan")
        webhook, _ = create_webhook(url=f"https://{name}.example.com/", by=self.person, at=clock.now())
        assert paid.partner_id == self.partner.pk
        self.ids: dict[str, Any] = {
            "person": self.person.pk,
            "partner": self.partner.pk,
            "location": location.pk,
            "enrollment": enrollment.pk,
            "import": factories.Import.objects.latest("id").pk,
            "fund": self.fund.pk,
            "plan": self.plan.pk,
            "claim": self.claim.pk,
            "claim-line": self.claim.lines.get().pk,
            "claim-document": self.claim.documents.order_by("id")[0].pk,
            "claim-decision": paid.decisions.get().pk,
            "entry": Entry.objects.filter(fund=self.fund).order_by("id")[0].pk,
            "payment-run": self.run.pk,
            "payment": Payment.objects.get(run=self.run).pk,
            "publication": Publication.objects.latest("id").pk,
            "reconciliation": self.reconciliation.pk,
            "reconciled-line": self.reconciliation.lines.get().pk,
            "adjustment": factories.make_adjustment(self.fund).pk,
            "webhook": webhook.pk,
            "webhook-delivery": send_test(webhook.pk, by=self.person, at=clock.now()).pk,
            "event": Event.objects.filter(partner=self.partner).order_by("id")[0].pk,
            "program": factories.RESELLER,
            "activity": "telemarketing",
            "earning-period": self.fund.earning_period_id,
            "extension": ask_extension(
                self.fund.earning_period_id,
                until=date(2024, 8, 30),
                because=f"{name} waits for an invoice.",
                by=self.person,
                at=clock.now(),
            ).pk,
        }

    def values(self, route: Route) -> list[Any]:
        """What stands in a route's variables for this house's record."""
        parents = {
            "webhook_id": self.ids["webhook"],
            "fund_id": self.fund.pk,
            "claim_id": self.decided.pk if route.basename == "claim-decision" else self.claim.pk,
            "reconciliation_id": self.reconciliation.pk,
        }
        assert route.basename in self.ids, f"Say in House.ids whose the records of {route} are."
        return [parents[name] if name in parents else self.ids[route.basename] for name in route.variables]


@pytest.fixture
def houses(db: None) -> tuple[House, House]:
    return House("Northwind"), House(CANARY)


def people_of(house: House) -> dict[str, Api]:
    manager = factories.make_person(None, "channel_manager", title="pdm", portfolio=[house.partner.pk])
    return {"marketer": api_of(house.person), "admin": api_of(house.admin), "manager": api_of(manager)}


def masked(answer: Answer, *ids: Any) -> tuple[int, str]:
    text = answer.content.decode()
    for record_id in ids:
        text = re.sub(rf"\b{record_id}\b", "ID", text)
    return answer.status, text


def test_what_is_another_partners_answers_as_what_does_not_exist(houses: tuple[House, House]) -> None:
    own, other = houses
    people = people_of(own)
    wrong = []
    for route in routes():
        if not route.variables or route.basename in PUBLIC:
            continue
        body = BODIES.get(str(route)) if route.method != "GET" else None
        theirs = other.values(route)
        nowhere = [NOWHERE for _ in theirs]
        tries = [(theirs, nowhere)]
        if len(theirs) == 2:  # own claim, another's line
            tries.append(([own.values(route)[0], theirs[1]], [own.values(route)[0], NOWHERE]))
        for who, api in people.items():
            if who == "manager" and route.basename in VENDORS:
                continue
            for there, missing in tries:
                found = api.send(route.method, route.filled(*there), body)
                none = api.send(route.method, route.filled(*missing), body)
                same = masked(found, *there) == masked(none, *missing)
                hidden = found.status == 404 or (route.method != "GET" and found.status in (400, 403))
                if not (same and hidden):
                    wrong.append(f"{who}: {route}: {found} / {none}")
    assert not wrong, "\n".join(wrong)


def test_what_is_ones_own_is_there(houses: tuple[House, House]) -> None:
    own, _ = houses
    people = people_of(own)
    missing = []
    for route in routes():
        if route.method != "GET" or route.path.endswith(("export/", "preview/")):
            continue  # a run is not approved yet, a preview not drawn
        path = route.filled(*own.values(route)) if route.variables else route.path
        for who in ("marketer", "manager"):
            hidden = (*VENDOR_ONLY, *VENDORS) if who == "marketer" else VENDOR_ONLY
            hidden += () if who == "marketer" else PERSONAL
            expected = 404 if route.basename in hidden and route.variables else 200
            answer = people[who].get(path)
            if answer.status != expected:
                missing.append(f"{who}: {route}: {answer}")
    assert not missing, "\n".join(missing)


def test_no_list_tells_anything_of_another_partner(houses: tuple[House, House]) -> None:
    own, other = houses
    marks = [CANARY, factories.Location.objects.get(partner=other.partner).external_id, other.claim.number]
    for who, api in people_of(own).items():
        for route in routes():
            if route.method == "GET" and not route.variables:
                text = api.get(route.path, page_size="200").content.decode()
                assert not [mark for mark in marks if f'"{mark}' in text], f"{who}: {route}"
            if route.path in (
                "funds/",
                "plans/",
                "claims/",
                "locations/",
                "enrollments/",
                "earnings/",
                "events/",
                "payments/",
            ):
                assert api.get(route.path, partner=str(other.partner.pk))["results"] == []


def test_ids_of_another_partner_in_a_body_are_as_unknown_as_those_of_nobody(houses: tuple[House, House]) -> None:
    own, other = houses
    api, manager = api_of(own.person), api_of(factories.vendor("manager"))
    line, document = other.ids["claim-line"], {"kind": "invoice", "url": "https://x.example/"}
    path = f"claims/{own.draft.pk}"
    pairs = [
        (api, "POST", "claims/", lambda x: {"fund": x, "activity": "telemarketing"}, other.fund.pk),
        (api, "POST", "plans/", lambda x: {"fund": x, "title": "Spring"}, other.fund.pk),
        (
            api,
            "POST",
            "claims/",
            lambda x: {"fund": str(own.fund.pk), "plan_activity": x},
            other.plan.activities.get().pk,
        ),
        (api, "POST", "plans/", lambda x: {"fund": str(own.fund.pk), "people": [x]}, other.person.pk),
        (api, "POST", f"{path}/documents/", lambda x: {**document, "line": x}, line),
        (
            manager,
            "POST",
            f"claims/{own.claim.pk}/approve/",
            lambda x: {"decisions": [{"id": x, "decision": "approve"}]},
            line,
        ),
        (
            api_of(own.admin),
            "POST",
            "people/",
            lambda x: {"email": "x@x.example", "name": "X", "role": "marketer", "partner": x},
            other.partner.pk,
        ),
    ]
    for client, method, where, body, theirs in pairs:
        found, none = (client.send(method, where, body(str(x))) for x in (theirs, NOWHERE))
        assert masked(found, theirs) == masked(none, NOWHERE), where
        assert found.status in (400, 403, 404)


def test_an_agency_guest_sees_no_money(houses: tuple[House, House]) -> None:
    own, _ = houses
    guest = api_of(factories.make_person(own.partner, "agency"))
    for route in routes():
        if route.basename in (*PUBLIC, "person", "partner") or route.method != "GET":
            continue
        if route.variables:
            assert guest.get(route.filled(*own.values(route))).status == 404, route
        else:
            assert guest.get(route.path)["results"] == [], route
