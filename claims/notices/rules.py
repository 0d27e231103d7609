"""Rules: a draft that waits for its second person, and what a publication changed for whom."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from django.db.models import Q
from django.urls import reverse

from claims.models import Publication, RuleDraft
from claims.queries.changed import concerns
from claims.rules.changes import Change, changes_between
from funds.models import Enrollment
from funds.notices.words import key_of
from partners.audience import Audience
from partners.models import Event, Partner
from partners.states import CHANNEL_MANAGER, PROGRAM_ADMIN
from partners.telling import Telling, ToldOf

CHUNK = 500  # partners
SHOWN = 5  # sentences in one notice


def requested(group: Sequence[Event], who: Audience) -> Iterator[ToldOf]:
    """Another program admin publishes it. What was decided since is not told."""
    waiting = RuleDraft.objects.filter(status="requested", id__in=[event.subject for event in group])
    drafts = {str(draft.pk): draft for draft in waiting.select_related("requested_by")}
    for event in group:
        draft = drafts.get(event.subject)
        if draft is None or draft.requested_by is None:
            continue
        note = f" “{draft.note.rstrip('.')}.”" if draft.note else ""
        text = (
            f"{draft.requested_by.name} asks for it.{note} Nothing of it holds before another program admin has read the "
            "changes and publishes them."
        )
        yield (
            event,
            [one for one in who.of_vendor(PROGRAM_ADMIN) if one.pk != draft.requested_by_id],
            Telling(
                kind="needs_you",
                key=key_of(event),
                title=f"Publish the rules of “{draft.title}”, or send them back",
                text=text,
                link=reverse("rules-draft", args=[draft.pk]),
                subject_type="rule_draft",
                subject=str(draft.pk),
                partner_id=None,
                at=event.at,
            ),
        )


def published(group: Sequence[Event], who: Audience) -> Iterator[ToldOf]:
    """Each partner hears what changed for the programs that it is in; channel managers and program admins hear all."""
    for event in group:
        new = Publication.objects.filter(id=event.subject).first()
        old = Publication.objects.filter(id__lt=event.subject).order_by("-id").first()
        changes = changes_between(old.catalog, new.catalog) if old and new else []
        if not changes:
            continue
        vendor = who.of_vendor(CHANNEL_MANAGER, PROGRAM_ADMIN)
        yield event, vendor, telling(event, changes, None, reverse("rules-publication", args=[event.subject]))
        yield from to_partners(event, changes, who)


def to_partners(event: Event, changes: Sequence[Change], who: Audience) -> Iterator[ToldOf]:
    after = 0
    while page := list(Partner.objects.filter(id__gt=after).order_by("id")[:CHUNK]):
        after = page[-1].pk
        there = Audience([partner.pk for partner in page], at=who.at)
        day = who.at.date()
        running = Enrollment.objects.filter(Q(ends_on__isnull=True) | Q(ends_on__gte=day), partner__in=page)
        programs: dict[int, set[str]] = defaultdict(set)
        for partner_id, code in running.values_list("partner_id", "program__code"):
            programs[partner_id].add(code)
        for partner in page:
            mine = [one for one in changes if concerns_partner(one, programs[partner.pk], partner)]
            if mine:
                told = telling(event, mine, partner.pk, reverse("catalog-changes"))
                yield event, there.of_partner(partner.pk), told


def concerns_partner(change: Change, programs: set[str], partner: Partner) -> bool:
    return any(concerns(change, code, partner.country, partner.external_id) for code in programs)


def telling(event: Event, changes: Sequence[Change], partner_id: int | None, link: str) -> Telling:
    number = len(changes)
    more = [f"- and {number - SHOWN} more"] if number > SHOWN else []
    where = " for your programs" if partner_id else ""
    text = "\n".join(
        [
            "New rules were published. What was decided by older ones stands; what is sent from now on is judged by these.",
            *(f"- {change.sentence}" for change in changes[:SHOWN]),
            *more,
        ]
    )
    return Telling(
        kind="rules",
        key=key_of(event),
        title=f"{number} rule{' changes' if number == 1 else 's change'}{where}",
        text=text,
        link=link,
        subject_type="publication",
        subject=event.subject,
        partner_id=partner_id,
        at=event.at,
    )
