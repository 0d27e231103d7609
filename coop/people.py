"""The vendor's people of every sandbox. Their password is known to all, which is why they exist in sandboxes only."""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.hashers import make_password

from coop.sandbox import require_sandbox, start_clock
from partners.models import Person
from partners.operations import create_person

PASSWORD = "coop-demo-2024"  # noqa: S105 - printed at every start of a sandbox

# e-mail, name, role, title; the channel managers' portfolio is every partner, those of tomorrow too.
VENDOR = (
    ("program@vendor.example", "Priya Raman", "program_admin", ""),
    ("program2@vendor.example", "Paul Novak", "program_admin", ""),
    ("finance@vendor.example", "Fiona Adeyemi", "finance", ""),
    ("finance2@vendor.example", "Felix Brandt", "finance", ""),
    ("manager@vendor.example", "Mara Lindqvist", "channel_manager", "pdm"),
    ("pcmm@vendor.example", "Pedro Campos", "channel_manager", "pcmm"),
    ("gtm@vendor.example", "Greta Tamm", "channel_manager", "gtm_manager"),
    ("auditor@vendor.example", "Aiko Mori", "auditor", ""),
)


def load_vendor_people(at: datetime | None = None) -> list[Person]:
    """Make the vendor's people who are not there yet; returns all of them. Raises NotFound outside a sandbox."""
    require_sandbox()
    started = start_clock(at)
    known = {person.email: person for person in Person.objects.filter(email__in=[row[0] for row in VENDOR])}
    encoded = make_password(PASSWORD)  # once for all: hashing is slow on purpose
    return [
        known.get(email)
        or create_person(email=email, name=name, role=role, title=title, encoded_password=encoded, by=None, at=started)
        for email, name, role, title in VENDOR
    ]
