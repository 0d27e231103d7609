"""Corrections: what lowered a balance, what carried a fund over its threshold, and what waits for a second person."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.urls import reverse

from coop.lib.db import rows
from funds import states
from funds.models import Adjustment, Fund
from funds.notices.words import about_fund, key_of, named, sentences, with_names
from funds.operations.threshold import COUNTED
from partners.audience import Audience
from partners.models import Event
from partners.states import FINANCE
from partners.telling import Telling, ToldOf

CHUNK = 500
OVERDRAWN = (
    "It is below zero: nothing can be planned or claimed from it until the vendor makes that good or writes it off."
)


# --- Imports ----------------------------------------------------------------------------------------------------------

# What a fund counted right after the import (or its reversal) was posted: several may be told of together, much later, and
# which of them carried it over its threshold is seen only by its own place among the entries.
SINCE = """coalesce((
  SELECT sum(CASE l.from_bucket WHEN 'program' THEN l.amount_minor ELSE -l.amount_minor END) FROM funds_entry l
  WHERE l.fund_id = funds_fund.id
    AND (l.kind IN ('earning', 'clawback', 'reversal') OR (l.kind = 'adjustment' AND l.reason_code <> 'coop_rollover'))
    AND l.id > (
      SELECT max(e.id) FROM funds_entry e WHERE e.fund_id = funds_fund.id AND e.reference_type = 'import'
        AND e.reference = %(import)s::text AND (e.kind = 'reversal') = (%(sign)s < 0))), 0)::bigint"""
# The funds that an import touched, by id, whose balance it lowered or which it carried over their threshold while they are
# still earned. A threshold is that of the last day of earning, as the test will take it. `minor` is what the import changed.
TOUCHED = f"""
SELECT * FROM (
  SELECT funds_fund.id, %(sign)s * x.coop_minor AS minor, funds_fund.settled_at IS NULL AS earning,
    {COUNTED} - {SINCE} AS counted, (
      SELECT t.amount_minor FROM funds_programthreshold t
      WHERE t.program_id = p.program_id AND t.valid_from <= p.earn_to AND (t.valid_to IS NULL OR t.valid_to >= p.earn_to)
      ORDER BY t.id LIMIT 1) AS threshold
  FROM funds_importeffect x
  JOIN funds_fund ON funds_fund.partner_id = x.partner_id AND funds_fund.enrollment_id = x.enrollment_id
    AND funds_fund.earning_period_id = x.earning_period_id AND funds_fund.currency = x.currency
  JOIN funds_earningperiod p ON p.id = x.earning_period_id
  WHERE x.import_id = %(import)s AND x.coop_minor <> 0 AND funds_fund.id > %(after)s
  ORDER BY funds_fund.id LIMIT {CHUNK}) AS touched ORDER BY id"""


@dataclass(frozen=True)
class Touched:
    """A fund that an import touched, with what it changed and how that stands to the threshold."""

    fund_id: int
    minor: int
    earning: bool
    counted: int
    threshold: int

    @property
    def crossed(self) -> bool:
        return self.earning and self.threshold > 0 and self.counted >= self.threshold > self.counted - self.minor

    @property
    def fell_below(self) -> bool:
        return self.earning and self.counted < self.threshold <= self.counted - self.minor


def import_committed(group: Sequence[Event], who: Audience) -> Iterator[ToldOf]:
    for event in group:
        yield from of_import(event, who, sign=1, why="The vendor delivered corrected earnings.")


def import_reversed(group: Sequence[Event], who: Audience) -> Iterator[ToldOf]:
    for event in group:
        reason = str(event.data.get("reason", "")).rstrip(".")
        why = f"The vendor took back a delivery of earnings{f': {reason}' if reason else ''}."
        yield from of_import(event, who, sign=-1, why=why)


def of_import(event: Event, who: Audience, *, sign: int, why: str) -> Iterator[ToldOf]:
    """One notice for each fund that is concerned; an import may touch hundreds of thousands, so they are read in pieces."""
    after = 0
    while True:
        page = rows(TOUCHED, {"sign": sign, "import": int(event.subject), "after": after})
        if not page:
            return
        after = page[-1][0]
        found = {row[0]: Touched(row[0], row[1], row[2], row[3], row[4] or 0) for row in page}
        wanted = [one for one in found.values() if one.minor < 0 or one.crossed]
        funds = with_names(one.fund_id for one in wanted)
        there = Audience({fund.partner_id for fund in funds}, at=who.at) if funds else who
        for fund in funds:
            touched = found[fund.pk]
            telling = crossed(event, fund, touched) if touched.minor > 0 else fell(event, fund, touched, why)
            yield event, there.of_partner(fund.partner_id), telling


def crossed(event: Event, fund: Fund, touched: Touched) -> Telling:
    text = (
        f"{named(fund)} has earned {fund.show(touched.counted)} of co-op, and its threshold is "
        f"{fund.show(touched.threshold)}. It is an estimate until the threshold test; then it can be spent. Plan now what to "
        "do with it."
    )
    title = f"The threshold is reached: {named(fund)}"
    return about_fund(event, fund, "forecast", title, text, amount_minor=touched.counted)


def fell(event: Event, fund: Fund, touched: Touched, why: str) -> Telling:
    below = f"It is below its threshold of {fund.show(touched.threshold)} now." if touched.fell_below else ""
    return fallen(event, fund, -touched.minor, sentences(why, below))


def fallen(event: Event, fund: Fund, minor: int, why: str) -> Telling:
    what = "The estimate" if fund.settled_at is None else "The balance"
    left = "are an estimate now" if fund.settled_at is None else "are available now"
    text = sentences(
        f"{what} of {named(fund)} fell by {fund.show(minor)}. {why} {fund.show(fund.available_minor)} {left}.",
        OVERDRAWN if fund.overdrawn and fund.settled_at else "",
    )
    return about_fund(
        event, fund, "balance", f"{what} fell by {fund.show(minor)}: {named(fund)}", text, amount_minor=minor
    )


# --- Adjustments ------------------------------------------------------------------------------------------------------


def adjustments_of(group: Sequence[Event]) -> dict[str, Adjustment]:
    found = Adjustment.objects.with_names().filter(id__in=[event.subject for event in group])
    return {str(adjustment.pk): adjustment for adjustment in found}


def adjustment_posted(group: Sequence[Event], who: Audience) -> Iterator[ToldOf]:
    """What took money out of a fund; what added some is seen in the fund."""
    adjustments = adjustments_of(group)
    for event in group:
        found = adjustments[event.subject]
        taken = -found.amount_minor if found.purpose == "correction" else found.amount_minor
        if taken <= 0 or found.purpose == "write_off":
            continue
        purpose = states.ADJUSTMENT_PURPOSES[found.purpose]
        where = f" ({found.to_fund.earning_period})" if found.to_fund else ""
        why = f"{purpose}{where}: {states.REASON_CODES[found.reason_code]}."
        yield event, who.of_partner(found.partner_id), fallen(event, found.fund, taken, why)


def adjustment_requested(group: Sequence[Event], who: Audience) -> Iterator[ToldOf]:
    """Above the program's amount a second person of finance must look. What was decided since is not told."""
    adjustments = adjustments_of(group)
    for event in group:
        found = adjustments[event.subject]
        if found.status != "requested":
            continue
        amount = found.fund.show(found.amount_minor)
        text = (
            f"{found.requested_by.name} asks for it: {states.ADJUSTMENT_PURPOSES[found.purpose].lower()} of {amount} for "
            f"{found.fund.partner.name}, {named(found.fund)}; {states.REASON_CODES[found.reason_code].lower()}. Nothing moves "
            "before another person of finance approves it."
        )
        yield (
            event,
            [one for one in who.of_vendor(FINANCE) if one.pk != found.requested_by_id],
            Telling(
                kind="needs_you",
                key=key_of(event),
                title=f"An adjustment of {amount} waits for a second person",
                text=text,
                link=reverse("adjustment", args=[found.pk]),
                subject_type="adjustment",
                subject=str(found.pk),
                partner_id=found.partner_id,
                at=event.at,
                zone=found.fund.program.time_zone,
                amount_minor=abs(found.amount_minor),
                currency=found.fund.currency,
            ),
        )
