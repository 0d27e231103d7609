"""What statements and comparisons look like to a client."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from rest_framework import serializers

from coop.lib.api import filters
from coop.lib.money import to_text
from funds import states
from funds.api.serializers import LinkedEntryOut
from funds.models import Fund
from funds.queries.changes import BEGINNING, Between, Change
from funds.queries.past import require_past
from funds.statements import amounts

COMPARED = {"since": filters.instant(), "until": filters.instant(), "as_of": filters.day()}


def today_in(fund: Fund, at: datetime) -> date:
    """The day of an instant in the zone of the fund's program."""
    return at.astimezone(ZoneInfo(fund.program.time_zone)).date()


def between_of(asked: dict[str, Any], at: datetime) -> Between:
    """The two moments of a comparison, by default the beginning and now. Raises Invalid for one that has not come."""
    require_past({name: asked.get(name) for name in ("since", "until")}, at=at)
    return Between(asked.get("since", BEGINNING), asked.get("until") or at, asked.get("as_of"))


class FiguresOut(serializers.Serializer[Any]):
    """The nine figures of the balance identity, as amounts of one currency."""

    earned = serializers.CharField()
    adjustments = serializers.CharField()
    available = serializers.CharField()
    reserved = serializers.CharField()
    in_review = serializers.CharField()
    approved = serializers.CharField()
    paid = serializers.CharField()
    expired = serializers.CharField()
    converted = serializers.CharField()


class ClocksOut(serializers.Serializer[Any]):
    """First and last day of each clock, as they were promised at `known_at`; of the cure its last day."""

    earn = serializers.ListField(child=serializers.DateField())
    use = serializers.ListField(child=serializers.DateField())
    claim = serializers.ListField(child=serializers.DateField())
    cure = serializers.ListField(child=serializers.DateField())


class StatementLineOut(serializers.Serializer[Any]):
    """One movement. `change` is what it did to available, signed; `available` what was available after it."""

    number = serializers.IntegerField()
    entry = serializers.CharField()
    kind = serializers.ChoiceField(list(states.MOVEMENTS))
    text = serializers.CharField()
    effective_on = serializers.DateField()
    recorded_at = serializers.DateTimeField()
    reference = serializers.CharField()
    reason_code = serializers.CharField()
    note = serializers.CharField()
    from_bucket = serializers.CharField()
    to_bucket = serializers.CharField()
    amount = serializers.CharField()
    change = serializers.CharField()
    available = serializers.CharField()


class StatementHead(serializers.Serializer[Any]):
    """The last entry included: its number in the fund and the hash of the fund's chain there."""

    number = serializers.IntegerField()
    entry = serializers.CharField()
    hash = serializers.CharField()


class StatementOut(serializers.Serializer[Any]):
    """A fund's statement. `from` null is the beginning. With format=csv or format=pdf the answer is that file."""

    fund = serializers.CharField()
    partner = serializers.CharField()
    partner_name = serializers.CharField()
    location = serializers.CharField()
    location_name = serializers.CharField()
    program = serializers.CharField()
    program_name = serializers.CharField()
    earning_period = serializers.CharField()
    earning_period_code = serializers.CharField()
    currency = serializers.CharField()
    clocks = ClocksOut()
    known_at = serializers.DateTimeField()
    opening = FiguresOut()
    movements = StatementLineOut(many=True)
    closing = FiguresOut()
    head = StatementHead(allow_null=True)

    def get_fields(self) -> dict[str, Any]:
        # "from" is a word of Python.
        return {
            **super().get_fields(),
            "from": serializers.DateField(allow_null=True),
            "to": serializers.DateField(),
        }


class KindMovedOut(serializers.Serializer[Any]):
    """All entries of one kind from one bucket to another."""

    kind = serializers.ChoiceField(list(states.MOVEMENTS))
    text = serializers.CharField()
    from_bucket = serializers.CharField()
    to_bucket = serializers.CharField()
    entries = serializers.IntegerField()
    amount = serializers.CharField()


class ChangeOut(serializers.Serializer[Any]):
    """Figures known at `since` (null: the beginning) and at `until`, of days up to `as_of`.

    `difference` is what came between, `moved` the same by kind.
    """

    since = serializers.DateTimeField(allow_null=True)
    until = serializers.DateTimeField()
    as_of = serializers.DateField(allow_null=True)
    currency = serializers.CharField()
    before = FiguresOut()
    after = FiguresOut()
    difference = FiguresOut()
    moved = KindMovedOut(many=True)
    entries_recorded = serializers.IntegerField()


class FundChangesOut(ChangeOut):
    """`entries` are the first 200 that came between; `GET funds/{id}/entries/?recorded_after=...` has all."""

    fund = serializers.CharField()
    entries = LinkedEntryOut(many=True)


class ProgramChangesOut(serializers.Serializer[Any]):
    """One comparison for each currency of the funds that you may see."""

    program = serializers.CharField()
    changes = ChangeOut(many=True)


def change_data(change: Change, between: Between) -> dict[str, Any]:
    return {
        "since": shown(between.since) if between.since > BEGINNING else None,
        "until": shown(between.until),
        "as_of": between.as_of.isoformat() if between.as_of else None,
        "currency": change.currency,
        "before": amounts(change.before, change.currency),
        "after": amounts(change.after, change.currency),
        "difference": amounts(change.difference, change.currency),
        "moved": [
            {
                "kind": row.kind,
                "text": states.SENTENCES[(row.kind, row.to_bucket)],
                "from_bucket": row.from_bucket,
                "to_bucket": row.to_bucket,
                "entries": row.number,
                "amount": to_text(row.minor, change.currency),
            }
            for row in change.moved
        ],
        "entries_recorded": change.entries,
    }


def shown(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
