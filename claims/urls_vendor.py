"""Pages of the channel manager: the worklist and the review of a claim."""

from __future__ import annotations

from django.urls import path

from claims.web import bulk, decide, dispute, duplicates, review, worklist

urlpatterns = [
    path("worklist/", worklist.worklist_page, name="worklist"),
    path("worklist/several/", bulk.several, name="worklist-several"),
    path("duplicates/", duplicates.duplicates_page, name="duplicates"),
    path("duplicates/<int:duplicate_id>/", duplicates.duplicate_page, name="duplicate"),
    path("review/<int:claim_id>/", review.review, name="review"),
    path("review/<int:claim_id>/return/", decide.review_return, name="review-return"),
    path("review/<int:claim_id>/decision/", decide.review_decision, name="review-decision"),
    path("review/<int:claim_id>/dispute/", dispute.dispute_decision, name="dispute-decision"),
]
