"""Pages of finance: its home, imports, payment runs, payments."""

from __future__ import annotations

from django.urls import path

from funds.web import finance, imports, payments, reconciliation, runs

urlpatterns = [
    path("finance/", finance.finance, name="finance"),
    path("imports/", imports.imports, name="imports"),
    path("imports/template/<str:form>.csv", imports.import_template, name="import-template"),
    path("imports/<int:import_id>/", imports.import_page, name="import"),
    path("imports/<int:import_id>/commit/", imports.import_commit, name="import-commit"),
    path("imports/<int:import_id>/discard/", imports.import_discard, name="import-discard"),
    path("imports/<int:import_id>/errors.csv", imports.import_errors, name="import-errors"),
    path("reconciliations/", reconciliation.reconciliations, name="reconciliations"),
    path("reconciliations/<int:made_id>/", reconciliation.reconciliation, name="reconciliation"),
    path("reconciliations/<int:made_id>/lines.csv", reconciliation.reconciliation_lines, name="reconciliation-lines"),
    path("payment-runs/", runs.runs, name="payment-runs"),
    path("payment-runs/<int:run_id>/", runs.run_page, name="payment-run"),
    path("payment-runs/<int:run_id>/approve/", runs.run_approve, name="payment-run-approve"),
    path("payment-runs/<int:run_id>/cancel/", runs.run_cancel, name="payment-run-cancel"),
    path("payment-runs/<int:run_id>/export/", runs.run_export, name="payment-run-export"),
    path("payment-runs/<int:run_id>/results/", runs.run_results, name="payment-run-results"),
    path("payments/", payments.payments, name="payments"),
    path("payments/<int:payment_id>/", payments.payment, name="payment"),
]
