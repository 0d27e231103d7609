"""The opening of claims: who has money in the period hears it once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from coop.lib.dates import show_deadline
from coop.lib.db import rows
from coop.lib.money import display
from funds.models import EarningPeriod
from funds.notices.extensions import CHUNK, PARTNERS, about_period
from partners.audience import Audience
from partners.models import Event
from partners.telling import ToldOf

# What a partner can claim when claims open, of all its funds in the period whose threshold test is done.
READY = """
SELECT partner_id, currency, sum(available_minor + reserved_minor)::bigint FROM funds_fund
WHERE earning_period_id = %s AND settled_at IS NOT NULL AND partner_id = ANY(%s)
GROUP BY 1, 2 HAVING sum(available_minor + reserved_minor) > 0 ORDER BY 1, 2"""


def claims_opened(group: Sequence[Event], who: Audience) -> Iterator[ToldOf]:
    """Nothing is said of a window that closed again before anybody could be told."""
    periods = EarningPeriod.objects.select_related("program").in_bulk([int(event.subject) for event in group])
    for event in group:
        period = periods[int(event.subject)]
        if who.at >= period.claims_close_at:
            continue
        title = f"Claims are open: {period.program.name}, {period}"
        until = show_deadline(period.claims_close_at, period.program.time_zone)
        after = 0
        while partners := [row[0] for row in rows(PARTNERS, [period.pk, after, CHUNK])]:
            after = partners[-1]
            there = Audience(partners, at=who.at)
            ready: dict[int, list[tuple[str, int]]] = {}
            for partner_id, currency, minor in rows(READY, [period.pk, partners]):
                ready.setdefault(partner_id, []).append((currency, minor))
            for partner_id, left in ready.items():
                amounts = " and ".join(display(minor, currency) for currency, minor in left)
                text = f"You can claim {amounts} from now on, until {until}. What is not claimed by then expires."
                yield event, there.of_partner(partner_id), about_period(event, period, partner_id, title, text, left)
