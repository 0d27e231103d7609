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
