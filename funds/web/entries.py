"""What is behind a figure: entries as tables show them, one entry with all that belongs to it, and the earning lines."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from coop.lib.dates import show_day, show_instant
from coop.lib.errors import NotFound
from coop.lib.money import display
from coop.lib.web import asked_text
from funds import references, states
from funds.models import Entry, Fund
from funds.queries.entries import EntryLine, EntryPage, WholeEntry, whole_entry
from funds.queries.funds import fund_seen_by
from funds.queries.lines import Line, earning_lines, history_of
from funds.statements import LABELS
from funds.web.clocks import earned_in
from partners.web.request import PersonRequest

Names = dict[tuple[str, str], references.Shown]


def entry_rows(shown: Fund, entries: EntryPage) -> list[dict[str, Any]]:
    """The entries as a table shows them: day, words, reference, in, out, balance."""
    names = references.show_all((line.entry.reference_type, line.entry.reference) for line in entries.lines)
    return [entry_row(shown, line, names) for line in entries.lines]


def entry_row(shown: Fund, line: EntryLine, names: Names) -> dict[str, Any]:
    entry = line.entry
    named = reference_of(entry, shown, names)
    moved = "" if line.change_minor else way_of(entry, shown)
    return {
        "number": line.number,
        "page": reverse("fund-entry", args=[shown.pk, line.number]),
        "day": show_day(entry.effective_on),
        "recorded": show_instant(entry.recorded_at),
        "what": entry.sentence,
        "detail": ", ".join(filter(None, (states.REASON_CODES.get(entry.reason_code, ""), entry.note, moved))),
        "reference": named.text,
        "url": named.url,
        "money_in": plain(line.change_minor, shown) if line.change_minor > 0 else "",
        "money_out": plain(-line.change_minor, shown) if line.change_minor < 0 else "",
        "balance": plain(line.balance_minor, shown),
    }


def plain(minor: int, shown: Fund) -> str:
    """An amount without its currency, which the page says once."""
    return shown.show(minor).rpartition(" ")[0]


def way_of(entry: Entry, shown: Fund) -> str:
    """ "4,000.00 USD from in review to approved"."""
    return f"{shown.show(entry.amount_minor)} from {entry.from_bucket} to {entry.to_bucket}".replace("_", " ")


def reference_of(entry: Entry, shown: Fund, names: Names) -> references.Shown:
    """What an entry is for: a text and the page of it."""
    named = names[(entry.reference_type, entry.reference)]
    if entry.reference_type == "import":
        query = {"import": entry.reference} | ({"part": "taken-back"} if entry.kind == "reversal" else {})
        address = reverse("fund-earnings", args=[shown.pk])
        return references.Shown("Earning lines", f"{address}?{urlencode(query)}")
    if entry.reference_type == "adjustment":
        return references.Shown(named.text, reverse("adjustment", args=[entry.reference]))
    if entry.reference_type == "earning_period":
        what = "deadline" if entry.kind == "expiry" else "threshold test"
        return references.Shown(f"{shown.earning_period} {what}", "")
    return named


# --- One entry --------------------------------------------------------------------------------------------------------


@login_required
@require_safe
def fund_entry(request: PersonRequest, fund_id: int, number: int) -> HttpResponse:
    """Everything of one entry in words, with its link of the chain."""
    shown = fund_seen_by(request.user, fund_id)
    found = whole_entry(shown, number, person=request.user)
    entry = found.entry
    context = {
        "fund": shown,
        "name": earned_in(shown.earning_period),
        "entry": entry,
        "number": number,
        "facts": entry_facts(request, shown, found),
        "columns": ["Figure", "Before", "Change", "After"],
        "moved": [
            {
                "label": LABELS[place],
                "before": plain(before, shown),
                "change": signed(after - before, shown),
                "after": plain(after, shown),
                "url": f"{reverse('fund', args=[shown.pk])}?bucket={place}#entries",
            }
            for place, before, after in found.moved
        ],
        "hash": bytes(found.link.hash).hex(),
        "previous_hash": bytes(found.previous.hash).hex() if found.previous else "",
        "newer": reverse("fund-entry", args=[shown.pk, number + 1]) if number < found.last else "",
        "older": reverse("fund-entry", args=[shown.pk, number - 1]) if number > 1 else "",
        "last": found.last,
    }
    return render(request, "funds/fund_entry.html", context)


def entry_facts(request: PersonRequest, shown: Fund, found: WholeEntry) -> list[dict[str, str]]:
    entry = found.entry
    named = reference_of(entry, shown, references.show_all([(entry.reference_type, entry.reference)]))
    facts = [
        {"key": "What happened", "value": entry.sentence},
        {"key": "Amount", "amount": shown.show(entry.amount_minor)},
        {"key": "From", "value": place_name(entry.from_bucket)},
        {"key": "To", "value": place_name(entry.to_bucket)},
        {"key": "For the day", "value": show_day(entry.effective_on)},
        {"key": "Recorded", "value": show_instant(entry.recorded_at)},
        {"key": "For", "value": named.text, "url": named.url},
    ]
    if payment := payment_of(entry):
        facts.append({"key": "By", "value": f"Payment {payment}", "url": reverse("payment", args=[payment])})
    if entry.reason_code:
        facts.append({"key": "Reason", "value": states.REASON_CODES[entry.reason_code]})
    if entry.note:
        facts.append({"key": "Note", "value": entry.note})
    facts.append({"key": "Recorded by", "value": actor_of(request, entry)})
    if request.user.is_vendor:
        facts.append({"key": "Key", "value": entry.key})
    return facts


def actor_of(request: PersonRequest, entry: Entry) -> str:
    """Who did it; a partner reads the names of its own people, and of the vendor's that it was the vendor."""
    actor = entry.actor
    if actor is None:
        return "The system, by its timetable"
    if request.user.is_vendor or actor.partner_id == request.user.partner_id:
        return actor.name
    return "The vendor"


def payment_of(entry: Entry) -> str:
    """The number of the payment that an entry of the bank's answer belongs to: the second part of its key."""
    parts = entry.key.split(":")
    return parts[1] if entry.kind in ("payment", "return") and parts[0] == "payment" and len(parts) > 2 else ""


def place_name(place: str) -> str:
    return "The program, outside the fund" if place == states.PROGRAM else LABELS[place]


def signed(minor: int, shown: Fund) -> str:
    return f"{'+' if minor > 0 else ''}{plain(minor, shown)}"


# --- Earning lines ----------------------------------------------------------------------------------------------------


@login_required
@require_safe
def fund_earnings(request: PersonRequest, fund_id: int) -> HttpResponse:
    """The earning lines of one delivery that came into this fund."""
    shown = fund_seen_by(request.user, fund_id)
    asked = request.GET.get("import", "")
    if not (asked.isascii() and asked.isdigit() and len(asked) < 19):
        raise NotFound("There is no such delivery of earnings.")
    taken_back = request.GET.get("part") == "taken-back"
    found = earning_lines(
        shown,
        person=request.user,
        delivery_id=int(asked),
        taken_back=taken_back,
        after=asked_text(request, "after"),
    )
    if not found.number:
        raise NotFound("There is no such delivery of earnings.")
    part = {"part": "taken-back"} if taken_back else {}
    older = urlencode({"import": asked, **part, "after": found.older}) if found.older else ""
    rows = [line_row(shown, line) for line in found.lines]
    context = {
        "fund": shown,
        "name": earned_in(shown.earning_period),
        "found": found,
        "lines": rows,
        "taken_back": taken_back,
        "corrects": any(row["former"] for row in rows),
        "older_url": f"{reverse('fund-earnings', args=[shown.pk])}?{older}" if older else "",
        "rebate": shown.show(found.rebate_minor),
        "coop": shown.show(found.coop_minor),
    }
    return render(request, "funds/fund_earnings.html", context)


@login_required
@require_safe
def fund_line(request: PersonRequest, fund_id: int) -> HttpResponse:
    """One earning line: every version of it, the newest first, each as it was sent."""
    shown = fund_seen_by(request.user, fund_id)
    external_id = asked_text(request, "line")
    versions = history_of(shown, external_id, person=request.user)
    context = {
        "fund": shown,
        "name": earned_in(shown.earning_period),
        "line": external_id,
        "versions": [version_card(shown, line) for line in versions],
    }
    return render(request, "funds/fund_line.html", context)


def line_row(shown: Fund, found: Line) -> dict[str, Any]:
    line = found.earning
    foreign = line.currency != line.fund_currency
    rate = (
        f" at {line.rate.normalize():f} of {show_day(line.rate_on)}" if foreign and line.rate and line.rate_on else ""
    )
    source = f", {line.rate_source}" if rate and line.rate_source else ""
    former = found.former
    return {
        "id": line.external_id,
        "url": f"{reverse('fund-line', args=[shown.pk])}?{urlencode({'line': line.external_id})}",
        "version": line.version,
        "day": show_day(line.earned_on),
        "what": "Taken back" if line.withdrawn else what_of(found),
        "amount": display(line.amount_minor, line.currency),
        "converted": f"{shown.show(line.fund_amount_minor)}{rate}{source}" if foreign else "",
        "former": display(former.amount_minor, former.currency) if former else "",
        "rebate": plain(line.rebate_change_minor, shown),
        "coop": plain(line.coop_change_minor, shown),
    }


def what_of(found: Line) -> str:
    line = found.earning
    return ", ".join(filter(None, (line.kind.capitalize(), line.lever, states.REASON_CODES.get(line.reason_code, ""))))


def version_card(shown: Fund, found: Line) -> dict[str, Any]:
    """One version as a card of facts."""
    line, row = found.earning, line_row(shown, found)
    here = (line.enrollment_id, line.earning_period_id, line.fund_currency) == (
        shown.enrollment_id,
        shown.earning_period_id,
        shown.currency,
    )
    facts = [
        {"key": "Earned on", "value": row["day"]},
        {"key": "What", "value": what_of(found)},
        {"key": "Amount", "value": f"{row['amount']}{', which is ' + row['converted'] if row['converted'] else ''}"},
        {"key": "Rebate", "value": display(line.rebate_minor, line.fund_currency)},
        {"key": "Co-op", "value": display(line.coop_minor, line.fund_currency)},
        {"key": "Change of the fund", "value": display(line.coop_change_minor, line.fund_currency)},
    ]
    if not here:
        place = f"{line.program}, {line.location}, {earned_in(line.earning_period)}"
        facts.append({"key": "Belongs to", "value": place})
    facts.append({"key": "Delivered", "value": show_instant(line.created_at)})
    return {
        "title": f"Version {line.version}",
        "status": "Taken back" if line.withdrawn else "",
        "facts": facts,
        "cells": found.cells,
        "lines_url": f"{reverse('fund-earnings', args=[shown.pk])}?import={line.delivery_id}" if here else "",
    }
