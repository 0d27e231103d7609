"""Bank accounts as people write them: read, checked, and shown without telling the number. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

from stdnum import bic, iban
from stdnum.exceptions import ValidationError
from stdnum.us import rtn

from coop.lib.errors import FieldError, Invalid
from coop.lib.text import COUNTRY, text_fault

# How a bank is named where there is no IBAN: a BIC, or a code of the country's clearing (ISO 20022 external code list).
BANK_CODES = {
    "bic": "BIC (SWIFT code)",
    "USABA": "Routing number (United States)",
    "CACPA": "Routing number (Canada)",
    "GBDSC": "Sort code (United Kingdom)",
    "AUBSB": "BSB number (Australia)",
    "NZNCC": "Bank and branch (New Zealand)",
    "INFSC": "IFSC code (India)",
    "JPZGN": "Zengin code (Japan)",
    "CNAPS": "CNAPS code (China)",
    "HKNCC": "Bank code (Hong Kong)",
    "SGIBG": "Bank and branch (Singapore)",
    "ZANCC": "Branch code (South Africa)",
}
FORMS = {
    "CACPA": r"[0-9]{9}",
    "GBDSC": r"[0-9]{6}",
    "AUBSB": r"[0-9]{6}",
    "NZNCC": r"[0-9]{6}",
    "INFSC": r"[A-Z]{4}0[A-Z0-9]{6}",
    "JPZGN": r"[0-9]{7}",
    "CNAPS": r"[0-9]{12}",
    "HKNCC": r"[0-9]{3}",
    "SGIBG": r"[0-9]{4}|[0-9]{7}",
    "ZANCC": r"[0-9]{6}",
}
ACCOUNT = re.compile(r"[A-Za-z0-9]{3,34}", re.ASCII)
HOLDER_MAX, TAX_ID_MAX = 140, 35  # what a payment message takes
NAMES = ("holder", "country", "iban", "account", "bank_code_kind", "bank_code", "tax_id")


def read_account(given: Mapping[str, str]) -> dict[str, str]:
    """An account in its plain form, without spaces in its numbers. Raises Invalid with all that is wrong.

    It has an IBAN or, where there is none, an account number together with the code of its bank.
    """
    found = {name: " ".join(str(given.get(name) or "").split()) for name in NAMES}
    for name in ("country", "iban", "account", "bank_code"):
        found[name] = re.sub(r"[\s-]", "", found[name])
    for name in ("country", "iban", "bank_code"):
        found[name] = found[name].upper()
    if found["bank_code"] and not found["bank_code_kind"]:
        found["bank_code_kind"] = "bic"
    if not found["bank_code"]:
        found["bank_code_kind"] = ""
    errors = [*holder_faults(found), *number_faults(found), *bank_faults(found)]
    if errors:
        raise Invalid(errors=errors)
    return found


def holder_faults(found: Mapping[str, str]) -> list[FieldError]:
    errors = []
    if not found["holder"]:
        errors.append(FieldError("holder", "required", "Give the name in which the bank keeps the account."))
    elif len(found["holder"]) > HOLDER_MAX:
        errors.append(FieldError("holder", "too_long", f"A payment takes at most {HOLDER_MAX} characters of a name."))
    if len(found["tax_id"]) > TAX_ID_MAX:
        errors.append(FieldError("tax_id", "too_long", f"A tax number has at most {TAX_ID_MAX} characters."))
    faults = [(name, text_fault(found[name])) for name in ("holder", "tax_id")]
    errors += [FieldError(name, "invalid", fault) for name, fault in faults if fault]
    if not COUNTRY.fullmatch(found["country"]):
        errors.append(FieldError("country", "invalid", "Give the country of the bank as two letters, for example US."))
    return errors


def number_faults(found: Mapping[str, str]) -> list[FieldError]:
    number, other, country = found["iban"], found["account"], found["country"]
    if number and other:
        return [FieldError("account", "invalid", "Give the IBAN or an account number, not both.")]
    if not number and not other:
        return [FieldError("iban", "required", "Give the IBAN, or an account number where the country has no IBAN.")]
    if number and not is_iban(number):
        message = "This is not an IBAN: its length or its check digits are wrong. Copy it from a statement of the bank."
        return [FieldError("iban", "invalid", message)]
    if number and COUNTRY.fullmatch(country) and number[:2] != country:
        return [FieldError("country", "invalid", f"This IBAN is of {number[:2]}, not of {country}.")]
    if other and not ACCOUNT.fullmatch(other):
        message = "An account number has 3 to 34 letters and digits. Write it as the bank does, without other signs."
        return [FieldError("account", "invalid", message)]
    return []


def bank_faults(found: Mapping[str, str]) -> list[FieldError]:
    kind, code = found["bank_code_kind"], found["bank_code"]
    if kind and kind not in BANK_CODES:
        return [FieldError("bank_code_kind", "invalid", f"Use one of: {', '.join(BANK_CODES)}.")]
    if not code and found["account"] and not found["iban"]:
        return [
            FieldError("bank_code", "required", "An account number alone does not say at which bank. Give its code.")
        ]
    if code and not is_bank_code(kind, code):
        message = f"This is not a {BANK_CODES[kind]}. Copy it from a statement of the bank."
        return [FieldError("bank_code", "invalid", message)]
    return []


def is_iban(number: str) -> bool:
    try:
        iban.validate(number)
    except ValidationError:
        return False
    return True


def is_bank_code(kind: str, code: str) -> bool:
    if kind in FORMS:
        return re.fullmatch(FORMS[kind], code, re.ASCII) is not None
    try:
        bic.validate(code) if kind == "bic" else rtn.validate(code)
    except ValidationError:
        return False
    return True


def masked(number: str) -> str:
    """A number by its last four characters alone, of short ones fewer."""
    return f"•••• {number[-min(4, len(number) // 2) :]}" if number else ""
