"""A thin layer over the cursor for set-based statements."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from django.db import IntegrityError, connection, transaction


def broken_constraint(error: IntegrityError) -> str:
    """The name of the constraint that a statement broke, or nothing where the database did not say."""
    return getattr(getattr(error.__cause__, "diag", None), "constraint_name", None) or ""


@contextmanager
def one_snapshot() -> Iterator[None]:
    """Reads only, all of them of one moment, whatever is written meanwhile. Within an open transaction: that one's view."""
    outermost = not connection.in_atomic_block
    with transaction.atomic():
        if outermost:
            execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield


def execute(sql: str, params: Sequence[Any] | Mapping[str, Any] = ()) -> int:
    """Run one statement; returns the number of rows it touched."""
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return int(cursor.rowcount)


def take_lock(*key: int) -> bool:
    """Take the advisory lock of one or two numbers until the end of the transaction; False where somebody else has it."""
    marks = ", ".join(["%s"] * len(key))
    return bool(rows(f"SELECT pg_try_advisory_xact_lock({marks})", key)[0][0])


def rows(sql: str, params: Sequence[Any] | Mapping[str, Any] = ()) -> list[tuple[Any, ...]]:
    """Run one query; returns its rows as tuples."""
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return list(cursor.fetchall())


def named_rows(sql: str, params: Sequence[Any] | Mapping[str, Any] = ()) -> list[dict[str, Any]]:
    """Run one query; returns its rows as dictionaries."""
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        names = [column.name for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
