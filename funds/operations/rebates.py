"""The monthly rebate: what was recorded until the end of a month becomes one payable for each partner, program, currency."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Exists, OuterRef, Sum

from coop.lib import money
from coop.lib.dates import add_months, start_of_day
from coop.lib.db import take_lock
from funds.models import Payable, Program, Rebate
from partners import events

LOCK = 7_003_005  # the number of who gathers for a partner, among PostgreSQL's advisory locks


def month_of(at: datetime, zone: str) -> date:
    """The first day of the month in which an instant lies, in a zone."""
    return at.astimezone(ZoneInfo(zone)).date().replace(day=1)


def zones() -> list[str]:
    return list(Program.objects.order_by("time_zone").values_list("time_zone", flat=True).distinct())


def month_starts(after: datetime, until: datetime) -> list[datetime]:
    """The first instants of months in (after, until], in the zones of the programs, in order."""
    found = set()
    for zone in zones():
        month = add_months(month_of(after, zone), 1)
        while (start := start_of_day(month, zone)) <= until:
            found.add(start)
            month = add_months(month, 1)
    return sorted(found)


def anything_waits() -> bool:
    """Whether there is a rebate that no month gathered yet."""
    return Rebate.objects.filter(payable__isnull=True).exists()


def due_to_gather(at: datetime) -> list[int]:
    """The partners for whom something of an earlier month waits, sums to more than nothing and was not gathered yet."""
    found: set[int] = set()
    for zone in zones():
        start = start_of_day(month_of(at, zone), zone)
        gathered = Payable.objects.filter(
            kind="rebate",
            partner=OuterRef("partner"),
            program=OuterRef("program"),
            currency=OuterRef("currency"),
            approved_at=start,
        )
        waiting = Rebate.objects.filter(payable__isnull=True, recorded_at__lt=start, program__time_zone=zone)
        owed = waiting.order_by().values("partner_id", "program_id", "currency").annotate(owed=Sum("amount_minor"))
        found.update(owed.filter(~Exists(gathered), owed__gt=0).values_list("partner_id", flat=True))
    return sorted(found)


@transaction.atomic
def gather_rebates(partner_id: int, *, at: datetime) -> int:
    """Make a partner's payables of what was recorded before the present month; returns how many.

    What sums to nothing or less waits and nets with later months. A payable is approved with the first instant of the
    present month, so a job that runs late writes the same; what is recorded for a month after it was gathered goes with
    the next one. May run again, late, or together with itself: a partner whom another worker is at is left to that one.
    """
    if not take_lock(LOCK, partner_id):
        return 0
    groups: dict[tuple[int, str], list[Rebate]] = defaultdict(list)
    waiting = Rebate.objects.filter(partner_id=partner_id, payable__isnull=True, recorded_at__lt=at)
    for rebate in waiting.select_for_update(of=("self",)).select_related("program").order_by("id"):
        zone = rebate.program.time_zone
        if rebate.recorded_at < start_of_day(month_of(at, zone), zone):
            groups[(rebate.program_id, rebate.currency)].append(rebate)
    return sum(gather(rebates, at=at) for _, rebates in sorted(groups.items()))


def gather(rebates: list[Rebate], *, at: datetime) -> bool:
    """One payable of rebates of one partner, program and currency, if they sum to something; locked by the caller."""
    first, owed = rebates[0], sum(rebate.amount_minor for rebate in rebates)
    present = month_of(at, first.program.time_zone)
    month = f"{present - timedelta(days=1):%Y-%m}"
    reference = f"{month}:{first.partner_id}:{first.program_id}:{first.currency}"
    if owed <= 0 or Payable.objects.filter(reference_type="rebate", reference=reference).exists():
        return False
    payable = Payable.objects.create(
        kind="rebate",
        partner_id=first.partner_id,
        program_id=first.program_id,
        currency=first.currency,
        reference_type="rebate",
        reference=reference,
        amount_minor=owed,
        approved_at=start_of_day(present, first.program.time_zone),
    )
    Rebate.objects.filter(id__in=[rebate.id for rebate in rebates]).update(payable=payable)
    events.record(
        "rebate.gathered",
        payable,
        by=None,
        at=at,
        month=month,
        program=first.program.code,
        amount=money.to_text(owed, first.currency),
        currency=first.currency,
    )
    return True
