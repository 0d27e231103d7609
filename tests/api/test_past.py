"""The past over the API: balances as of a day as they were known, entries up to then, and what changed in between."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from coop.lib import clock
from funds.models import Fund
from tests import factories as make
from tests.api.client import Api, api_of
from tests.scenarios.world import approve, begin, deliver, draft, fund_of, partner_in, reach, send

pytestmark = pytest.mark.django_db
KNOWN = "2024-01-10T00:00:00Z"
LATER = "2024-03-02T00:00:00Z"


@pytest.fixture
def lived() -> Fund:
    """10,003.55 USD until 10 January; then 400.00 more and 200.00 less, and a claim of 4,000.00 approved at 3,600.00."""
    begin()
    enrollment = partner_in()
    deliver(enrollment, ("25000.00", "2023-08-15"), ("8.88", "2023-09-30"))
    reach("2024-01-12")
    deliver(enrollment, ("1000.00", "2023-12-15"), ("-500.00", "2023-10-01"))
    reach("2024-03-01")
    approve(send(draft(fund_of(enrollment), "4000.00")), (0, "3600.00"))
    reach("2024-04-01")
    return fund_of(enrollment)


@pytest.fixture
def api(lived: Fund) -> Api:
    return api_of(make.marketer_of(lived.partner))


def money(record: Any, *names: str) -> tuple[str, ...]:
    return tuple(record[name] for name in names)


def test_a_fund_as_it_was_known(lived: Fund, api: Api) -> None:
    path = f"funds/{lived.pk}/"
    assert money(api.get(path), "earned", "available", "approved", "estimated") == (
        "10203.55",
        "6603.55",
        "3600.00",
        "0.00",
    )
    then = api.get(path, known_at=KNOWN)
    assert money(then, "earned", "available", "approved", "estimated") == ("10003.55", "10003.55", "0.00", "10003.55")
    assert (then["state"], then["settled_at"]) == ("in_use", None)
    both = api.get(path, as_of="2023-09-01", known_at=KNOWN)
    assert money(both, "earned", "remaining", "claimed") == ("10000.00", "10000.00", "0.00")
    assert api.get(path, as_of="2023-12-31")["earned"] == "10203.55", "corrections are for the days they correct"
    assert api.get(path, as_of="2000-01-01")["earned"] == "0.00"


def test_lists_of_funds_as_they_were_known(lived: Fund, api: Api) -> None:
    [then] = api.get("funds/", as_of="2023-12-31", known_at=KNOWN)["results"]
    assert money(then, "earned", "available") == ("10003.55", "10003.55")
    before = (lived.created_at - timedelta(microseconds=1)).isoformat().replace("+00:00", "Z")
    assert api.get("funds/", known_at=before)["results"] == []
    assert api.get(f"funds/{lived.pk}/", known_at=before).status == 404


def test_pages_of_the_past_go_on_in_the_past(lived: Fund, api: Api) -> None:
    deliver(make.make_enrollment(make.make_location(lived.partner)), ("25000.00", "2024-02-01"))
    first = api.get("funds/", page_size="1", as_of="2024-02-01")
    second = api.get(first["next"])
    assert [money(page["results"][0], "available") for page in (first, second)] == [("10203.55",), ("10000.00",)]
    assert "as_of=2024-02-01" in first["next"]


def test_entries_up_to_a_moment_with_their_place_in_the_chain(lived: Fund, api: Api) -> None:
    path = f"funds/{lived.pk}/entries/"
    everything = api.get(path)["results"]
    assert [entry["number"] for entry in everything] == list(range(1, len(everything) + 1))
    assert all(len(entry["hash"]) == 64 for entry in everything)
    known = api.get(path, known_at=KNOWN)["results"]
    assert known == everything[:2]
    assert api.get(path, recorded_after=KNOWN)["results"] == everything[2:]
    assert [e["effective_on"] for e in api.get(path, as_of="2023-10-01")["results"]] == [
        "2023-08-15",
        "2023-09-30",
        "2023-10-01",
    ]


def test_what_changed_in_a_fund_between_two_moments(lived: Fund, api: Api) -> None:
    said = api.get(f"funds/{lived.pk}/changes/", since=KNOWN, until=LATER)
    assert money(said["before"], "earned", "available") == ("10003.55", "10003.55")
    assert money(said["after"], "earned", "available", "approved") == ("10203.55", "6603.55", "3600.00")
    assert money(said["difference"], "earned", "available", "approved", "paid") == (
        "200.00",
        "-3400.00",
        "3600.00",
        "0.00",
    )
    assert [(row["kind"], row["entries"], row["amount"]) for row in said["moved"]] == [
        ("earning", 1, "400.00"),
        ("clawback", 1, "200.00"),
        ("release", 1, "400.00"),
        ("hold", 1, "4000.00"),
        ("approval", 1, "3600.00"),
    ]
    assert said["entries_recorded"] == len(said["entries"]) == 5
    days = api.get(f"funds/{lived.pk}/changes/", since=KNOWN, until=LATER, as_of="2023-12-31")
    assert money(days["difference"], "earned", "available", "approved") == ("200.00", "200.00", "0.00")
    nothing = api.get(f"funds/{lived.pk}/changes/", since=LATER)
    assert (nothing["entries"], set(nothing["difference"].values())) == ([], {"0.00"})


def test_what_changed_in_a_program_is_the_sum_of_the_funds_that_one_sees(lived: Fund, api: Api) -> None:
    deliver(partner_in(), ("25000.00", "2023-12-01"))
    path = f"programs/{lived.program.code}/changes/"
    [own] = api.get(path, since=KNOWN)["changes"]
    assert own["difference"]["earned"] == "200.00"
    [everything] = api_of(make.vendor("finance")).get(path, since=KNOWN)["changes"]
    assert everything["difference"]["earned"] == "10200.00"
    pdm = make.make_person(None, "channel_manager", title="pdm", portfolio=[lived.partner_id])
    assert api_of(pdm).get(path, since=KNOWN)["changes"] == [own]
    assert api_of(make.make_person(lived.partner, "agency")).get(path)["changes"] == []


def test_without_a_first_moment_everything_changed(lived: Fund) -> None:
    enrollment = partner_in()
    line = make.earning_line(enrollment.location.external_id, "25000.00", on="2023-12-01", currency="USD")
    make.take_lines([line], by=make.vendor("finance"), at=clock.now())
    said = api_of(make.vendor("finance")).get(f"programs/{lived.program.code}/changes/")
    assert [change["currency"] for change in said["changes"]] == ["USD"]
    assert said["changes"][0]["since"] is None
    assert set(said["changes"][0]["before"].values()) == {"0.00"}


@pytest.mark.parametrize(
    ("path", "query", "field"),
    [
        ("", {"known_at": "2099-01-01T00:00:00Z"}, "known_at"),
        ("", {"known_at": "2024-01-10"}, "known_at"),
        ("", {"as_of": "10.01.2024"}, "as_of"),
        ("", {"as_of": "2024-02-30"}, "as_of"),
        ("entries/", {"known_at": "2099-01-01T00:00:00Z"}, "known_at"),
        ("changes/", {"since": LATER, "until": KNOWN}, "since"),
        ("changes/", {"until": "2099-01-01T00:00:00Z"}, "until"),
        ("statement/", {"from": "2024-13-01"}, "from"),
    ],
)
def test_moments_that_cannot_be_read_or_have_not_come_are_refused(
    lived: Fund, api: Api, path: str, query: dict[str, str], field: str
) -> None:
    answer = api.get(f"funds/{lived.pk}/{path}", **query)
    assert answer.status == 400
    assert field in answer.fields


def test_a_filter_of_the_present_does_not_go_with_the_past(lived: Fund, api: Api) -> None:
    assert api.get("funds/", overdrawn="true", known_at=KNOWN).fields == {"overdrawn": "invalid"}
    assert api.get("funds/", overdrawn="true")["results"] == []
