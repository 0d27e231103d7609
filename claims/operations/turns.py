"""Who was first: what somebody hears who comes too late with a claim or a plan, or finds its money taken."""

from __future__ import annotations

from claims import states
from claims.models import Claim, Plan
from coop.lib.dates import show_instant
from coop.lib.errors import Stale, WrongStatus, check_revision
from coop.lib.transitions import Table, follow
from funds.models import Entry, Fund
from partners.models import Event, Person

TAKING = ("reserve", "hold")


def next_status(record: Claim | Plan, verb: str, *, by: Person) -> str:
    """The status that a verb leads to from a locked record's. Raises WrongStatus, which says whose act was the last."""
    table: Table = states.PLANS if isinstance(record, Plan) else states.CLAIMS
    try:
        return follow(table, verb, record.status, what=f"{record._meta.verbose_name} {record}")
    except WrongStatus as refusal:
        raise WrongStatus(f"{refusal.message} {last_act(record, by=by)}".strip()) from None


def require_fresh(record: Claim | Plan, seen: int | None, *, by: Person) -> None:
    """Refuse a write that was made on an older reading of a locked record. Raises Stale, which says whose act was the last."""
    try:
        check_revision(seen, record.revision)
    except Stale as refusal:
        raise Stale(f"{refusal.message} {last_act(record, by=by)}".strip()) from None


def last_act(record: Claim | Plan, *, by: Person) -> str:
    """Who did the last thing to a record that the reader may know of, and when: one sentence, or nothing."""
    subject_type = str(record._meta.verbose_name)
    event = Event.objects.visible_to(by).about(subject_type, record.pk).select_related("actor").first()
    if event is None:
        return ""
    what = event.verb.partition(".")[2].replace("_", " ")
    who = event.actor.name if event.actor else "the clock"
    return f"The last act was “{what}” by {who}, {show_instant(event.at, record.fund.program.time_zone)}."


def taken_last(fund: Fund, *, by: Person) -> str:
    """Who took money out of what is available in a fund last, and when: one sentence, or nothing."""
    taken = Entry.objects.visible_to(by).filter(fund=fund, from_bucket="available", kind__in=TAKING)
    entry = taken.select_related("actor").order_by("-id").first()
    if entry is None or entry.actor is None:
        return ""
    when = show_instant(entry.recorded_at, fund.program.time_zone)
    return f"{fund.show(entry.amount_minor)} was taken last, by {entry.actor.name}, {when}."
