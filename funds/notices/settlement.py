"""The threshold test and the claim deadline: money that opened, became rebate, or expired."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from coop.lib.dates import show_day, show_deadline
from funds.notices.words import about_fund, funds_of, named, sentences
from partners.audience import Audience
from partners.models import Event
from partners.telling import ToldOf


def opened(group: Sequence[Event], who: Audience) -> Iterator[ToldOf]:
    """The threshold is reached, so the money can be spent; nothing is said of money that is gone by now."""
    funds = funds_of(group)
    for event in group:
        fund, people = funds[event.subject], who.of_partner(event.partner_id)
        if not people or fund.available_minor <= 0 or who.at >= fund.claims_close_at:
            continue
        zone, threshold = fund.program.time_zone, event.data["threshold_minor"]
        reached = f"The threshold of {fund.show(threshold)} is reached. " if threshold else ""
        text = (
            f"{reached}{named(fund)} earned {fund.show(event.data['earned_minor'])} of co-op. Do the marketing until "
            f"{show_deadline(fund.earning_period.use_close_at, zone)} and claim it until "
            f"{show_deadline(fund.claims_close_at, zone)}: what is not claimed by then expires."
        )
        yield (
            event,
            people,
            about_fund(
                event,
                fund,
                "forecast",
                f"{fund.show(fund.available_minor)} can be spent: {named(fund)}",
                text,
                amount_minor=fund.available_minor,
                deadline_at=fund.claims_close_at,
            ),
        )


def converted(group: Sequence[Event], who: Audience) -> Iterator[ToldOf]:
    funds = funds_of(group)
    for event in group:
        fund, data, people = funds[event.subject], event.data, who.of_partner(event.partner_id)
        if not people or not fund.converted_minor:
            continue
        why = (
            f"{fund.program.name} was discontinued, and co-op of a program that ended becomes rebate whatever its amount."
            if data["program_ended"]
            else f"The threshold is {fund.show(data['threshold_minor'])}, and {named(fund)} earned "
            f"{fund.show(data['earned_minor'])}: co-op below the threshold becomes rebate."
        )
        text = f"{why} It is paid as cash with one of the next payment runs. See that your payout account is right."
        title = f"{fund.show(fund.converted_minor)} became rebate: {named(fund)}"
        yield event, people, about_fund(event, fund, "expired", title, text, amount_minor=fund.converted_minor)


def conversion_lowered(group: Sequence[Event], who: Audience) -> Iterator[ToldOf]:
    funds = funds_of(group)
    for event in group:
        fund = funds[event.subject]
        text = sentences(
            f"The vendor took back earnings of {named(fund)} whose co-op had become rebate, so some of that rebate is taken "
            f"back too. {fund.show(fund.converted_minor)} are rebate now. See the movements of the fund for the reason."
        )
        telling = about_fund(
            event, fund, "balance", f"Less became rebate: {named(fund)}", text, amount_minor=fund.converted_minor
        )
        yield event, who.of_partner(fund.partner_id), telling


def expired(group: Sequence[Event], who: Audience) -> Iterator[ToldOf]:
    funds = funds_of(group)
    for event in group:
        fund, people = funds[event.subject], who.of_partner(event.partner_id)
        if not people:  # a sweep expires hundreds of thousands of funds: no words for nobody
            continue
        amount = fund.show(event.data["amount_minor"])
        held = fund.in_review_minor + fund.approved_minor
        text = sentences(
            f"Claims for {named(fund)} were taken until {show_deadline(fund.claims_close_at, fund.program.time_zone)}. "
            f"{amount} were not claimed by then and expired, effective {show_day(fund.claims_close_on)}.",
            f"{fund.show(held)} of claims that were sent in time are not touched by this." if held else "",
            "Nothing can be done about what expired. The fund's page shows each movement.",
        )
        telling = about_fund(
            event, fund, "expired", f"{amount} expired: {named(fund)}", text, amount_minor=event.data["amount_minor"]
        )
        yield event, people, telling
