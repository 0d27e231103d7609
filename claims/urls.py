"""The partner's pages of claims, and the home page."""

from __future__ import annotations

from django.urls import path

from claims.web import (
    claims,
    dispute,
    documents,
    duplicates,
    guest,
    home,
    hub,
    invitations,
    lines,
    proof,
    reuse,
    sending,
    starting,
    work,
    writing,
)

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
    path("claims/<int:claim_id>/work/new/", work.claim_work_new, name="claim-work-new"),
    path("claims/<int:claim_id>/work/<int:line_id>/", work.claim_work, name="claim-work"),
    path("claims/<int:claim_id>/work/<int:line_id>/sign/", work.claim_work_sign, name="claim-work-sign"),
    path("claims/<int:claim_id>/reuse/", reuse.claim_reuse, name="claim-reuse"),
    path("claims/<int:claim_id>/people/", invitations.claim_people, name="claim-people"),
    path(
        "claims/<int:claim_id>/people/<int:invitation_id>/remove/",
        invitations.claim_person_remove,
        name="claim-person-remove",
    ),
    path("tasks/<int:invitation_id>/", guest.guest_task, name="guest-task"),
    path("tasks/<int:invitation_id>/done/", invitations.task_done, name="task-done"),
    path("claims/<int:claim_id>/proof/", proof.claim_proof, name="claim-proof"),
    path("claims/<int:claim_id>/results/", writing.claim_results, name="claim-results"),
    path("claims/<int:claim_id>/send/", sending.claim_send, name="claim-send"),
    path("claims/<int:claim_id>/receipt/", sending.claim_receipt, name="claim-receipt"),
    path("claims/<int:claim_id>/withdraw/", sending.claim_withdraw, name="claim-withdraw"),
    path("claims/<int:claim_id>/dispute/", dispute.claim_dispute, name="claim-dispute"),
    path(
        "claims/<int:claim_id>/documents/<int:document_id>/remove/", documents.document_remove, name="document-remove"
    ),
    path("documents/<int:document_id>/content/", documents.document_content, name="document-content"),
    path("documents/<int:document_id>/preview/", documents.document_preview, name="document-preview"),
    path("documents/<int:document_id>/pages/<int:page>.png", documents.document_page, name="document-page"),
    path("claims/<int:claim_id>/duplicates/<int:duplicate_id>/", duplicates.duplicate_keep, name="duplicate-keep"),
]
