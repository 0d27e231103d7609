"""What one gets by mail."""

from __future__ import annotations

from django.urls import path

from partners.web import mailing

urlpatterns = [
    path("account/notices/", mailing.notice_ways, name="notice-ways"),
    path("mails/", mailing.mails, name="mails"),
    path("mails/<int:mail_id>/", mailing.mail, name="mail"),
    path("mails/<int:mail_id>/body/", mailing.mail_body, name="mail-body"),
    path("mails/stop/<str:token>/", mailing.mail_stop, name="mail-stop"),
]
