"""The world of a run, made before anything is killed: two programs in two zones, partners, keys, and money to claim.

Run as `python -m tests.chaos.world HOME`; writes `world.json` for those who make the load.
"""

from __future__ import annotations

import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import django

ZONES = {"mci-csp-reseller": "America/New_York", "mci-csp-direct": "Asia/Tokyo"}
PARTNERS = {"mci-csp-reseller": 20, "mci-csp-direct": 12}
PEOPLE = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Tokyo", "Australia/Lord_Howe", "Asia/Kathmandu")
COUNTRIES = ("US", "DE", "JP", "AU", "IN")
BEGIN = datetime(2024, 7, 20, 9, tzinfo=UTC)  # FY24 H1 is being claimed, FY24 H2 not settled yet
EARNED = {"FY24-H1": ("2023-08-15", datetime(2023, 12, 1, tzinfo=UTC)), "FY24-H2": ("2024-03-15", BEGIN)}


def main(home: Path) -> None:
    make.set_clock(datetime(2023, 7, 1, tzinfo=UTC))
    shipped = make.shipped_catalog()
    programs = [{**p, "time_zone": ZONES[p["code"]]} for p in shipped["programs"] if p["code"] in ZONES]
    others = [p["code"] for p in shipped["programs"] if p["code"] not in ZONES]
    catalog = {**shipped, "programs": programs, "other_programs": others, "fiscal_years": [2023, 2028]}
    publish(catalog, at=clock.now())
    vendor = {who: key(make.vendor(who)) for who in ("program", "finance", "finance2", "manager", "pcmm", "auditor")}
    partners = [make_partner(program, n) for program, count in PARTNERS.items() for n in range(count)]
    for code, (earned_on, at) in EARNED.items():
        make.set_clock(at)
        earn(partners, earned_on)
        for program in ZONES:
            half = make.period(code, program)
            if half.settle_at <= BEGIN:
                settle_period(half.pk, at=make.set_clock(half.settle_at))
    make.set_clock(BEGIN)
    listen(home, partners)
    periods = [
        {
            "id": str(half.pk),
            "program": half.program.code,
            "code": half.code,
            **{day: getattr(half, day).isoformat() for day in ("earn_from", "earn_to", "use_from", "claims_close_on")},
            **{
                i: getattr(half, i).isoformat()
                for i in ("settle_at", "claims_open_at", "claims_close_at", "cure_close_at")
            },
        }
        for half in EarningPeriod.objects.select_related("program").filter(cure_close_at__gt=BEGIN)
    ]
    hooks = json.loads((home / "sinks.json").read_text())["hooks"]
    found = {"begin": BEGIN.isoformat(), "hooks": hooks, "vendor": vendor, "partners": partners, "periods": periods}
    (home / "world.json").write_text(json.dumps(found))


def listen(home: Path, partners: list[dict[str, str]]) -> None:
    """Webhooks of a program admin, of an auditor who asks for claims alone, and of two partners."""
    port = json.loads((home / "sinks.json").read_text())["hooks"]
    owners = [make.vendor("program"), make.vendor("auditor")]
    owners += [Person.objects.get(partner_id=partner["partner"], role="partner_admin") for partner in partners[:2]]
    for number, owner in enumerate(owners):
        verbs = ["claim.*"] if number == 1 else []
        create_webhook(url=f"http://127.0.0.1:{port}/{number}", events=verbs, by=owner, at=clock.now())


def key(person: Any) -> str:
    return create_api_key(person_id=person.pk, by=None, at=clock.now())[1]


def make_partner(program: str, number: int) -> dict[str, str]:
    """A partner with a location, a marketer and an admin in zones of their own, and the marketer's key."""
    country = COUNTRIES[number % len(COUNTRIES)]
    partner = make.make_partner(f"{program} {number}", country=country)
    location = make.make_location(partner)
    make.make_enrollment(location, program)
    people = [make.make_person(partner, role) for role in ("marketer", "partner_admin")]
    for person in people:
        # Written straight: how people set their zone is not what is on trial here.
        person.time_zone = PEOPLE[number % len(PEOPLE)]
        person.save(update_fields=["time_zone"])
    return {
        "program": program,
        "partner": str(partner.pk),
        "location": location.external_id,
        "country": country,
        "key": key(people[0]),
        "admin": key(people[1]),
    }


def earn(partners: list[dict[str, str]], on: str) -> None:
    """Enough for the threshold for most, too little for every eighth, which becomes rebate."""
    lines = [
        make.earning_line(
            partner["location"],
            "9000.00" if number % 8 == 7 else f"{26_000 + number * 137}.{number:02}",
            on=on,
            program=partner["program"],
        )
        for number, partner in enumerate(partners)
    ]
    delivery = take_lines(lines, by=make.vendor("finance"), at=clock.now())
    assert delivery.rejected == 0, "the lines of the world were rejected"


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.chaos.settings")
    django.setup()

    from claims.operations.catalog import load_catalog as publish
    from coop.lib import clock
    from funds.models import EarningPeriod
    from funds.operations.earnings import take_lines
    from funds.operations.settlement import settle_period
    from partners.hooks.operations import create_webhook
    from partners.models import Person
    from partners.operations import create_api_key
    from tests import factories as make

    main(Path(sys.argv[1]))
