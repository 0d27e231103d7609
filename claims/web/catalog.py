"""What can I spend on? The activities of a program, country and day in plain words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from claims.models import Activity
from claims.permissions import WRITERS
from claims.queries.book import current_book, is_offered
from claims.queries.contacts import managers_of
from claims.queries.limits import limit_in_money
from claims.queries.offers import (
    Approval,
    Offer,
    approval_of,
    changed_since_last_year,
    offer_of,
    offers_of,
    words,
)
from claims.queries.plan_facts import facts_of_idea
from claims.rules.book import Rule
from claims.rules.facts import Facts
from claims.web.catalog_question import Question, read_question
from claims.web.catalog_search import find, nearest
from coop.lib.dates import show_day
from coop.lib.errors import NotFound
from coop.lib.web import now
from funds.models import Fund
from partners.web.request import PersonRequest


@login_required
@require_safe
def catalog(request: PersonRequest) -> HttpResponse:
    """All activities that are paid for, by category; with words, those that they find."""
    question = read_question(request)
    if question is None:
        return render(request, "claims/catalog/empty.html")
    book = current_book()
    offers = offers_of(book, Activity.objects.all(), question.case(book))
    found = find(offers, question.words)
    context: dict[str, Any] = {
        "question": question,
        "form": question.form,
        "active": active_filters(question),
        "groups": grouped(found, question),
        "found": len(found),
        "approval": approval_of(question.program, question.day),
        "check_url": f"{reverse('catalog-check')}?{check_query(question)}",
        "changes_url": f"{reverse('catalog-changes')}?{question.changes_query}",
    }
    if offers and not found:
        context["nearest"] = [row(offer, question) for offer in nearest(offers, question.words)]
        context["managers"] = managers_of(request.user.partner)
    return render(request, "claims/catalog/catalog.html", context, status=400 if question.form.errors else 200)


def active_filters(question: Question) -> list[dict[str, str]]:
    """The words looked for, as a filter that can be taken away."""
    if not question.words:
        return []
    return [{"label": f"“{question.words}”", "url": f"?{question.query}"}]


def grouped(offers: Sequence[Offer], question: Question) -> list[dict[str, Any]]:
    """The activities under the names of their categories, in the order of the catalog."""
    book = offers[0].book if offers else None
    names = [*(book.categories_on(question.day).values() if book else ()), ""]
    groups = [(name, [offer for offer in offers if offer.category == name]) for name in names]
    return [
        {"name": name or "Other", "rows": [row(offer, question) for offer in members]}
        for name, members in groups
        if members
    ]


def row(offer: Offer, question: Question) -> dict[str, Any]:
    """One activity in the list: what it is, what it pays, what it needs."""
    return {
        "name": offer.activity.name,
        "url": f"{reverse('catalog-activity', args=[offer.code])}?{question.query}",
        "description": offer.activity.description,
        "example": offer.activity.example,
        "changed": changed_since_last_year(offer),
        "share": f"{offer.share} % of the cost",
        "limits": offer.limits,
        "proofs": [proof.text for proof in offer.proofs if not proof.when],
        "results": [result.name for result in offer.results if result.required],
    }


@login_required
@require_safe
def catalog_activity(request: PersonRequest, code: str) -> HttpResponse:
    """One activity: what is paid, how much at most, what must be shown, and the rules that say so. Raises NotFound."""
    question = read_question(request)
    activity = Activity.objects.filter(code=code).first()
    if question is None or activity is None:
        raise NotFound("There is no such activity.")
    book = current_book()
    offer = offer_of(book, activity, question.case(book))
    context: dict[str, Any] = {
        "question": question,
        "activity": activity,
        "back_url": f"{reverse('catalog')}?{question.query}",
    }
    if not is_offered(activity, offer.case, book):
        return render(request, "claims/catalog/not_offered.html", {**context, "reason": why_not(offer, question)})
    facts = facts_in(question, offer, now(request))
    return render(request, "claims/catalog/activity.html", {**context, **about(offer, question, facts)})


def why_not(offer: Offer, question: Question) -> str:
    """Which rule says that the program does not pay for the activity on the day."""
    refusing = [rule.sentence for rule in offer.of_kind("activity_offered") if not rule.params["offered"]]
    if refusing:
        return " ".join(refusing)
    return f"{offer.activity.name} is not in the catalog on {show_day(question.day)}."


def facts_in(question: Question, offer: Offer, at: datetime) -> Facts | None:
    """The facts of the reader's own fund for an activity; None where no fund of theirs pays on the day."""
    fund = question.fund
    if fund is None:
        return None
    return facts_of_idea(
        fund,
        fund.program,
        offer.activity,
        question.country,
        amount_minor=0,
        currency=fund.currency,
        starts_on=question.day,
        ends_on=question.day,
        partner=fund.partner,
        at=at,
        book=offer.book,
    )


def about(offer: Offer, question: Question, facts: Facts | None) -> dict[str, Any]:
    """All that the page of an activity says."""
    approval = approval_of(question.program, question.day)
    check_url = f"{reverse('catalog-check')}?{check_query(question, offer.code)}"
    asked = [
        ("Questions, which decide what you show", offer.questions),
        ("Results, when the work is done", offer.results),
        ("Beside each invoice or piece of work", offer.details),
        ("To confirm", offer.confirmations),
    ]
    return {
        "offer": offer,
        "money": money_rows(offer, question, approval, facts),
        "changed": changed_since_last_year(offer),
        "changes_url": f"{reverse('catalog-changes')}?{question.changes_query}",
        "asked": [{"title": title, "metrics": metrics} for title, metrics in asked if metrics],
        "rules": [
            {"code": rule.code, "version": rule.version, "days": days_of(rule), "text": words(rule)}
            for rule in offer.rules
        ],
        **ways_on(offer, question, approval, check_url),
    }


def money_rows(offer: Offer, question: Question, approval: Approval, facts: Facts | None) -> list[dict[str, Any]]:
    """What is paid, in general and of the reader's own fund, and whose approval it needs."""
    example = " (an example, not published)" if offer.share_example else ""
    rows = [{"key": "Share paid", "value": f"{offer.share} % of the actual cost{example}"}]
    rows += [{"key": "Limit", "value": text} for text in offer.limits] or [
        {"key": "Limit", "value": "None but the fund"}
    ]
    if facts is not None:
        told = [text for rule in offer.limit_rules if (text := limit_in_money(rule, facts))]
        fund = question.fund_name
        left = f"{facts.show(max(facts.available_minor, 0))} is there" + ("" if facts.settled else ", an estimate")
        rows.append({"key": f"In your fund ({fund})", "value": "\n".join([*told, left])})
    rows.append({"key": "Approval", "value": approval.sentence})
    return rows


def ways_on(offer: Offer, question: Question, approval: Approval, check_url: str) -> dict[str, Any]:
    """The buttons of the page: a plan where the program has plans, else a claim; and the check of an idea."""
    check = {"label": "Could I spend on this?", "url": check_url}
    if question.person.role not in WRITERS:
        return {"primary": check, "actions": []}
    claim = {"label": "Start a claim", "url": claim_new_url(question, offer)}
    if approval.kind == "none":
        return {"primary": claim, "actions": [check]}
    plan = {"label": "Start a plan with this", "url": plan_new_url(question.fund, activity=offer.code)}
    return {"primary": plan, "actions": [claim, check]}


def days_of(rule: Rule) -> str:
    return f"from {show_day(rule.valid_from)}" + (f" to {show_day(rule.valid_to)}" if rule.valid_to else " on")


def plan_new_url(fund: Fund | None, **values: str) -> str:
    """Where a plan begins, with what is known of it."""
    query = {**({"fund": fund.pk} if fund else {}), **{name: value for name, value in values.items() if value}}
    return f"{reverse('plan-new')}?{urlencode(query)}"


def claim_new_url(question: Question, offer: Offer) -> str:
    query = {**({"fund": question.fund.pk} if question.fund else {}), "activity": offer.code}
    return f"{reverse('claim-new')}?{urlencode(query)}"


def check_query(question: Question, activity: str = "") -> str:
    """The question as the page that checks an idea takes it."""
    money = f"fund:{question.fund.pk}" if question.fund else f"program:{question.program.code}"
    asked = {"money": money, "activity": activity, "country": question.country}
    return urlencode({name: value for name, value in asked.items() if value})
