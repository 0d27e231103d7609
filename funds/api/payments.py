"""Payment runs: prepared by one person, approved by another, exported, and their results read back."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from coop.lib import money
from coop.lib.api import filters
from coop.lib.api.fields import Day, Identifier, Money, Text
from coop.lib.api.filters import Filter
from coop.lib.api.parsers import FormParser, StrictJSONParser
from coop.lib.api.serializers import Input
from coop.lib.api.views import ApiViewSet, ListMixin, RetrieveMixin, act, verb
from coop.lib.errors import WrongStatus
from funds import states
from funds.bank.pain001 import export_pain001, sort_out
from funds.bank.table import export_csv, read_csv
from funds.models import Payment, PaymentRun
from funds.operations import payments as operations
from funds.operations import results as bank
from funds.remittance import KINDS, advice_csv, advice_pdf
from partners.permissions import require_role
from partners.states import FINANCE

EXPORTABLE = ("approved", "exported", "settled")
RESULTS_MAX_BYTES = 5 * 1024 * 1024
MAX_RESULTS = 10_000  # at once; a longer list is sent as the file


class RunTotal(serializers.Serializer[Any]):
    currency = serializers.CharField()
    kind = serializers.ChoiceField(list(KINDS))
    amount = serializers.CharField()
    payments = serializers.CharField()


class Held(serializers.Serializer[Any]):
    """What must wait longer, and why: `payout_profile_incomplete` or `below_minimum`."""

    partner = serializers.CharField()
    partner_name = serializers.CharField()
    program = serializers.CharField()
    kind = serializers.ChoiceField(list(KINDS))
    amount = serializers.CharField()
    currency = serializers.CharField()
    code = serializers.CharField()
    reason = serializers.CharField()


class LeftOut(serializers.Serializer[Any]):
    """A payment that the ISO 20022 file leaves out, and why: `no_bank_account`."""

    payment = serializers.CharField(source="payment.pk")
    partner = serializers.CharField(source="payment.partner_id")
    amount = serializers.SerializerMethodField()
    currency = serializers.CharField(source="payment.currency")
    code = serializers.CharField()
    reason = serializers.CharField()

    def get_amount(self, left: Any) -> str:
        return money.to_text(left.payment.amount_minor, left.payment.currency)


class RunOut(serializers.Serializer[Any]):
    id = serializers.CharField()
    cutoff = serializers.DateField()
    status = serializers.ChoiceField(list(states.RUN_STATUSES))
    totals = RunTotal(many=True)
    held = Held(many=True)
    left_out = serializers.SerializerMethodField()
    prepared_by = serializers.CharField(source="prepared_by_id")
    approved_by = serializers.CharField(source="approved_by_id", allow_null=True)
    approved_at = serializers.DateTimeField(allow_null=True)
    exported_at = serializers.DateTimeField(allow_null=True)
    settled_at = serializers.DateTimeField(allow_null=True)
    revision = serializers.IntegerField()
    created_at = serializers.DateTimeField()

    @extend_schema_field(LeftOut(many=True))
    def get_left_out(self, run: Any) -> Any:
        """Looked for once the run is approved, and in a list of runs not at all."""
        if isinstance(self.parent, serializers.ListSerializer) or run.status not in EXPORTABLE:
            return []
        return LeftOut(sort_out(run)[1], many=True).data


class RunIn(Input):
    cutoff = Day()


class ResultIn(Input):
    payment = Identifier()
    status = Text(limit=20)
    sent_on = Day(required=False, allow_null=True)
    bank_reference = Text(limit=80, blank=True, required=False)
    reason = Text(limit=200, blank=True, required=False)
    returned_on = Day(required=False, allow_null=True)


class ResultsIn(Input):
    """The results as a list, or as the run's own CSV file with its last columns filled in."""

    results = ResultIn(many=True, required=False, max_length=MAX_RESULTS)  # type: ignore[call-arg]
    file = serializers.FileField(required=False, allow_empty_file=True, use_url=False)


class ItemOut(serializers.Serializer[Any]):
    """What is paid: a claim from its fund, or the rebate of a month."""

    claim = serializers.SerializerMethodField()
    month = serializers.SerializerMethodField()
    fund = serializers.CharField(source="payable.fund_id", allow_null=True)
    amount = Money("amount_minor", "payment.currency")

    def get_claim(self, item: Any) -> str | None:
        return item.payable.reference if item.payable.kind == "claim" else None

    def get_month(self, item: Any) -> str | None:
        return item.payable.reference[:7] if item.payable.kind == "rebate" else None


class PaymentOut(serializers.Serializer[Any]):
    """`reason` says why a payment failed or came back; `rate` is null while it is paid in the fund's own currency."""

    id = serializers.CharField()
    kind = serializers.ChoiceField(list(KINDS))
    partner = serializers.CharField(source="partner_id")
    program = serializers.CharField(source="program.code")
    currency = serializers.CharField()
    amount = Money("amount_minor")
    status = serializers.ChoiceField(list(states.PAYMENT_STATUSES))
    run = serializers.CharField(source="run_id")
    items = ItemOut(many=True)
    expected_on = serializers.DateField()
    sent_on = serializers.DateField(allow_null=True)
    returned_on = serializers.DateField(allow_null=True)
    rate = serializers.SerializerMethodField()
    bank_reference = serializers.CharField()
    reason = serializers.CharField(source="failure")
    revision = serializers.IntegerField()
    created_at = serializers.DateTimeField()

    def get_rate(self, payment: Any) -> str | None:
        return None


class ReturnIn(Input):
    returned_on = Day()
    reason = Text(limit=200)


def one_of(*known: str) -> Filter:
    """The form in which a file is wanted; the first, unless said otherwise."""

    def read(text: str) -> str:
        if text not in known:
            raise ValueError(f"Use {' or '.join(known)}.")
        return text

    return Filter(read, None, {"type": "string", "enum": list(known), "default": known[0]})


def download(data: bytes, media_type: str, name: str) -> HttpResponse:
    return HttpResponse(
        data, content_type=media_type, headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )


class PaymentRunViewSet(ListMixin, RetrieveMixin, ApiViewSet):
    """Payments that go out together. Only finance, program admins and auditors see runs."""

    queryset = PaymentRun.objects.all()
    serializer_class = RunOut
    write_scope = "payments:write"
    missing = "There is no such payment run."
    ordering = ("-id",)
    max_upload = RESULTS_MAX_BYTES
    filters = {"status": filters.by_choice("status", states.RUN_STATUSES), "cutoff": filters.by_day("cutoff")}

    def get_parsers(self) -> list[Any]:
        parsers: list[Any] = [StrictJSONParser()]
        return [*parsers, FormParser()] if self.action_map.get("post") == "results" else parsers

    def get_queryset(self) -> QuerySet[Any]:
        rows = PaymentRun.objects.all()
        return rows if self.person.role in operations.READERS else rows.none()

    @act(takes=RunIn, status=201)
    def create(self, request: Request) -> Response:
        """Prepare a run of what was approved until the end of the cutoff day."""
        return self.answer(operations.prepare_run(**self.take(), by=self.person, at=self.at))

    @verb("approve")
    def approve(self, request: Request, pk: str) -> Response:
        """Approve a run that somebody else prepared."""
        self.take()
        return self.answer(operations.approve_run(int(pk), revision=self.revision, by=self.person, at=self.at))

    @verb("cancel")
    def cancel(self, request: Request, pk: str) -> Response:
        """Drop a draft; what it held can go into another run."""
        self.take()
        return self.answer(operations.cancel_run(int(pk), revision=self.revision, by=self.person, at=self.at))

    @action(detail=True, methods=["get"])
    @act(gives=("text/csv", "application/xml"), query={"format": one_of("csv", "pain001")})
    def export(self, request: Request, pk: str) -> HttpResponse:
        """The file for the bank: a table with an empty place for each result, or ISO 20022 (which names accounts)."""
        run = self.get_object()
        if run.status not in EXPORTABLE:
            raise WrongStatus(
                f"Payment run {run.pk} is {run.status}; its file exists once a second person approved it."
            )
        if self.asked.get("format") == "pain001":
            require_role(self.person, FINANCE, to="take the file with the account numbers")
            return download(export_pain001(run), "application/xml", f"payment-run-{run.pk}.xml")
        return download(export_csv(run).encode(), "text/csv; charset=utf-8", f"payment-run-{run.pk}.csv")

    @export.mapping.post
    @act()
    def mark_exported(self, request: Request, pk: str) -> Response:
        """Note that the file was taken for the bank: its payments are in progress."""
        self.take()
        return self.answer(operations.export_run(int(pk), revision=self.revision, by=self.person, at=self.at))

    @verb("results", takes=ResultsIn)
    def results(self, request: Request, pk: str) -> Response:
        """Take in what the bank says: all results or, with the list of all faults, none."""
        taken = self.take()
        file = taken.get("file")
        found = read_csv(file.read()) if file else [read_result(row) for row in taken.get("results", [])]
        run = bank.read_results(int(pk), found, revision=self.revision, by=self.person, at=self.at)
        return self.answer(run)


def read_result(row: dict[str, Any]) -> bank.Result:
    return bank.Result(
        payment_id=row["payment"],
        status=row["status"],
        sent_on=row.get("sent_on"),
        bank_reference=row.get("bank_reference", ""),
        failure=row.get("reason", ""),
        returned_on=row.get("returned_on"),
    )


class PaymentViewSet(ListMixin, RetrieveMixin, ApiViewSet):
    """Money on its way to partners. Partners see a payment once its run is approved."""

    queryset = Payment.objects.all()
    serializer_class = PaymentOut
    write_scope = "payments:write"
    missing = "There is no such payment."
    ordering = ("-id",)
    filters = {
        "partner": filters.by_id("partner_id"),
        "program": filters.by_code("program__code"),
        "status": filters.by_choice("status", states.PAYMENT_STATUSES),
        "kind": filters.by_choice("kind", KINDS),
        "run": filters.by_id("run_id"),
    }

    def get_queryset(self) -> QuerySet[Any]:
        return (
            Payment.objects.visible_to(self.person)
            .select_related("program", "partner", "run")
            .prefetch_related("items__payable")
        )

    @verb("return", takes=ReturnIn)
    def give_back(self, request: Request, pk: str) -> Response:
        """Note that the bank sent a payment back: what it paid is approved again and goes into a later run."""
        self.get_object()
        payment = bank.return_payment(int(pk), **self.take(), revision=self.revision, by=self.person, at=self.at)
        return self.answer_fresh(payment)

    @action(detail=True, methods=["get"])
    @act(gives=("application/pdf", "text/csv"), query={"format": one_of("pdf", "csv")})
    def remittance(self, request: Request, pk: str) -> HttpResponse:
        """The remittance advice: what the payment is for. The same payment gives the same bytes."""
        payment = self.get_object()
        if self.asked.get("format") == "csv":
            return download(advice_csv(payment).encode(), "text/csv; charset=utf-8", f"remittance-{pk}.csv")
        return download(advice_pdf(payment), "application/pdf", f"remittance-{pk}.pdf")
