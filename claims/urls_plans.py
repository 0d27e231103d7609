"""Pages of plans: the partner's, and the decision of a channel manager; and the portfolio."""

from __future__ import annotations

from django.urls import path

from claims.web import plan_activity, plan_decide, plan_editor, plan_pages, plan_review, plan_starting, plans, portfolio

ACTIVITY = "plans/<int:plan_id>/activities/<int:activity_id>/"

urlpatterns = [
    path("plans/", plans.plans, name="plans"),
    path("plans.csv", plans.plan_export, name="plan-export"),
    path("plans/new/", plan_starting.plan_new, name="plan-new"),
    path("plans/copy/", plan_starting.plan_copy, name="plan-copy"),
    path("plans/<int:plan_id>/", plan_pages.plan, name="plan"),
    path("plans/<int:plan_id>/about/", plan_editor.plan_about, name="plan-about"),
    path("plans/<int:plan_id>/activities/new/", plan_activity.plan_activity_new, name="plan-activity-new"),
    path(ACTIVITY, plan_activity.plan_activity, name="plan-activity"),
    path(f"{ACTIVITY}remove/", plan_activity.plan_activity_remove, name="plan-activity-remove"),
    path("plans/<int:plan_id>/send/", plan_pages.plan_send, name="plan-send"),
    path("plans/<int:plan_id>/receipt/", plan_pages.plan_receipt, name="plan-receipt"),
    path("plans/<int:plan_id>/withdraw/", plan_pages.plan_withdraw, name="plan-withdraw"),
    path("plans/<int:plan_id>/cancel/", plan_pages.plan_cancel, name="plan-cancel"),
    path("plans/<int:plan_id>/amend/", plan_pages.plan_amend, name="plan-amend"),
    path("plans/<int:plan_id>/review/", plan_review.plan_review, name="plan-review"),
    path("plans/<int:plan_id>/review/decision/", plan_decide.plan_decision, name="plan-decision"),
    path("portfolio/", portfolio.portfolio, name="portfolio"),
    path("portfolio/<int:partner_id>/", portfolio.portfolio_partner, name="portfolio-partner"),
]
