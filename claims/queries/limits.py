"""What the limits of an activity come to in the money of one fund."""

from __future__ import annotations

from claims.rules.book import Rule
from claims.rules.facts import Facts
from claims.rules.kinds.limits import at_most, counted, said


def limit_in_money(rule: Rule, facts: Facts) -> str:
    """A limit in money, e.g. "25 % of 10,003.55 USD: at most 2,500.88 USD, 1,200.00 USD used, 1,300.88 USD left".

    Empty where nothing can be counted before somebody says more: how many people go, or a rate of exchange.
    """
    if rule.kind != "limit" or rule.params.get("unlimited") or "per_person" in rule.params:
        return ""
    most = at_most(rule, facts)
    if most is None:
        return ""
    earned = facts.show(max(facts.earned_minor, 0))
    share = f"{said(str(rule.params['percent']))} of {earned}" if "percent" in rule.params else ""
    if share and "amount" in rule.params:
        share = f"The greater of {share} and a fixed amount"
    used = counted(rule, facts)
    text = f"{share}: at most" if share else "At most"
    return f"{text} {facts.show(most)}, {facts.show(used)} used, {facts.show(max(most - used, 0))} left"
