"""Somebody with all rights in the database changes what was recorded, and `verify_ledger` says so.

Triggers are switched off as only the owner of the tables can, and totals are made to agree, so that nothing but the chain
tells. Each check is taken away once as well, to see that the same attack then passes: a check that finds nothing is none.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from claims.checks import CHECKS
from coop import jobs
from funds.checks import check_ledger
from funds.models import Entry, Fund, LedgerHead, Link
from funds.operations.heads import record_head
from funds.queries import proof
from funds.queries.proof import verify_ledger
from tests import factories as make

pytestmark = pytest.mark.django_db

DAY = date(2024, 3, 4)
NIGHT = datetime(2024, 3, 5, 0, 5, tzinfo=UTC)
LAST = "(SELECT max(id) FROM funds_entry)"
TABLES = ("funds_entry", "funds_link", "funds_fund", "funds_anchor", "funds_ledgerhead")


@pytest.fixture
def told(fund: Fund) -> Fund:
    """A fund with five entries, the first three anchored by a head, beside another fund."""
    make.make_fund("90000.00", enrollment=make.make_enrollment(make.make_location()))
    make.make_sent_claim(fund, "100.00")
    make.make_sent_claim(fund, "200.00")
    record_head(DAY, at=NIGHT)
    make.make_sent_claim(fund, "200.00")
    make.make_sent_claim(fund, "300.00")
    assert verify_ledger().faults == []
    return fund


def tamper(fund: Fund, *statements: str) -> None:
    """Run SQL as the owner of the tables would who wants to leave no trace: with all triggers off, and on again.

    FUND stands for the fund's id, ENTRY2 for the id of its second entry.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(
            """SELECT tgrelid::regclass::text, tgname FROM pg_trigger
               WHERE NOT tgisinternal AND tgrelid::regclass::text = ANY(%s)""",
            [list(TABLES)],
        )
        triggers = cursor.fetchall()
        for table, trigger in triggers:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER {trigger}")
        entries = dict(Link.objects.filter(fund_id=fund.id).values_list("number", "entry_id"))
        for statement in statements:
            named = re.sub(r"ENTRY(\d)", lambda found: str(entries[int(found[1])]), statement)
            cursor.execute(named.replace("FUND", str(fund.id)))
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table, trigger in triggers:
            cursor.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {trigger}")


@contextmanager
def undone() -> Iterator[None]:
    """What happens within is taken back: one story serves many attacks."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def kinds() -> set[str]:
    return {fault.kind for fault in verify_ledger().faults}


def words() -> str:
    return " | ".join(f"{fault.subject}: {fault.detail}" for fault in verify_ledger().faults)


# What a forger does who knows the chain: links anew over the entries as they stand, and the fund's head and count with them.
FORGE_CHAIN = """
UPDATE funds_link l SET hash = n.hash FROM (
  SELECT l.fund_id, l.number, funds_chain(NULL, funds_entry_text(e)) OVER (PARTITION BY l.fund_id ORDER BY l.number) AS hash
  FROM funds_link l JOIN funds_entry e ON e.id = l.entry_id) n
WHERE n.fund_id = l.fund_id AND n.number = l.number AND l.fund_id = FUND"""
FORGE_FUND = """
UPDATE funds_fund f SET head = l.hash, entries_posted = l.number FROM funds_link l
WHERE f.id = FUND AND l.fund_id = f.id AND l.number = (SELECT max(number) FROM funds_link WHERE fund_id = FUND)"""
RENUMBER = """
UPDATE funds_link l SET number = n.number FROM (
  SELECT fund_id, entry_id, row_number() OVER (PARTITION BY fund_id ORDER BY number) AS number FROM funds_link) n
WHERE n.fund_id = l.fund_id AND n.entry_id = l.entry_id AND l.fund_id = FUND"""
FORGE_ANCHORS = """
UPDATE funds_anchor a SET hash = l.hash FROM funds_link l WHERE l.fund_id = a.fund_id AND l.number = a.number"""
FORGE_HEADS = """
UPDATE funds_ledgerhead h SET hash = (
  SELECT funds_chain(h.previous, t.text ORDER BY t.place) FROM (
    SELECT 0 AS place, funds_head_text(h.day, h.at, h.funds, h.entries) AS text
    UNION ALL SELECT fund_id, funds_anchor_text(a) FROM funds_anchor a WHERE a.day = h.day) t)"""
COPY = """
INSERT INTO funds_entry (fund_id, partner_id, currency, kind, from_bucket, to_bucket, amount_minor, effective_on, recorded_at,
  reference_type, reference, key)
SELECT fund_id, partner_id, currency, kind, from_bucket, to_bucket, amount_minor, effective_on, recorded_at, reference_type,
  reference, 'planted' FROM funds_entry WHERE id = ENTRY2"""
LESS_HELD = """
UPDATE funds_fund SET available_minor = available_minor + 10000, in_review_minor = in_review_minor - 10000 WHERE id = FUND"""


# --- An entry is changed ----------------------------------------------------------------------------------------------


CHANGES = (
    "amount_minor = amount_minor + 1",
    "note = 'another'",
    "effective_on = effective_on - 1",
    "recorded_at = recorded_at + interval '1 microsecond'",
    "actor_id = actor_id + 1",
    "actor_id = NULL",
    "kind = 'reserve'",
    "from_bucket = 'reserved'",
    "to_bucket = 'reserved'",
    "reference = '999999'",
    "reference_type = 'plan'",
    "reason_code = 'ops_adjustment'",
    "key = 'another'",
    "currency = 'EUR'",
    "partner_id = partner_id + 1",
    "recorded_at = 'infinity'",
)


def test_a_changed_field_of_an_entry_is_found_at_that_entry(told: Fund) -> None:
    entry = Link.objects.get(fund_id=told.id, number=2).entry_id
    for change in CHANGES:
        with undone():
            tamper(
                told,
                "ALTER TABLE funds_entry DROP CONSTRAINT entry_is_a_known_movement",
                f"UPDATE funds_entry SET {change} WHERE id = ENTRY2",
            )
            assert verify_ledger().faults == [
                proof.Fault(
                    "changed entry",
                    f"fund {told.id}",
                    f"entry {entry}, number 2 of this fund, is not what was recorded",
                )
            ], change
    assert verify_ledger().faults == []


def test_a_changed_amount_is_found_although_the_totals_were_made_to_agree(told: Fund) -> None:
    changed = "UPDATE funds_entry SET amount_minor = amount_minor - 1 WHERE id = ENTRY1"
    totals = (
        "UPDATE funds_fund SET earned_minor = earned_minor - 1, available_minor = available_minor - 1 WHERE id = FUND"
    )
    tamper(told, changed, totals)
    assert "totals equal the entries" not in {found.check for found in check_ledger(CHECKS).differences}
    assert kinds() == {"changed entry"}


def test_words_that_are_moved_from_one_field_to_another_are_found(told: Fund) -> None:
    """With constraints dropped, fields could be cut at other places: the text of an entry must still be another one."""
    tamper(
        told,
        "ALTER TABLE funds_entry DROP CONSTRAINT entry_words_are_one_line",
        r"""UPDATE funds_entry SET reference_type = reference_type || E'", "' || reference, reference = '' WHERE id = ENTRY2""",
        "ALTER TABLE funds_entry ALTER note DROP NOT NULL",
        "UPDATE funds_entry SET note = NULL WHERE id = ENTRY3",
    )
    assert [fault.kind for fault in verify_ledger().faults] == ["changed entry", "changed entry"]


# --- An entry goes, comes, or stands elsewhere --------------------------------------------------------------------------


def test_a_deleted_entry_is_found(told: Fund) -> None:
    tamper(told, "DELETE FROM funds_entry WHERE id = ENTRY2")
    assert kinds() == {"missing entry"}
    assert "number 2 of this fund, is gone" in words()


def test_a_deleted_entry_whose_link_went_too_is_found(told: Fund) -> None:
    tamper(
        told,
        "DELETE FROM funds_entry WHERE id = ENTRY2",
        "DELETE FROM funds_link WHERE fund_id = FUND AND number = 2",
        LESS_HELD,
    )
    assert words() == f"fund {told.id}: after number 1 comes number 3: what was between them is gone"


def test_the_last_entry_deleted_with_its_link_is_found_by_the_funds_head(told: Fund) -> None:
    tamper(
        told,
        "DELETE FROM funds_entry WHERE id = ENTRY5",
        "DELETE FROM funds_link WHERE fund_id = FUND AND number = 5",
    )
    assert kinds() == {"fund head differs"}
    tamper(
        told,
        """UPDATE funds_fund SET head = (SELECT hash FROM funds_link WHERE fund_id = FUND AND number = 4) WHERE id = FUND""",
    )
    assert kinds() == {"count differs"}


def test_all_entries_and_links_of_a_fund_deleted_are_found(told: Fund) -> None:
    tamper(told, "DELETE FROM funds_entry WHERE fund_id = FUND", "DELETE FROM funds_link WHERE fund_id = FUND")
    assert f"fund {told.id}: it had 5 entries, and all their links are gone" in words()
    tamper(told, "UPDATE funds_fund SET head = NULL, entries_posted = 0 WHERE id = FUND")
    assert kinds() == {"anchor differs"}


def test_an_inserted_entry_is_found(told: Fund) -> None:
    tamper(told, COPY)
    assert kinds() == {"inserted entry"}
    assert f"entry {Entry.objects.get(key='planted').id} has no link" in words()


def test_an_inserted_entry_with_a_link_of_its_own_is_found(told: Fund) -> None:
    alone = f"funds_link_hash(NULL, (SELECT funds_entry_text(e) FROM funds_entry e WHERE id = {LAST}))"
    for hash_, kind in (("sha256('guessed')", "changed entry"), (alone, "wrong order")):
        with undone():
            tamper(
                told, COPY, f"INSERT INTO funds_link (fund_id, number, entry_id, hash) SELECT FUND, 6, {LAST}, {hash_}"
            )
            assert kinds() == {kind}


def test_an_inserted_entry_with_its_right_link_is_found_by_the_funds_head_and_count(told: Fund) -> None:
    tamper(
        told,
        COPY,
        f"INSERT INTO funds_link (fund_id, number, entry_id, hash) VALUES (FUND, 6, {LAST}, '')",
        FORGE_CHAIN,
    )
    assert kinds() == {"fund head differs"}


def test_entries_that_change_places_are_found_as_out_of_order(told: Fund) -> None:
    tamper(
        told,
        """UPDATE funds_link SET entry_id = CASE number WHEN 2 THEN ENTRY3 ELSE ENTRY2 END
           WHERE fund_id = FUND AND number IN (2, 3)""",
    )
    assert [fault.kind for fault in verify_ledger().faults] == ["wrong order", "wrong order"]


def test_links_that_change_places_are_found_as_out_of_order(told: Fund) -> None:
    tamper(
        told,
        *(
            f"UPDATE funds_link SET number = {new} WHERE fund_id = FUND AND number = {old}"
            for old, new in ((2, 9), (3, 2), (9, 3))
        ),
    )
    assert kinds() == {"wrong order", "anchor differs"}


def test_an_entry_that_went_to_another_fund_is_missing_in_one_and_inserted_in_the_other(told: Fund) -> None:
    tamper(told, "UPDATE funds_entry SET fund_id = (SELECT max(id) FROM funds_fund), key = 'moved' WHERE id = ENTRY2")
    assert kinds() == {"missing entry", "inserted entry"}


def test_an_entry_that_is_linked_twice_is_found_although_the_chain_was_made_anew(told: Fund) -> None:
    tamper(
        told,
        "INSERT INTO funds_link (fund_id, number, entry_id, hash) VALUES (FUND, 6, ENTRY5, '')",
        FORGE_CHAIN,
        FORGE_FUND,
    )
    assert kinds() == {"count differs"}


def test_a_fund_that_is_gone_is_found(told: Fund) -> None:
    tamper(
        told,
        "SET LOCAL session_replication_role = replica",
        "DELETE FROM funds_fund WHERE id = FUND",
        "SET LOCAL session_replication_role = origin",
    )
    assert kinds() == {"missing fund"}


# --- The chain is made anew ---------------------------------------------------------------------------------------------


def forged(fund: Fund, *more: str) -> None:
    """An anchored amount is changed, the totals are made to agree, and the whole chain of the fund is computed anew."""
    tamper(
        fund,
        "UPDATE funds_entry SET amount_minor = amount_minor - 1 WHERE id = ENTRY1",
        "UPDATE funds_fund SET earned_minor = earned_minor - 1, available_minor = available_minor - 1 WHERE id = FUND",
        FORGE_CHAIN,
        FORGE_FUND,
        *more,
    )


def test_a_chain_that_was_made_anew_is_found_by_its_anchor(told: Fund) -> None:
    forged(told)
    (fault,) = verify_ledger().faults
    assert (fault.kind, fault.detail) == ("anchor differs", "link 3, anchored on 2024-03-04, is another one now")


def test_a_chain_made_anew_without_one_entry_is_found_by_its_anchor(told: Fund) -> None:
    tamper(
        told,
        "DELETE FROM funds_link WHERE entry_id = ENTRY2",
        "DELETE FROM funds_entry WHERE id NOT IN (SELECT entry_id FROM funds_link)",
        "UPDATE funds_link SET number = number + 100 WHERE fund_id = FUND",
        RENUMBER,
        FORGE_CHAIN,
        FORGE_FUND,
        LESS_HELD,
    )
    assert kinds() == {"anchor differs"}


def test_anchors_made_anew_are_found_by_the_head_over_them(told: Fund) -> None:
    forged(told, FORGE_ANCHORS)
    assert words() == "head of 2024-03-04: it does not follow from its anchors and the head before"


def test_a_rewritten_head_is_found_by_the_head_after_it(told: Fund) -> None:
    record_head(DAY + timedelta(days=1), at=NIGHT + timedelta(days=1))
    forged(told, FORGE_ANCHORS, FORGE_HEADS)
    assert words() == "head of 2024-03-05: it does not continue the head before"


CHANGES_OF_THE_PROOF = (
    ("UPDATE funds_ledgerhead SET entries = entries - 1", "head differs"),
    ("UPDATE funds_ledgerhead SET at = at - interval '1 day'", "head differs"),
    ("UPDATE funds_ledgerhead SET previous = sha256('')", "head differs"),
    ("DELETE FROM funds_ledgerhead", "head differs"),
    ("DELETE FROM funds_anchor WHERE fund_id = FUND", "head differs"),
    ("DELETE FROM funds_link WHERE fund_id = FUND AND number = 3", "anchor differs"),
    ("UPDATE funds_fund SET head = sha256('another') WHERE id = FUND", "fund head differs"),
    ("UPDATE funds_fund SET entries_posted = entries_posted + 1 WHERE id = FUND", "count differs"),
    ("UPDATE funds_link SET hash = sha256('another') WHERE fund_id = FUND AND number = 4", "changed entry"),
)


def test_a_change_of_the_proof_itself_is_found(told: Fund) -> None:
    for change, kind in CHANGES_OF_THE_PROOF:
        with undone():
            tamper(told, change)
            assert kind in kinds(), change


def test_a_head_that_counts_otherwise_is_found_although_its_hash_was_made_anew(told: Fund) -> None:
    tamper(told, "UPDATE funds_ledgerhead SET entries = entries - 1", FORGE_HEADS)
    assert words() == "head of 2024-03-04: it does not count what is anchored"


def test_who_rewrites_everything_is_caught_by_the_head_that_was_kept_outside_and_by_nothing_else(told: Fund) -> None:
    kept = bytes(LedgerHead.objects.get().hash).hex()
    assert verify_ledger([kept]).faults == []
    forged(told, FORGE_ANCHORS, FORGE_HEADS)
    assert verify_ledger().faults == []  # the database agrees with itself: only the copy outside knows better
    (fault,) = verify_ledger([kept]).faults
    assert (fault.kind, fault.subject) == ("kept head is gone", f"head {kept[:12]}")


# --- Each check is needed -----------------------------------------------------------------------------------------------


NEEDED = {
    "changed entry": "UPDATE funds_entry SET note = 'another' WHERE id = ENTRY2",
    "missing entry": "DELETE FROM funds_entry WHERE id = ENTRY5",
    "inserted entry": COPY,
    "fund head differs": "UPDATE funds_fund SET head = sha256('another') WHERE id = FUND",
    "count differs": "UPDATE funds_fund SET entries_posted = entries_posted + 1 WHERE id = FUND",
}


def test_without_its_line_in_the_check_of_links_the_attack_passes(told: Fund, monkeypatch: pytest.MonkeyPatch) -> None:
    for kind, attack in NEEDED.items():
        with undone(), monkeypatch.context() as patch:
            tamper(told, attack)
            assert kinds() == {kind}
            assert proof.LINKS.count(f"'{kind}'") == 1
            patch.setattr(proof, "LINKS", proof.LINKS.replace(f"'{kind}'", "NULL"))
            assert kind not in kinds()


@pytest.mark.parametrize(("name", "more"), [("ANCHORS", ()), ("HEADS", (FORGE_ANCHORS,))])
def test_without_the_check_of_anchors_or_heads_a_forged_chain_passes(
    told: Fund, monkeypatch: pytest.MonkeyPatch, name: str, more: tuple[str, ...]
) -> None:
    forged(told, *more)
    assert verify_ledger().found == 1
    blind = getattr(proof, name).replace("LIMIT %s", "")
    monkeypatch.setattr(proof, name, f"SELECT * FROM ({blind}) found WHERE false LIMIT %s")
    assert verify_ledger().found == 0


# --- How it is told -------------------------------------------------------------------------------------------------------


def test_the_command_says_in_one_sentence_that_everything_matches(told: Fund) -> None:
    said = StringIO()
    call_command("verify_ledger", stdout=said)
    kept = bytes(LedgerHead.objects.get().hash).hex()
    assert said.getvalue() == f"6 entries match; head {kept[:12]}; anchored 4 Mar 2024, 2 entries are younger\n"


def test_the_command_names_each_fault_and_fails(told: Fund) -> None:
    tamper(told, "UPDATE funds_entry SET note = 'another' WHERE id = ENTRY2", COPY)
    said = StringIO()
    with pytest.raises(CommandError, match="7 entries checked: 2 faults found"):
        call_command("verify_ledger", stdout=said)
    assert "changed entry: " in said.getvalue()
    assert "inserted entry: " in said.getvalue()
    read = StringIO()
    with pytest.raises(CommandError):
        call_command("verify_ledger", "--json", stdout=read)
    told_as_json: dict[str, Any] = json.loads(read.getvalue())
    assert (told_as_json["found"], told_as_json["faults"][0]["kind"]) == (2, "changed entry")


def test_the_nightly_job_counts_faults_as_failures(told: Fund) -> None:
    assert jobs.verify_links(NIGHT).failed == 0
    tamper(told, "DELETE FROM funds_entry WHERE id = ENTRY2")
    assert jobs.verify_links(NIGHT).failed == 1


def test_many_faults_are_counted_and_the_first_ones_told(told: Fund, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proof, "MOST_FAULTS", 2)
    tamper(told, "UPDATE funds_entry SET note = 'another'")
    verdict = verify_ledger()
    assert (verdict.found, len(verdict.faults)) == (6, 2)
