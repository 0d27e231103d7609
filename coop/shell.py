"""The frame around every page: navigation by role, who one is, the sandbox's banner. A context processor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from claims import states as claim_states
from claims.models import Claim, Plan
from coop.lib.dates import show_instant
from coop.lib.web import now
from coop.operations_page import READERS
from coop.story.welcome import demo_people
from funds.models import Import, PaymentRun
from funds.queries.adjustments import waits_for
from partners import states
from partners.models import Person
from partners.reading import new_notices, said


@dataclass(frozen=True)
class Place:
    """One item of the navigation: where it leads. Pages named after `below` ("claim", "claim-lines") lie below it."""

    label: str
    url_name: str
    icon: str
    below: str = ""

    def holds(self, page: str) -> bool:
        """Whether a page, by the name of its address, is this place or lies below it."""
        return page == self.url_name or (bool(self.below) and (page == self.below or page.startswith(f"{self.below}-")))


HOME = Place("Home", "home", "home")
FUNDS = Place("Funds", "funds", "fund", "fund")
CLAIMS = Place("Claims", "claims", "claim", "claim")
PLANS = Place("Plans", "plans", "plan", "plan")
CATALOG = Place("What can I spend on?", "catalog", "check", "catalog")
PAYMENTS = Place("Payments", "payments", "payment", "payment")
PORTFOLIO = Place("Portfolio", "portfolio", "partner", "portfolio")
WORKLIST = Place("Worklist", "worklist", "inbox", "review")
FINANCE = Place("Finance", "finance", "ledger", "ledger")
IMPORTS = Place("Imports", "imports", "import", "import")
ADJUSTMENTS = Place("Adjustments", "adjustments", "rules", "adjustment")
RULES = Place("Rules", "rules", "rules", "rules")
PERIODS = Place("Periods", "periods", "clock", "period")
RUNS = Place("Payment runs", "payment-runs", "check", "payment-run")

DATES = Place("Dates", "dates", "clock", "dates")

PARTNER = (HOME, FUNDS, PLANS, CLAIMS, PAYMENTS, DATES, CATALOG)
MONEY = (FINANCE, IMPORTS, ADJUSTMENTS, RUNS, PAYMENTS, FUNDS, CLAIMS)
ADMIN = (RULES, PERIODS, FINANCE, ADJUSTMENTS, RUNS, FUNDS, CLAIMS)  # imports and payments are found through finance
PLACES: dict[str, tuple[Place, ...]] = {
    states.MARKETER: PARTNER,
    states.PARTNER_ADMIN: PARTNER,
    states.AGENCY: (HOME, DATES),
    # Payments are found through their claims, and from the portfolio.
    states.CHANNEL_MANAGER: (WORKLIST, PORTFOLIO, PLANS, CLAIMS, FUNDS, CATALOG, RULES),
    states.FINANCE: MONEY,
    states.PROGRAM_ADMIN: ADMIN,
    states.AUDITOR: ADMIN,
}


def shell(request: HttpRequest) -> dict[str, Any]:
    """What `base.html` and `plain.html` show around a page. `frame` is the one of them that fits the reader."""
    page = request.resolver_match.url_name if request.resolver_match else None
    person = getattr(request, "user", None)
    context: dict[str, Any] = {"version": settings.VERSION, "frame": "plain.html"}
    if settings.SANDBOX:
        context["sandbox"] = {"now": show_instant(now(request)), "url": ""}
        if page == "account_login":
            context["demo_people"] = demo_people()
    if person is None or not person.is_authenticated:
        return context
    if settings.SANDBOX:
        context["sandbox"]["url"] = reverse("clock")
    return context | {
        "frame": "base.html",
        "navigation": navigation(person, page),
        "identity": {
            "name": person.name,
            "organisation": person.partner.name if person.partner_id else "The vendor",
            "role": person.role_name,
        },
        "help_url": reverse("glossary"),
        "notices": notices_of(person, page),
        "operations_url": reverse("operations") if person.role in READERS else "",
        "rules_url": reverse("rules") if person.is_vendor else "",
        "dates_url": reverse("dates"),
        "search_url": "" if person.role == states.AGENCY else reverse("search"),
    }


def notices_of(person: Person, page: str | None) -> dict[str, Any]:
    """The bell: how many notices are new, in words too."""
    new = new_notices(person)
    return {"url": reverse("notices"), "new": new, "said": said(new), "current": page == "notices"}


def navigation(person: Person, page: str | None) -> list[dict[str, Any]]:
    """The places of the person's role, the present one marked, with the number of things that wait there."""
    waiting = counts(person)
    places = PLACES[person.role]
    # "payment-run" lies below the runs and, by its name, below the payments too: the longer name wins.
    holding = [place for place in places if page and place.holds(page)]
    here = max(holding, key=lambda place: len(place.below), default=None)
    return [
        {
            "label": place.label,
            "url": reverse(place.url_name),
            "icon": place.icon,
            "count": waiting.get(place.url_name, 0),
            "current": place is here,
        }
        for place in places
    ]


def counts(person: Person) -> dict[str, int]:
    """How many things wait for this person, by the place where they wait."""
    claims = Claim.objects.visible_to(person)
    if person.role == states.CHANNEL_MANAGER:
        plans = Plan.objects.visible_to(person).filter(status=claim_states.SUBMITTED).order_by().values("id")
        waiting = claims.filter(status__in=claim_states.WAITING).order_by().values("id")
        return {"worklist": waiting.union(plans, all=True).count()}
    if person.role in (states.MARKETER, states.PARTNER_ADMIN):
        return {"claims": claims.filter(status__in=claim_states.OPEN).count()}
    if person.role == states.FINANCE:
        return {
            "imports": Import.objects.visible_to(person).filter(status="ready").count(),
            "adjustments": waits_for(person),
            "payment-runs": PaymentRun.objects.filter(status="draft").exclude(prepared_by=person).count(),
        }
    return {}
