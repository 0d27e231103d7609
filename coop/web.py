"""Pages that belong to no app: the clock, the glossary, search, health; and what is said when a page cannot be shown."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import redis
from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.db import Error as DatabaseError
from django.db import connection
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe

from claims.checks import CHECKS
from claims.models import Claim
from claims.queries.plan_lists import narrowed, page_of_plans
from claims.web.plans import columns as plan_columns
from claims.web.plans import row as plan_row
from coop.jobs.standing import deep_health, last_look
from coop.lib.errors import NotFound
from coop.lib.web import asked_text, now
from funds.checks import check_ledger
from funds.models import Fund
from partners.permissions import require_role
from partners.states import AUDITOR, FINANCE, PROGRAM_ADMIN
from partners.web.request import PersonRequest

GLOSSARY = settings.BASE_DIR / "docs" / "glossary.md"
SHOWN = 20
SHORTEST = 2  # characters: one letter finds everything


# --- Health -----------------------------------------------------------------------------------------------------------


@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """Whether this process can serve: 503 without its database. The broker is told of, but pages work without it.

    `?deep=1` also asks whether the jobs look, the audit holds and what happened is told, and answers 503 if not: that is for
    who wakes somebody, and no reason to take a web process out of service.
    """
    database, broker = database_answers(), broker_answers()
    said = {True: "reachable", False: "not reachable"}
    body: dict[str, Any] = {
        "status": "ok" if database else "failing",
        "database": said[database],
        "broker": said[broker],
        "jobs_looked_seconds_ago": last_look() if database else None,
        "version": settings.VERSION,
    }
    if database and request.GET.get("deep") == "1":
        deep = deep_health(now(request))
        body |= {"status": "failing" if deep.failing else "ok", "failing": deep.failing, "checks": deep.checks}
    return JsonResponse(body, status=200 if body["status"] == "ok" else 503)


def database_answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return False
    return True


def broker_answers() -> bool:
    client = redis.Redis.from_url(settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=1)
    try:
        return bool(client.ping())
    except (redis.RedisError, OSError):
        return False
    finally:
        client.close()


# --- Glossary ---------------------------------------------------------------------------------------------------------


@login_required
@require_safe
def glossary(request: PersonRequest) -> HttpResponse:
    return render(request, "coop/glossary.html", {"sections": read_glossary(GLOSSARY)})


def read_glossary(path: Path) -> list[dict[str, Any]]:
    """The sections of the glossary file with their words: lines "- **Word**: meaning" below "## heading".

    Each word has an id to link to; a word that stands there twice, as a bucket and as a status, has a number the second
    time.
    """
    sections: list[dict[str, Any]] = []
    seen: Counter[str] = Counter()
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            sections.append({"title": line[3:].strip(), "words": []})
        elif found := re.match(r"- \*\*(.+?)\*\*: (.+)", line):
            word, meaning = found.groups()
            plain = re.sub(r"\W+", "-", word.lower()).strip("-")
            seen[plain] += 1
            name = plain if seen[plain] == 1 else f"{plain}-{seen[plain]}"
            sections[-1]["words"].append({"word": word, "id": name, "meaning": meaning.replace("`", "")})
    return sections


# --- Search -----------------------------------------------------------------------------------------------------------


@login_required
@require_safe
def search(request: PersonRequest) -> HttpResponse:
    """Claims and plans by number or title, claims by invoice number or supplier too, funds by location or partner.

    Only what the reader may see.
    """
    text = asked_text(request, "q").strip()[:80]
    long_enough = len(text) >= SHORTEST
    context = {
        "search_text": text,
        "shortest": SHORTEST,
        "too_short": bool(text) and not long_enough,
        "claims": found_claims(request, text) if long_enough else [],
        "plans": found_plans(request, text) if long_enough else [],
        "funds": found_funds(request, text) if long_enough else [],
        "plan_columns": plan_columns(vendor=request.user.is_vendor),
        "limit": SHOWN,
        "at": now(request),
    }
    return render(request, "coop/search.html", context)


def found_claims(request: PersonRequest, text: str) -> list[Claim]:
    in_lines = Q(lines__supplier__icontains=text) | Q(lines__invoice_number__icontains=text)
    visible = Claim.objects.visible_to(request.user).with_names()
    found = visible.filter(Q(number__icontains=text) | Q(title__icontains=text) | in_lines)
    return list(found.distinct()[: SHOWN + 1])


def found_plans(request: PersonRequest, text: str) -> list[dict[str, Any]]:
    found = page_of_plans(narrowed(request.user, text=text)).plans
    return [plan_row(plan, vendor=request.user.is_vendor) for plan in found[: SHOWN + 1]]


def found_funds(request: PersonRequest, text: str) -> list[Fund]:
    named = Q(location__name__icontains=text) | Q(partner__name__icontains=text)
    found = Fund.objects.visible_to(request.user).with_names().filter(named)
    return list(found.order_by("-earning_period__earn_from", "location__name", "id")[: SHOWN + 1])


# --- The ledger's check -----------------------------------------------------------------------------------------------


@login_required
@require_POST
def ledger_check(request: PersonRequest) -> HttpResponse:
    """Recompute everything from the entries, now, and say what was found. It reads and changes nothing."""
    require_role(request.user, FINANCE, PROGRAM_ADMIN, AUDITOR, to="check the ledger")
    report = check_ledger(CHECKS)
    return render(request, "coop/ledger_check.html", {"report": report, "at": now(request)})


# --- What cannot be shown ---------------------------------------------------------------------------------------------


def no_such_page(request: HttpRequest) -> HttpResponse:
    """In the place of a page that a package brings along and that nobody shall reach."""
    raise NotFound("There is no such page.")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "400.html", status=400)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "403.html", {"exception": str(exception)}, status=403)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "404.html", status=404)
