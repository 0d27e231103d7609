"""The events of webhooks themselves. They name the host alone: the rest of an address may be a secret."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from partners import events
from partners.hooks.addresses import BadAddress, read_url
from partners.models import Person, Webhook


def note(verb: str, webhook: Webhook, *, by: Person | None, at: datetime, **data: Any) -> None:
    """Record what was done with a webhook, or what became of it."""
    said = {"owner": str(webhook.owner_id), "host": host_of(webhook.url), **data}
    events.record(verb, webhook, by=by, at=at, partner_id=webhook.owner.partner_id, **said)


def host_of(url: str) -> str:
    try:
        return read_url(url).shown
    except BadAddress:  # an operator's setting has changed since it was saved
        return ""
