"""django-hordak and django-ledger doing what we do: post one movement, read one balance. Runs in an environment of its own.

`python bench/peers.py PEER HOST USER DATABASE LEGS` migrates the database, fills one account with so many legs, says
"ready", and then answers each line "post N" or "read N" with the seconds it took. It knows nothing of the product.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import django
from django.conf import settings

APPS = {
    "hordak": ["mptt", "hordak"],
    "ledger": ["django_ledger"],
}


def configure(peer: str, host: str, user: str, database: str) -> None:
    settings.configure(
        INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions", *APPS[peer]],
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.postgresql",
                "HOST": host,
                "USER": user,
                "NAME": database,
                "CONN_MAX_AGE": None,
            }
        },
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        USE_TZ=True,
        TIME_ZONE="UTC",
        SECRET_KEY="only for the benchmark",  # noqa: S106 - nobody signs in
        DEFAULT_CURRENCY="USD",
        CURRENCIES=["USD"],
        SILENCED_SYSTEM_CHECKS=["mptt.W001"],
    )
    django.setup()


def hordak(legs: int) -> tuple[Callable[[], object], Callable[[], object]]:
    from hordak.models import Account
    from moneyed import Money

    income = Account.objects.create(name="Program", code="1", type=Account.TYPES.income, currencies=["USD"])
    fund = Account.objects.create(name="Fund", code="2", type=Account.TYPES.asset, currencies=["USD"])
    income.transfer_to(fund, Money(1, "USD"))
    multiply("hordak_transaction", "hordak_leg", "id", "transaction_id", legs)

    def post() -> object:
        return income.transfer_to(fund, Money(1, "USD"))

    def read() -> object:
        return fund.get_balance()

    return post, read


def ledger(legs: int) -> tuple[Callable[[], object], Callable[[], object]]:
    from datetime import UTC, datetime
    from decimal import Decimal

    from django.contrib.auth import get_user_model
    from django_ledger.models import EntityModel

    admin = get_user_model().objects.create_user("admin")
    entity = EntityModel.create_entity(name="Vendor", use_accrual_method=True, admin=admin, fy_start_month=7)
    coa = entity.create_chart_of_accounts(assign_as_default=True, commit=True, coa_name="Co-op")
    entity.populate_default_coa(activate_accounts=True, coa_model=coa)
    accounts = {account.role: account for account in entity.get_default_coa_accounts()}
    cash, income = accounts["asset_ca_cash"], accounts["in_operational"]
    book = entity.create_ledger(name="Fund", posted=True)

    def post() -> object:
        return book.commit_txs(
            je_timestamp=datetime(2023, 8, 15, tzinfo=UTC),
            je_txs=[
                {"account": cash, "amount": Decimal("1.00"), "tx_type": "debit", "description": ""},
                {"account": income, "amount": Decimal("1.00"), "tx_type": "credit", "description": ""},
            ],
            je_posted=True,
        )

    def read() -> object:
        return book.digest(entity_slug=entity.slug, accounts=[cash.code], to_date=datetime(2024, 1, 1, tzinfo=UTC))

    post()
    multiply("django_ledger_journalentrymodel", "django_ledger_transactionmodel", "uuid", "journal_entry_id", legs)
    return post, read


def multiply(heads: str, legs: str, key: str, head_of_leg: str, count: int) -> None:
    """Copy the one posting that was made through the peer's own door until there are `count`: through it, it takes minutes."""
    from django.db import connection

    fresh = {"id": "", "uuid": "gen_random_uuid()", "je_number": "'B-' || n"}
    with connection.cursor() as cursor:

        def columns(table: str) -> list[str]:
            cursor.execute(
                "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped",
                [table],
            )
            return [name for (name,) in cursor.fetchall() if fresh.get(name) != ""]

        names = columns(heads)
        values = ", ".join(fresh.get(name, name) for name in names)
        cursor.execute(f"CREATE TEMP TABLE before AS SELECT {key} AS head FROM {heads}")
        cursor.execute(
            f"INSERT INTO {heads} ({', '.join(names)}) SELECT {values} FROM {heads}, generate_series(2, {count}) n"
        )
        names = [name for name in columns(legs) if name != head_of_leg]
        values = ", ".join(fresh.get(name, "l." + name) for name in names)
        cursor.execute(
            f"INSERT INTO {legs} ({head_of_leg}, {', '.join(names)}) SELECT h.{key}, {values} FROM {legs} l, {heads} h "
            f"WHERE h.{key} NOT IN (SELECT head FROM before)"
        )
        cursor.execute("ANALYZE")


def main() -> None:
    peer, host, user, database, legs = sys.argv[1:]
    configure(peer, host, user, database)
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    post, read = {"hordak": hordak, "ledger": ledger}[peer](int(legs))
    works = {"post": post, "read": read}
    print("ready", flush=True)
    for line in sys.stdin:
        name, times = line.split()
        began = time.perf_counter()
        for _ in range(int(times)):
            works[name]()
        print(time.perf_counter() - began, flush=True)


if __name__ == "__main__":
    main()
