"""A payment run as an ISO 20022 message, pain.001.001.09: one instruction for each currency, one transfer for each payment.

A function of the run alone: the same run gives the same bytes. Before the export a partner's present account stands in for
one that was not noted yet; from the export on the file never changes, so that a bank that gets it twice sees one message.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import NamedTuple
from xml.etree import ElementTree as ET

from anyascii import anyascii
from django.conf import settings

from coop.lib import money
from coop.lib.errors import WrongStatus
from funds.models import Payment, PaymentRun
from partners.accounts import is_bank_code, is_iban
from partners.models import PayoutAccount

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"
NAME_MAX = TEXT_MAX = 140
# The Latin letters and signs that every bank takes; what else is common has a stand-in.
FOREIGN = re.compile(r"[^A-Za-z0-9/?:().,'+ -]")
STAND_INS = str.maketrans({"&": "+", "_": "-", "@": "(at)"})
NO_ACCOUNT = "no_bank_account"
NO_ACCOUNT_REASON = "No bank account is known for this partner. Its admin can enter one under Payout account."

NOBODY = "No payment of this run has a bank account. Admins of partners can enter theirs under Payout account."


class LeftOut(NamedTuple):
    """A payment that is not in the message, because nobody knows to which account it goes."""

    payment: Payment
    code: str = NO_ACCOUNT
    reason: str = NO_ACCOUNT_REASON


@dataclass(frozen=True)
class Payer:
    """Whose account is debited."""

    name: str
    account: str
    bic: str


def payer() -> Payer:
    """The vendor's own account, from the settings. Raises WrongStatus that names what is missing."""
    named = {
        "PAYER_NAME": settings.PAYER_NAME,
        "PAYER_ACCOUNT": settings.PAYER_ACCOUNT,
        "PAYER_BIC": settings.PAYER_BIC,
    }
    missing = [name for name, value in named.items() if not value]
    if missing:
        raise WrongStatus(
            f"The account to pay from is not set: {', '.join(missing)}. Who runs this installation can set it; "
            "until then use the CSV file."
        )
    if not is_bank_code("bic", settings.PAYER_BIC):
        raise WrongStatus(f"PAYER_BIC is “{settings.PAYER_BIC[:20]}”, which is not a BIC. Correct the setting.")
    return Payer(settings.PAYER_NAME, settings.PAYER_ACCOUNT.replace(" ", ""), settings.PAYER_BIC)


def swift(text: str, limit: int) -> str:
    """The text in the letters that every bank takes, at most so long."""
    plain = FOREIGN.sub(" ", anyascii(text.translate(STAND_INS)))
    return " ".join(plain.split()).strip("/")[:limit].strip() or "?"


def sort_out(run: PaymentRun) -> tuple[list[tuple[Payment, Mapping[str, str]]], list[LeftOut]]:
    """The payments of a run with the accounts that they go to, and those for which there is none."""
    payments = list(run.payments.select_related("partner", "program").exclude(status="rejected").order_by("id"))
    accounts: dict[int, PayoutAccount] = {}
    if run.exported_at is None:
        wanted = {payment.partner_id for payment in payments if not payment.payee}
        accounts = {account.partner_id: account for account in PayoutAccount.objects.filter(partner_id__in=wanted)}
    found, left_out = [], []
    for payment in payments:
        account = accounts.get(payment.partner_id)
        payee = payment.payee or (account.payee() if account else {})
        if payee:
            found.append((payment, payee))
        else:
            left_out.append(LeftOut(payment))
    return found, left_out


def why_not(found: Sequence[tuple[Payment, Mapping[str, str]]]) -> str:
    """Why there can be no message of these payments; nothing if there can."""
    try:
        payer()
    except WrongStatus as refusal:
        return refusal.message
    return "" if found else NOBODY


def export_pain001(run: PaymentRun) -> bytes:
    """The message. Raises WrongStatus where the payer is not set, or no payment has an account."""
    found, _ = sort_out(run)
    debtor = payer()
    if not found:
        raise WrongStatus(NOBODY)
    at = (run.exported_at or run.approved_at or run.created_at).astimezone(UTC)
    document = ET.Element("Document", xmlns=NAMESPACE)
    message = ET.SubElement(document, "CstmrCdtTrfInitn")
    header = ET.SubElement(message, "GrpHdr")
    put(header, "MsgId", f"COOP-RUN-{run.pk}")
    put(header, "CreDtTm", f"{at:%Y-%m-%dT%H:%M:%S}Z")
    put_sums(header, [payment for payment, _ in found])
    put(header, "InitgPty/Nm", swift(debtor.name, NAME_MAX))
    by_currency: dict[str, list[tuple[Payment, Mapping[str, str]]]] = defaultdict(list)
    for payment, payee in found:
        by_currency[payment.currency].append((payment, payee))
    for currency, transfers in sorted(by_currency.items()):
        put_instruction(message, run, debtor, currency, transfers, at=at)
    ET.indent(document)
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(document, encoding="unicode").encode() + b"\n"


def put_instruction(
    message: ET.Element,
    run: PaymentRun,
    debtor: Payer,
    currency: str,
    transfers: Sequence[tuple[Payment, Mapping[str, str]]],
    *,
    at: datetime,
) -> None:
    instruction = ET.SubElement(message, "PmtInf")
    put(instruction, "PmtInfId", f"COOP-RUN-{run.pk}-{currency}")
    put(instruction, "PmtMtd", "TRF")
    put_sums(instruction, [payment for payment, _ in transfers])
    put(instruction, "ReqdExctnDt/Dt", f"{at:%Y-%m-%d}")
    put(instruction, "Dbtr/Nm", swift(debtor.name, NAME_MAX))
    put_account(instruction, "DbtrAcct", debtor.account)
    put(instruction, "DbtrAgt/FinInstnId/BICFI", debtor.bic)
    put(instruction, "ChrgBr", "SHAR")
    for payment, payee in transfers:
        put_transfer(instruction, payment, payee)


def put_transfer(instruction: ET.Element, payment: Payment, payee: Mapping[str, str]) -> None:
    transfer = ET.SubElement(instruction, "CdtTrfTxInf")
    put(transfer, "PmtId/EndToEndId", f"PAYMENT-{payment.pk}")
    amount = put(transfer, "Amt/InstdAmt", money.to_text(payment.amount_minor, payment.currency))
    amount.set("Ccy", payment.currency)
    if payee["bank_code_kind"] == "bic":
        put(transfer, "CdtrAgt/FinInstnId/BICFI", payee["bank_code"])
    elif payee["bank_code"]:
        bank = put(transfer, "CdtrAgt/FinInstnId/ClrSysMmbId")
        put(bank, "ClrSysId/Cd", payee["bank_code_kind"])
        put(bank, "MmbId", payee["bank_code"])
    creditor = put(transfer, "Cdtr")
    put(creditor, "Nm", swift(payee["holder"], NAME_MAX))
    put(creditor, "PstlAdr/Ctry", payment.partner.country)
    put_account(transfer, "CdtrAcct", payee["iban"] or payee["account"])
    said = {"claim": "Co-op", "rebate": "Rebate"}[payment.kind]
    put(transfer, "RmtInf/Ustrd", swift(f"Payment {payment.pk} {said} {payment.program.name}", TEXT_MAX))


def put_sums(place: ET.Element, payments: Iterable[Payment]) -> None:
    """How many, and their amounts added up, whatever their currencies: that is how the standard wants it."""
    amounts = [money.to_decimal(payment.amount_minor, payment.currency) for payment in payments]
    put(place, "NbOfTxs", str(len(amounts)))
    put(place, "CtrlSum", f"{sum(amounts, Decimal(0)):f}")


def put_account(place: ET.Element, name: str, number: str) -> None:
    put(place, f"{name}/Id/IBAN" if is_iban(number) else f"{name}/Id/Othr/Id", number)


def put(place: ET.Element, path: str, text: str | None = None) -> ET.Element:
    """Add nested elements; the text stands in the innermost, which is returned."""
    for name in path.split("/"):
        place = ET.SubElement(place, name)
    place.text = text
    return place
