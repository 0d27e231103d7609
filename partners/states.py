"""Roles, titles and scopes: the closed lists. Source: domain.md section 7, api.md."""

from __future__ import annotations

MARKETER, PARTNER_ADMIN, AGENCY = "marketer", "partner_admin", "agency"
CHANNEL_MANAGER, FINANCE, PROGRAM_ADMIN, AUDITOR = "channel_manager", "finance", "program_admin", "auditor"

PARTNER_ROLES = (MARKETER, PARTNER_ADMIN, AGENCY)
VENDOR_ROLES = (CHANNEL_MANAGER, FINANCE, PROGRAM_ADMIN, AUDITOR)
ROLES = {
    MARKETER: "Marketer",
    PARTNER_ADMIN: "Partner admin",
    AGENCY: "Agency guest",
    CHANNEL_MANAGER: "Channel manager",
    FINANCE: "Finance",
    PROGRAM_ADMIN: "Program admin",
    AUDITOR: "Auditor",
}

TITLES = {
    "gtm_manager": "Product Portfolio Go-to-Market Manager",
    "pdm": "Partner Development Manager",
    "pcmm": "Partner Channel Marketing Manager",
}

SCOPES = {
    "funds:read": "See programs, funds, claims and payments",
    "earnings:write": "Send earnings and imports",
    "plans:write": "Write plans",
    "claims:write": "Write and send claims",
    "reviews:write": "Decide plans and claims",
    "payments:write": "Prepare and approve payment runs",
    "programs:write": "Change programs and periods",
    "people:write": "Change people, partners, locations and enrollments",
}

# How a notice goes out by mail.
INSTANT, DIGEST, NO_MAIL = "instant", "digest", "none"
WAYS = {INSTANT: "At once", DIGEST: "In the daily digest", NO_MAIL: "No mail"}

# Kinds of notice: the name, and how it is mailed to who chose nothing.
NOTICES = {
    "needs_you": ("Something waits for you", INSTANT),
    "deadline": ("A deadline comes near", INSTANT),
    "decision": ("A decision on a plan or claim", INSTANT),
    "payment": ("Payments", INSTANT),
    "forecast": ("Whether the threshold will be reached", DIGEST),
    "balance": ("A balance fell", INSTANT),
    "expired": ("Money expired or became rebate", INSTANT),
    "nobody_acted": ("Nobody acted on something of yours or your team's", INSTANT),
    "dates": ("A date moved, or somebody asks for it", INSTANT),
    "rules": ("Rules changed", DIGEST),
    "operations": ("A job, a webhook or a mail failed", INSTANT),
}

# The status of a mail or of a delivery to a webhook.
SENDING = {"waiting": "Waiting", "sent": "Sent", "failed": "Given up"}

# The first part of a verb: what an event is about. Webhooks choose among them.
EVENT_AREAS = {
    "claim": "Claims",
    "plan": "Plans",
    "payment": "Payments",
    "rebate": "Rebates",
    "adjustment": "Adjustments",
    "earning_period": "Earning periods and their dates",
    "extension": "Extensions of deadlines",
    "enrollment": "Enrollments",
    "partner": "Partners",
    "location": "Locations",
    "person": "People",
    "payout_account": "Payout accounts",
    "delegation": "Who stands in",
    "import": "Imports",
    "payment_run": "Payment runs",
    "reconciliation": "Reconciliations",
    "rates": "Exchange rates",
    "catalog": "Publications of the rules",
    "rule_draft": "Drafts of the rules",
    "ledger": "The ledger",
    "api_key": "API keys",
    "calendar_feed": "Calendar feeds",
    "job": "Jobs",
    "clock": "The sandbox's clock",
}
# Those that concern a partner's people.
PARTNER_AREAS = tuple(EVENT_AREAS)[:12]
