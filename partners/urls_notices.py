"""What one was told."""

from __future__ import annotations

from django.urls import path

from partners.web import notices

urlpatterns = [
    path("notices/", notices.notices, name="notices"),
    path("notices/read/", notices.notices_read, name="notices-read"),
    path("notices/<int:notice_id>/open/", notices.notice_open, name="notice-open"),
    path("notices/<int:notice_id>/read/", notices.notice_read, name="notice-read"),
]
