"""The partner's pages of claims, and the home page."""

from __future__ import annotations

from django.urls import path

from claims.web import claims, documents, home, hub, lines, proof, sending, starting, writing

urlpatterns = [
    path("", home.home, name="home"),
    path("claims/", claims.claims, name="claims"),
    path("claims/new/", starting.claim_new, name="claim-new"),
    path("claims/<int:claim_id>/", hub.claim, name="claim"),
    path("claims/<int:claim_id>/about/", writing.claim_about, name="claim-about"),
    path("claims/<int:claim_id>/lines/", lines.claim_lines, name="claim-lines"),
    path("claims/<int:claim_id>/lines/new/", lines.claim_line_new, name="claim-line-new"),
    path("claims/<int:claim_id>/lines/<int:line_id>/", lines.claim_line, name="claim-line"),
    path("claims/<int:claim_id>/lines/<int:line_id>/remove/", lines.claim_line_remove, name="claim-line-remove"),
    path("claims/<int:claim_id>/proof/", proof.claim_proof, name="claim-proof"),
    path("claims/<int:claim_id>/results/", writing.claim_results, name="claim-results"),
    path("claims/<int:claim_id>/send/", sending.claim_send, name="claim-send"),
    path("claims/<int:claim_id>/receipt/", sending.claim_receipt, name="claim-receipt"),
    path("claims/<int:claim_id>/withdraw/", sending.claim_withdraw, name="claim-withdraw"),
    path(
        "claims/<int:claim_id>/documents/<int:document_id>/remove/", documents.document_remove, name="document-remove"
    ),
    path("documents/<int:document_id>/content/", documents.document_content, name="document-content"),
]
