"""How much there is: programs and their calendars, earnings, funds, the ledger, imports and payments.

Money columns are whole minor units of the row's currency and end in `_minor`.
"""

from funds.models.earnings import Earning, EarningQuerySet, Import, StagedLine
from funds.models.ledger import Entry, Fund, FundQuerySet
from funds.models.payments import Payable, Payment, PaymentItem, PaymentRun
from funds.models.programs import (
    Calendar,
    EarningPeriod,
    Enrollment,
    Program,
    ProgramSplit,
    ProgramThreshold,
)

__all__ = [
    "Calendar",
    "Earning",
    "EarningPeriod",
    "EarningQuerySet",
    "Enrollment",
    "Entry",
    "Fund",
    "FundQuerySet",
    "Import",
    "Payable",
    "Payment",
    "PaymentItem",
    "PaymentRun",
    "Program",
    "ProgramSplit",
    "ProgramThreshold",
    "StagedLine",
]
