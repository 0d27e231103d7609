"""Webhooks at a real browser, wide and narrow: added, seen to fail, mended and replayed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from coop.lib import clock
from coop.people import PASSWORD
from partners.hooks.sending import send_deliveries
from partners.hooks.signing import unseal
from partners.models import Webhook
from tests import factories
from tests.browser.steps import Visit, look
from tests.webhooks.conftest import happen
from tests.webhooks.receiver import Receiver

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    settings.WEBHOOK_PRIVATE_ADDRESSES = True
    started = Receiver().start()
    yield started
    started.stop()


def test_a_webhook_from_its_first_test_to_its_end(visit: Visit, receiver: Receiver) -> None:
    owner = factories.make_person(factories.make_partner(), password=PASSWORD)
    visitor = visit()
    page = visitor.page
    visitor.sign_in(owner)
    page.get_by_text(owner.name).first.click()
    page.get_by_role("link", name="Webhooks").click()
    look(visitor, "webhooks-none")

    page.get_by_role("link", name="Add a webhook").click()
    page.get_by_label("Address").fill("https://user@example.com/")
    page.get_by_label("Single kinds of events").fill("plan.approved clam.approved")
    page.get_by_role("button", name="Add webhook").click()
    look(visitor, "webhooks-refused")
    page.get_by_label("Address").fill(receiver.url("/a/long/path/that/does/not/break/by/itself/0123456789abcdef"))
    page.get_by_label("Single kinds of events").fill("plan.approved")
    page.get_by_label("Claims", exact=True).check()
    page.get_by_role("button", name="Add webhook").click()
    look(visitor, "webhooks-secret")
    hook = Webhook.objects.get()
    assert page.get_by_label("Secret").input_value() == unseal(hook.secret)

    page.get_by_role("link", name="I have kept it").click()
    page.get_by_role("button", name="Send a test").click()
    page.get_by_text("The test is on its way.").wait_for()
    send_deliveries(at=clock.now())
    page.get_by_text("It answered 204").wait_for()  # the page goes on by itself

    receiver.conduct = lambda message: 503
    happen(owner.partner)
    send_deliveries(at=clock.now())
    visitor.go(f"/account/webhooks/{hook.pk}/")
    look(visitor, "webhooks-log")
    page.get_by_role("link", name="claim.submitted").click()
    look(visitor, "webhooks-delivery")
    receiver.conduct = lambda message: 200
    page.get_by_role("button", name="Deliver again").click()
    page.get_by_text("It is delivered again").wait_for()
    send_deliveries(at=clock.now())
    assert len(receiver.accepted()) == 2

    visitor.go(f"/account/webhooks/{hook.pk}/")
    page.get_by_role("link", name="Change the secret").click()
    look(visitor, "webhooks-new-secret")
    page.get_by_role("button", name="Make a new secret").click()
    page.get_by_role("link", name="I have kept it").click()
    page.get_by_role("button", name="Pause").click()
    look(visitor, "webhooks-paused")
    visitor.go("/account/webhooks/")
    look(visitor, "webhooks-list")
    visitor.go(f"/account/webhooks/{hook.pk}/delete/")
    page.get_by_role("button", name="Delete webhook").click()
    page.get_by_text("The webhook is deleted.").wait_for()
