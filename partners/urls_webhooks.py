"""Where the pages of webhooks are."""

from __future__ import annotations

from django.urls import path

from partners.web import webhook_log, webhooks

urlpatterns = [
    path("account/webhooks/", webhooks.webhooks, name="webhooks"),
    path("account/webhooks/new/", webhooks.webhook_new, name="webhook-new"),
    path("account/webhooks/<int:webhook_id>/", webhook_log.webhook, name="webhook"),
    path("account/webhooks/<int:webhook_id>/change/", webhooks.webhook_change, name="webhook-change"),
    path("account/webhooks/<int:webhook_id>/secret/", webhooks.webhook_secret, name="webhook-secret"),
    path("account/webhooks/<int:webhook_id>/delete/", webhooks.webhook_delete, name="webhook-delete"),
    path("account/webhooks/<int:webhook_id>/pause/", webhook_log.webhook_pause, name="webhook-pause"),
    path("account/webhooks/<int:webhook_id>/test/", webhook_log.webhook_test, name="webhook-test"),
    path("account/webhooks/<int:webhook_id>/replay/", webhook_log.webhook_replay, name="webhook-replay"),
    path(
        "account/webhooks/<int:webhook_id>/deliveries/<int:delivery_id>/", webhook_log.delivery, name="webhook-delivery"
    ),
]
