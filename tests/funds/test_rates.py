"""Exchange rates: loaded whole or not at all, and never changed."""

from __future__ import annotations

import io
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.db import DatabaseError, transaction
from django.test import Client
from django.urls import reverse

from coop.lib import clock
from coop.lib.errors import Invalid, NotAllowed, TooLarge
from funds.models import ExchangeRate
from funds.operations.rates import Loaded, load_rates
from partners.models import Event
from tests import factories as make
from tests.api.client import api_of

pytestmark = pytest.mark.django_db

HEADER = "base,quote,on,rate,source\n"
GOOD = HEADER + "EUR,USD,2023-10-31,1.0619,ECB\nGBP,USD,2023-10-31,1.2154,ECB\nUSD,JPY,2023-10-31,151.6,ECB\n"


@pytest.fixture(autouse=True)
def december() -> None:
    make.set_clock(make.EARNING)


def load(text: str | bytes = GOOD, **more: Any) -> Loaded:
    data = text if isinstance(text, bytes) else text.encode()
    return load_rates(file=io.BytesIO(data), **{"by": make.vendor("finance"), "at": clock.now(), **more})


def faults(text: str | bytes) -> dict[str, str]:
    with pytest.raises(Invalid) as caught:
        load(text)
    assert ExchangeRate.objects.count() in (0, 3)
    return {error.field: error.code for error in caught.value.errors}


def test_a_file_of_rates_is_loaded_with_its_source() -> None:
    assert load() == (3, 0)
    rate = ExchangeRate.objects.get(base="EUR")
    assert (rate.quote, rate.on, rate.rate, rate.source) == ("USD", date(2023, 10, 31), Decimal("1.0619"), "ECB")
    assert (rate.loaded_by, rate.loaded_at) == (make.vendor("finance"), clock.now())
    event = Event.objects.get(verb="rates.loaded")
    assert (event.data, event.vendor_only) == ({"new": 3, "sources": ["ECB"]}, True)


def test_the_same_file_again_changes_nothing() -> None:
    load()
    assert load(GOOD.replace("1.0619", "1.06190") + "EUR,USD,2023-11-01,1.0537,ECB\n") == (1, 3)
    assert load() == (0, 3)
    assert Event.objects.filter(verb="rates.loaded").count() == 2


def test_another_rate_for_a_known_day_is_refused_and_both_are_named() -> None:
    load()
    with pytest.raises(Invalid) as caught:
        load(HEADER + "EUR,USD,2023-10-31,1.07,Bank\nEUR,USD,2023-11-01,1.05,ECB\nEUR,USD,2023-11-01,1.06,Bank\n")
    assert [(error.field, error.code) for error in caught.value.errors] == [
        ("rows.2.rate", "conflict_with_existing"),
        ("rows.4.rate", "conflict_with_existing"),
    ]
    for words in ("1.07 here and 1.0619 known from ECB", "1.06 here and 1.05 in line 3"):
        assert words in caught.value.message
    assert ExchangeRate.objects.count() == 3


def test_everything_that_is_wrong_is_said_at_once_and_nothing_is_loaded() -> None:
    text = HEADER + (
        "EUR,USD,2023-10-31,1.0619,ECB\n"
        "eur,USD,2023-10-31,1.0619,ECB\n"
        "EUR,EUR,2023-10-31,1,ECB\n"
        "EUR,USD,31.10.2023,1.0619,ECB\n"
        "EUR,USD,2023-12-02,1.0619,ECB\n"
        'EUR,USD,2023-10-30,"1,0619",ECB\n'
        "EUR,USD,2023-10-30,0.000,ECB\n"
        "EUR,USD,2023-10-30,1.123456789,ECB\n"
        "EUR,USD,2023-10-30,-1,\n"
        f"EUR,USD,2023-10-30,1,{'x' * 41}\n"
        "EUR,USD,2023-10-30\n"
        ",XXX,,,\n"
    )
    assert faults(text) == {
        "rows.3.base": "unknown_currency",
        "rows.4.quote": "invalid",
        "rows.5.on": "date_format",
        "rows.6.on": "in_future",
        "rows.7.rate": "invalid",
        "rows.8.rate": "must_be_positive",
        "rows.9.rate": "invalid",
        "rows.10.rate": "invalid",
        "rows.10.source": "required",
        "rows.11.source": "too_long",
        "rows.12": "cell_count",
        "rows.13.base": "required",
        "rows.13.quote": "unknown_currency",
        "rows.13.on": "date_format",
        "rows.13.rate": "invalid",
        "rows.13.source": "required",
    }
    assert not ExchangeRate.objects.exists()


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", {"file": "no_rows"}),
        (HEADER, {"file": "no_rows"}),
        (b"PK\x03\x04", {"file": "not_a_table"}),
        (GOOD.replace("EUR", '"EUR"x'), {"file": "quoting"}),
        ("base,quote,on,rate\nEUR,USD,2023-10-31,1\n", {"columns.source": "missing_column"}),
        ("base,quote,on,rate,source,rate\n1\n", {"columns.rate": "duplicate_column"}),
        ("base,quote,on,rate,source,bid\n1\n", {"columns.bid": "unknown_column"}),
    ],
)
def test_a_file_that_is_none_is_refused(text: str | bytes, wanted: dict[str, str]) -> None:
    assert faults(text) == wanted


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_order_of_columns_letter_case_and_separators_do_not_matter(delimiter: str) -> None:
    text = "\ufeffSource,ON,Rate,Quote,Base\r\nECB,2023-10-31,1.0619,USD,EUR\r\n".replace(",", delimiter)
    assert load(text) == (1, 0)


def test_a_file_beyond_measure_is_refused() -> None:
    with pytest.raises(TooLarge):
        load(GOOD.encode() + b" " * 9_000_000)


def test_a_rate_is_never_changed_or_deleted() -> None:
    load()
    for change in (lambda: ExchangeRate.objects.update(rate=2), lambda: ExchangeRate.objects.all().delete()):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            change()


@pytest.mark.parametrize("who", ["manager", "program", "auditor"])
def test_only_finance_loads_rates(who: str) -> None:
    with pytest.raises(NotAllowed):
        load(by=make.vendor(who))


def test_the_command_loads_rates_and_says_every_fault(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "rates.csv"
    file.write_text(GOOD)
    call_command("load_rates", str(file))
    assert capsys.readouterr().out == "3 rates loaded, 0 were known already\n"
    assert ExchangeRate.objects.filter(loaded_by=None).count() == 3
    file.write_text(GOOD.replace("1.0619", "1.07").replace("1.2154", "x"))
    with pytest.raises(CommandError, match=r"(?s)No rate was loaded.*Line 3: “x” is not a rate"):
        call_command("load_rates", str(file))
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("load_rates", str(tmp_path / "none.csv"))


def test_the_api_lists_and_takes_rates() -> None:
    finance = api_of(make.vendor("finance"))
    assert finance.upload("rates/", GOOD.encode(), "rates.csv").body == {"new": 3, "unchanged": 0}
    assert finance.upload("rates/", GOOD.encode(), "rates.csv", query={"dry_run": "true"}).body == {
        "new": 0,
        "unchanged": 3,
    }
    listed = finance.get("rates/", base="EUR", on="2023-10-31")["results"]
    assert [(rate["quote"], rate["rate"], rate["source"]) for rate in listed] == [("USD", "1.06190000", "ECB")]
    refused = finance.upload("rates/", GOOD.replace("1.0619", "2").encode(), "rates.csv")
    assert (refused.status, refused.fields) == (400, {"rows.2.rate": "conflict_with_existing"})
    assert api_of(make.vendor("manager")).get("rates/")["results"] == []
    assert api_of(make.vendor("auditor")).upload("rates/", GOOD.encode(), "rates.csv").status == 403


def test_the_page_shows_rates_and_loads_them(client: Client) -> None:
    client.force_login(make.vendor("finance"))
    page = reverse("rates")
    assert b"No rates yet" in client.get(page).content
    wrong = client.post(page, {"file": SimpleUploadedFile("rates.csv", GOOD.replace("EUR", "EURO").encode())})
    assert wrong.status_code == 400
    assert "Line 2: “EURO” is not the code" in wrong.content.decode()
    many = client.post(
        page, {"file": SimpleUploadedFile("rates.csv", (HEADER + "x,USD,2023-10-31,1,ECB\n" * 90).encode())}
    )
    assert "And 70 more." in many.content.decode()
    done = client.post(page, {"file": SimpleUploadedFile("rates.csv", GOOD.encode())}, follow=True)
    text = done.content.decode()
    for words in ("3 rates loaded.", "1.0619 USD", "151.6 JPY", "31 Oct 2023"):
        assert words in text
    client.force_login(make.vendor("auditor"))
    assert "Rates are loaded by people of finance" in client.get(page).content.decode()
    client.force_login(make.vendor("manager"))
    assert client.get(page).status_code == 403
