"""Guards of what people and programs are told."""

# ruff: noqa: PLC0415
from __future__ import annotations

from typing import Any

WITHOUT_OUTBOX = "DROP TRIGGER event_is_to_be_told ON partners_event;"


def on_commit() -> None:
    """No outbox: after the commit a message in the broker says which event is to be told."""
    from django.db import transaction

    from coop.celery import app
    from coop.lib.db import execute
    from partners import events
    from partners.models import Event

    @app.task(name="chaos.tell_one")
    def tell_one(event_id: int) -> None:
        execute("INSERT INTO partners_untold VALUES (%s) ON CONFLICT DO NOTHING", [event_id])

    def record(*args: Any, **kwargs: Any) -> Event:
        event = recorded(*args, **kwargs)
        transaction.on_commit(lambda: tell_one.delay(event.pk), robust=True)
        return event

    recorded = events.record
    events.record = record  # type: ignore[assignment]


def mark_mail_before_send() -> None:
    """A mail is marked as sent, and then given to the server."""
    from coop.lib.db import execute
    from partners import mailing

    send = mailing.send

    def marked(mail: Any, *args: Any, **kwargs: Any) -> None:
        execute("UPDATE partners_mail SET status = 'sent' WHERE id = %s", [mail.pk])
        send(mail, *args, **kwargs)

    mailing.send = marked  # type: ignore[assignment]


def new_message_id() -> None:
    """Each try of a mail has an id of its own, so that nobody can tell a repeat from a new mail."""
    from email.utils import make_msgid

    from partners import mailing

    send = mailing.send

    def renamed(mail: Any, *args: Any, **kwargs: Any) -> None:
        mail.message_id = make_msgid(domain="localhost")
        send(mail, *args, **kwargs)

    mailing.send = renamed  # type: ignore[assignment]


def mark_hook_before_send() -> None:
    """A delivery is marked as sent when it is taken up."""
    from partners.hooks import leasing

    leasing.TAKE = leasing.TAKE.replace("SET attempts", "SET status = 'sent', attempts")


def no_order() -> None:
    """The events of a record do not wait for each other."""
    from partners.hooks import leasing

    before, _, rest = leasing.TAKE.partition("AND NOT EXISTS (")
    leasing.TAKE = before + rest.partition(")")[2]
