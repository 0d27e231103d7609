"""Pages of finance: its home, imports, payment runs, payments."""

from __future__ import annotations

from django.urls import path

from funds.web import (
    adjustment_new,
    adjustments,
    finance,
    import_acts,
    import_mapping,
    import_page,
    imports,
    ledger,
    payments,
    proof,
    rates,
    reconciliation,
    results,
    runs,
)

urlpatterns = [
    path("finance/", finance.finance, name="finance"),
    path("finance/ledger/", ledger.ledger, name="ledger"),
    path("finance/ledger.csv", ledger.ledger_export, name="ledger-export"),
    path("finance/proof/", proof.proof, name="ledger-proof"),
    path("finance/proof/ledger.jsonl", proof.proof_file, name="ledger-proof-file"),
    path("imports/", imports.imports, name="imports"),
    path("imports/template/<str:form>.csv", imports.import_template, name="import-template"),
    path("imports/<int:import_id>/", import_page.import_page, name="import"),
    path("imports/<int:import_id>/columns/", import_mapping.import_map, name="import-map"),
    path("imports/<int:import_id>/commit/", import_acts.import_commit, name="import-commit"),
    path("imports/<int:import_id>/discard/", import_acts.import_discard, name="import-discard"),
    path("imports/<int:import_id>/reverse/", import_acts.import_reverse, name="import-reverse"),
    path("imports/<int:import_id>/errors.csv", import_page.import_errors, name="import-errors"),
    path("rates/", rates.rates, name="rates"),
    path("reconciliations/", reconciliation.reconciliations, name="reconciliations"),
    path("reconciliations/<int:made_id>/", reconciliation.reconciliation, name="reconciliation"),
    path("reconciliations/<int:made_id>/lines.csv", reconciliation.reconciliation_lines, name="reconciliation-lines"),
    path("adjustments/", adjustments.adjustments, name="adjustments"),
    path("adjustments/new/", adjustment_new.adjustment_new, name="adjustment-new"),
    path("adjustments/<int:adjustment_id>/", adjustments.adjustment, name="adjustment"),
    path("adjustments/<int:adjustment_id>/approve/", adjustments.adjustment_approve, name="adjustment-approve"),
    path("adjustments/<int:adjustment_id>/decline/", adjustments.adjustment_decline, name="adjustment-decline"),
    path("payment-runs/", runs.runs, name="payment-runs"),
    path("payment-runs/<int:run_id>/", runs.run_page, name="payment-run"),
    path("payment-runs/<int:run_id>/approve/", runs.run_approve, name="payment-run-approve"),
    path("payment-runs/<int:run_id>/cancel/", runs.run_cancel, name="payment-run-cancel"),
    path("payment-runs/<int:run_id>/export/", runs.run_export, name="payment-run-export"),
    path("payment-runs/<int:run_id>/payments.csv", runs.run_csv, name="payment-run-csv"),
    path("payment-runs/<int:run_id>/pain001.xml", runs.run_pain001, name="payment-run-pain001"),
    path("payment-runs/<int:run_id>/results/", results.run_results, name="payment-run-results"),
    path("payments/", payments.payments, name="payments"),
    path("payments/<int:payment_id>/", payments.payment, name="payment"),
    path("payments/<int:payment_id>/remittance.pdf", payments.remittance_pdf, name="payment-remittance"),
    path("payments/<int:payment_id>/remittance.csv", payments.remittance_csv, name="payment-remittance-csv"),
]
