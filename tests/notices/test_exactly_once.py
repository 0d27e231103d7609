"""No notice is lost and none doubled: two who tell at once, one who is killed at any query, and rings that nobody hears."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from threading import Barrier, Thread

import pytest
from django.db import connection

from coop import telling
from coop.lib import clock
from coop.lib.db import execute
from coop.timetable import TIMETABLE
from partners.models import Delivery, Event, Notice, Partner, Untold, Webhook
from partners.telling import Telling, tell
from tests.factories import CLAIMING, make_partner, make_person, set_clock
from tests.notices.world import forget

EVENTS = 12
HELD = {
    "program": "hosting",
    "program_name": "Hosting",
    "kind": "claim",
    "amount": "10.00",
    "currency": "USD",
    "code": "payout_profile_incomplete",
    "reason": "The bank and tax profile is not complete.",
}


def a_partner_that_listens() -> Partner:
    """A partner with two people, one of whom has a webhook; what happened before is forgotten."""
    set_clock(CLAIMING)
    partner = make_partner()
    first, _ = make_person(partner), make_person(partner, "partner_admin")
    Webhook.objects.create(owner=first, url="https://example.com/", secret="s", created_at=CLAIMING)
    forget()
    return partner


def happen(partner: Partner, times: int = EVENTS) -> None:
    """So many events of which both people are told, written by a statement of its own as sweeps do: nobody rings."""
    execute(
        """INSERT INTO partners_event (at, acting_as, verb, subject_type, subject, partner_id, data, vendor_only)
           SELECT %s, 'system', 'payment.held', 'partner', %s, %s, %s::jsonb, false FROM generate_series(1, %s)""",
        [CLAIMING, str(partner.pk), partner.pk, json.dumps(HELD), times],
    )


def each_was_told_once(partner: Partner, times: int = EVENTS) -> None:
    assert not Untold.objects.exists()
    keys = sorted(f"payment.held:{pk}" for pk in Event.objects.filter(verb="payment.held").values_list("id", flat=True))
    assert len(keys) == times
    for person in partner.people.all():
        assert sorted(person.notices.values_list("key", flat=True)) == keys
    assert Delivery.objects.count() == times


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_who_tells_may_be_killed_at_every_single_query() -> None:
    partner = a_partner_that_listens()
    happen(partner, 6)
    done = subprocess.run(
        [sys.executable, "-m", "tests.notices.tell_child", connection.settings_dict["NAME"]],
        cwd=Path(__file__).resolve().parents[2],
        env=os.environ,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    killed, status = map(int, done.stdout.split() or (0, 1))
    assert status == 0, done.stderr
    assert killed > 15, "too few kills to show anything"
    each_was_told_once(partner, 6)


@pytest.mark.django_db(transaction=True)
def test_two_who_tell_at_once_share_the_work_and_tell_nothing_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telling, "BATCH", 3)
    partner = a_partner_that_listens()
    happen(partner)
    at, start, told = clock.now(), Barrier(2), []

    def consume() -> None:
        start.wait(10)
        while Untold.objects.exists():
            told.append(telling.tell_untold(at=at).events)
        connection.close()

    threads = [Thread(target=consume) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sum(told) == EVENTS
    each_was_told_once(partner)


@pytest.mark.django_db
def test_what_nobody_rang_for_is_told_by_the_timetable_within_seconds() -> None:
    assert (TIMETABLE["tell untold"]["task"], TIMETABLE["tell untold"]["schedule"]) == ("coop.tell_untold", 5.0)
    partner = a_partner_that_listens()
    happen(partner)
    telling.tell_untold(at=clock.now())
    each_was_told_once(partner)


@pytest.mark.django_db
def test_two_notices_of_one_key_are_one_whoever_gives_them() -> None:
    set_clock(CLAIMING)
    person = make_person(make_partner())
    words = Telling("payment", "k", "Title", "Text", "/", "partner", "1", person.partner_id, CLAIMING)
    assert tell([person.pk, person], words, at=CLAIMING) == 1
    assert tell([person], words, at=CLAIMING) == 0
    assert Notice.objects.count() == 1
