"""Where the partner's money goes: written by its admins, seen masked by its marketers."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from coop.lib.errors import Invalid, Stale
from coop.lib.forms import add_refusal
from coop.lib.web import now
from partners.accounts import BANK_CODES, HOLDER_MAX, NAMES, TAX_ID_MAX
from partners.models import PayoutAccount
from partners.operations import set_payout_account
from partners.permissions import require_role
from partners.states import MARKETER, PARTNER_ADMIN
from partners.web.request import PersonRequest


class AccountForm(forms.Form):
    """A bank account; which of its numbers are needed depends on the country, so the operation says what is missing."""

    holder = forms.CharField(
        label="Account holder",
        max_length=HOLDER_MAX,
        help_text="As the bank writes it",
        error_messages={"required": "Enter the name in which the bank keeps the account"},
    )
    country = forms.CharField(
        label="Country of the bank",
        max_length=2,
        help_text="Two letters, for example US",
        error_messages={"required": "Enter the country of the bank as two letters"},
    )
    iban = forms.CharField(
        label="IBAN", max_length=60, required=False, help_text="Leave it empty where the country has none"
    )
    account = forms.CharField(label="Account number", max_length=60, required=False, help_text="Only without an IBAN")
    bank_code_kind = forms.ChoiceField(
        label="The bank is named by",
        required=False,
        help_text="Needed without an IBAN",
        choices=[("", "Choose"), *BANK_CODES.items()],
    )
    bank_code = forms.CharField(
        label="Code of the bank", max_length=30, required=False, help_text="Without spaces or hyphens"
    )
    tax_id = forms.CharField(label="Tax number", max_length=TAX_ID_MAX, required=False)
    revision = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def clean_country(self) -> str:
        return str(self.cleaned_data["country"]).upper()


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def payout_account(request: PersonRequest) -> HttpResponse:
    """The account of the reader's organisation."""
    require_role(request.user, PARTNER_ADMIN, MARKETER, to="see where money is paid")
    known = PayoutAccount.objects.visible_to(request.user).select_related("updated_by").first()
    mine = request.user.role == PARTNER_ADMIN
    partner = request.user.partner
    first = {name: getattr(known, name) for name in NAMES} if known else {"country": partner.country if partner else ""}
    initial = {**first, "revision": known.revision if known else 0}
    form = AccountForm(request.POST if request.method == "POST" else None, initial=initial)
    if request.method == "POST" and form.is_valid():
        answer = save(request, form)
        if answer:
            return answer
    context = {
        "known": known,
        "mine": mine,
        "form": form,
        "said": BANK_CODES.get(known.bank_code_kind, "") if known else "",
        "crumbs": [{"label": "Payments", "url": reverse("payments")}],
    }
    return render(request, "partners/payout_account.html", context, status=400 if form.errors else 200)


def save(request: PersonRequest, form: AccountForm) -> HttpResponse | None:
    """Write what the form says; what is wrong with it goes to its fields."""
    given = {name: form.cleaned_data[name] for name in NAMES}
    revision = form.cleaned_data["revision"]
    try:
        set_payout_account(request.user.partner_id or 0, given, revision=revision, by=request.user, at=now(request))
    except (Invalid, Stale) as refusal:
        add_refusal(form, refusal)
        return None
    messages.success(request, "The payout account is saved. Runs that are approved from now on pay to it.")
    return redirect("payment-account")
