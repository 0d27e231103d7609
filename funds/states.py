"""The closed lists of money: buckets, movements, and the states of imports, payment runs and payments."""

from __future__ import annotations

PROGRAM = "program"  # outside the fund: where money comes from and goes back to
AVAILABLE, RESERVED, IN_REVIEW, APPROVED = "available", "reserved", "in_review", "approved"
PAID, EXPIRED, CONVERTED = "paid", "expired", "converted"
BUCKETS = (AVAILABLE, RESERVED, IN_REVIEW, APPROVED, PAID, EXPIRED, CONVERTED)

# Which movement may go from where to where. The database holds the same table as a CHECK (migration funds/0002).
MOVEMENTS: dict[str, tuple[tuple[str, str], ...]] = {
    "earning": ((PROGRAM, AVAILABLE),),
    "clawback": ((AVAILABLE, PROGRAM),),
    "adjustment": ((PROGRAM, AVAILABLE), (AVAILABLE, PROGRAM)),
    "conversion": ((AVAILABLE, CONVERTED), (CONVERTED, AVAILABLE)),
    "reserve": ((AVAILABLE, RESERVED),),
    "release": (
        (RESERVED, AVAILABLE),
        (RESERVED, EXPIRED),
        (IN_REVIEW, AVAILABLE),
        (IN_REVIEW, EXPIRED),
        (IN_REVIEW, RESERVED),
    ),
    "hold": ((AVAILABLE, IN_REVIEW), (RESERVED, IN_REVIEW)),
    "approval": ((IN_REVIEW, APPROVED),),
    "payment": ((APPROVED, PAID),),
    "return": ((PAID, APPROVED),),
    "expiry": ((AVAILABLE, EXPIRED),),
    "reversal": ((PROGRAM, AVAILABLE), (AVAILABLE, PROGRAM)),
    "write_off": ((PROGRAM, AVAILABLE),),
    "restoration": ((EXPIRED, IN_REVIEW),),
}

# Only these may take *available* below zero: a correction of what was earned, after the money was spent.
MAY_OVERDRAW = ("adjustment", "clawback", "reversal")

# What comes from the program, or goes back to it, counts as one of the two figures on the left of the balance identity.
EARNED, ADJUSTED = "earned", "adjustments"
SIDES = {
    "earning": EARNED,
    "clawback": EARNED,
    "reversal": EARNED,
    "adjustment": ADJUSTED,
    "write_off": ADJUSTED,
}

# What a partner reads for a movement.
SENTENCES = {
    ("earning", AVAILABLE): "Earned",
    ("clawback", PROGRAM): "Taken back by the vendor",
    ("adjustment", AVAILABLE): "Adjusted upwards",
    ("adjustment", PROGRAM): "Adjusted downwards",
    ("conversion", CONVERTED): "Converted to rebate",
    ("conversion", AVAILABLE): "Given back from rebate",
    ("reserve", RESERVED): "Reserved for a plan",
    ("release", AVAILABLE): "Released",
    ("release", EXPIRED): "Released after the claim deadline, so expired",
    ("release", RESERVED): "Given back to the plan",
    ("hold", IN_REVIEW): "Held for a claim",
    ("approval", APPROVED): "Approved",
    ("payment", PAID): "Paid",
    ("return", APPROVED): "Came back from the bank, to be paid again",
    ("expiry", EXPIRED): "Expired: not claimed by the deadline",
    ("reversal", AVAILABLE): "Given back: an import was reversed",
    ("reversal", PROGRAM): "Taken back: an import was reversed",
    ("write_off", AVAILABLE): "Written off by the vendor",
    ("restoration", IN_REVIEW): "Restored: a dispute was decided for you",
}

REASON_CODES = {
    "ar_compliance": "AR compliance",
    "coop_rollover": "Co-op rollover",
    "ops_adjustment": "Operations adjustment",
    "wrong_calculation": "Wrong calculation",
    "wrong_enrollment": "Wrong enrollment",
    "partner_mapping": "Partner mapping",
    "policy_exception": "Policy exception",
    "previous_period": "Previous period earnings",
}

EARNING_KINDS = ("incentive", "rebate", "coop")

IMPORT_FORMATS = {"partner_center": "Earnings report, already split", "incentives": "Incentives to be split"}
IMPORTS = {
    "run": {"queued": "running"},
    "check": {"queued": "ready", "running": "ready"},
    "fail": {"queued": "failed", "running": "failed"},
    "map": {"failed": "queued"},
    "ask_commit": {"ready": "running"},
    # The lines were judged once more for the commit and came out otherwise than was shown: somebody must look again.
    "hold_back": {"running": "ready", "ready": "ready"},
    "commit": {"ready": "committed", "running": "committed"},
    "discard": {"queued": "discarded", "ready": "discarded", "failed": "discarded"},
    "reverse": {"committed": "reversed"},
}
IMPORT_STATUSES = ("queued", "running", "ready", "committed", "failed", "discarded", "reversed")

RUNS = {
    "approve": {"draft": "approved"},
    "cancel": {"draft": "cancelled"},
    "export": {"approved": "exported", "exported": "exported", "settled": "settled"},
    "read_results": {"approved": "exported", "exported": "exported"},
    "settle": {"exported": "settled"},
}
RUN_STATUSES = ("draft", "approved", "exported", "settled", "cancelled")

PAYMENT_STATUSES = (
    "unprocessed",
    "upcoming",
    "pending_tax_invoice",
    "in_progress",
    "sent",
    "failed",
    "reprocessing",
    "reversed",
    "rejected",
)
PAYMENTS = {
    "schedule": {"unprocessed": "upcoming"},
    "start": {"upcoming": "in_progress"},
    "send": {"in_progress": "sent", "upcoming": "sent"},
    "fail": {"in_progress": "failed", "upcoming": "failed"},
    "reject": {"unprocessed": "rejected"},
    "return": {"sent": "reversed"},
}

# Where a rebate comes from: the rebate share of an import, the reversal of one, or co-op that was converted.
REBATE_SOURCES = ("import", "reversal", "conversion")

ADJUSTMENTS = {
    "post": {"requested": "posted"},
    "decline": {"requested": "declined"},
}
ADJUSTMENT_STATUSES = ("requested", "posted", "declined")
ADJUSTMENT_PURPOSES = {
    "correction": "Correction",
    "rollover": "Rollover to another period",
    "to_rebate": "Rollover to rebate",
    "write_off": "Write-off",
}

RECONCILIATION_KINDS = {"earned": "What was earned", "paid": "What was paid"}
RECONCILED_OUTCOMES = {
    "different": "Different",
    "missing_here": "Missing here",
    "missing_there": "Missing there",
    "unreadable": "Unreadable",
}

PLAN_APPROVAL = ("required", "optional", "none")

# A request for a later claim deadline.
EXTENSIONS = {"asked": "Asked for", "granted": "Granted", "declined": "Declined"}
