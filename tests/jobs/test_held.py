"""After a restore of an old backup nothing goes out until somebody lets it."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.test import Client

from coop.jobs import run_job
from coop.jobs.standing import HELD, deep_health
from coop.lib import clock
from partners.models import Delivery, Mail
from tests import factories as make
from tests.webhooks.conftest import make_hook
from tests.webhooks.receiver import Receiver

pytestmark = pytest.mark.django_db


def test_what_waits_is_held_back_and_said_so_until_it_is_released(settings: Any) -> None:
    settings.WEBHOOK_PRIVATE_ADDRESSES = True
    settings.LEDGER_HEAD_MAIL_TO = ["keeper@vendor.example"]
    claim = make.make_sent_claim(make.make_fund())
    receiver = Receiver().start()
    make_hook(make.vendor("manager"), receiver.url())
    make.make_sent_claim(claim.fund, "100.00")
    for job in ("tell_untold", "write_mails", "record_head"):
        run_job(job, clock.now())

    def go_out() -> None:
        for job in ("send_mails", "send_deliveries", "mail_heads"):
            run_job(job, clock.now())

    settings.OUTGOING_HELD = True
    go_out()

    assert (mail.outbox, receiver.messages) == ([], [])
    waiting = Mail.objects.filter(status="waiting", attempts=0).count(), Delivery.objects.filter(attempts=0).count()
    assert min(waiting) > 0
    client = Client()
    client.force_login(make.vendor("auditor"))
    assert "Mails and webhooks are held back" in client.get("/operations/").content.decode()
    out = StringIO()
    with pytest.raises(CommandError):
        call_command("jobs", stdout=out)
    assert HELD in out.getvalue()
    assert deep_health(clock.now()).checks["outgoing"] == HELD

    settings.OUTGOING_HELD = False
    go_out()

    assert len(mail.outbox) >= waiting[0]
    assert len(receiver.accepted()) == waiting[1]
    assert deep_health(clock.now()).checks["outgoing"] == "goes out"
    receiver.stop()
