"""The sandbox's clock over REST. Outside a sandbox there is no such address."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from coop.lib import clock
from coop.lib.api.fields import Instant, YesNo
from coop.lib.api.serializers import Input
from coop.lib.api.views import WRITES, ApiViewSet, act
from coop.lib.errors import NotAllowed
from coop.sandbox import move_clock, require_sandbox
from partners.states import AUDITOR


class RanOut(serializers.Serializer[Any]):
    """One run of a job on the way: how many records it worked on, how many failed."""

    job = serializers.CharField()
    at = serializers.DateTimeField()
    worked = serializers.IntegerField()
    failed = serializers.IntegerField()
    notes = serializers.ListField(child=serializers.CharField())


class ClockOut(serializers.Serializer[Any]):
    now = serializers.DateTimeField()


class MovedOut(serializers.Serializer[Any]):
    before = serializers.DateTimeField()
    now = serializers.DateTimeField()
    ran = RanOut(many=True)


class Move(Input):
    now = Instant()
    run_jobs = YesNo(required=False)


class ClockViewSet(ApiViewSet):
    """Time stands still until it is moved, and goes forward only."""

    serializer_class = ClockOut

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        require_sandbox()
        super().initial(request, *args, **kwargs)

    def require_scope(self, method: str) -> None:
        """Any key that may write at all moves the clock: it belongs to no resource."""
        if method not in WRITES:
            super().require_scope(method)
        elif not any(scope.endswith(":write") for scope in getattr(self.request.auth, "scopes", ())):
            raise NotAllowed("This key may only read. Use one that has a scope for writing.")

    @act(gives=ClockOut)
    def read(self, request: Request) -> Response:
        """Where the clock stands."""
        return self.answer({"now": self.at})

    @act(takes=Move, gives=MovedOut)
    def move(self, request: Request) -> Response:
        """Move the clock forward, run the jobs that fell due on the way in order, and say which did something."""
        if self.person.role == AUDITOR:
            raise NotAllowed("Auditors read everything and change nothing, the clock included.")
        taken = self.take()
        moved = move_clock(taken["now"], run_jobs=taken.get("run_jobs", True), by=self.person)
        return self.answer({"before": moved.before, "now": clock.now(), "ran": moved.ran})
