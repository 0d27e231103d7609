"""What a partner may expect: money that is approved and in no payment that it sees, and rebate not gathered yet."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Sum

from coop.lib import money
from coop.lib.dates import add_months, show_day
from funds.models import Rebate
from funds.operations.rebates import month_of
from funds.queries.payables import Group, groups_of, not_shown_yet, payable_by, with_names
from funds.remittance import KINDS
from partners.models import Person
from partners.permissions import within_partner


def expected_money(person: Person, *, at: datetime) -> list[dict[str, Any]]:
    """What waits to be paid to the person's partner: program, kind, amount, when, and whether something holds it."""
    approved = groups_of(with_names(not_shown_yet().filter(within_partner(person))))
    return [
        {
            "program": group.program.name,
            "kind": KINDS[group.kind],
            "amount": money.display(group.amount_minor, group.currency),
            "when": group.reason or f"With a payment run by {show_day(latest(group))}.",
            "held": bool(group.held),
        }
        for group in approved
    ] + gathering(person, at=at)


def latest(group: Group) -> Any:
    first = min(payable.approved_at for payable in group.payables)
    return payable_by(first, group.program)


def gathering(person: Person, *, at: datetime) -> list[dict[str, Any]]:
    """Rebate that was recorded and waits for the end of its month; less than nothing nets with what comes."""
    rows = (
        Rebate.objects.visible_to(person)
        .filter(payable__isnull=True)
        .order_by("program__name", "currency")
        .values_list("program__name", "program__time_zone", "currency")
        .annotate(owed=Sum("amount_minor"))
        .exclude(owed=0)
    )
    return [
        {
            "program": program,
            "kind": KINDS["rebate"],
            "amount": money.display(owed, currency),
            "when": f"Gathered on {show_day(add_months(month_of(at, zone), 1))} for the run after it."
            if owed > 0
            else "Owed back: it is taken off the rebate of the months to come.",
            "held": owed < 0,
        }
        for program, zone, currency, owed in rows
    ]
