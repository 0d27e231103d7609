"""Programs, their earning periods, and who is enrolled."""

from __future__ import annotations

from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from coop.lib.api import filters
from coop.lib.api.views import ApiViewSet, ListMixin, RetrieveMixin, act, verb
from funds.api import serializers as shapes
from funds.api.past import COMPARED, ProgramChangesOut, between_of, change_data
from funds.models import EarningPeriod, Enrollment, Fund, Program
from funds.operations.enrollments import enroll, update_enrollment
from funds.operations.extensions import grant_extension
from funds.operations.periods import extend_period
from funds.queries.changes import changes_of


class ProgramViewSet(ListMixin, RetrieveMixin, ApiViewSet):
    """Incentive programs. Everybody sees them: they are the published rules."""

    queryset = Program.objects.all()
    serializer_class = shapes.ProgramOut
    lookup_field = "code"
    lookup_value_regex = "[a-z0-9-]{1,40}"
    ordering = ("code",)
    missing = "There is no such program."
    filters = {"code": filters.by_code("code")}

    @action(detail=True, methods=["get"])
    @act(gives=ProgramChangesOut, query=COMPARED)
    def changes(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """What changed in all funds of a program that you may see, between two moments of knowledge."""
        program, between = self.get_object(), between_of(self.asked, self.at)
        found = changes_of(Fund.objects.visible_to(self.person).filter(program=program), between)
        return Response({"program": program.code, "changes": [change_data(change, between) for change in found]})


class EarningPeriodViewSet(ListMixin, RetrieveMixin, ApiViewSet):
    """The halves in which money is earned, with the dates of all four clocks."""

    queryset = EarningPeriod.objects.select_related("program")
    serializer_class = shapes.EarningPeriodOut
    write_scope = "programs:write"
    missing = "There is no such earning period."
    filters = {"program": filters.by_code("program__code"), "code": filters.by_text("code")}

    def get_queryset(self) -> QuerySet[Any]:
        mine = Fund.objects.visible_to(self.person).filter(
            partner_id=self.person.partner_id, earning_period=OuterRef("pk"), own_close_on__isnull=False
        )
        periods = EarningPeriod.objects.select_related("program")
        return (
            periods.annotate(own_close_on=Subquery(mine.values("own_close_on")[:1]))
            if self.person.partner_id
            else periods
        )

    @verb("extend", takes=shapes.Extending)
    def extend(self, request: Request, pk: str) -> Response:
        """Move the claim deadline to a later day, for everybody or for one partner."""
        taken = self.take()
        partner_id = taken.pop("partner", None)
        more = {**taken, "revision": self.revision, "by": self.person, "at": self.at}
        if partner_id is None:
            return self.answer(extend_period(int(pk), **more))
        extension = grant_extension(period_id=int(pk), partner_id=partner_id, **more)
        return self.answer(extension.earning_period)


class EnrollmentViewSet(ListMixin, RetrieveMixin, ApiViewSet):
    """Which location takes part in which program, from when on."""

    queryset = Enrollment.objects.all()
    serializer_class = shapes.EnrollmentOut
    write_scope = "people:write"
    missing = "There is no such enrollment."
    filters = {
        "partner": filters.by_id("partner_id"),
        "location": filters.by_id("location_id"),
        "program": filters.by_code("program__code"),
    }

    def get_queryset(self) -> QuerySet[Any]:
        return Enrollment.objects.visible_to(self.person).select_related("program")

    @act(takes=shapes.EnrollmentIn, status=201)
    def create(self, request: Request) -> Response:
        """Enroll a location in a program."""
        taken = self.take()
        location_id, program_code = taken.pop("location"), taken.pop("program")
        enrollment = enroll(location_id=location_id, program_code=program_code, **taken, by=self.person, at=self.at)
        return self.answer(enrollment)

    @act(takes=shapes.EnrollmentChange)
    def partial_update(self, request: Request, pk: str) -> Response:
        """Change the last day, or what is known of the payout profile."""
        self.get_object()
        changes = self.take(partial=True)
        enrollment = update_enrollment(int(pk), changes, revision=self.revision, by=self.person, at=self.at)
        return self.answer_fresh(enrollment)
