"""Sending what is due. Calls are made by threads, outside every transaction; this thread alone speaks to the database.

An address has little room, and one that fails has less, so that a slow one does not hold up the others.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache

import structlog
from django.db import InterfaceError, OperationalError

from coop.lib.nudge import ring
from partners.hooks import leasing
from partners.hooks.calling import Order, Outcome, call
from partners.hooks.fanout import SEND, seen_by
from partners.hooks.leasing import Address, Lease
from partners.hooks.letters import order_for
from partners.hooks.signing import Unreadable
from partners.models import Delivery

log = structlog.get_logger()

THREADS = 16
ROOM = 2  # calls to one address at a time
ROOM_OF_FAILING = 1
FAILING_THREADS = THREADS // 2
SECONDS = 15  # how long one run takes up new work; the worker has other things to do

NO_RIGHT = "Its owner may not see this event any more."
LEFT = "Its owner is no longer active."
LOST_KEY = "The secret cannot be read, because SECRET_KEY has changed. Make a new secret."


@dataclass
class Round:
    """The calls that one run has under way."""

    at: datetime
    call: Callable[[Order], Outcome]
    pool: ThreadPoolExecutor
    step: Callable[[], None]
    running: dict[Future[Outcome], tuple[Lease, Address]] = field(default_factory=dict)
    sent: int = 0
    failed: int = 0
    closed: int = 0

    def room(self, address: Address) -> int:
        """How many calls to an address may be added now."""
        busy = [known for _, known in self.running.values()]
        mine = sum(known.webhook_id == address.webhook_id for known in busy)
        free = THREADS - len(busy)
        if not address.failing:
            return min(free, ROOM - mine)
        return min(free, ROOM_OF_FAILING - mine, FAILING_THREADS - sum(known.failing for known in busy))

    def take_up(self) -> bool:
        """Start calls wherever there is something due and room for it. Whether anything was."""
        taken = False
        for address in leasing.due_addresses():
            room = self.room(address)
            leases = leasing.take(address.webhook_id, room) if room > 0 else []
            taken |= bool(leases)
            for lease, order in self.orders(leases):
                self.running[self.pool.submit(self.call, order)] = lease, address
        return taken

    def orders(self, leases: list[Lease]) -> Iterator[tuple[Lease, Order]]:
        """What is to be called for these leases. What its owner may not see any more, or cannot be signed, is not."""
        found = Delivery.objects.select_related("webhook__owner", "event")
        by_id = found.in_bulk([lease.delivery_id for lease in leases])
        for lease in leases:
            delivery = by_id.get(lease.delivery_id)
            if delivery is None:  # its webhook was deleted a moment ago
                continue
            event, owner = delivery.event, delivery.webhook.owner
            if not owner.is_active or (event and not seen_by([owner], [event])):
                self.closed += leasing.close(lease, NO_RIGHT if owner.is_active else LEFT)
                continue
            try:
                yield lease, order_for(delivery, event, timestamp=lease.epoch, two_secrets=lease.two_secrets)
            except Unreadable:
                self.note(lease, Outcome(error=LOST_KEY))
            except Exception as error:
                log.exception("webhook.not_written", delivery=lease.delivery_id)
                self.note(lease, Outcome(error=f"The message could not be written: {type(error).__name__}."))

    def finish(self, seconds: float) -> None:
        """Wait a moment for calls that come to an end, and write down what came of them."""
        if not self.running:
            return
        done, _ = wait(self.running, timeout=seconds, return_when=FIRST_COMPLETED)
        for future in done:
            lease, _address = self.running.pop(future)
            error = future.exception()
            if error is not None:
                log.error("webhook.call_failed", delivery=lease.delivery_id, error=type(error).__name__)
            self.note(lease, Outcome(error="The call could not be made.") if error else future.result())

    def note(self, lease: Lease, outcome: Outcome) -> None:
        """Write down what came of a delivery. One that cannot be written down goes again, and holds up no other."""
        try:
            marked = leasing.mark(lease, outcome, at=self.at)
        except (OperationalError, InterfaceError):
            raise  # the database is away: the leases end by themselves
        except Exception:
            log.exception("webhook.not_marked", delivery=lease.delivery_id)
        else:
            self.sent += marked and outcome.accepted
            self.failed += marked and not outcome.accepted
        self.step()


def real_call() -> Callable[[Order], Outcome]:
    """The call over the network. The certificates of this system are read once, when there is something to call."""
    context = cache(ssl.create_default_context)
    return lambda order: call(order, context())


def send_deliveries(
    *,
    at: datetime,
    seconds: float = SECONDS,
    step: Callable[[], None] = lambda: None,
    make_call: Callable[[Order], Outcome] | None = None,
) -> Round:
    """Send what is due, for some seconds; `at` is the product's clock, for events. `step` hears of each call that is over.

    Returns what was done. May run twice or together with itself. What is still due at the end rings for the next run.
    """
    leasing.give_up_old(at=at)
    until = time.monotonic() + seconds
    with ThreadPoolExecutor(THREADS, thread_name_prefix="webhook") as pool:
        work = Round(at, make_call or real_call(), pool, step)
        # What was closed without a call lets the next of its record go, so look again also when nothing runs.
        while (time.monotonic() < until and work.take_up()) or work.running:
            work.finish(1.0)
    if time.monotonic() >= until and leasing.due_addresses():
        ring(SEND)
    return work
