"""WHO: partners and their people, what they did (events), and how they are told of it (notices, mails, webhooks, calendars)."""

from partners.models.people import (
    ApiKey,
    Delegation,
    Event,
    EventQuerySet,
    Location,
    Partner,
    PayoutAccount,
    Person,
)
from partners.models.telling import CalendarFeed, Mail, Notice, NoticeWay, Untold
from partners.models.webhooks import Attempt, Delivery, Webhook

__all__ = [
    "ApiKey",
    "Attempt",
    "CalendarFeed",
    "Delegation",
    "Delivery",
    "Event",
    "EventQuerySet",
    "Location",
    "Mail",
    "Notice",
    "NoticeWay",
    "Partner",
    "PayoutAccount",
    "Person",
    "Untold",
    "Webhook",
]
