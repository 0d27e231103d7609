"""Random histories of deliveries: whatever came, was corrected, moved and taken back, the funds hold the last state of it."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import pytest
from django.db.models import Sum
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from coop.lib.errors import WrongStatus
from coop.lib.money import share
from funds.checks import check_ledger
from funds.models import Earning, Entry, Fund, Import, Rebate
from funds.operations.earnings import take_lines
from funds.operations.reversal import reverse_import
from tests import factories as make

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

LOCATIONS = ("A", "B", "C")
DAYS = ("2023-04-02", "2023-08-15", "2023-12-31")  # of two halves
line = st.tuples(
    st.sampled_from(["1", "2", "3", "4"]),
    st.sampled_from(LOCATIONS),
    st.sampled_from(DAYS),
    st.integers(-3_000, 3_000).filter(bool),
)


class Deliveries(RuleBasedStateMachine):
    """The model: what is held under each id, and before each delivery that still stands."""

    def __init__(self) -> None:
        super().__init__()
        make.set_clock(make.EARNING)
        partner = make.make_partner()
        for name in LOCATIONS:
            make.make_enrollment(make.make_location(partner, external_id=f"{name}-{partner.pk}"))
        self.partner = partner
        self.finance = make.vendor("finance")
        self.held: dict[str, tuple[str, str, int]] = {}
        self.stack: list[tuple[Import, dict[str, tuple[str, str, int]]]] = []

    @rule(lines=st.lists(line, min_size=1, max_size=4, unique_by=lambda line: line[0]))
    def deliver(self, lines: list[tuple[str, str, str, int]]) -> None:
        before = dict(self.held)
        sent = [
            make.earning_line(f"{at}-{self.partner.pk}", f"{minor / 100:.2f}", on=day, external_id=name)
            for name, at, day, minor in lines
        ]
        delivery = take_lines(sent, by=self.finance, at=make.EARNING)
        self.held |= {name: (at, day, minor) for name, at, day, minor in lines}
        same = sum(before.get(name) == (at, day, minor) for name, at, day, minor in lines)
        new = sum(name not in before for name, *_ in lines)
        assert (delivery.new, delivery.unchanged, delivery.rejected) == (new, same, 0)
        assert delivery.changed == len(lines) - new - same
        if new + delivery.changed:
            self.stack.append((delivery, before))

    @precondition(lambda self: self.stack)
    @rule()
    def reverse_the_last(self) -> None:
        delivery, before = self.stack.pop()
        reverse_import(delivery.pk, reason="Wrong.", by=self.finance, at=make.EARNING)
        self.held = before

    @precondition(lambda self: len(self.stack) > 1)
    @rule(data=st.data())
    def reverse_any(self, data: Any) -> None:
        """One further down can be reversed only if no later one touched its lines; then it takes its own lines back."""
        place = data.draw(st.integers(0, len(self.stack) - 2))
        delivery, before = self.stack[place]
        touched = set(Earning.objects.filter(delivery=delivery).values_list("external_id", flat=True))
        later = {
            name
            for other, _ in self.stack[place + 1 :]
            for name in Earning.objects.filter(delivery=other).values_list("external_id", flat=True)
        }
        if touched & later:
            with pytest.raises(WrongStatus):
                reverse_import(delivery.pk, reason="Wrong.", by=self.finance, at=make.EARNING)
            return
        reverse_import(delivery.pk, reason="Wrong.", by=self.finance, at=make.EARNING)
        del self.stack[place]
        for state in (self.held, *(state for _, state in self.stack[place:])):
            for name in touched:
                state.pop(name, None)
                if name in before:
                    state[name] = before[name]

    @invariant()
    def funds_hold_what_a_replay_of_the_last_states_gives(self) -> None:
        wanted: dict[tuple[str, str], int] = defaultdict(int)
        for at, day, minor in self.held.values():
            wanted[at, "FY23-H2" if day == DAYS[0] else "FY24-H1"] += share(minor, 4_000)
        funds = Fund.objects.filter(partner=self.partner).select_related("location", "earning_period")
        found = {(f.location.external_id[0], f.earning_period.code): f.earned_minor for f in funds}
        assert {key: minor for key, minor in found.items() if minor} == {
            key: minor for key, minor in wanted.items() if minor
        }
        rebate = sum(minor - share(minor, 4_000) for *_, minor in self.held.values())
        assert (Rebate.objects.filter(partner=self.partner).aggregate(s=Sum("amount_minor"))["s"] or 0) == rebate

    def teardown(self) -> None:
        changes = Earning.objects.filter(partner=self.partner).aggregate(s=Sum("coop_change_minor"))["s"] or 0
        entries = Entry.objects.filter(partner=self.partner)
        posted = sum(e.amount_minor if e.to_bucket == "available" else -e.amount_minor for e in entries)
        assert posted == changes
        assert check_ledger().differences == []


class TestDeliveries(TestCase, Deliveries.TestCase):  # type: ignore[misc,name-defined]
    settings = settings(max_examples=20, stateful_step_count=12, deadline=None)
