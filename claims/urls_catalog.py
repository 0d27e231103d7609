"""The catalog as partners and channel managers read it, and the planner."""

from __future__ import annotations

from django.urls import path

from claims.web import catalog, changed, ideas, planner

urlpatterns = [
    path("catalog/", catalog.catalog, name="catalog"),
    path("catalog/check/", ideas.check_idea, name="catalog-check"),
    path("catalog/changes/", changed.changes, name="catalog-changes"),
    path("catalog/<slug:code>/", catalog.catalog_activity, name="catalog-activity"),
    path("planner/", planner.planner, name="fund-planners"),
    path("planner/<int:fund_id>/", planner.planner_fund, name="fund-planner"),
]
