"""Payments: runs that wait for their second person, and what became of each payment."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from django.urls import reverse

from coop.lib import money
from coop.lib.dates import show_day
from funds.models import Payment, PaymentRun
from funds.notices.words import key_of
from partners.audience import Audience
from partners.models import Event
from partners.states import FINANCE
from partners.telling import Telling, ToldOf


def run_prepared(group: Sequence[Event], who: Audience) -> Iterator[ToldOf]:
    """Somebody of finance who did not prepare the run must approve it. What was decided since is not told."""
    waiting = PaymentRun.objects.filter(status="draft", id__in=[event.subject for event in group])
    runs = {str(run.pk): run for run in waiting.select_related("prepared_by")}
    for event in group:
        run = runs.get(event.subject)
        if run is None:
            continue
        sums = " and ".join(
            f"{money.display(money.from_text(total['amount'], total['currency']), total['currency'])} ({total['kind']}, "
            f"{total['payments']} payment{'' if total['payments'] == '1' else 's'})"
            for total in run.totals
        )
        text = (
            f"{run.prepared_by.name} prepared it with all that was approved until {show_day(run.cutoff)}: {sums}. Nobody is "
            "paid before another person of finance looks at it and approves it."
        )
        alone = run.totals[0] if len(run.totals) == 1 else None
        yield (
            event,
            [one for one in who.of_vendor(FINANCE) if one.pk != run.prepared_by_id],
            Telling(
                kind="needs_you",
                key=key_of(event),
                title=f"{run} waits for a second person",
                text=text,
                link=reverse("payment-run", args=[run.pk]),
                subject_type="payment_run",
                subject=str(run.pk),
                partner_id=None,
                at=event.at,
                amount_minor=money.from_text(alone["amount"], alone["currency"]) if alone else None,
                currency=alone["currency"] if alone else "",
            ),
        )


def held(group: Sequence[Event], who: Audience) -> Iterator[ToldOf]:
    """A run passed over what a partner is owed, because its bank and tax details are not complete."""
    for event in group:
        data, currency = event.data, event.data["currency"]
        minor = money.from_text(data["amount"], currency)
        text = (
            f"A payment run for {data['program_name']} passed over {money.display(minor, currency)} that you are owed: "
            f"{data['reason']} Complete them; the next run pays what waits."
        )
        yield (
            event,
            who.of_partner(event.partner_id),
            Telling(
                kind="payment",
                key=key_of(event),
                title=f"{money.display(minor, currency)} cannot be paid yet: bank details are missing",
                text=text,
                link=reverse("payment-account"),
                subject_type="partner",
                subject=event.subject,
                partner_id=event.partner_id,
                at=event.at,
                amount_minor=minor,
                currency=currency,
            ),
        )


def sent(group: Sequence[Event], who: Audience) -> Iterator[ToldOf]:
    payments = payments_of(group)
    for event in group:
        payment = payments[event.subject]
        day = show_day(payment.sent_on) if payment.sent_on else show_day(event.at.date())
        what = "rebate" if payment.kind == "rebate" else "claims"
        text = (
            f"{shown(payment)} for {what} of {payment.program.name} were sent on {day}"
            f"{f', bank reference {payment.bank_reference}' if payment.bank_reference else ''}. Banks take a few days. "
            "The page of the payment has its remittance advice."
        )
        yield event, who.of_partner(payment.partner_id), telling(event, payment, f"{shown(payment)} were paid", text)


def failed(group: Sequence[Event], who: Audience) -> Iterator[ToldOf]:
    return stuck(group, who, "could not be made", "The bank did not make the payment")


def returned(group: Sequence[Event], who: Audience) -> Iterator[ToldOf]:
    return stuck(group, who, "came back", "The bank sent the money back")


def stuck(group: Sequence[Event], who: Audience, how: str, what: str) -> Iterator[ToldOf]:
    payments = payments_of(group)
    for event in group:
        payment = payments[event.subject]
        reason = str(event.data.get("reason", "")).rstrip(".")
        text = (
            f"{what}{f': {reason}' if reason else ''}. {shown(payment)} for {payment.program.name} are still yours. Check "
            "your bank details; it is paid again with a later run."
        )
        title = f"Check your bank details: {payment} of {shown(payment)} {how}"
        yield event, who.of_partner(payment.partner_id), telling(event, payment, title, text)


def payments_of(group: Sequence[Event]) -> dict[str, Payment]:
    found = Payment.objects.filter(id__in=[event.subject for event in group]).select_related("program")
    return {str(payment.pk): payment for payment in found}


def shown(payment: Payment) -> str:
    return money.display(payment.amount_minor, payment.currency)


def telling(event: Event, payment: Payment, title: str, text: str) -> Telling:
    return Telling(
        kind="payment",
        key=key_of(event),
        title=title,
        text=text,
        link=reverse("payment", args=[payment.pk]),
        subject_type="payment",
        subject=str(payment.pk),
        partner_id=payment.partner_id,
        at=event.at,
        zone=payment.program.time_zone,
        amount_minor=payment.amount_minor,
        currency=payment.currency,
    )
