"""The proof of the ledger: its heads, verifying it now, and taking the proof away."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from coop.lib.dates import show_day, show_instant
from coop.lib.errors import NotFound, TooLarge
from coop.lib.web import now
from funds.models import Fund, LedgerHead
from funds.models.proof import READERS
from funds.queries.proof import entries_posted, verify_ledger
from funds.queries.proof_file import proof_lines
from partners.permissions import require_role
from partners.web.request import PersonRequest

SHOWN = 20  # heads
AT_ONCE = 250_000  # entries that are verified, or written to a file, while somebody waits for the page


class VerifyForm(forms.Form):
    """What to verify against beside the database itself."""

    head = forms.RegexField(
        label="A head that you kept",
        help_text="As it was mailed: 64 letters and digits. Without it the ledger is held against its own heads only.",
        regex=r"^\s*[0-9A-Fa-f]{64}\s*$",
        required=False,
        error_messages={"invalid": "A head has 64 digits and letters from a to f. Copy it whole, without the quotes."},
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def proof(request: PersonRequest) -> HttpResponse:
    """The heads of the ledger; a POST verifies it now and says what was found. It reads and changes nothing."""
    require_role(request.user, *READERS, to="see the proof of the ledger")
    form = VerifyForm(request.POST if request.method == "POST" else None)
    entries = entries_posted()
    too_many = entries > AT_ONCE
    verdict = None
    if request.method == "POST" and not too_many and form.is_valid():
        kept = form.cleaned_data["head"].strip()
        verdict = verify_ledger([kept] if kept else [])
    heads = list(LedgerHead.objects.visible_to(request.user)[: SHOWN + 1])
    context = {
        "form": form,
        "verdict": verdict,
        "kept": bool(verdict and form.cleaned_data["head"]),
        "heads": [shown(head) for head in heads[:SHOWN]],
        "more_heads": len(heads) > SHOWN,
        "entries": f"{entries:,}",
        "too_many": too_many,
        "at_once": f"{AT_ONCE:,}",
        "at": now(request),
        "crumbs": [{"label": "Finance", "url": reverse("finance")}],
    }
    return render(request, "funds/proof.html", context, status=400 if form.errors else 200)


def shown(head: LedgerHead) -> dict[str, Any]:
    return {
        "day": show_day(head.day),
        "at": show_instant(head.at),
        "entries": f"{head.entries:,}",
        "funds": f"{head.funds:,}",
        "hash": bytes(head.hash).hex(),
        "mailed": show_instant(head.mailed_at) if head.mailed_at else "",
    }


@login_required
@require_safe
def proof_file(request: PersonRequest) -> StreamingHttpResponse:
    """The proof of all funds. Raises TooLarge where a command would be the better way."""
    require_role(request.user, *READERS, to="download the proof of the ledger")
    if entries_posted() > AT_ONCE:
        raise TooLarge(
            f"The ledger has more than {AT_ONCE:,} entries: have the proof written by the command "
            "`manage.py export_proof --all FILE`."
        )
    return download(f"ledger-proof-{now(request):%Y-%m-%d}.jsonl", request, None)


@login_required
@require_safe
def fund_proof(request: PersonRequest, fund_id: int) -> StreamingHttpResponse:
    """The proof of one fund, for whoever sees the fund."""
    if not Fund.objects.visible_to(request.user).filter(id=fund_id).exists():
        raise NotFound("There is no such fund.")
    return download(f"fund-{fund_id}-proof.jsonl", request, fund_id)


def download(filename: str, request: PersonRequest, fund_id: int | None) -> StreamingHttpResponse:
    lines = proof_lines(fund_id=fund_id, at=now(request))
    answer = StreamingHttpResponse(lines, content_type="application/jsonl; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{filename}"'
    return answer
