"""The difference of two catalogs in sentences (and, from `two_days`, of one catalog on two days). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from claims.rules.book import Rule, read_rule
from claims.rules.change import ADDED, CHANGED, CLOSED, REMOVED, Change, Row
from claims.rules.kinds import KINDS
from claims.rules.section_changes import section_changes
from claims.rules.two_days import what_changed
from claims.rules.words import Names, days_of, quoted, sentence_of
from coop.lib.dates import show_day

__all__ = ["Change", "changes_between", "what_changed"]


def changes_between(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Change]:
    """What a catalog changes of the one before: rules first, then the other sections. Both as files or as they are kept."""
    names = Names(new)
    return [*rule_changes(old, new, names), *section_changes(old, new, names)]


def rule_changes(old: Row, new: Row, names: Names) -> list[Change]:
    """What changed of the rules, rule by rule in the order of the new catalog."""
    before, after = versions_of(old), versions_of(new)
    found: list[Change] = []
    for code in [*after, *(code for code in before if code not in after)]:
        found += changes_of_rule(before.get(code, {}), after.get(code, {}), names)
    return found


def versions_of(catalog: Row) -> dict[str, dict[int, Rule]]:
    found: dict[str, dict[int, Rule]] = {}
    for row in catalog.get("rules", ()):
        rule = read_rule(row)
        found.setdefault(rule.code, {})[rule.version] = rule
    return found


def changes_of_rule(before: dict[int, Rule], after: dict[int, Rule], names: Names) -> list[Change]:
    """The changes of one rule: versions that came, ended, were corrected or taken out."""
    found: list[Change] = []
    for version, rule in after.items():
        known = before.get(version)
        if known is None:
            found.append(came(after.get(version - 1), rule, names))
        elif known != rule:
            next_version = after.get(version + 1)
            if next_version is not None and version + 1 not in before and same_but_end(known, rule):
                continue  # closed because the next version takes its place, which says so itself
            found.append(edited(known, rule, names))
    found += [
        Change(REMOVED, "rules", rule.code, sentence_of([f"Taken out: {quoted(rule)}", names.scope(rule)]), old=rule)
        for version, rule in before.items()
        if version not in after
    ]
    return found


def same_but_end(one: Rule, other: Rule) -> bool:
    return words_of(one) == words_of(other) and (one.scope, one.params) == (other.scope, other.params)


def words_of(rule: Rule) -> str:
    return KINDS[rule.kind].words(rule)


def came(older: Rule | None, rule: Rule, names: Names) -> Change:
    """A version that is new: a new rule, or the next version of one, with what counted before it."""
    when, scope = days_of(rule.valid_from, rule.valid_to), names.scope(rule)
    if older is None:
        return Change(
            ADDED,
            "rules",
            rule.code,
            sentence_of(["New", when, *([scope] if scope else []), f"is {quoted(rule)}"]),
            rule.valid_from,
            after=words_of(rule),
            rule=rule,
        )
    said = sentence_of(["Changed", when, scope]).rstrip(".") + f": {quoted(rule)} instead of {quoted(older)}."
    if older.scope != rule.scope:
        said = said.rstrip(".") + f", which held {names.scope(older) or 'for all'}."
    return Change(CHANGED, "rules", rule.code, said, rule.valid_from, words_of(older), words_of(rule), older, rule)


def edited(known: Rule, rule: Rule, names: Names) -> Change:
    """A version that was there and reads otherwise now: closed, or (in a draft) corrected."""
    scope = names.scope(rule)
    if same_but_end(known, rule) and known.valid_from == rule.valid_from:
        if known.valid_to != rule.valid_to:
            ends = f"on {show_day(rule.valid_to)}" if rule.valid_to else "no more"
            said = sentence_of([f"Ends {ends}", scope]).rstrip(".") + f": {quoted(rule)}."
            return Change(CLOSED, "rules", rule.code, said, rule.valid_to, words_of(known), "", known, rule)
        said = sentence_of([f"The examples of {quoted(rule)}", scope, "changed"])
        return Change(CHANGED, "rules", rule.code, said, old=known, rule=rule)
    said = sentence_of(["Corrected", days_of(rule.valid_from, rule.valid_to), scope]).rstrip(".")
    said += f": {quoted(rule)} instead of {quoted(known)}, {days_of(known.valid_from, known.valid_to)}."
    return Change(CHANGED, "rules", rule.code, said, rule.valid_from, words_of(known), words_of(rule), known, rule)
