# ruff: noqa: RUF001 - digits of other scripts are here on purpose
"""Money is read strictly, printed exactly, and shared out to the last minor unit."""

from __future__ import annotations

from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal

import pytest
from babel.core import get_global
from babel.numbers import get_currency_precision, get_territory_currencies
from django.db import connection
from hypothesis import given, settings
from hypothesis import strategies as st

from coop.lib import money

CURRENCIES = sorted(money.TWO_DECIMALS | money.NO_DECIMALS | money.THREE_DECIMALS)
LARGEST = 99_999_999_999_999  # eleven digits before the point, three after it

minor_units = st.integers(-LARGEST, LARGEST)
basis_points = st.integers(0, 10_000)


@given(st.sampled_from(CURRENCIES), st.integers(-9_999_999_999, 9_999_999_999))
def test_what_is_printed_is_read_back_as_the_same(currency: str, minor: int) -> None:
    assert money.to_minor(money.to_text(minor, currency), currency) == minor
    assert money.to_decimal(minor, currency) == Decimal(money.to_text(minor, currency))


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("4200.00", "USD", 420_000),
        ("4200", "USD", 420_000),
        ("4200.5", "USD", 420_050),
        ("0", "USD", 0),
        ("0.01", "USD", 1),
        ("-13.33", "USD", -1_333),
        ("1001", "JPY", 1_001),
        ("1.234", "KWD", 1_234),
        ("99999999999.99", "USD", 9_999_999_999_999),
    ],
)
def test_an_amount_is_read_as_its_minor_units(text: str, currency: str, minor: int) -> None:
    assert money.to_minor(text, currency) == minor


BAD = [
    *("NaN", "sNaN", "Infinity", "-Infinity", "1e2", "1E+30", "1e999999999", "1e400", "1E-400", "1_000"),
    *(
        "١٢٣",
        "１２３",
        "５.００",
        "1,000.00",
        "1.000,00",
        "1,5",
        "-0",
        "-0.00",
        "5.",
        ".5",
        "+5",
        "--5",
        "5 0",
        " 5",
        "5 ",
    ),
    *(
        "5\n",
        "\u00a05",
        "1\u2009000",
        "$5",
        "£5",
        "5 USD",
        "(5.00)",
        "5.00-",
        "−5",
        "'5",
        '="5"',
        "",
        "-",
        ".",
        "01",
        "00.5",
    ),
    *("0x10", "five", "1.2.3", "9" * 1_001, "999999999999", "1" * 41, "\x00", "1\x00", "\ud800", "½", "²"),
]


@pytest.mark.parametrize("text", BAD, ids=ascii)
def test_what_is_not_a_plain_amount_is_refused_with_what_to_write(text: str) -> None:
    with pytest.raises(money.AmountError) as caught:
        money.to_minor(text, "USD")
    assert caught.value.code == "amount_format"
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("value", [5, 5.0, True, None, [], {}, Decimal("5.00"), b"5.00"])
def test_an_amount_is_text_and_nothing_else(value: object) -> None:
    with pytest.raises(money.AmountError):
        money.to_minor(value, "USD")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "currency"),
    [("0.001", "USD"), ("1.005", "USD"), ("1.000", "USD"), ("100.50", "JPY"), ("100.0", "JPY"), ("1.2345", "KWD")],
)
def test_decimals_that_the_currency_does_not_have_are_never_rounded_away(text: str, currency: str) -> None:
    with pytest.raises(money.AmountError) as caught:
        money.to_minor(text, currency)
    assert caught.value.code == "too_many_decimals"
    assert "never rounded" in str(caught.value)


@pytest.mark.parametrize("code", ["usd", "US$", "EURO", "XXX", "", "DEM", "HRK", "XAU", "ÜSD"])
def test_only_current_currencies_are_known(code: str) -> None:
    assert not money.is_currency(code)
    with pytest.raises(money.AmountError, match="not the code of a current currency"):
        money.to_minor("1", code)


@given(st.text(max_size=50))
def test_no_text_at_all_does_anything_but_be_read_or_be_refused(text: str) -> None:
    try:
        minor = money.to_minor(text, "USD")
    except money.AmountError:
        return
    assert Decimal(text) == Decimal(minor).scaleb(-2)


@given(minor_units, basis_points)
def test_the_shares_sum_and_the_clawback_mirrors_the_earning(minor: int, bp: int) -> None:
    coop = money.share(minor, bp)
    assert money.share(-minor, bp) == -coop
    assert abs(coop) <= abs(minor)
    assert coop + (minor - coop) == minor
    assert (minor - coop) * minor >= 0  # rebate never has the other sign


@given(minor_units, basis_points)
def test_a_share_is_rounded_half_to_even(minor: int, bp: int) -> None:
    exact = Decimal(minor) * bp / 10_000
    assert money.share(minor, bp) == int(exact.quantize(Decimal(1), rounding=ROUND_HALF_EVEN))


@pytest.mark.parametrize(
    ("minor", "bp", "coop"),
    [
        (3_333, 4_000, 1_333),
        (-3_333, 4_000, -1_333),
        (4, 6_250, 2),
        (12, 6_250, 8),
        (-4, 6_250, -2),
        (1_001, 4_000, 400),
        (1, 5_000, 0),
        (3, 5_000, 2),
    ],
)
def test_ties_go_to_the_even_neighbour(minor: int, bp: int, coop: int) -> None:
    assert money.share(minor, bp) == coop


@pytest.mark.django_db
@settings(max_examples=20, deadline=None)
@given(
    st.lists(st.tuples(minor_units, st.one_of(basis_points, st.just(6_250), st.just(5_000))), min_size=1, max_size=200)
)
def test_the_database_shares_out_as_python_does(pairs: list[tuple[int, int]]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coop_share(m, b) FROM unnest(%s::bigint[], %s::int[]) WITH ORDINALITY AS t (m, b, n) ORDER BY n",
            [[minor for minor, _ in pairs], [bp for _, bp in pairs]],
        )
        answered = [row[0] for row in cursor.fetchall()]
    assert answered == [money.share(minor, bp) for minor, bp in pairs]


@pytest.mark.parametrize(
    ("minor", "currency", "shown"),
    [
        (420_000, "USD", "4,200.00 USD"),
        (-5, "USD", "-0.05 USD"),
        (1_001, "JPY", "1,001 JPY"),
        (1_234, "KWD", "1.234 KWD"),
    ],
)
def test_people_see_groups_and_always_the_currency(minor: int, currency: str, shown: str) -> None:
    assert money.display(minor, currency) == shown


# --- ISO 4217 against the tables of the Unicode consortium ------------------------------------------------------------

# The tables say how many decimals people still write; these have lost theirs to inflation, not to ISO.
WRITTEN_WITHOUT = frozenset("AFN ALL IRR KPW LAK LBP MGA MMK RSD SOS SYP YER IQD".split())


def test_every_currency_that_is_legal_tender_somewhere_is_known_and_no_other() -> None:
    day = date(2026, 6, 1)
    tender = {
        code
        for territory in get_global("territory_currencies")
        for code in get_territory_currencies(territory, start_date=day, end_date=day, tender=True)
    }
    # Bulgaria pays in euro since 2026; the colon of El Salvador and the digital bolivar of Venezuela are codes still.
    assert set(CURRENCIES) == tender - {"BGN"} | {"SVC", "VED"}


@pytest.mark.parametrize("currency", CURRENCIES)
def test_minor_units_are_those_of_iso_4217(currency: str) -> None:
    wanted = {"IQD": 3}.get(currency, 2) if currency in WRITTEN_WITHOUT else get_currency_precision(currency)
    assert money.decimals(currency) == wanted
