"""The daily heads: what they cover, that a doubled job does no harm, and how they are mailed."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from json import dumps
from typing import Any

import pytest
from django.core import mail

from coop import jobs
from coop.sandbox import move_clock
from funds.models import Anchor, Fund, LedgerHead, Link
from funds.operations.heads import mail_head, record_head
from funds.queries.proof import verify_ledger
from partners.models import Event
from tests import factories as make
from tests.funds.test_races import at_once

pytestmark = pytest.mark.django_db

DAY = date(2024, 3, 4)
NIGHT = datetime(2024, 3, 5, 0, 5, tzinfo=UTC)


def test_a_head_anchors_every_fund_that_moved_and_is_the_chain_that_its_description_says(fund: Fund) -> None:
    other = make.make_fund("90000.00", enrollment=make.make_enrollment(make.make_location()))
    head = record_head(DAY, at=NIGHT)
    assert head is not None
    anchors = list(Anchor.objects.order_by("fund_id"))
    assert [(a.fund_id, a.day) for a in anchors] == [(fund.id, DAY), (other.id, DAY)]
    assert (head.funds, head.entries, head.previous) == (2, sum(a.number for a in anchors), None)
    state = b""
    for text in (
        ["2024-03-04", "2024-03-05T00:05:00", 2, head.entries],
        *(["2024-03-04", a.fund_id, a.number, bytes(a.hash).hex()] for a in anchors),
    ):
        state = sha256(state + dumps(text).encode()).digest()
    assert bytes(head.hash) == state
    event = Event.objects.get(verb="ledger.head_recorded")
    assert (event.vendor_only, event.data["hash"]) == (True, state.hex())


def test_the_next_head_anchors_only_what_moved_since_and_continues_the_one_before(fund: Fund) -> None:
    make.make_fund("90000.00", enrollment=make.make_enrollment(make.make_location()))
    first = record_head(DAY, at=NIGHT)
    make.make_sent_claim(fund, "100.00")
    second = record_head(DAY + timedelta(days=1), at=NIGHT + timedelta(days=1))
    assert first
    assert second
    assert [a.fund_id for a in Anchor.objects.filter(day=second.day)] == [fund.id]
    assert (second.previous, second.funds) == (first.hash, 2)
    assert second.entries == Link.objects.count() == first.entries + 1
    assert verify_ledger().faults == []


def test_without_a_movement_there_is_no_head_and_a_doubled_job_records_none(fund: Fund) -> None:
    assert record_head(DAY, at=NIGHT)
    make.make_sent_claim(fund, "100.00")
    assert record_head(DAY, at=NIGHT) is None  # the day has its head: what came later belongs to the next one
    assert record_head(DAY - timedelta(days=1), at=NIGHT) is None
    assert record_head(DAY + timedelta(days=1), at=NIGHT + timedelta(days=1))
    assert record_head(DAY + timedelta(days=2), at=NIGHT + timedelta(days=2)) is None
    assert LedgerHead.objects.count() == 2


def test_a_move_of_the_sandboxes_clock_records_the_head_of_the_day_before(fund: Fund) -> None:
    moved = move_clock(NIGHT, by=None)
    assert "record_head" in {done.job for done in moved.ran}
    assert LedgerHead.objects.get().day == DAY
    assert move_clock(NIGHT, by=None).ran == []


def test_each_head_is_mailed_once_with_its_hash_and_how_to_check_it(fund: Fund, settings: Any) -> None:
    head = record_head(DAY, at=NIGHT)
    assert head
    settings.LEDGER_HEAD_MAIL_TO = []
    assert (jobs.mail_heads(NIGHT).worked, mail.outbox) == (0, [])
    settings.LEDGER_HEAD_MAIL_TO = ["keeper@auditor.example", "second@auditor.example"]
    assert jobs.mail_heads(NIGHT).worked == 1
    assert jobs.mail_heads(NIGHT).worked == 0
    (letter,) = mail.outbox
    kept = bytes(head.hash).hex()
    assert letter.to == ["keeper@auditor.example", "second@auditor.example"]
    assert kept in letter.body
    assert f"verify_ledger --head {kept}" in letter.body
    assert "4 Mar 2024" in letter.body
    assert LedgerHead.objects.get().mailed_at == NIGHT


def test_a_head_whose_mail_failed_is_mailed_by_the_next_run(
    fund: Fund, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    record_head(DAY, at=NIGHT)
    settings.LEDGER_HEAD_MAIL_TO = ["keeper@auditor.example"]

    def away(*given: Any, **more: Any) -> int:
        raise ConnectionRefusedError("the mail server is away")

    with monkeypatch.context() as patch:
        patch.setattr("funds.operations.heads.send_mail", away)
        assert jobs.mail_heads(NIGHT).failed == 1
    assert LedgerHead.objects.get().mailed_at is None
    assert mail_head(DAY, to=["keeper@auditor.example"], at=NIGHT)
    assert len(mail.outbox) == 1


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_of_many_jobs_at_once_one_records_the_head() -> None:
    make.make_fund()
    answers = at_once([lambda: record_head(DAY, at=NIGHT) for _ in range(6)])
    assert not [answer for answer in answers if isinstance(answer, Exception)], answers
    assert len([answer for answer in answers if answer]) == LedgerHead.objects.count() == 1
    assert verify_ledger().faults == []
