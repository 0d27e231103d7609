"""The catalog of activities, as it is on a day; what changed of it; and what the rules say of an idea."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import cached_property
from typing import Any

from django.db.models import Q, QuerySet
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from claims import rules
from claims.api.activity_serializers import ActivityOut, IdeaIn, IdeaOut, RuleChangesOut
from claims.models import Activity
from claims.queries.book import current_book, offered_activities
from claims.queries.changed import changes_for
from claims.queries.elsewhere import counted_for_each
from claims.queries.offers import a_year_before
from claims.queries.plan_facts import facts_of_idea, period_of
from claims.queries.reader import paying_fund, programs_for
from claims.rules.book import Case
from coop.lib import money
from coop.lib.api import filters
from coop.lib.api.filters import Filter, read_id
from coop.lib.api.views import ApiViewSet, ListMixin, RetrieveMixin, act
from coop.lib.errors import FieldError, Invalid
from funds.models import Fund, Program
from funds.queries.funds import funds_of
from partners.models import Partner
from partners.permissions import may_see

ON, PROGRAM, COUNTRY = filters.day(), filters.code(), filters.country()
PARTNER = Filter(read_id, None, {"type": "string"})
CASE = {"program": PROGRAM, "on": ON, "country": COUNTRY, "partner": PARTNER}
BETWEEN = {"from": filters.day(), "to": filters.day(), "program": PROGRAM, "country": COUNTRY, "partner": PARTNER}


class ActivityViewSet(ListMixin, RetrieveMixin, ApiViewSet):
    """What may be claimed for, with all that it asks for on the day `on` (by default today).

    With `program` only what that program pays for on the day; with `country` and `partner` what is asked for and paid there.
    A partner's own people need not name their partner.
    """

    queryset = Activity.objects.all()
    serializer_class = ActivityOut
    write_scope = "funds:read"  # a check of an idea writes nothing
    lookup_field = "code"
    lookup_value_regex = "[a-z0-9-]{1,40}"
    ordering = ("code",)
    missing = "There is no such activity."
    filters = CASE

    def get_queryset(self) -> QuerySet[Any]:
        rows = Activity.objects.all()
        if self.action != "list":
            return rows
        day = self.day
        rows = rows.filter(Q(valid_to__isnull=True) | Q(valid_to__gte=day), valid_from__lte=day)
        program = self.asked.get("program")
        if program:
            country, partner = self.asked.get("country") or "", self.partner
            code = partner.external_id if partner else ""
            offered = offered_activities(program, day, country=country, partner=code)
            rows = rows.filter(code__in=[activity.code for activity in offered])
        return rows

    @property
    def day(self) -> date:
        day: date = self.asked.get("on") or self.at.date()
        return day

    @cached_property
    def partner(self) -> Partner | None:
        return self.partner_of(self.asked.get("partner"))

    def partner_of(self, key: int | None) -> Partner | None:
        """The partner asked about: the client's own, or one that the client sees. Raises Invalid.

        An agency's guest sees nothing of a partner: what its limits have left is not theirs to know.
        """
        own: Partner | None = self.person.partner
        if key is None:
            return own if own and may_see(self.person, own.pk) else None
        found = Partner.objects.visible_to(self.person).filter(pk=key).first()
        if found is None or not may_see(self.person, found.pk):
            raise Invalid.field("partner", "There is no such partner.", "not_found")
        return found

    def get_serializer_context(self) -> dict[str, Any]:
        context = super().get_serializer_context()
        if "at" in context and self.action in ("list", "retrieve"):
            book, country, code = current_book(), self.asked.get("country") or "", self.asked.get("program") or ""
            partner = self.partner.external_id if self.partner else ""
            case = Case(code, "", "", country, book.class_of(country, self.day), partner, self.day)
            program = Program.objects.filter(code=code).first() if code else None
            context.update({"book": book, "case": case, "program": program, "offers": {}})
        return context

    @act(query=CASE)
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """One activity, as it is on a day."""
        return super().retrieve(request, *args, **kwargs)

    # --- Checking an idea ---------------------------------------------------------------------------------------------

    @action(detail=False, methods=["post"], url_path="check", url_name="check")
    @act(takes=IdeaIn, gives=IdeaOut)
    def check(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """What the rules say of an idea; nothing is stored."""
        program = self.program_asked()
        given = self.take(currency=program.currency if program else "USD")
        if program is None:
            raise Invalid.field("program", "There is no such program.", "not_found")
        partner = self.partner_of(given.get("partner"))
        first, last = given["starts_on"], given.get("ends_on") or given["starts_on"]
        country = given.get("country") or (partner.country if partner else "")
        activities = self.activities_asked(given.get("activity"), program, first, country, partner)
        faults = []
        if last < first:
            faults.append(FieldError("ends_on", "invalid", "Give a last day on or after the first one."))
        if not country:
            faults.append(FieldError("country", "required", "Say in which country it takes place."))
        if given.get("activity") and not activities:
            faults.append(FieldError("activity", "not_found", "There is no such activity."))
        if faults:
            raise Invalid(errors=faults)
        fund = self.fund_of(partner, program, country, first)
        checked = self.checked(fund, program, activities, country, given["amount"], (first, last), partner)
        return self.answer(
            {
                "program": program.code,
                "fund": str(fund.pk) if fund else None,
                "country": country,
                "amount": money.to_text(given["amount"], program.currency),
                "currency": program.currency,
                "starts_on": first,
                "ends_on": last,
                "findings": checked[0]["findings"] if given.get("activity") else [],
                "activities": checked,
            }
        )

    def program_asked(self) -> Program | None:
        """The program that the body names; its currency is that of the amount."""
        data: Any = self.request.data
        code = data.get("program") if hasattr(data, "get") else None
        return Program.objects.filter(code=code).first() if isinstance(code, str) and "\x00" not in code else None

    def activities_asked(
        self, code: str | None, program: Program, day: date, country: str, partner: Partner | None
    ) -> Sequence[Activity]:
        """The activity that is named, offered or not: the findings say which; else all that are offered."""
        if code:
            return list(Activity.objects.filter(code=code))
        return offered_activities(program.code, day, country=country, partner=partner.external_id if partner else "")

    def fund_of(self, partner: Partner | None, program: Program, country: str, day: date) -> Fund | None:
        """The partner's fund that pays for work of the day, as far as the client sees its funds."""
        if partner is None:
            return None
        funds = funds_of(self.person).filter(partner=partner, program=program, currency=program.currency)
        return paying_fund(list(funds), program, country, day)

    def checked(
        self,
        fund: Fund | None,
        program: Program,
        activities: Sequence[Activity],
        country: str,
        amount: int,
        days: tuple[date, date],
        partner: Partner | None,
    ) -> list[dict[str, Any]]:
        """What the rules say of the idea, for each activity."""
        book = current_book()
        period = fund.earning_period if fund else period_of(program, days[0])
        others = counted_for_each(partner, period, fund) if partner else {}
        found = []
        for activity in activities:
            facts = facts_of_idea(
                fund, program, activity, country, amount, program.currency, *days, partner, self.at, book, others
            )
            findings = rules.evaluate(book, facts)
            found.append(
                {
                    "activity": activity.code,
                    "name": activity.name,
                    "passes": not rules.failed(findings),
                    "findings": [finding.as_dict() for finding in findings],
                }
            )
        return found

    # --- What changed -------------------------------------------------------------------------------------------------

    @action(detail=False, methods=["get"], url_path="changes", url_name="changes")
    @act(gives=RuleChangesOut, query=BETWEEN)
    def changes(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """What changed between two days (by default in the last year) for a program, or for all of your own."""
        last = self.asked.get("to") or self.at.date()
        first = self.asked.get("from") or a_year_before(last)
        programs, code = programs_for(self.person), self.asked.get("program")
        if code:
            programs = list(Program.objects.filter(code=code))
        faults = []
        if last < first:
            faults.append(FieldError("to", "invalid", "Give a day after the first one."))
        if code and not programs:
            faults.append(FieldError("program", "not_found", "There is no such program."))
        if faults:
            raise Invalid(errors=faults)
        partner = self.partner
        country = self.asked.get("country") or (partner.country if partner else "")
        told = changes_for(programs, first, last, country=country, partner=partner.external_id if partner else "")
        found = {"programs": [program.code for program in programs], "country": country, "changes": told}
        return self.answer(found)
