"""Rules about money: what the fund holds, what may be claimed of it, and where it would be paid to."""

from __future__ import annotations

from collections.abc import Iterable

from claims.rules.book import Book, Rule
from claims.rules.facts import CLAIM, Facts
from claims.rules.findings import FAILED, WARNING, Finding
from claims.rules.kinds.kind import EVERYTHING, Kind, sentence
from claims.rules.kinds.limits import ASKED, LESS
from coop.lib.dates import show_day


def money_there(rule: Rule, facts: Facts, book: Book) -> Iterable[Finding]:
    """R6: the amount is more than nothing and not more than what the fund holds for it; a fund below zero holds nothing."""
    if not facts.fund_known or (facts.subject == CLAIM and not facts.lines):
        return  # R3 asks for a line already
    if facts.available_minor < 0 and facts.claimed_minor > facts.held_minor == 0:
        yield rule.finding(
            False,
            text="Nothing can be planned or claimed from a fund below zero.",
            seen=f"{facts.show(-facts.available_minor)} more was taken back than was left in this fund",
            wanted="a fund that is not below zero",
            fix="Later earnings of the same half make up for it first. Until then claim from another fund, or ask your "
            "channel manager.",
            at_field="lines",
        )
        return
    there = max(facts.available_minor, 0) + facts.held_minor
    wanted = facts.claimed_minor
    yield rule.finding(
        0 < wanted <= there and facts.settled,
        seen=f"{facts.show(wanted)} {ASKED[facts.subject]}, {facts.show(there)} {'there' if facts.settled else 'estimated'}",
        wanted=f"more than zero and at most {facts.show(there)}"
        if facts.settled
        else "money that is no longer an estimate",
        fix=(
            f"Wait until the earnings are final, after {show_day(facts.settle_on)}."
            if not facts.settled
            else LESS[facts.subject].format(facts.show(wanted - there))
            if wanted > there
            else "Enter what the work cost."
            if facts.subject == CLAIM
            else "Enter how much you ask for."
        ),
        at_field="lines",
    )


def payout_profile(rule: Rule, facts: Facts, book: Book) -> Iterable[Finding]:
    """R8: bank and tax details are complete before a first claim is sent; where nobody said so, it only warns."""
    known = facts.payout_profile_complete
    yield rule.finding(
        known is True,
        seen={True: "complete", False: "not complete", None: "not known here"}[known],
        wanted="complete before a first claim is sent",
        fix="Ask your partner admin to complete the bank and tax profile."
        if known is False
        else "Check with your partner admin that the bank and tax profile is complete, or the payment will wait.",
        at_field="payout_profile",
        unless=FAILED if known is False else WARNING,
    )


KINDS = {
    "money_there": Kind(money_there, sentence, EVERYTHING),
    "payout_profile": Kind(payout_profile, sentence),
}
