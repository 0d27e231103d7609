"""The REST API's addresses."""

from __future__ import annotations

from django.urls import include, path, re_path
from rest_framework.routers import SimpleRouter

from claims.api.activities import ActivityViewSet
from claims.api.claims import ClaimViewSet
from claims.api.decisions import DecisionViewSet
from claims.api.evidence import DocumentViewSet, LineViewSet
from claims.api.plans import PlanViewSet
from claims.api.rules import PublicationViewSet
from coop.api_clock import ClockViewSet
from coop.api_docs import docs, schema
from coop.lib.api.problems import no_such_address
from funds.api.adjustments import AdjustmentViewSet
from funds.api.balances import EntryViewSet, FundViewSet
from funds.api.earnings import EarningViewSet
from funds.api.extensions import ExtensionViewSet
from funds.api.imports import ImportViewSet
from funds.api.payments import PaymentRunViewSet, PaymentViewSet
from funds.api.programs import EarningPeriodViewSet, EnrollmentViewSet, ProgramViewSet
from funds.api.proof import LedgerHeadViewSet
from funds.api.rates import RateViewSet
from funds.api.reconciliation import ReconciledLineViewSet, ReconciliationViewSet
from partners.api.views import EventViewSet, LocationViewSet, PartnerViewSet, PersonViewSet
from partners.api.webhooks import DeliveryViewSet, WebhookViewSet

OF_FUND = r"funds/(?P<fund_id>[1-9][0-9]{0,17})"
OF_RECONCILIATION = r"reconciliations/(?P<reconciliation_id>[1-9][0-9]{0,17})"
OF_WEBHOOK = r"webhooks/(?P<webhook_id>[1-9][0-9]{0,17})"
OF_CLAIM = r"claims/(?P<claim_id>[1-9][0-9]{0,17})"

router = SimpleRouter()
router.register("programs", ProgramViewSet, "program")
router.register("earning-periods", EarningPeriodViewSet, "earning-period")
router.register("extensions", ExtensionViewSet, "extension")
router.register("people", PersonViewSet, "person")
router.register("partners", PartnerViewSet, "partner")
router.register("locations", LocationViewSet, "location")
router.register("enrollments", EnrollmentViewSet, "enrollment")
router.register("earnings", EarningViewSet, "earning")
router.register("imports", ImportViewSet, "import")
router.register("rates", RateViewSet, "rate")
router.register("funds", FundViewSet, "fund")
router.register(rf"{OF_FUND}/entries", EntryViewSet, "entry")
router.register("adjustments", AdjustmentViewSet, "adjustment")
router.register("activities", ActivityViewSet, "activity")
router.register("plans", PlanViewSet, "plan")
router.register("publications", PublicationViewSet, "publication")
router.register("claims", ClaimViewSet, "claim")
router.register(rf"{OF_CLAIM}/lines", LineViewSet, "claim-line")
router.register(rf"{OF_CLAIM}/documents", DocumentViewSet, "claim-document")
router.register(rf"{OF_CLAIM}/decisions", DecisionViewSet, "claim-decision")
router.register("payment-runs", PaymentRunViewSet, "payment-run")
router.register("payments", PaymentViewSet, "payment")
router.register("reconciliations", ReconciliationViewSet, "reconciliation")
router.register(rf"{OF_RECONCILIATION}/lines", ReconciledLineViewSet, "reconciled-line")
router.register("ledger-heads", LedgerHeadViewSet, "ledger-head")
router.register("events", EventViewSet, "event")
router.register("webhooks", WebhookViewSet, "webhook")
router.register(rf"{OF_WEBHOOK}/deliveries", DeliveryViewSet, "webhook-delivery")

app_name = "api"
urlpatterns = [
    path("schema/", schema, name="schema"),
    path("docs/", docs, name="docs"),
    path("v1/clock/", ClockViewSet.as_view({"get": "read", "put": "move"}), name="clock"),
    path("v1/", include(router.urls)),
    re_path("", no_such_address),
]
