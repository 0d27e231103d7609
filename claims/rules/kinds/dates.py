"""Rules about days and instants: the use period, the claim window, invoices, and whether an activity is offered at all."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from zoneinfo import ZoneInfo

from claims.rules.book import Book, Rule
from claims.rules.facts import Facts
from claims.rules.findings import Finding
from claims.rules.kinds.kind import EVERYTHING, Kind, sentence
from coop.lib.dates import show_day, show_deadline, show_instant


def use_period(rule: Rule, facts: Facts, book: Book) -> Iterable[Finding]:
    """R1: the activity lies inside the use period."""
    wanted = f"{show_day(facts.use_from)} to {show_day(facts.use_to)}"
    for name, day in (("activity_from", facts.activity_from), ("activity_to", facts.activity_to)):
        which = "first" if name == "activity_from" else "last"
        yield rule.finding(
            day is not None and facts.use_from <= day <= facts.use_to,
            seen=f"{which} day {show_day(day)}" if day else f"no {which} day",
            wanted=wanted,
            fix=f"Give a {which} day from {wanted}. Work outside it belongs to another fund.",
            at_field=name,
        )
    if facts.activity_from and facts.activity_to and facts.activity_to < facts.activity_from:
        yield rule.finding(
            False,
            seen=f"{show_day(facts.activity_from)} to {show_day(facts.activity_to)}",
            wanted="a last day on or after the first",
            fix="Swap the two days.",
            at_field="activity_to",
        )


def claim_window(rule: Rule, facts: Facts, book: Book) -> Iterable[Finding]:
    """R2: sent from the opening of claims until before the closing instant; a returned claim until the cure deadline."""
    now = show_instant(facts.at, facts.zone)
    if facts.returned and facts.sent_in_time:
        yield rule.finding(
            facts.at < facts.cure_close_at,
            text="A claim that was sent in time and returned must be mended before its cure deadline.",
            seen=now,
            wanted=f"until {show_deadline(facts.cure_close_at, facts.zone)}",
            fix="The cure deadline has passed; this claim cannot be sent again.",
        )
        return
    early = facts.at < facts.claims_open_at
    opens_on = facts.claims_open_at.astimezone(ZoneInfo(facts.zone)).date()
    yield rule.finding(
        facts.claims_open_at <= facts.at < facts.claims_close_at,
        seen=now,
        wanted=f"{show_instant(facts.claims_open_at, facts.zone)} to {show_deadline(facts.claims_close_at, facts.zone)}",
        fix=(
            f"Finish the draft now and send it on {show_day(opens_on)} or later."
            if early
            else "The claim deadline has passed; this fund takes no more claims."
        ),
    )


def invoice_date(rule: Rule, facts: Facts, book: Book) -> Iterable[Finding]:
    """R7: an invoice is dated inside the use period or at most so many days after it."""
    last = facts.use_to + timedelta(days=int(rule.params["days_after_use"]))
    wanted = f"{show_day(facts.use_from)} to {show_day(last)}"
    for line in facts.lines:
        if line.kind != "invoice":
            continue
        yield rule.finding(
            line.invoiced_on is not None and facts.use_from <= line.invoiced_on <= last,
            seen=show_day(line.invoiced_on) if line.invoiced_on else "no date",
            wanted=wanted,
            fix=f"Correct the date if it was mistyped; an invoice dated outside {wanted} cannot be claimed from this fund."
            if line.invoiced_on
            else "Enter the day that stands on the invoice.",
            at_field=f"lines.{line.id}.invoiced_on",
        )


def activity_offered(rule: Rule, facts: Facts, book: Book) -> Iterable[Finding]:
    """R9: the program offers this activity on the day it takes place."""
    yield rule.finding(
        facts.activity_valid and bool(rule.params["offered"]),
        seen=facts.activity_name,
        wanted="an activity that the program offers on the activity's first day",
        fix="Choose another activity, or correct the dates.",
        at_field="activity",
    )


KINDS = {
    "claim_window": Kind(claim_window, sentence),
    "use_period": Kind(use_period, sentence, EVERYTHING),
    "activity_offered": Kind(
        activity_offered,
        lambda rule: f"{'Paid for' if rule.params['offered'] else 'Not paid for'} by the program.",
        EVERYTHING,
        {"offered": "flag"},
    ),
    "invoice_date": Kind(
        invoice_date,
        lambda rule: (
            f"An invoice is dated inside the use period or at most {rule.params['days_after_use']} days after it."
        ),
        params={"days_after_use": "count"},
    ),
}
