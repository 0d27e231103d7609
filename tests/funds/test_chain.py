"""The chain of a fund's entries: right however they arrive, in whatever session, and the same text for everybody."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from hashlib import sha256
from threading import Event, Thread
from time import monotonic, sleep
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import given
from hypothesis import strategies as st

from claims.checks import CHECKS
from coop.lib.db import execute, rows
from funds.checks import check_ledger
from funds.ledger import Movement, lock_fund, post
from funds.models import Entry, Fund, Link
from funds.queries.proof import verify_ledger
from tests import factories as make
from tests.funds.test_races import at_once

COLUMNS = """fund_id, partner_id, currency, kind, from_bucket, to_bucket, amount_minor, effective_on, recorded_at,
  reference_type, reference, key"""
# `number` entries of one unit each for every fund there is, in one statement.
SEVERAL = f"""INSERT INTO funds_entry ({COLUMNS})
  SELECT id, partner_id, currency, 'earning', 'program', 'available', 1, '2024-03-04', now(), 'test', '1', %s || ':' || n
  FROM funds_fund, generate_series(1, %s) AS n"""


def right() -> None:
    """Links and totals agree with the entries. What earnings say does not: these entries came without any."""
    assert verify_ledger().faults == []
    found = {difference.check for difference in check_ledger(CHECKS).differences}
    assert not {check for check in found if "earning" not in check and "import" not in check}, found


@pytest.mark.django_db
def test_the_chain_is_what_its_description_says(fund: Fund) -> None:
    note = 'two\nlines, "quotes", \\ and é'
    post(
        lock_fund(fund.id),
        Movement(
            "adjustment", "program", "available", 5, date(2024, 3, 4), "test", "1", "key", "policy_exception", note
        ),
        by=make.vendor("finance"),
        at=make.CLAIMING,
    )
    state = b""
    for number, entry in enumerate(Entry.objects.filter(fund=fund).order_by("id"), 1):
        text = json.dumps(
            [
                entry.id,
                entry.fund_id,
                entry.partner_id,
                entry.currency,
                entry.kind,
                entry.from_bucket,
                entry.to_bucket,
                entry.amount_minor,
                entry.effective_on.isoformat(),
                entry.recorded_at.replace(tzinfo=None).isoformat(),
                entry.actor_id,
                entry.reference_type,
                entry.reference,
                entry.reason_code,
                entry.key,
                entry.note,
            ],
            ensure_ascii=False,
        )
        state = sha256(state + text.encode()).digest()
        link = Link.objects.get(fund_id=fund.id, number=number)
        assert (link.entry_id, bytes(link.hash)) == (entry.id, state)
    fund.refresh_from_db()
    assert (bytes(fund.head or b""), fund.entries_posted) == (state, number)


@pytest.mark.django_db
@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=40))
def test_any_text_is_the_same_json_in_postgresql_and_in_python(text: str) -> None:
    assert rows("SELECT json_build_array(1, NULL::int, %s::text)::text", [text])[0][0] == json.dumps(
        [1, None, text], ensure_ascii=False
    )


@pytest.mark.django_db
def test_several_entries_of_several_funds_in_one_statement_are_chained_in_order_of_their_ids(fund: Fund) -> None:
    make.make_fund("90000.00", enrollment=make.make_enrollment(make.make_location()))
    assert execute(SEVERAL, ["several", 5]) == 10
    right()
    linked = list(Link.objects.filter(fund_id=fund.id).order_by("number").values_list("entry_id", flat=True))
    assert linked == sorted(linked)
    assert len(linked) == 6


@pytest.mark.django_db
def test_entries_of_two_inserts_in_one_statement_are_chained_once_each(fund: Fund) -> None:
    one = SEVERAL.replace("INSERT", "WITH one AS (INSERT", 1) + " RETURNING 1)"
    execute(one + SEVERAL, ["one", 2, "other", 1])
    right()
    assert Link.objects.filter(fund_id=fund.id).count() == 4


@pytest.mark.django_db
def test_entries_whose_keys_are_known_are_skipped_and_leave_no_link(fund: Fund) -> None:
    execute(SEVERAL, ["known", 2])
    assert execute(SEVERAL + " ON CONFLICT DO NOTHING", ["known", 3]) == 1
    assert execute(SEVERAL + " ON CONFLICT DO NOTHING", ["known", 3]) == 0
    right()


@pytest.mark.django_db
def test_what_is_rolled_back_leaves_no_link_and_the_next_entry_goes_on_from_the_one_before(fund: Fund) -> None:
    execute(SEVERAL, ["kept", 1])
    with transaction.atomic():
        execute(SEVERAL, ["undone", 3])
        transaction.set_rollback(True)
    execute(SEVERAL, ["next", 1])
    right()
    assert Link.objects.filter(fund_id=fund.id).count() == 3


@pytest.mark.django_db
def test_copied_entries_are_chained_too(fund: Fund) -> None:
    with connection.cursor() as cursor, cursor.copy(f"COPY funds_entry ({COLUMNS}) FROM STDIN") as copy:
        words = (
            fund.id,
            fund.partner_id,
            "USD",
            "earning",
            "program",
            "available",
            1,
            make.CLAIMING.date(),
            make.CLAIMING,
        )
        for number in range(3):
            copy.write_row((*words, "test", "1", f"copied:{number}"))
    right()
    assert Link.objects.filter(fund_id=fund.id).count() == 4


SETTINGS = (
    "DateStyle = 'SQL, DMY'",
    "DateStyle = 'German'",
    "TimeZone = 'Asia/Kathmandu'",
    "IntervalStyle = 'iso_8601'",
    "bytea_output = 'escape'",
    "standard_conforming_strings = off",
    "extra_float_digits = -15",
    "quote_all_identifiers = on",
    "xmloption = 'document'",
    "search_path = pretended, pg_catalog, public",
)


@pytest.mark.django_db
@pytest.mark.parametrize("setting", SETTINGS)
def test_no_setting_of_a_session_changes_the_text_of_an_entry(fund: Fund, setting: str) -> None:
    execute("CREATE SCHEMA pretended")
    execute("CREATE FUNCTION pretended.to_char(date, text) RETURNS text LANGUAGE sql RETURN 'another day'")
    execute("CREATE FUNCTION pretended.sha256(bytea) RETURNS bytea LANGUAGE sql RETURN $1")
    execute("CREATE FUNCTION pretended.json_build_array(VARIADIC text[]) RETURNS json LANGUAGE sql RETURN '[]'::json")
    execute(f"SET LOCAL {setting}")
    execute(SEVERAL.replace("funds_entry (", "public.funds_entry ("), ["set", 2])
    execute("SET LOCAL search_path = public")
    execute("RESET ALL")
    right()


@pytest.mark.django_db
def test_a_temporary_table_does_not_take_the_place_of_the_funds(fund: Fund) -> None:
    """PostgreSQL looks among temporary tables first, unless it is told otherwise: totals would stand still unseen."""
    execute("CREATE TEMPORARY TABLE funds_fund (LIKE public.funds_fund) ON COMMIT DROP")
    execute("INSERT INTO pg_temp.funds_fund SELECT * FROM public.funds_fund")
    execute(SEVERAL, ["deceived", 1])
    execute("DROP TABLE pg_temp.funds_fund")
    right()
    assert Fund.objects.get(id=fund.id).available_minor == fund.available_minor + 1


# --- Two sessions -------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_many_sessions_that_insert_without_a_lock_make_one_chain() -> None:
    fund = make.make_fund()

    def insert(name: str, number: int) -> Callable[[], Any]:
        return lambda: [execute(SEVERAL, [f"{name}:{turn}", number]) for turn in range(10)]

    answers = at_once([insert(f"session {n}", 1 + n % 3) for n in range(8)])
    assert not [answer for answer in answers if isinstance(answer, Exception)], answers
    right()
    assert Link.objects.filter(fund_id=fund.id).count() == 1 + sum(10 * (1 + n % 3) for n in range(8))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("number", [1, 3])
@pytest.mark.parametrize("commits", [True, False])
def test_who_waited_for_another_session_goes_on_from_where_that_one_left_the_fund(number: int, commits: bool) -> None:
    fund = make.make_fund()
    inserted, done = Event(), Event()

    def first() -> None:
        with transaction.atomic():
            execute(SEVERAL, ["first", 2])
            inserted.set()
            done.wait(20)
            transaction.set_rollback(not commits)
        connection.close()

    def second() -> None:
        inserted.wait(20)
        execute(SEVERAL, ["second", number])
        connection.close()

    threads = [Thread(target=work, daemon=True) for work in (first, second)]
    for thread in threads:
        thread.start()
    until = monotonic() + 20
    while not rows("SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"):
        assert monotonic() < until, "the second session never waited: nothing is shown"
        sleep(0.02)
    done.set()
    for thread in threads:
        thread.join(20)
    right()
    assert Link.objects.filter(fund_id=fund.id).count() == 1 + number + 2 * commits
