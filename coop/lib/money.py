"""Money: integer minor units inside, `Decimal` at the doors, strings on the wire. No float anywhere.

Amounts in the database are whole minor units of their currency (cents of USD, yen of JPY, fils of KWD). The number of
decimals comes from ISO 4217.
"""

from __future__ import annotations

import re
from decimal import Decimal

from babel.numbers import format_decimal

# ISO 4217 active codes of currencies that circulate; funds codes and metals are left out on purpose.
TWO_DECIMALS = frozenset(
    """AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP CRC
    CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES
    KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR
    NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT
    TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG""".split()
)
NO_DECIMALS = frozenset("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF".split())
THREE_DECIMALS = frozenset("BHD IQD JOD KWD LYD OMR TND".split())

# Eleven digits before the point keep amount times basis points below 2**63, for three decimals too.
AMOUNT = re.compile(r"-?(0|[1-9][0-9]{0,10})(\.[0-9]+)?", re.ASCII)


class AmountError(ValueError):
    """An amount that is not one. `code` is stable, the text says what is wanted."""

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        super().__init__(message)


def decimals(currency: str) -> int:
    """Number of decimals of a currency. Raises AmountError for a code that is not an active ISO 4217 currency."""
    if currency in TWO_DECIMALS:
        return 2
    if currency in NO_DECIMALS:
        return 0
    if currency in THREE_DECIMALS:
        return 3
    raise AmountError(
        "unknown_currency",
        f"“{currency[:10]}” is not the code of a current currency. Use three capital letters as in ISO 4217, for example USD.",
    )


def is_currency(code: str) -> bool:
    return code in TWO_DECIMALS or code in NO_DECIMALS or code in THREE_DECIMALS


def to_minor(text: str, currency: str) -> int:
    """Read a plain decimal ("4200.00") as minor units of the currency.

    Strict on purpose: no grouping, exponent, sign but minus, spaces inside, or digits of other scripts; and never rounded,
    because a client that sends three decimals of a dollar has a fault that somebody must see. Raises AmountError.
    """
    places = decimals(currency)
    if not isinstance(text, str) or len(text) > 40 or not AMOUNT.fullmatch(text):
        raise AmountError(
            "amount_format",
            f"“{str(text)[:40]}” is not an amount. Write digits and at most one point, for example 4200.00, "
            "without spaces, thousands separators or currency signs.",
        )
    fraction = text.partition(".")[2]
    if len(fraction) > places:
        wanted = f"{places} decimals" if places else "no decimals"
        raise AmountError(
            "too_many_decimals",
            f"{text} has {len(fraction)} decimals; {currency} has {wanted}. Amounts are never rounded.",
        )
    if text.startswith("-") and not text.strip("-0."):
        raise AmountError("amount_format", "Minus zero is not an amount. Write 0.")
    return int(Decimal(text).scaleb(places))


def is_amount(text: str, currency: str) -> bool:
    """Whether a text is an amount of the currency that is not below zero."""
    try:
        return to_minor(text, currency) >= 0
    except AmountError:
        return False


def to_decimal(minor: int, currency: str) -> Decimal:
    """Minor units as a Decimal with exactly the currency's decimals: 420000 USD is Decimal("4200.00")."""
    return Decimal(minor).scaleb(-decimals(currency))


def to_text(minor: int, currency: str) -> str:
    """Minor units as the plain string of the wire: "4200.00"."""
    return f"{to_decimal(minor, currency):f}"


def from_text(text: str, currency: str) -> int:
    """The opposite of `to_text`, for sums that were written by it: they may be larger than any amount that is taken."""
    return int(Decimal(text).scaleb(decimals(currency)))


def display(minor: int, currency: str) -> str:
    """Minor units for people: "4,200.00 USD". The currency is always said."""
    places = decimals(currency)
    pattern = "#,##0" + ("." + "0" * places if places else "")
    return f"{format_decimal(to_decimal(minor, currency), format=pattern, locale='en')} {currency}"


def share(minor: int, basis_points: int) -> int:
    """The share of an amount in basis points (4,000 is 40 %), rounded half-even to the minor unit.

    A negative amount mirrors the positive one, so that a clawback takes back exactly what was given. The SQL function
    `coop_share` does the same; a property test holds them together. Source: domain.md section 3.
    """
    whole, rest = divmod(abs(minor) * basis_points, 10_000)
    if rest > 5_000 or (rest == 5_000 and whole % 2 == 1):
        whole += 1
    return whole if minor >= 0 else -whole
