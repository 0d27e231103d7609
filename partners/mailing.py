"""Mails that carry notices: written once, sent until a server took them.

Writing follows the product's clock and is one transaction for some people. Sending follows the wall clock: a mail is leased,
given to the server outside of any transaction, and marked. Who is killed in between sends it again, with the same Message-ID.
"""

from __future__ import annotations

import smtplib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import make_msgid
from typing import Any
from urllib.parse import urlsplit

import structlog
from django.conf import settings
from django.core import signing
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse

from coop.lib.db import execute, rows, take_lock
from partners import events, states
from partners.mailing_times import way_of
from partners.models import Mail, Notice, Person
from partners.telling import amount_of, moments_of

log = structlog.get_logger()

LOCK = 7_003_002  # the number of the one who writes mails, among PostgreSQL's advisory locks
ALONE = 3  # so many notices of a person that are due together still get a mail each
IN_ONE_MAIL = 50
STOP_SALT = "mail-stop"

LEASE_SECONDS = 300
BATCH = 20
GAPS = (60, 300, 900, 3_600, 10_800)  # seconds between the tries of one mail
LAST_GAP = 21_600
TRIES = 16  # with these gaps about three days


# --- Writing ----------------------------------------------------------------------------------------------------------


def people_to_mail(at: datetime) -> list[int]:
    """The people for whom a mail is due."""
    due = Notice.objects.filter(mail_at__lte=at, mail__isnull=True)
    return list(due.order_by("person_id").values_list("person_id", flat=True).distinct())


@transaction.atomic
def write_mails(person_ids: Sequence[int], *, at: datetime) -> int:
    """Write the mails of some people whose time has come: one for each notice that goes at once, one for the digest.

    Many notices at one instant share a mail too. What was read in the product meanwhile stays out of the digest, and nothing is
    written to who has left or wants no mail of the kind any more. Returns the mails written; while somebody else writes, none.
    """
    # One writer at a time, so that a digest is one mail.
    if not take_lock(LOCK):
        return 0
    people = Person.objects.filter(id__in=person_ids).prefetch_related("notice_ways").in_bulk()
    waiting = Notice.objects.filter(person_id__in=person_ids, mail_at__lte=at, mail__isnull=True)
    due: dict[int, list[Notice]] = defaultdict(list)
    for notice in waiting.order_by("id").select_for_update(of=("self",)):
        due[notice.person_id].append(notice)
    mails = [
        (letter(people[person_id], parcel, at=at), parcel)
        for person_id, notices in due.items()
        for parcel in parcels_of(people[person_id], notices, at=at)
    ]
    Mail.objects.bulk_create([mail for mail, _ in mails])
    for mail, parcel in mails:
        for notice in parcel:
            notice.mail = mail
    every = [notice for notices in due.values() for notice in notices]
    Notice.objects.bulk_update(every, ["mail", "mail_at"], batch_size=500)
    return len(mails)


def parcels_of(person: Person, notices: Iterable[Notice], *, at: datetime) -> list[list[Notice]]:
    """Which of a person's notices share a mail. Those that go into none lose their `mail_at`."""
    by_way: dict[str, list[Notice]] = defaultdict(list)
    for notice in notices:
        by_way[wanted(person, notice, at=at)].append(notice)
    for notice in by_way[states.NO_MAIL]:
        notice.mail_at = None
    instant, digest = by_way[states.INSTANT], by_way[states.DIGEST]
    if len(instant) > ALONE:
        instant, digest = [], instant + digest
    shared = [digest[start : start + IN_ONE_MAIL] for start in range(0, len(digest), IN_ONE_MAIL)]
    return [*([notice] for notice in instant), *shared]


def wanted(person: Person, notice: Notice, *, at: datetime) -> str:
    """How a notice goes out now that its time has come."""
    way = way_of(person, notice.kind)
    read = way == states.DIGEST and notice.read_at is not None
    if not person.is_active or read or is_too_late(notice, at):
        return states.NO_MAIL
    return way


def is_too_late(notice: Notice, at: datetime) -> bool:
    """Whether it reminds of a deadline that has passed since: it would tell somebody to do what cannot be done any more."""
    deadline = notice.deadline_at
    return notice.kind == "deadline" and deadline is not None and notice.created_at < deadline <= at


def letter(person: Person, notices: Sequence[Notice], *, at: datetime) -> Mail:
    """A mail that is not saved, with one notice or several, most urgent first."""
    ordered = sorted(
        notices, key=lambda notice: (notice.deadline_at is None, notice.deadline_at or notice.at, notice.pk)
    )
    items = [
        {
            "notice": notice,
            "kind": states.NOTICES[notice.kind][0],
            "amount": amount_of(notice),
            "moments": list(moments_of(notice, person)),
            "url": f"{settings.PUBLIC_URL}{notice.link}" if notice.link else "",
        }
        for notice in ordered
    ]
    stop = stop_url(person, ordered[0].kind if len(ordered) == 1 else "")
    subject = ordered[0].title if len(ordered) == 1 else f"{len(ordered)} notices: {ordered[0].title}"
    context = {
        "person": person,
        "items": items,
        "stop_url": stop,
        "ways_url": f"{settings.PUBLIC_URL}{reverse('notice-ways')}",
        "one": len(items) == 1,
    }
    return Mail(
        person=person,
        to=person.email,
        subject=one_line(subject)[:200],
        text=render_to_string("partners/mail/notices.txt", context),
        html=render_to_string("partners/mail/notices.html", context),
        headers={
            "List-Unsubscribe": f"<{stop}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
            "Auto-Submitted": "auto-generated",
        },
        message_id=make_msgid(domain=urlsplit(settings.PUBLIC_URL).hostname or "localhost"),
        created_at=at,
    )


def one_line(text: str) -> str:
    """No header of a mail goes over a line that somebody wrote into a name."""
    return " ".join(text.split())


def stop_url(person: Person, kind: str) -> str:
    """The address that ends mails of a kind, or all mails, without signing in. It works for whoever has the mail."""
    token = signing.dumps([person.pk, kind], salt=STOP_SALT)
    return f"{settings.PUBLIC_URL}{reverse('mail-stop', args=[token])}"


# --- Sending ----------------------------------------------------------------------------------------------------------

TAKE = f"""
WITH due AS (
  SELECT id FROM partners_mail WHERE status = 'waiting' AND next_try_wall <= clock_timestamp()
  ORDER BY next_try_wall, id LIMIT {BATCH} FOR UPDATE SKIP LOCKED
)
UPDATE partners_mail m
SET attempts = attempts + 1, next_try_wall = clock_timestamp() + make_interval(secs => {LEASE_SECONDS})
FROM due WHERE m.id = due.id RETURNING m.id
"""


@dataclass
class Sent:
    """What came of a run: mails that a server took, that go again later, and that never will."""

    sent: int = 0
    later: int = 0
    failed: int = 0
    error: str = ""


def count_to_send() -> int:
    """How many mails could be sent now."""
    due = "SELECT count(*) FROM partners_mail WHERE status = 'waiting' AND next_try_wall <= clock_timestamp()"
    return int(rows(due)[0][0])


def send_mails(*, at: datetime) -> Sent:
    """Send what waits. A server that cannot be reached ends the run; what it did not take goes again later."""
    done = Sent()
    while mails := take():
        try:
            with get_connection() as connection:
                for mail in mails:
                    send(mail, connection, done, at=at)
        except (OSError, smtplib.SMTPException) as error:
            done.error = said(error)
            for mail in mails:
                done.later += again(mail, done.error, at=at)
            log.warning("mail.server_failed", error=done.error, mails=len(mails))
            return done
    return done


def take() -> list[Mail]:
    """Lease the next mails: their attempts are raised before anything is tried."""
    ids = [row[0] for row in rows(TAKE)]
    return list(Mail.objects.filter(id__in=ids).select_related("person").prefetch_related("notices").order_by("id"))


def send(mail: Mail, connection: BaseEmailBackend, done: Sent, *, at: datetime) -> None:
    """Give one mail to the server, to the address that the person has now. Raises what says that the server is gone."""
    if not mail.person.is_active:
        done.failed += give_up(mail, "The person has left.", at=at)
        return
    carried = mail.notices.all()
    if carried and all(is_too_late(notice, at) for notice in carried):
        done.failed += give_up(mail, "Its deadline passed before a mail server took it.", at=at)
        return
    message = EmailMultiAlternatives(
        mail.subject,
        mail.text,
        to=[mail.person.email],
        headers={**mail.headers, "Message-ID": mail.message_id},
        connection=connection,
    )
    message.attach_alternative(mail.html, "text/html")
    try:
        message.send()
    except smtplib.SMTPRecipientsRefused as error:
        code, _ = next(iter(error.recipients.values()))
        if code >= 500:
            done.failed += give_up(mail, said(error), at=at)
        else:
            done.later += again(mail, said(error), at=at)
    except (smtplib.SMTPDataError, smtplib.SMTPSenderRefused) as error:
        done.later += again(mail, said(error), at=at)
    else:
        change = "status = 'sent', sent_wall = clock_timestamp(), error = '', \"to\" = %(to)s"
        done.sent += settle(mail, change, to=mail.person.email)


def again(mail: Mail, error: str, *, at: datetime) -> int:
    """Let a mail wait for its next try, or give it up after the last one."""
    if mail.attempts >= TRIES:
        return give_up(mail, error, at=at)
    gap = GAPS[mail.attempts - 1] if mail.attempts <= len(GAPS) else LAST_GAP
    change = "next_try_wall = clock_timestamp() + make_interval(secs => %(gap)s), error = %(error)s"
    return settle(mail, change, gap=gap, error=error)


@transaction.atomic
def give_up(mail: Mail, error: str, *, at: datetime) -> int:
    given_up = settle(mail, "status = 'failed', error = %(error)s", error=error)
    if given_up:
        events.record("mail.gave_up", mail, by=None, at=at, vendor_only=True, owner=mail.person.email, error=error)
    return given_up


def settle(mail: Mail, change: str, **values: Any) -> int:
    """Change a mail if it is still the one that was leased."""
    return execute(
        f"UPDATE partners_mail SET {change} WHERE id = %(id)s AND status = 'waiting' AND attempts = %(attempts)s",
        {"id": mail.pk, "attempts": mail.attempts, **values},
    )


def said(error: Exception) -> str:
    """What a server said, in one line."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        answers: Iterable[Any] = error.recipients.values()
        return "; ".join(f"{code} {text.decode(errors='replace')}" for code, text in answers)[:500]
    if isinstance(error, smtplib.SMTPResponseException):
        text = error.smtp_error if isinstance(error.smtp_error, str) else error.smtp_error.decode(errors="replace")
        return f"{error.smtp_code} {text}"[:500]
    return (str(error) or type(error).__name__)[:500]
