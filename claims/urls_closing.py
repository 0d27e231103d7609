"""The calendar of periods, their closing before it runs, and who gets more time."""

from __future__ import annotations

from django.urls import path

from claims.web import closing
from funds.web import extensions, periods

urlpatterns = [
    path("periods/", periods.periods, name="periods"),
    path("periods/<int:period_id>/closing/", closing.closing, name="period-closing"),
    path("periods/<int:period_id>/closing.csv", closing.closing_csv, name="period-closing-csv"),
    path("periods/<int:period_id>/extend/", extensions.period_extend, name="period-extend"),
    path("extensions/<int:extension_id>/", extensions.extension, name="extension"),
    path("funds/<int:fund_id>/extension/", extensions.fund_extension, name="fund-extension"),
]
