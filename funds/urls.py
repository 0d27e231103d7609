"""The pages of funds, under /funds/: for partners their own, for the vendor's people those of the partners they see."""

from __future__ import annotations

from django.urls import path

from funds.web import changes, entries, fund, funds, proof, statement

urlpatterns = [
    path("", funds.funds, name="funds"),
    path("changes/", changes.changes, name="fund-all-changes"),
    path("<int:fund_id>/", fund.fund, name="fund"),
    path("<int:fund_id>/changes/", changes.fund_changes, name="fund-changes"),
    path("<int:fund_id>/earnings/", entries.fund_earnings, name="fund-earnings"),
    path("<int:fund_id>/earnings/line/", entries.fund_line, name="fund-line"),
    path("<int:fund_id>/entries/<int:number>/", entries.fund_entry, name="fund-entry"),
    path("<int:fund_id>/proof.jsonl", proof.fund_proof, name="fund-proof"),
    path("<int:fund_id>/statement/", statement.statement, name="fund-statement"),
    path("<int:fund_id>/statement.<str:form>", statement.statement_file, name="fund-statement-file"),
]
