"""How much there is: programs and their calendars, earnings, funds, the ledger, imports and payments.

Money columns are whole minor units of the row's currency and end in `_minor`.
"""

from funds.models.adjustments import Adjustment
from funds.models.earnings import (
    ColumnMapping,
    Earning,
    EarningQuerySet,
    ExchangeRate,
    Import,
    ImportEffect,
    ImportProgress,
)
from funds.models.extensions import Extension, ExtensionQuerySet
from funds.models.ledger import Entry, Fund, FundQuerySet
from funds.models.lines import SentLine, StagedLine
from funds.models.payments import Payable, Payment, PaymentItem, PaymentRun, Rebate
from funds.models.programs import (
    Calendar,
    EarningPeriod,
    Enrollment,
    Program,
    ProgramSplit,
    ProgramThreshold,
)
from funds.models.proof import Anchor, LedgerHead, Link
from funds.models.reconciliation import ReconciledLine, Reconciliation

__all__ = [
    "Adjustment",
    "Anchor",
    "Calendar",
    "ColumnMapping",
    "Earning",
    "EarningPeriod",
    "EarningQuerySet",
    "Enrollment",
    "Entry",
    "ExchangeRate",
    "Extension",
    "ExtensionQuerySet",
    "Fund",
    "FundQuerySet",
    "Import",
    "ImportEffect",
    "ImportProgress",
    "LedgerHead",
    "Link",
    "Payable",
    "Payment",
    "PaymentItem",
    "PaymentRun",
    "Program",
    "ProgramSplit",
    "ProgramThreshold",
    "Rebate",
    "ReconciledLine",
    "Reconciliation",
    "SentLine",
    "StagedLine",
]
