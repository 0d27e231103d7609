"""Guards that `--break NAME` takes away, each to show that the auditor sees it missing.

The product knows nothing of this. A break patches the one guard in every process of the stack (apps.py), or takes a wall out
of the database of the run (stack.py), or both where a guard has a second one behind it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.chaos.breaks import doors, money, telling


@dataclass(frozen=True)
class Break:
    """`patch` is called in each process, `sql` run once in the new database, `at_end` once before the audit."""

    patch: Callable[[], None] = lambda: None
    sql: str = ""
    at_end: str = ""


NAMES: dict[str, Break] = {
    "no-lock": Break(money.no_locks, money.WITHOUT_OVERSPENT),
    "deadline-by-flag": Break(money.deadline_by_flag, money.WITHOUT_WINDOWS),
    "deadline-in-utc": Break(money.deadline_in_utc, money.WITHOUT_WINDOWS),
    "expire-without-key": Break(money.expire_without_key, money.WITHOUT_OVERSPENT + money.WITHOUT_ONE_EXPIRY),
    "totals-by-hand": Break(sql=money.WRONG_TOTAL),
    "tampered-entry": Break(at_end=money.TAMPERED),
    "no-idempotency": Break(doors.no_idempotency),
    "ack-early": Break(doors.ack_early),
    "decide-twice": Break(doors.decide_twice),
    "on-commit-instead-of-outbox": Break(telling.on_commit, telling.WITHOUT_OUTBOX),
    "mark-mail-before-send": Break(telling.mark_mail_before_send),
    "new-message-id": Break(telling.new_message_id),
    "mark-hook-before-send": Break(telling.mark_hook_before_send),
    "no-order": Break(telling.no_order),
}


def take_away(name: str) -> None:
    NAMES[name].patch()
