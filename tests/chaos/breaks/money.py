"""Guards of money and deadlines. Imports stand in the functions, because models must be there first."""

# ruff: noqa: PLC0415
from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any

# The trigger that moves the totals refuses to overspend; the tables have their own checks.
WITHOUT_OVERSPENT = """
DO $$ BEGIN
  EXECUTE replace(pg_get_functiondef('funds_entry_moves_totals'::regproc), 'IF overspent IS NOT NULL', 'IF false');
END $$;
ALTER TABLE funds_fund DROP CONSTRAINT no_bucket_below_zero;
"""
WITHOUT_WINDOWS = "DROP TRIGGER claim_sent_in_its_windows ON claims_claim;"
WITHOUT_ONE_EXPIRY = "DROP INDEX a_deadline_expires_a_fund_once;"
# As if somebody had put a balance right with his own hands.
WRONG_TOTAL = """
ALTER TABLE funds_fund DROP CONSTRAINT balance_identity;
ALTER TABLE funds_fund DISABLE TRIGGER USER;
UPDATE funds_fund SET available_minor = available_minor + 1
WHERE id = (SELECT min(id) FROM funds_fund WHERE available_minor > 0);
ALTER TABLE funds_fund ENABLE TRIGGER USER;
"""
TAMPERED = """
ALTER TABLE funds_entry DISABLE TRIGGER USER;
UPDATE funds_entry SET amount_minor = amount_minor + 100 WHERE id = (SELECT max(id) FROM funds_entry WHERE kind = 'hold');
ALTER TABLE funds_entry ENABLE TRIGGER USER;
"""


def no_locks() -> None:
    """Nobody locks a row before reading what is there: read, check, write, with a moment of thought in between."""
    import time as wall

    from django.db.models.query import QuerySet

    from claims import rules

    def slowly(book: Any, facts: Any) -> Any:
        found = evaluate(book, facts)
        wall.sleep(0.3)
        return found

    evaluate, rules.evaluate = rules.evaluate, slowly
    QuerySet.select_for_update = lambda self, *args, **kwargs: self  # type: ignore[method-assign]


def deadline_by_flag() -> None:
    """A fund is closed when the job has been there, not when its instant has come."""
    from funds.models import Fund

    def closes(fund: Any) -> datetime:
        return deadline(fund) if fund.earning_period.expired_at else datetime(9999, 1, 1, tzinfo=UTC)

    deadline = Fund.claims_close_at.fget
    Fund.claims_close_at = property(closes)


def deadline_in_utc() -> None:
    """The deadline is computed where it is asked for, from the day, and somebody forgot the zone."""
    from funds.models import Fund

    def closes(fund: Any) -> datetime:
        return datetime.combine(fund.claims_close_on + timedelta(days=1), time(), UTC)

    Fund.claims_close_at = property(closes)


def expire_without_key() -> None:
    """The sweep asks what is left, and posts it under a key of its own, without lock: two at once post it twice."""
    import time as wall
    import uuid

    from coop.lib import db
    from funds.operations import settlement

    def rows(sql: str, params: Any = ()) -> Any:
        return db.rows(sql.replace("FOR UPDATE SKIP LOCKED", "").replace("FOR UPDATE", ""), params)

    def post_selected(select: str, params: Any) -> int:
        if "'expiry'" not in select:
            return post(select, params)
        moved = post(select.replace("'expiry:'", f"'{uuid.uuid4()}'"), params)
        wall.sleep(0.5)  # as long as a sweep of many funds takes to its commit
        return moved

    post = settlement.post_selected
    settlement.rows, settlement.post_selected = rows, post_selected
    settlement.NOT_EXPIRED = "true"
