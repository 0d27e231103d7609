"""The statuses of a claim and what may follow what. Source: domain.md section 6, api.md."""

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
}

REVIEW_BUSINESS_DAYS = 2  # in which a review is due; domain.md section 6

LINE_KINDS = {"invoice": "Invoice", "csr": "In-house work (CSR)"}
MONEY_EVIDENCE = {"invoice": "Invoice", "csr": "Certification statement and report (CSR)"}
DECISIONS = {"approve": "Accept", "approve_less": "Accept less", "return": "Return", "decline": "Decline"}

# What a document may be: ending, media type, and how its first bytes look.
DOCUMENT_TYPES = {
    "pdf": ("application/pdf", b"%PDF-"),
    "png": ("image/png", b"\x89PNG\r\n\x1a\n"),
    "jpg": ("image/jpeg", b"\xff\xd8\xff"),
    "jpeg": ("image/jpeg", b"\xff\xd8\xff"),
    "txt": ("text/plain", b""),
    "csv": ("text/csv", b""),
}
