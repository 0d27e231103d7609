"""Each line of the auditor is able to fail: a fault is planted for every one, and that line names it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction

from coop.lib.db import execute
from coop.telling import tell_untold
from funds.models import Fund
from partners.hooks.fanout import new_delivery
from partners.models import Delivery, Event, Mail, Webhook
from tests import factories as make
from tests.chaos.audit_claims import claims
from tests.chaos.audit_money import money
from tests.chaos.audit_records import records
from tests.chaos.audit_telling import telling
from tests.chaos.journals import Journals, note
from tests.chaos.lines import Line

OPEN_WALLS = """
ALTER TABLE funds_entry DISABLE TRIGGER USER; ALTER TABLE funds_fund DISABLE TRIGGER USER;
ALTER TABLE funds_fund DROP CONSTRAINT balance_identity; ALTER TABLE funds_fund DROP CONSTRAINT no_bucket_below_zero;
ALTER TABLE claims_claim DISABLE TRIGGER USER; ALTER TABLE partners_event DISABLE TRIGGER USER;
DROP INDEX a_deadline_expires_a_fund_once;"""
EXPIRY = """INSERT INTO funds_entry (fund_id, partner_id, currency, kind, from_bucket, to_bucket, amount_minor, effective_on,
    recorded_at, reference_type, reference, key)
  SELECT id, partner_id, currency, 'expiry', 'available', 'expired', 1, '{day}', '{at}', 'earning_period', '1', '{key}'
  FROM funds_fund"""
SPENT = EXPIRY.replace("'expiry', 'available', 'expired', 1", "'approval', 'in_review', 'approved', 99999999")
RIGHT = ("2024-08-14", "2024-08-15T00:00:01Z")
EXPIRED = EXPIRY.format(day=RIGHT[0], at=RIGHT[1], key="a")


@contextmanager
def planted(sql: str) -> Iterator[None]:
    """With a fault in the database, which is gone after that."""
    with transaction.atomic():
        execute(OPEN_WALLS + sql)
        yield
        transaction.set_rollback(True)


def broken(lines: list[Line]) -> set[str]:
    return {line.promise for line in lines if line.breaches}


@pytest.fixture
def fund(db: None) -> Fund:
    """10,003.55 with a claim of 4,000.00 that was sent, and one of 1,000.00 that was approved; the deadline is over."""
    fund = make.make_fund()
    make.make_sent_claim(fund, title="op-sent")
    make.make_approved_claim(fund, "1000.00", title="op-approved")
    make.set_clock(make.DEADLINE)
    make.expire()
    execute("SET CONSTRAINTS ALL IMMEDIATE")
    return fund


MONEY = {
    "debits equal credits": "UPDATE funds_fund SET available_minor = available_minor + 1",
    "the totals of each fund equal its entries": "UPDATE funds_fund SET paid_minor = paid_minor + 1",
    "check_ledger agrees": "UPDATE claims_claim SET approved_minor = 1 WHERE status = 'approved'",
    "verify_ledger finds nothing changed": "UPDATE funds_entry SET effective_on = effective_on - 1 WHERE kind = 'hold'",
    "no bucket of a fund is below zero": "UPDATE funds_fund SET in_review_minor = -1",
    "no fund approved more than it was given": SPENT.format(day=RIGHT[0], at=RIGHT[1], key="a"),
    "no fund expired twice": EXPIRED,
    "each fund with money left at its deadline expired once": "DELETE FROM funds_entry WHERE kind = 'expiry'",
    "what expired is effective on its deadline day": "UPDATE funds_entry SET effective_on = '2024-08-15' WHERE kind = 'expiry'",
    "nothing expired before its deadline": "UPDATE funds_entry SET recorded_at = '2024-08-14T23:59:59Z' WHERE kind = 'expiry'",
    "nothing is left to spend after a deadline": "UPDATE funds_fund SET available_minor = 1",
}


def test_every_line_about_money_names_a_fault_that_is_planted_for_it(fund: Fund) -> None:
    journals = Journals()
    assert broken(money(journals)) == set()
    for promise, sql in MONEY.items():
        with planted(sql):
            assert promise in broken(money(journals)), promise
    note(journals, {"reads": 5, "wrong": 1})
    note(journals, act("earnings", "op-1", lines=["nowhere"]))
    assert broken(money(journals)) == {
        "reads during the run summed to the total",
        "every earning that was taken is there once",
    }


def act(kind: str, op: str, status: int = 200, **more: Any) -> dict[str, Any]:
    return {"answered": 2.0, "kind": kind, "op": op, "status": status, "code": "", "tries": 1, **more}


def submitted(op: str, claim: int, before: str, after: str, status: int = 200, code: str = "") -> dict[str, Any]:
    result = {"status": "submitted", "revision": 1}
    times = {"clock_before": before, "clock_after": after}
    return {**act("submit", op, status, claim=str(claim), result=result), **times, "code": code}


LATE, EARLY = "2024-08-15T00:00:00Z", "2024-08-14T23:59:59Z"
STATUS = "UPDATE claims_claim SET status = '{}' WHERE title = 'op-approved'"


def test_every_line_about_claims_names_a_fault_that_is_planted_for_it(fund: Fund) -> None:
    sent, approved = fund.claims.order_by("id")

    def journals(*more: dict[str, Any]) -> Journals:
        found = Journals()
        for line in (
            act("claim", "op-sent"),
            act("claim", "op-approved"),
            submitted("op-2", sent.pk, "2024-03-04T09:00:00Z", "2024-03-04T09:00:00Z"),
            submitted("op-3", approved.pk, "2024-03-04T09:00:00Z", "2024-03-04T09:00:00Z"),
            *more,
        ):
            note(found, line)
        return found

    assert broken(claims(journals())) == set()
    late = submitted("op-4", sent.pk, LATE, LATE)
    told = {"claim": str(sent.pk), "result": {"status": "approved", "revision": 99}}
    by_journal = {
        "every acknowledged claim is there exactly once": act("claim", "op-lost"),
        "no refused claim is there": act("claim", "op-sent", 422),
        "every claim is as was acknowledged, or later": act("approve", "op-5", **told),
        "lines, documents and plans are there exactly once": act("line", "op-6"),
        "every sending was acknowledged once, and every acknowledged one is there": {**late, "answered": 1.0},
        "nothing late was taken": {**late, "answered": 1.0},
        "nothing in time was refused as late": submitted("op-7", sent.pk, EARLY, EARLY, 422, "window_closed"),
        "an act that is sent again gets the same answer": {"again": "op-2", "same": False, "status": 201, "code": ""},
    }
    for promise, line in by_journal.items():
        assert promise in broken(claims(journals(line))), promise
    by_sql = {
        "no claim was sent outside its windows": f"UPDATE claims_claim SET first_submitted_at = '{LATE}'",
        "no claim has two ends": STATUS.format("lapsed"),
        "the money of each claim lies where its status says": STATUS.format("withdrawn"),
    }
    for promise, sql in by_sql.items():
        with planted(sql):
            assert promise in broken(claims(journals())), promise


def test_every_line_about_other_records_names_a_fault_that_is_planted_for_it(fund: Fund) -> None:
    journals = Journals()
    assert broken(records(journals)) == set()
    note(journals, act("plan", "op-1", result={"id": "1", "status": "draft", "revision": 1}))
    with planted(
        """INSERT INTO funds_extension (earning_period_id, status, decided_at, decided_by_id, reason, asked_because,
             claims_close_on_before, claims_close_on, revision, created_at)
           SELECT f.earning_period_id, 'granted', now(), (SELECT min(id) FROM partners_person), 'So.', '', '2024-08-14',
             '2024-09-01', 1, now() FROM funds_fund f"""
    ):
        assert broken(records(journals)) == {
            "plans, imports, runs, adjustments and extensions are as was acknowledged",
            "every extension that was granted is in force",
        }


def test_every_line_about_telling_names_a_fault_that_is_planted_for_it(fund: Fund, tmp_path: Path) -> None:
    def books(mails: list[Any] = (), hooks: list[Any] = ()) -> set[str]:
        (tmp_path / "kills.json").write_text("[]")
        for name, came in (("mails", mails), ("webhooks", hooks)):
            lines = (json.dumps({"id": one, "at": at, "to": []}) + "\n" for one, at in came)
            (tmp_path / f"{name}.jsonl").write_text("".join(lines))
        return broken(telling(tmp_path))

    assert "every event left the outbox" in books()
    tell_untold(at=make.DEADLINE)
    with planted("UPDATE partners_notice SET mail_at = NULL"):
        assert books() == set()
    assert books() == {"every notice that asks for a mail is in one"}
    with planted("DELETE FROM partners_notice"):
        assert "everybody was told what concerns them" in books()
    person = make.vendor()
    mail = {"person": person, "to": person.email, "message_id": "<1>", "created_at": make.DEADLINE}
    with planted(""):
        Mail.objects.create(**mail)
        assert "every mail was sent" in books()
        Mail.objects.update(status="sent")
        assert "every mail that counts as sent came" in books()
        found = books(mails=[("<1>", 1.0), ("<1>", 9.0), ("<2>", 9.0)])
        assert {
            "a mail comes again only after a kill",
            "no mail came that nobody sent, or under a second id",
        } <= found
    with planted(""):
        webhook = Webhook.objects.create(owner=person, url="https://b.example", created_at=make.EARNING)
        assert "each webhook has every event that is for it" in books()
        for event in Event.objects.order_by("id")[:2]:
            new_delivery(webhook, event, make.DEADLINE).save()
        Delivery.objects.update(record="claim:1")
        assert {"every webhook was delivered", "every delivery that counts as made came"} <= books()
        first, second = Delivery.objects.order_by("event_id").values_list("message_id", flat=True)
        found = books(hooks=[(second, 1.0), (first, 2.0), (first, 9.0), ("strange", 9.0)])
        assert {
            "no webhook came that nobody sent",
            "a webhook comes again only after a kill",
            "the webhooks of each record came in order",
        } <= found
