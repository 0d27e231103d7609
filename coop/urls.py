"""Where everything is."""

from __future__ import annotations

from django.conf import settings
from django.urls import include, path

from coop import clock_page, operations_page, sample_page, styleguide, web
from partners.web import delegations, payout

handler400 = web.bad_request
handler403 = web.permission_denied
handler404 = web.page_not_found

urlpatterns = [
    path("api/", include("coop.api")),
    # People change their own password and nothing else: an address is who somebody is, and only operations change people.
    path("accounts/email/", web.no_such_page, name="account_email"),
    path("accounts/", include("allauth.urls")),
    path("healthz", web.healthz, name="healthz"),
    path("search/", web.search, name="search"),
    path("glossary/", web.glossary, name="glossary"),
    path("finance/ledger-check/", web.ledger_check, name="ledger-check"),
    path("", include("claims.urls")),
    path("", include("claims.urls_catalog")),
    path("", include("claims.urls_plans")),
    path("", include("claims.urls_dates")),
    path("", include("claims.urls_closing")),
    path("funds/", include("funds.urls")),
    path("", include("claims.urls_vendor")),
    path("rules/", include("claims.urls_rules")),
    path("", include("funds.urls_vendor")),
    path("portfolio/standing-in/", delegations.delegations, name="portfolio-delegations"),
    path("portfolio/standing-in/new/", delegations.delegation_new, name="portfolio-delegation-new"),
    path("portfolio/standing-in/<int:delegation_id>/end/", delegations.delegation_end, name="portfolio-delegation-end"),
    path("", include("partners.urls_notices")),
    path("", include("partners.urls_mailing")),
    path("", include("partners.urls_webhooks")),
    path("account/payout/", payout.payout_account, name="payment-account"),
    path("operations/", operations_page.operations, name="operations"),
    path("operations/runs/<int:run_id>/", operations_page.operations_run, name="operations-run"),
    path("operations/jobs/<slug:name>/run/", operations_page.operations_ask, name="operations-ask"),
    path("clock/", clock_page.clock_page, name="clock"),
]
if settings.SANDBOX:
    urlpatterns += [
        path("styleguide/", styleguide.styleguide, name="styleguide"),
        path("imports/sample.csv", sample_page.sample_report, name="sample-report"),
    ]
