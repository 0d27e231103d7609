"""Which events of money are told to whom, in which words. docs/notices.md has the table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from funds.notices import balances, extensions, payments, settlement, windows
from partners.audience import Audience
from partners.models import Event
from partners.telling import ToldOf

VERBS: dict[str, Callable[[Sequence[Event], Audience], Iterable[ToldOf]]] = {
    "fund.opened": settlement.opened,
    "fund.converted": settlement.converted,
    "fund.conversion_lowered": settlement.conversion_lowered,
    "fund.expired": settlement.expired,
    "import.committed": balances.import_committed,
    "import.reversed": balances.import_reversed,
    "adjustment.requested": balances.adjustment_requested,
    "adjustment.posted": balances.adjustment_posted,
    "payment_run.prepared": payments.run_prepared,
    "payment.held": payments.held,
    "payment.sent": payments.sent,
    "payment.failed": payments.failed,
    "payment.returned": payments.returned,
    "extension.asked": extensions.asked,
    "extension.granted": extensions.granted,
    "extension.declined": extensions.declined,
    "earning_period.claims_opened": windows.claims_opened,
    "earning_period.extended": extensions.period_extended,
}
