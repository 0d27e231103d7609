"""The daily heads over all funds: recording one, and mailing it to those who keep it outside."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from django.core.mail import send_mail
from django.db import transaction

from coop.lib.dates import show_day, show_instant
from coop.lib.db import execute
from funds.models import LedgerHead
from partners import events

# Everything in one statement and so of one moment: which funds moved since their last anchor, and the chain over them.
RECORD = """
WITH moved AS MATERIALIZED (
  SELECT f.id, f.head, f.entries_posted AS number, coalesce(a.number, 0) AS number_before FROM funds_fund f
  LEFT JOIN LATERAL (SELECT number FROM funds_anchor WHERE fund_id = f.id ORDER BY day DESC LIMIT 1) a ON true
  WHERE f.entries_posted > coalesce(a.number, 0) AND NOT EXISTS (SELECT FROM funds_ledgerhead WHERE day >= %(day)s)
), anchored AS (
  INSERT INTO funds_anchor (fund_id, day, number, hash) SELECT id, %(day)s, number, head FROM moved RETURNING *
), before AS (
  SELECT funds, entries, hash FROM funds_ledgerhead ORDER BY day DESC LIMIT 1
), counted AS (
  SELECT coalesce((SELECT funds FROM before), 0) + count(*) FILTER (WHERE number_before = 0) AS funds,
    coalesce((SELECT entries FROM before), 0) + sum(number - number_before) AS entries
  FROM moved HAVING count(*) > 0
), texts AS (
  SELECT 0 AS place, funds_head_text(%(day)s, %(at)s, funds, entries::bigint) AS text FROM counted
  UNION ALL SELECT fund_id, funds_anchor_text((fund_id, day, number, hash)::funds_anchor) FROM anchored
)
INSERT INTO funds_ledgerhead (day, at, funds, entries, previous, hash)
SELECT %(day)s, %(at)s, funds, entries, (SELECT hash FROM before),
  (SELECT funds_chain((SELECT hash FROM before), text ORDER BY place) FROM texts)
FROM counted
"""


@transaction.atomic
def record_head(day: date, *, at: datetime) -> LedgerHead | None:
    """Anchor every fund that moved since its last anchor, and record the head over them for `day`.

    It covers all that is recorded when it runs, however late after the day that is. Where nothing moved, or a head of that
    day or a later one is there already, nothing happens and None is returned: a doubled job does no harm.
    """
    # Who comes second waits here, and then finds the first one's head.
    execute("LOCK TABLE funds_ledgerhead IN SHARE ROW EXCLUSIVE MODE")
    if not execute(RECORD, {"day": day, "at": at}):
        return None
    head = LedgerHead.objects.get(day=day)
    events.record(
        "ledger.head_recorded",
        head,
        by=None,
        at=at,
        vendor_only=True,
        hash=bytes(head.hash).hex(),
        entries=head.entries,
        funds=head.funds,
    )
    return head


def day_due(at: datetime) -> date:
    """The day whose head is due: the last one that is over, in UTC."""
    return at.date() - timedelta(days=1)


@transaction.atomic
def mail_head(day: date, *, to: Sequence[str], at: datetime) -> bool:
    """Mail a head to those who keep it outside, once; returns whether it was this call that did.

    It is marked after the mail was handed over: a crash between the two mails it twice, never not at all.
    """
    head = LedgerHead.objects.select_for_update(skip_locked=True).filter(day=day, mailed_at=None).first()
    if head is None or not to:
        return False
    send_mail(f"Ledger head of {head.day}: {bytes(head.hash).hex()[:12]}", letter(head), None, list(to))
    head.mailed_at = at
    head.save(update_fields=["mailed_at"])
    return True


def days_to_mail() -> list[date]:
    return list(LedgerHead.objects.filter(mailed_at=None).order_by("day").values_list("day", flat=True))


def letter(head: LedgerHead) -> str:
    """What is mailed: the head, and how to use it."""
    hash_ = bytes(head.hash).hex()
    before = bytes(head.previous).hex() if head.previous else "none, this is the first head"
    return (
        f"Keep this mail outside the reach of whoever administers the database.\n\n"
        f"Day:           {show_day(head.day)}\n"
        f"Recorded at:   {show_instant(head.at)}\n"
        f"Entries:       {head.entries:,} in {head.funds:,} funds\n"
        f"Head:          {hash_}\n"
        f"Head before:   {before}\n\n"
        "Nothing that was recorded until then can be changed, removed or added without this head changing.\n"
        "To check it at any later time, run one of these:\n\n"
        f"  python manage.py verify_ledger --head {hash_}\n"
        f"  python verify_proof.py PROOF --head {hash_}\n\n"
        "The second needs no access to the database: PROOF is a file from the page Finance, Proof of the ledger, and\n"
        "verify_proof.py stands in the folder tools of the software.\n"
    )
