"""Which events of webhooks and mails are told to whom, in which words: what the product could not deliver."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from django.urls import reverse

from partners.audience import Audience
from partners.models import Event, Person
from partners.states import PROGRAM_ADMIN
from partners.telling import Telling, ToldOf


def gave_up(events: Sequence[Event], who: Audience) -> Iterator[ToldOf]:
    """Deliveries that were given up, told once a day for each webhook: one that is dead gives up many."""
    for event in events:
        host = event.data.get("host") or "your address"
        yield (
            event,
            owner_of(event),
            about(
                event,
                key=f"{event.verb}:{event.subject}:{event.at.date().isoformat()}",
                title=f"Events for {host} were given up",
                text=f"For three days {host} did not accept what was sent. Events were given up, the later ones go on. "
                "Look at what it answered, mend it, and replay what was missed.",
            ),
        )


def switched_off(events: Sequence[Event], who: Audience) -> Iterator[ToldOf]:
    """A webhook that the product itself switched off."""
    for event in events:
        host = event.data.get("host") or "your address"
        yield (
            event,
            owner_of(event),
            about(
                event,
                key=f"{event.verb}:{event.pk}",
                title=f"Your webhook to {host} was switched off",
                text=f"{event.data.get('reason', '')} Nothing is sent until you let it go on; then replay what was missed.",
            ),
        )


def owner_of(event: Event) -> list[Person]:
    return list(Person.objects.filter(id=int(event.data["owner"]), is_active=True).prefetch_related("notice_ways"))


def about(event: Event, *, key: str, title: str, text: str) -> Telling:
    return Telling(
        kind="operations",
        key=key,
        title=title,
        text=text,
        link=reverse("webhook", args=[event.subject]),
        subject_type="webhook",
        subject=event.subject,
        partner_id=event.partner_id,
        at=event.at,
    )


def mail_gave_up(events: Sequence[Event], who: Audience) -> Iterator[ToldOf]:
    """A mail that no server took, told to program admins once a day for each address: in the product it can be read."""
    for event in events:
        address, error = event.data["owner"], str(event.data.get("error", "")).rstrip(".")
        telling = Telling(
            kind="operations",
            key=f"{event.verb}:{address}:{event.at.date().isoformat()}",
            title=f"A mail to {address} was given up",
            text=f"No mail server took it: {error or 'no reason was given'}. The person reads the same in the product. Look "
            "whether the address is right and the mail server answers.",
            link=reverse("mail", args=[event.subject]),
            subject_type="mail",
            subject=event.subject,
            partner_id=None,
            at=event.at,
        )
        yield event, [one for one in who.of_vendor(PROGRAM_ADMIN) if one.email != address], telling


VERBS: dict[str, Callable[[Sequence[Event], Audience], Iterable[ToldOf]]] = {
    "webhook.gave_up": gave_up,
    "webhook.switched_off": switched_off,
    "mail.gave_up": mail_gave_up,
}
