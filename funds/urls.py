"""The partner's pages of money, under /funds/."""

from __future__ import annotations

from django.urls import path

from funds.web import fund, funds, proof

urlpatterns = [
    path("", funds.funds, name="funds"),
    path("<int:fund_id>/", fund.fund, name="fund"),
    path("<int:fund_id>/earnings/", fund.fund_earnings, name="fund-earnings"),
    path("<int:fund_id>/proof.jsonl", proof.fund_proof, name="fund-proof"),
]
