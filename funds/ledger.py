"""The only way to post an entry. Nobody but `funds.operations` calls this.

One entry is one movement between two buckets of a fund, so it balances by construction. The database moves the fund's
stored totals when the entry is inserted (migration funds/0002) and refuses what must never be; here the same is said
kindly, before it comes to that.

Order of locks, everywhere: earning period, fund, payment run, payment, plan, claim; rows of a kind by primary key.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from coop.lib.db import execute, rows
from coop.lib.errors import IdempotencyMismatch, InsufficientFunds, NotFound
from funds import states
from funds.models import Entry, Fund
from partners.models import Person

TOTALS = ["earned_minor", "adjustments_minor", *(f"{bucket}_minor" for bucket in states.BUCKETS)]

COLUMNS = (
    "fund_id, partner_id, currency, kind, from_bucket, to_bucket, amount_minor, effective_on, recorded_at, actor_id, "
    "reference_type, reference, key"
)


# When an entry is recorded: at the instant of its business act, but never before its fund was locked. So whoever holds the
# lock has all the entries that were recorded until now, and what is printed "as known at" an instant stays so for ever.
RECORDED = "GREATEST({}::timestamptz, (SELECT coop_now()))"


@dataclass(frozen=True)
class Movement:
    """One movement that is asked for. `key` names the business act: posted again with the same key, nothing happens."""

    kind: str
    from_bucket: str
    to_bucket: str
    amount_minor: int
    effective_on: date
    reference_type: str
    reference: str
    key: str
    reason_code: str = ""
    note: str = ""


def lock_fund(fund_id: int) -> Fund:
    """The fund, locked for this transaction. Raises NotFound."""
    try:
        return Fund.objects.with_names().select_related("enrollment").select_for_update(of=("self",)).get(id=fund_id)
    except Fund.DoesNotExist:
        raise NotFound("There is no such fund.") from None


def take_fund(fund_id: int) -> bool:
    """Lock a fund unless somebody else holds it. For jobs: what others are at is left to them, and found at the next look."""
    taken = Fund.objects.select_for_update(of=("self",), skip_locked=True).filter(id=fund_id)
    return bool(list(taken.values_list("id")))


def post(fund: Fund, movement: Movement, *, by: Person | None, at: datetime) -> Entry:
    """Post one movement to a locked fund and refresh its totals. It is recorded at `at`, or after the lock if that is later.

    The key is looked up before any balance is tested: a retry of the very claim that emptied the fund must be answered,
    not refused. Raises IdempotencyMismatch (key used for something else) and InsufficientFunds.
    """
    if rows("SELECT 1 FROM funds_entry WHERE fund_id = %s AND key = %s", [fund.id, movement.key]):
        known = Entry.objects.get(fund_id=fund.id, key=movement.key)
        if (known.kind, known.from_bucket, known.to_bucket, known.amount_minor) != (
            movement.kind,
            movement.from_bucket,
            movement.to_bucket,
            movement.amount_minor,
        ):
            raise IdempotencyMismatch(f"The ledger already holds another movement under the key {movement.key}.")
        return known
    if movement.from_bucket != states.PROGRAM and movement.kind not in states.MAY_OVERDRAW:
        there = getattr(fund, f"{movement.from_bucket}_minor")
        if movement.amount_minor > there:
            bucket = movement.from_bucket.replace("_", " ")
            raise InsufficientFunds(
                f"{fund.show(movement.amount_minor)} was asked for, but {fund.show(there)} is {bucket} in this fund. "
                f"{fund.show(movement.amount_minor - max(there, 0))} is missing: claim less, or from another fund."
            )
    entry = Entry(
        fund_id=fund.id,
        partner_id=fund.partner_id,
        currency=fund.currency,
        kind=movement.kind,
        from_bucket=movement.from_bucket,
        to_bucket=movement.to_bucket,
        amount_minor=movement.amount_minor,
        effective_on=movement.effective_on,
        actor=by,
        reference_type=movement.reference_type,
        reference=movement.reference,
        reason_code=movement.reason_code,
        note=movement.note,
        key=movement.key,
    )
    columns = [field for field in Entry._meta.concrete_fields if field.attname not in ("id", "recorded_at")]
    names, places = ", ".join(str(field.column) for field in columns), ", ".join(["%s"] * len(columns))
    [(entry.pk, entry.recorded_at)] = rows(
        f"INSERT INTO funds_entry ({names}, recorded_at) VALUES ({places}, {RECORDED.format('%s')}) RETURNING id, recorded_at",
        [*(getattr(entry, field.attname) for field in columns), at],
    )
    # Plain statements here and above: every claim passes by, and what the ORM adds is half of what a posting costs.
    [totals] = rows(f"SELECT {', '.join(TOTALS)} FROM funds_fund WHERE id = %s", [fund.id])
    for name, minor in zip(TOTALS, totals, strict=True):
        setattr(fund, name, minor)
    return entry


def post_selected(select: str, params: Sequence[Any] | Mapping[str, Any]) -> int:
    """Post what a SELECT yields (columns as in COLUMNS), in one statement; known keys are skipped. Returns how many.

    For sweeps and imports. The caller has locked the funds in order of their ids. Entries are recorded as by `post`.
    """
    asked = COLUMNS.replace("recorded_at", RECORDED.format("recorded_at")).replace("actor_id", "actor_id::bigint")
    return execute(
        f"""INSERT INTO funds_entry ({COLUMNS}) SELECT {asked} FROM ({select}) AS asked ({COLUMNS})
            ON CONFLICT (fund_id, key) DO NOTHING""",
        params,
    )
