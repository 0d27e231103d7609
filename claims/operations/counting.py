"""Locking all that a limit of the program counts before it is counted.

Two claims or plans on two funds of a partner would otherwise each find room for itself.
"""

from __future__ import annotations

from claims.models import Claim, Plan
from claims.queries.book import book_for, case_of, case_of_claim, current_book
from claims.queries.elsewhere import is_limited_by_program
from coop.lib.errors import Stale
from funds.ledger import lock_fund
from funds.models import Fund


def lock_funds_that_count(record: Claim | Plan | None) -> bool:
    """Lock every fund of the partner's program and period where a limit of the record counts them all; else none.

    Before the record's own fund is locked, in the order of their ids, like everywhere. Returns whether it did.
    """
    if record is None or not counts_all_funds(record):
        return False
    funds = Fund.objects.filter(partner=record.partner_id, earning_period=record.fund.earning_period_id)
    for fund_id in funds.order_by("id").values_list("id", flat=True):
        lock_fund(fund_id)
    return True


def counts_all_funds(record: Claim | Plan) -> bool:
    if isinstance(record, Claim):
        return is_limited_by_program(book_for(record), case_of_claim(record))
    book, first = current_book(), record.fund.earning_period.use_from
    return any(
        is_limited_by_program(book, case_of(record.fund, row.activity, row.country, row.starts_on or first, book))
        for row in record.activities.select_related("activity")
    )


def require_counted(record: Claim | Plan, locked: bool) -> None:
    """Refuse a locked record that came under such a limit after the funds were, or were not, locked. Raises Stale."""
    if not locked and counts_all_funds(record):
        what = record._meta.verbose_name
        raise Stale(
            f"Somebody changed the activity of this {what} while you sent it. Read it again and send it once more."
        )
