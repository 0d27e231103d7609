"""What is not accepted: tried again at growing gaps, rested, given up; and answers of every kind."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db.models.functions import Now

from coop.lib import clock
from partners.hooks import calling
from partners.hooks.operations import update_webhook
from partners.models import Attempt, Delivery, Event, Person, Webhook
from tests.webhooks.conftest import due_now, happen, make_hook, send, the
from tests.webhooks.receiver import Message, Receiver, badly, nobody, write

pytestmark = pytest.mark.django_db


# --- Tries ------------------------------------------------------------------------------------------------------------


def test_the_gaps_between_tries_grow_and_after_three_days_it_is_given_up(
    hook: Webhook, owner: Person, receiver: Receiver
) -> None:
    receiver.conduct = lambda message: 503
    happen(owner.partner)
    gaps = []
    for _ in range(9):
        Webhook.objects.update(paused_until_wall=None)
        due_now()
        send()
        known = Delivery.objects.annotate(now=Now()).get()
        gaps.append((known.next_try_wall - known.now).total_seconds())
    wanted = [5, 30, 120, 600, 3_600, 10_800, 21_600, 21_600, 21_600]
    assert all(0.8 * want < gap < 1.1 * want + 1 for gap, want in zip(gaps, wanted, strict=True)), gaps
    assert len({message.id for message in receiver.messages}) == 1

    happen(owner.partner)
    Delivery.objects.filter(attempts__gt=0).update(first_try_wall=Now() - timedelta(days=3))
    due_now()
    Webhook.objects.update(paused_until_wall=None, failures=0)
    receiver.conduct = lambda message: 503 if len(receiver.messages) <= 10 else 200
    send()
    given_up, next_one = Delivery.objects.order_by("id")
    assert (given_up.status, given_up.reason) == ("failed", "Given up 3 days after the first try.")
    told = Event.objects.get(verb="webhook.gave_up")
    assert (told.subject, told.data["count"], told.data["verbs"]) == (str(hook.pk), 1, ["claim.submitted"])
    assert next_one.status == "sent", "the next of the record goes on"


def test_the_last_try_is_made_when_the_three_days_end(hook: Webhook, owner: Person, receiver: Receiver) -> None:
    receiver.conduct = lambda message: 503
    happen(owner.partner)
    send()
    for _ in range(8):
        Attempt.objects.create(delivery=the(hook), error="before")
    Delivery.objects.update(first_try_wall=Now() - timedelta(days=3) + timedelta(minutes=5))
    Attempt.objects.update(at_wall=Now() - timedelta(days=1))
    due_now()
    send()
    known = Delivery.objects.annotate(now=Now()).get()
    assert known.status == "waiting"
    assert timedelta(minutes=4) < known.next_try_wall - known.now < timedelta(minutes=5)


def test_ten_failures_in_a_row_rest_the_address_and_one_success_ends_it(
    hook: Webhook, owner: Person, receiver: Receiver
) -> None:
    receiver.conduct = lambda message: 500
    for record in range(15):
        happen(owner.partner, str(record))
    send()
    hook = Webhook.objects.annotate(now=Now()).get()
    assert 10 <= len(receiver.messages) <= 11, "at most one more was under way"
    assert hook.failures == len(receiver.messages)
    assert timedelta(minutes=14) < hook.paused_until_wall - hook.now <= timedelta(minutes=15)
    assert send().failed == 0

    Webhook.objects.update(paused_until_wall=Now())
    send()
    assert Webhook.objects.get().failures == hook.failures + 1, "one try, and it rests again"
    receiver.conduct = lambda message: 200
    Webhook.objects.update(paused_until_wall=Now())
    due_now()
    assert send().sent == 15
    hook = Webhook.objects.get()
    assert (hook.failures, hook.paused_until_wall, hook.failing_since_wall) == (0, None, None)


def test_what_is_too_old_while_its_address_rests_is_given_up_and_told_once(hook: Webhook, owner: Person) -> None:
    for record in ("1", "2", "3"):
        happen(owner.partner, record)
    Webhook.objects.update(paused_until_wall=Now() + timedelta(minutes=5))
    tried = Delivery.objects.exclude(record="claim:3")
    tried.update(attempts=1, first_try_wall=Now() - timedelta(days=3, hours=2))
    send()
    assert list(Delivery.objects.order_by("id").values_list("status", flat=True)) == ["failed", "failed", "waiting"]
    assert Event.objects.get(verb="webhook.gave_up").data["count"] == 2


def test_410_switches_the_webhook_off_and_says_why(hook: Webhook, owner: Person, receiver: Receiver) -> None:
    receiver.conduct = lambda message: 410
    happen(owner.partner, "1")
    happen(owner.partner, "1")
    send()
    hook.refresh_from_db()
    assert (hook.active, hook.off_reason) == (False, "The address answered 410: it is gone for good.")
    assert list(Delivery.objects.order_by("id").values_list("status", flat=True)) == ["failed", "waiting"]
    assert Event.objects.get(verb="webhook.switched_off").data["host"] == f"127.0.0.1:{receiver.port}"
    receiver.conduct = lambda message: 200
    update_webhook(hook.pk, {"active": True}, by=owner, at=clock.now())
    assert send().sent == 1


def test_an_address_that_accepts_nothing_for_a_week_is_switched_off(
    hook: Webhook, owner: Person, receiver: Receiver
) -> None:
    receiver.conduct = lambda message: 500
    Webhook.objects.update(failing_since_wall=Now() - timedelta(days=7), failures=30)
    happen(owner.partner)
    send()
    hook.refresh_from_db()
    assert (hook.active, hook.off_reason) == (False, "Nothing was accepted here for 7 days.")


# --- Answers of every kind --------------------------------------------------------------------------------------------


def answering(*pieces: bytes) -> Any:
    return badly(lambda handler, message: write(handler, *pieces))


@pytest.mark.parametrize(
    ("conduct", "status", "words"),
    [
        (lambda message: 302, 302, "It answered 302, a redirect. Redirects are not followed"),
        (lambda message: 400, 400, "It answered 400 Bad Request."),
        (answering(), None, "It broke off the connection without a whole answer."),
        (answering(b"HTTP/1.1 2"), None, "What it answered is not HTTP."),
        (answering(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"), None, "What it answered is not HTTP."),
        (answering(b"HTTP/1.1 200 OK\r\n", b"X: " + b"x" * 70_000 + b"\r\n"), None, "What it answered is not HTTP."),
    ],
)
def test_what_is_no_acceptance_is_logged_and_tried_again(
    hook: Webhook, owner: Person, receiver: Receiver, conduct: Any, status: int | None, words: str
) -> None:
    receiver.conduct = conduct
    happen(owner.partner)
    send()
    tried = Attempt.objects.get()
    assert (tried.status, tried.error[: len(words)]) == (status, words)
    assert the(hook).status == "waiting"
    assert [message.path for message in receiver.messages] == ["/coop"], "no redirect is followed"


def test_of_a_long_answer_64_kb_are_read_and_500_characters_kept(
    hook: Webhook, owner: Person, receiver: Receiver
) -> None:
    written: list[int] = []

    def pour(handler: Any, message: Message) -> None:
        write(handler, b"HTTP/1.1 200 OK\r\nContent-Length: 30000000\r\n\r\nfine\x00\n")
        try:
            for _ in range(3_000):
                handler.wfile.write(b"y" * 10_000)
                written.append(10_000)
        except OSError:
            pass

    receiver.conduct = badly(pour)
    happen(owner.partner)
    assert send().sent == 1
    assert sum(written) < 20_000_000, "the caller hung up"
    answer = Attempt.objects.get().answer
    assert (len(answer), answer[:8]) == (500, "fine  yy")


def test_an_accepted_message_whose_answer_breaks_off_is_accepted(
    hook: Webhook, owner: Person, receiver: Receiver
) -> None:
    receiver.conduct = answering(b"HTTP/1.1 202 Accepted\r\nContent-Length: 300\r\n\r\nhalf of")
    happen(owner.partner)
    assert send().sent == 1
    assert Attempt.objects.get().answer == "half of"


def test_nobody_at_the_address_is_a_failure_like_others(hook: Webhook, owner: Person) -> None:
    Webhook.objects.update(url=f"http://127.0.0.1:{nobody()}/")
    happen(owner.partner)
    send()
    assert Attempt.objects.get().error == "It refused the connection."


def test_an_answer_that_drips_is_cut_off(
    hook: Webhook, owner: Person, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calling, "WHOLE_SECONDS", 0.5)
    drip = [b"HTTP/1.1 200 OK\r\n", *([b"X-Drip: drop\r\n"] * 50)]
    receiver.conduct = badly(lambda handler, message: write(handler, *drip, pause=0.1))
    happen(owner.partner)
    assert send().failed == 1
    tried = Attempt.objects.get()
    assert tried.error == calling.TOO_SLOW
    assert tried.took_ms < 2_500, "each drop came in time, all of them would have taken five seconds"


def test_a_slow_address_holds_up_nobody(owner: Person, receivers: Callable[..., Receiver]) -> None:
    """The slow one answers only when the quick one has got everything."""
    quick_has_all = threading.Event()
    slow_before: list[str] = []

    def slowly(message: Message) -> int:
        if not quick_has_all.is_set():
            slow_before.append(message.id)
        quick_has_all.wait(9)
        return 200

    def quickly(message: Message) -> int:
        if len(quick.messages) == 20:
            quick_has_all.set()
        return 200

    slow, quick = receivers(conduct=slowly), receivers(conduct=quickly)
    for receiver in (slow, quick):
        make_hook(owner, receiver.url())
    for record in range(20):
        happen(owner.partner, str(record))
    assert send(seconds=60).sent == 40
    assert quick_has_all.is_set()
    assert len(slow_before) <= 2, "one address gets no more room"
