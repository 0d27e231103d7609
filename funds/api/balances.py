"""Funds, now and as of a past day as it was known then, their statements, and the entries that tell their story."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpResponse
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from coop.lib.api import filters
from coop.lib.api.filters import Filter
from coop.lib.api.views import ApiViewSet, ListMixin, RetrieveMixin, act
from coop.lib.errors import FieldError, Invalid
from funds import statements, states
from funds.api import past as forms
from funds.api import serializers as shapes
from funds.models import Entry, Fund, Link
from funds.queries.changes import change_of_fund, entries_between
from funds.queries.past import Moment, balance_as_of, balances_as_of, nobody_posting, require_past
from funds.queries.statement import statement_of

NO_FUND = "There is no such fund."
MOMENT: dict[str, Filter] = {"as_of": filters.day(), "known_at": filters.instant()}
FORMATS = {"json": "", "csv": "text/csv; charset=utf-8", "pdf": "application/pdf"}
SHOWN_ENTRIES = 200


def read_format(text: str) -> str:
    if text not in FORMATS:
        raise ValueError(f"There is no such format. Use {', '.join(FORMATS)}.")
    return text


PRINTED: dict[str, Filter] = {
    "format": Filter(read_format, None, {"type": "string", "enum": list(FORMATS), "default": "json"}),
    "from": filters.day(),
    "to": filters.day(),
    **MOMENT,
}


class FundViewSet(ListMixin, RetrieveMixin, ApiViewSet):
    """The money of a location in a program for one earning period."""

    queryset = Fund.objects.all()
    serializer_class = shapes.FundOut
    missing = NO_FUND
    filters = {
        "partner": filters.by_id("partner_id"),
        "location": filters.by_id("location_id"),
        "program": filters.by_code("program__code"),
        "earning_period": filters.by_id_or_code("earning_period_id", "earning_period__code"),
        "overdrawn": filters.by_yes_or_no(Q(available_minor__lt=0)),
        "as_of": filters.day(),
        # What did not exist then is left out.
        "known_at": filters.until("created_at"),
    }

    def get_queryset(self) -> QuerySet[Any]:
        return Fund.objects.visible_to(self.person).with_names()

    @property
    def moment(self) -> dict[str, Any]:
        """The two moments that were asked for. Raises Invalid for one that has not come."""
        require_past({"known_at": self.asked.get("known_at")}, at=self.at)
        return {name: self.asked[name] for name in MOMENT if name in self.asked}

    def get_serializer_context(self) -> dict[str, Any]:
        context = super().get_serializer_context()
        asked = getattr(self, "asked", {})
        return {**context, "moment": Moment(asked.get("as_of"), asked.get("known_at"))}

    def paginate_queryset(self, queryset: Any) -> Any:
        """A page with its balances as of then."""
        if self.moment and "overdrawn" in self.asked:
            raise Invalid.field("overdrawn", "This filter is of the present. Leave out as_of and known_at, or this.")
        return balances_as_of(super().paginate_queryset(queryset) or [], **self.moment)

    @act(query=MOMENT)
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """One of those that you may see."""
        moment = self.moment
        fund = self.known_fund()
        if not moment:
            return self.answer(fund)
        with nobody_posting([fund]):
            return self.answer(balance_as_of(fund, **moment))

    def known_fund(self) -> Any:
        """The fund of the address, if it existed at the moment that was asked for. Raises NotFound."""
        known_at = self.asked.get("known_at")
        return self.require_visible(
            self.get_queryset().filter(created_at__lte=known_at) if known_at else self.get_queryset(),
            self.kwargs["pk"],
            NO_FUND,
        )

    @action(detail=True, methods=["get"])
    @act(
        gives=forms.StatementOut,
        query=PRINTED,
    )
    def statement(self, request: Request, *args: Any, **kwargs: Any) -> Response | HttpResponse:
        """The statement of a fund as JSON, CSV or PDF. The same days and `known_at` give the same bytes for ever."""
        if "to" in self.asked and "as_of" in self.asked:
            raise Invalid(errors=[FieldError("as_of", "invalid", "as_of is another name of to: give one of them.")])
        known_at = self.moment.get("known_at") or self.at
        fund = self.known_fund()
        last = self.asked.get("to") or self.asked.get("as_of") or forms.today_in(fund, self.at)
        made = statement_of(fund, first=self.asked.get("from"), last=last, known_at=known_at)
        wanted = self.asked.get("format", "json")
        if wanted == "json":
            return Response(statements.as_data(made))
        content = statements.as_csv(made) if wanted == "csv" else statements.as_pdf(made)
        answer = HttpResponse(content, content_type=FORMATS[wanted])
        answer["Content-Disposition"] = f'attachment; filename="{statements.filename_of(made, wanted)}"'
        return answer

    @action(detail=True, methods=["get"])
    @act(gives=forms.FundChangesOut, query=forms.COMPARED)
    def changes(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """What changed in a fund between two moments of knowledge: figures, kinds, and the entries that came between."""
        between = forms.between_of(self.asked, self.at)
        fund = self.known_fund()
        change = change_of_fund(fund, between)
        entries = entries_between(fund, between, person=self.person, most=SHOWN_ENTRIES)
        shown = shapes.LinkedEntryOut(with_links(fund.pk, entries), many=True, context=self.get_serializer_context())
        return Response({"fund": str(fund.pk), **forms.change_data(change, between), "entries": shown.data})


def with_links(fund_id: int, entries: Iterable[Entry]) -> list[Entry]:
    """The entries of one fund, each with its number and its hash in the fund's chain."""
    found = list(entries)
    links = Link.objects.filter(fund_id=fund_id, entry_id__in=[entry.pk for entry in found])
    by_entry = {link.entry_id: link for link in links}
    for entry in found:
        entry.link = by_entry[entry.pk]  # type: ignore[attr-defined]
    return found


class EntryViewSet(ListMixin, ApiViewSet):
    """The movements of one fund, in the order in which they were recorded."""

    queryset = Entry.objects.all()
    serializer_class = shapes.LinkedEntryOut
    filters = {
        "kind": filters.by_choice("kind", states.MOVEMENTS),
        "as_of": filters.until_day("effective_on"),
        "known_at": filters.until("recorded_at"),
        "recorded_after": filters.after("recorded_at"),
    }

    def get_queryset(self) -> QuerySet[Any]:
        fund = self.require_visible(Fund.objects.visible_to(self.person), self.kwargs["fund_id"], NO_FUND)
        require_past({"known_at": self.asked.get("known_at")}, at=self.at)
        return Entry.objects.visible_to(self.person).filter(fund=fund)

    def paginate_queryset(self, queryset: Any) -> Any:
        return with_links(int(self.kwargs["fund_id"]), super().paginate_queryset(queryset) or [])
