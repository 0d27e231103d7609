"""Every day from 1 July 2023 to 1 March 2025 in three time zones: what is posted, on which day, and at which instant.

The three programs have the same calendar, each in its own zone; all three zones change their clocks within the time. So
the same promised day ends at three instants, and not as many hours apart in winter as in summer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from claims.checks import CHECKS
from claims.models import Claim
from claims.operations.review import Fix, return_claim
from claims.operations.sending import submit_claim
from coop.lib import clock
from coop.lib.errors import WindowClosed
from coop.lib.money import display
from coop.sandbox import move_clock
from funds.checks import check_ledger
from funds.models import Enrollment, Entry, Fund
from tests import factories as make

ZONES = {
    "mci-csp-reseller": "America/New_York",
    "hosting": "Europe/Berlin",
    "iot": "Australia/Sydney",
}
FIRST, LAST = date(2023, 7, 1), date(2025, 3, 1)


@dataclass(frozen=True)
class Posting:
    """One entry as a table has it: which half, what, how much, for which day, and when by the wall of the program's zone."""

    half: str
    kind: str
    into: str
    amount: str
    effective_on: str
    recorded: str


# By the wall clock of each zone, whichever it is. 10,003.55 is 40 % of 25,008.88, 799.60 of 1,999.00 (below 1,500 and 10,000).
EXPECTED = [
    Posting("FY24-H1", "earning", "available", "10,003.55", "2023-08-15", "2023-08-20 09:00:00"),
    Posting("FY24-H1", "earning", "available", "799.60", "2023-08-15", "2023-08-20 09:00:00"),
    # The threshold test, at the end of 30 January: the small fund becomes rebate.
    Posting("FY24-H1", "conversion", "converted", "799.60", "2024-01-30", "2024-01-31 00:00:00"),
    # A plan and two claims from the large one.
    Posting("FY24-H1", "reserve", "reserved", "500.00", "2024-03-04", "2024-03-04 09:00:00"),
    Posting("FY24-H2", "earning", "available", "12,000.00", "2024-03-15", "2024-03-20 09:00:00"),
    Posting("FY24-H1", "hold", "in_review", "2,000.00", "2024-08-14", "2024-08-14 12:00:00"),
    Posting("FY24-H1", "hold", "in_review", "1,000.00", "2024-08-14", "2024-08-14 23:59:59.999000"),
    # The claim deadline: the plan lapses with its reserve, and what is left expires, both for the last day.
    Posting("FY24-H1", "release", "expired", "500.00", "2024-08-14", "2024-08-15 00:00:00"),
    Posting("FY24-H1", "expiry", "expired", "6,503.55", "2024-08-14", "2024-08-15 00:00:00"),
    # The claim of noon came back on 20 August and nobody mends it: it lapses at the cure deadline.
    Posting("FY24-H1", "release", "expired", "2,000.00", "2024-09-28", "2024-09-29 00:00:00"),
    # Nobody claims from the second half: it expires at the end of 14 February, in winter's offset.
    Posting("FY24-H2", "expiry", "expired", "12,000.00", "2025-02-14", "2025-02-15 00:00:00"),
]


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.django_db
def test_every_posting_of_twenty_months_comes_at_its_instant_and_for_its_day_in_each_zone() -> None:
    walk = Walk()
    day = FIRST
    while day <= LAST:
        walk.reach(datetime(day.year, day.month, day.day, 12, tzinfo=UTC))
        for program in ZONES:  # nothing early, nothing late, on any day
            assert walk.posted(program) == walk.expected(program)
        day += timedelta(days=1)

    assert {program: len(walk.posted(program)) for program in ZONES} == dict.fromkeys(ZONES, len(EXPECTED))
    assert walk.refused == dict.fromkeys(ZONES, 1)
    assert Claim.objects.filter(status="lapsed").count() == 2 * len(ZONES)  # one returned, one never sent
    assert check_ledger(CHECKS).differences == []


def test_the_three_zones_are_not_as_far_apart_in_winter_as_in_summer() -> None:
    """The table is worth its name only if the zones change their clocks within it."""

    def midnight_after(day: date) -> list[datetime]:
        after = day + timedelta(days=1)
        return [datetime(after.year, after.month, after.day, tzinfo=ZoneInfo(zone)) for zone in ZONES.values()]

    summer, winter = (
        [there.astimezone(UTC).strftime("%d %H:%M") for there in midnight_after(day)]
        for day in (date(2024, 8, 14), date(2025, 2, 14))
    )
    assert summer == ["15 04:00", "14 22:00", "14 14:00"]
    assert winter == ["15 05:00", "14 23:00", "14 13:00"]


class Walk:
    """Twenty months of three programs: what people do, at the same time of their own clocks, while the days go by."""

    def __init__(self) -> None:
        make.set_clock(datetime(2023, 6, 30, tzinfo=UTC))
        self.large: dict[str, Enrollment] = {}
        self.small: dict[str, Enrollment] = {}
        self.claims: dict[tuple[str, str], Claim] = {}
        self.refused: dict[str, int] = {}
        acts: list[tuple[datetime, Callable[[str], None], str]] = []
        for program, zone in ZONES.items():
            make.load_catalog(program, years=(2023, 2025), time_zone=zone)
            self.large[program] = make.make_enrollment(program=program)
            self.small[program] = make.make_enrollment(program=program)
            for at, act in (
                ("2023-08-20 09:00:00", self.deliver_first),
                ("2024-03-04 09:00:00", self.write),
                ("2024-03-20 09:00:00", self.deliver_second),
                ("2024-08-14 12:00:00", self.send_at_noon),
                ("2024-08-14 23:59:59.999", self.send_in_the_last_instant),
                ("2024-08-15 00:00:00", self.send_too_late),
                ("2024-08-20 09:00:00", self.give_back),
            ):
                acts.append((datetime.fromisoformat(at).replace(tzinfo=ZoneInfo(zone)), act, program))
        self.acts = sorted(acts, key=lambda act: act[0])

    def reach(self, at: datetime) -> None:
        """Let time pass, and do on the way what people do."""
        while self.acts and self.acts[0][0] <= at:
            then, act, program = self.acts.pop(0)
            move_clock(then, by=None)
            act(program)
        move_clock(at, by=None)

    # --- What people do ---

    def deliver_first(self, program: str) -> None:
        make.earn(self.large[program], "25008.88")
        make.earn(self.small[program], "1999.00")

    def write(self, program: str) -> None:
        fund = self.fund(program)
        make.make_approved_plan(fund, "500.00")
        self.claims[program, "noon"] = make.make_claim(fund, "2000.00")
        self.claims[program, "last"] = make.make_claim(fund, "1000.00")
        self.claims[program, "late"] = make.make_claim(fund, "100.00")

    def deliver_second(self, program: str) -> None:
        make.earn(self.large[program], "30000.00", on="2024-03-15")

    def send_at_noon(self, program: str) -> None:
        self.send(program, "noon")

    def send_in_the_last_instant(self, program: str) -> None:
        self.send(program, "last")

    def send_too_late(self, program: str) -> None:
        with pytest.raises(WindowClosed):
            self.send(program, "late")
        self.refused[program] = self.refused.get(program, 0) + 1

    def send(self, program: str, which: str) -> None:
        claim = self.claims[program, which]
        submit_claim(claim.id, by=claim.created_by, at=clock.now())

    def give_back(self, program: str) -> None:
        claim = self.claims[program, "noon"]
        fixes = [Fix("documents.call-log", "The call log is missing.")]
        return_claim(claim.id, fixes=fixes, by=make.vendor("manager"), at=clock.now())

    def fund(self, program: str, half: str = "FY24-H1") -> Fund:
        return Fund.objects.get(enrollment=self.large[program], earning_period__code=half)

    # --- What was posted ---

    def posted(self, program: str) -> list[Posting]:
        zone = ZoneInfo(ZONES[program])
        found = Entry.objects.filter(fund__program__code=program).select_related("fund__earning_period")
        return [
            Posting(
                half=entry.fund.earning_period.code,
                kind=entry.kind,
                into=entry.to_bucket,
                amount=display(entry.amount_minor, entry.currency).removesuffix(" USD"),
                effective_on=entry.effective_on.isoformat(),
                recorded=str(entry.recorded_at.astimezone(zone).replace(tzinfo=None)),
            )
            for entry in found.order_by("recorded_at", "id")
        ]

    def expected(self, program: str) -> list[Posting]:
        """What the table says has happened by now, by the clock on the wall of the program."""
        now = clock.now().astimezone(ZoneInfo(ZONES[program])).replace(tzinfo=None)
        return [posting for posting in EXPECTED if datetime.fromisoformat(posting.recorded) <= now]
