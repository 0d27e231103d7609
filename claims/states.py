"""The closed lists of plans and claims: statuses, and what may follow what. Source: domain.md sections 5 and 6, api.md."""

from __future__ import annotations

DRAFT, SUBMITTED, IN_REVIEW, ACTION_REQUIRED = "draft", "submitted", "in_review", "action_required"
APPROVED, REJECTED, DISPUTED, PAID = "approved", "rejected", "disputed", "paid"
WITHDRAWN, LAPSED = "withdrawn", "lapsed"

# Status: how it reads, whose turn it is, and what it means in one sentence.
STATUSES = {
    DRAFT: ("Draft", "partner", "Not sent yet. Nothing is held for it."),
    SUBMITTED: ("Sent", "channel_manager", "Sent in time and waiting for review."),
    IN_REVIEW: ("In review", "channel_manager", "Somebody is reviewing it."),
    ACTION_REQUIRED: (
        "Action required",
        "partner",
        "Returned: mend what the fix list says and send it again.",
    ),
    APPROVED: ("Approved", "finance", "Approved and waiting for payment."),
    REJECTED: ("Declined", "nobody", "Declined. The money it held was released."),
    DISPUTED: ("Disputed", "channel_manager", "Disputed: another person decides."),
    PAID: ("Paid", "nobody", "Paid."),
    WITHDRAWN: ("Withdrawn", "nobody", "Withdrawn by the partner before a decision."),
    LAPSED: ("Lapsed", "nobody", "Not sent, or not mended, before its deadline."),
}
OPEN = (DRAFT, ACTION_REQUIRED)  # the partner may write
WAITING = (SUBMITTED, IN_REVIEW, DISPUTED)  # for a channel manager
HOLDING = (SUBMITTED, IN_REVIEW, ACTION_REQUIRED)  # money is held in review

CLAIMS = {
    "submit": {DRAFT: SUBMITTED, ACTION_REQUIRED: SUBMITTED},
    "withdraw": {DRAFT: WITHDRAWN, SUBMITTED: WITHDRAWN, IN_REVIEW: WITHDRAWN, ACTION_REQUIRED: WITHDRAWN},
    "start_review": {SUBMITTED: IN_REVIEW},
    "return": {IN_REVIEW: ACTION_REQUIRED},
    "approve": {IN_REVIEW: APPROVED},
    "reject": {IN_REVIEW: REJECTED},
    "pay": {APPROVED: PAID},
    "unpay": {PAID: APPROVED},  # the bank sent the money back
    "lapse": {DRAFT: LAPSED, ACTION_REQUIRED: LAPSED},
    "dispute": {REJECTED: DISPUTED},
    "uphold": {DISPUTED: REJECTED},
    "grant": {DISPUTED: APPROVED},
    "reopen": {DISPUTED: ACTION_REQUIRED},
}

# --- Plans --------------------------------------------------------------------------------------------------------------

RETURNED, DECLINED, CANCELLED, CLOSED = "returned", "declined", "cancelled", "closed"

# Status: how it reads, whose turn it is, and what it means in one sentence.
PLAN_STATUSES = {
    DRAFT: ("Draft", "partner", "Not sent yet. Nothing is reserved for it."),
    SUBMITTED: ("Sent", "channel_manager", "Waiting for approval."),
    RETURNED: ("Returned", "partner", "Returned: mend what was asked for and send it again."),
    APPROVED: ("Approved", "partner", "Approved: the work can begin and be claimed."),
    DECLINED: ("Declined", "nobody", "Declined. Nothing is reserved."),
    CANCELLED: ("Cancelled", "nobody", "Cancelled by the partner. What was reserved was released."),
    LAPSED: ("Lapsed", "nobody", "Not sent, or not claimed, before the claim deadline."),
    CLOSED: ("Closed", "nobody", "Everything was claimed, or a newer version took its place."),
}
PLAN_OPEN = (DRAFT, RETURNED)

PLANS = {
    "submit": {DRAFT: SUBMITTED, RETURNED: SUBMITTED},
    "withdraw": {SUBMITTED: DRAFT},
    "approve": {SUBMITTED: APPROVED},
    "return": {SUBMITTED: RETURNED},
    "decline": {SUBMITTED: DECLINED},
    "cancel": {DRAFT: CANCELLED, RETURNED: CANCELLED, APPROVED: CANCELLED},
    "lapse": {DRAFT: LAPSED, RETURNED: LAPSED, SUBMITTED: LAPSED, APPROVED: LAPSED},
    "close": {APPROVED: CLOSED},
}

# --- Decisions and work on a claim ---------------------------------------------------------------------------------------

# What a decision record says was done.
ACTS = {
    "approve": "Approved",
    "return": "Returned",
    "decline": "Declined",
    "dispute_granted": "Dispute granted",
    "dispute_upheld": "First decision upheld",
    "dispute_returned": "Returned after a dispute",
}
DISPUTE_BUSINESS_DAYS = 5  # in which a dispute is due; domain.md section 6
DAYS_TO_DISPUTE = 30  # after a claim was declined; decided by us, docs/adr/0028

# The tasks of a claim's hub that somebody can be asked to do.
TASKS = {
    "about": "About the activity",
    "invoice": "Invoices",
    "csr": "In-house work",
    "proof": "Proof of execution",
    "results": "Results",
}

DRAFT_STATUSES = ("draft", "requested", "published", "discarded")

# --- Evidence -------------------------------------------------------------------------------------------------------------

PREVIEWS = ("waiting", "ready", "none", "failed")
DOCUMENT_DECISIONS = {"accept": "Accept", "return": "Return", "decline": "Decline"}
DUPLICATE_KINDS = {
    "file": "The same file",
    "picture": "The same picture",
    "invoice": "The same supplier and invoice number",
    "amount": "The same supplier and amount at nearly the same time",
}
RESOLUTIONS = {"different": "Not the same", "accepted": "The same, and rightly so", "duplicate": "Claimed twice"}

REVIEW_BUSINESS_DAYS = 2  # in which a review is due; domain.md section 6

LINE_KINDS = {"invoice": "Invoice", "csr": "In-house work (CSR)"}
MONEY_EVIDENCE = {"invoice": "Invoice", "csr": "Certification statement and report (CSR)"}
DECISIONS = {"approve": "Accept", "approve_less": "Accept less", "return": "Return", "decline": "Decline"}
