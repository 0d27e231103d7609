"""Webhooks of the key's owner, and what was sent to them."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from coop.lib.api import filters
from coop.lib.api.fields import Instant, Text, YesNo
from coop.lib.api.serializers import Input
from coop.lib.api.views import ApiViewSet, ListMixin, RetrieveMixin, act, verb
from partners import states
from partners.hooks import operations
from partners.hooks.addresses import URL_MAX
from partners.models import Delivery, Webhook

SCOPE = "people:write"


class WebhookOut(serializers.Serializer[Any]):
    """Instants that end in `_wall` are of the wall clock, in a sandbox too. `off_reason` says why the product itself switched
    it off; it rests until `paused_until_wall` after ten failures in a row.
    """

    id = serializers.CharField()
    url = serializers.CharField()
    events = serializers.ListField(child=serializers.CharField())
    active = serializers.BooleanField()
    off_reason = serializers.CharField()
    failures = serializers.IntegerField()
    paused_until_wall = serializers.DateTimeField(allow_null=True)
    old_secret_until_wall = serializers.DateTimeField(allow_null=True)
    revision = serializers.IntegerField()
    created_at = serializers.DateTimeField()


class WebhookMade(WebhookOut):
    """With the secret, which is shown this once: not in a dry run, and not in a replay of the answer."""

    secret = serializers.SerializerMethodField()

    def get_secret(self, webhook: Any) -> str | None:
        return self.context.get("secret")


class WebhookIn(Input):
    """`events` names kinds: `claim.approved`, or `claim.*` for all of claims. None for all that you may see."""

    url = Text(limit=URL_MAX)
    events = serializers.ListField(child=Text(limit=85), required=False, max_length=operations.MOST_EVENTS)
    active = YesNo(required=False)


class WebhookReplay(Input):
    """`since`: from which instant on, by the clock of the events."""

    since = Instant()


class WebhookReplayOut(serializers.Serializer[Any]):
    """How many deliveries that were given up wait once more, and of how many events there was none yet."""

    again = serializers.IntegerField()
    added = serializers.IntegerField()


class WebhookTryOut(serializers.Serializer[Any]):
    at_wall = serializers.DateTimeField()
    took_ms = serializers.IntegerField()
    status = serializers.IntegerField(allow_null=True)
    answer = serializers.CharField()
    error = serializers.CharField()


class WebhookDeliveryOut(serializers.Serializer[Any]):
    """`event` is null for a test. `webhook_id` is the header that came with it. `tries` is the log, the last try first."""

    id = serializers.CharField()
    event = serializers.CharField(source="event_id", allow_null=True)
    verb = serializers.CharField()
    record = serializers.CharField()
    webhook_id = serializers.CharField(source="message_id")
    status = serializers.ChoiceField(list(states.SENDING))
    reason = serializers.CharField()
    attempts = serializers.IntegerField()
    tries = WebhookTryOut(many=True)
    next_try_wall = serializers.SerializerMethodField()
    ended_wall = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()

    def get_next_try_wall(self, delivery: Any) -> str | None:
        if delivery.status != "waiting":
            return None
        shown: str = serializers.DateTimeField().to_representation(delivery.next_try_wall)
        return shown


class WebhookViewSet(ListMixin, RetrieveMixin, ApiViewSet):
    """Where events are posted to. Each person has their own, and they get what this person may see."""

    queryset = Webhook.objects.all()
    serializer_class = WebhookOut
    # A webhook outlives the key that made it, so a key that only reads makes none.
    write_scope = SCOPE
    missing = operations.NOT_FOUND
    filters = {"active": filters.by_yes_or_no(Q(active=True))}

    def get_queryset(self) -> QuerySet[Any]:
        return Webhook.objects.visible_to(self.person)

    @act(takes=WebhookIn, gives=WebhookMade, status=201)
    def create(self, request: Request) -> Response:
        """Add a webhook. The answer shows its secret, once."""
        return self.answer_with_secret(*operations.create_webhook(**self.take(), by=self.person, at=self.at))

    @act(takes=WebhookIn)
    def partial_update(self, request: Request, pk: str) -> Response:
        """Change where it leads or what it gets; pause it with `active` false, let it go on with true."""
        taken = self.take(partial=True)
        return self.answer(
            operations.update_webhook(int(pk), taken, revision=self.revision, by=self.person, at=self.at)
        )

    @act(status=204)
    def destroy(self, request: Request, pk: str) -> Response:
        """Delete it with its log. What waits is not sent any more."""
        operations.delete_webhook(int(pk), revision=self.revision, by=self.person, at=self.at)
        return Response(status=204)

    @verb("rotate_secret", gives=WebhookMade)
    def rotate_secret(self, request: Request, pk: str) -> Response:
        """A new secret. For 24 hours what is sent is signed with the old one beside it."""
        self.take()
        made = operations.rotate_secret(int(pk), revision=self.revision, by=self.person, at=self.at)
        return self.answer_with_secret(*made)

    @verb("test", gives=WebhookDeliveryOut)
    def test(self, request: Request, pk: str) -> Response:
        """Send a `webhook.test` at once, also to an address that rests or is paused. Read in the deliveries what came of it."""
        self.take()
        return self.answer(operations.test_webhook(int(pk), by=self.person, at=self.at))

    @verb("replay", takes=WebhookReplay, gives=WebhookReplayOut)
    def replay(self, request: Request, pk: str) -> Response:
        """Deliver what was missed since an instant: what was given up, and what happened while it was paused."""
        return self.answer(operations.replay(int(pk), **self.take(), by=self.person, at=self.at))

    def answer_with_secret(self, webhook: Webhook, secret: str) -> Response:
        """Only this answer shows it; what is kept for a retry does not, so that it stands nowhere as plain text."""
        gives = self.noted().gives
        data, without = (
            gives(webhook, context={**self.get_serializer_context(), "secret": said}).data
            for said in (None if self.dry_run else secret, None)
        )
        response = Response(data, status=self.noted().status)
        response.data_to_keep = without  # type: ignore[attr-defined]
        response["ETag"] = f'"{webhook.revision}"'
        return response


class DeliveryViewSet(ListMixin, RetrieveMixin, ApiViewSet):
    """What was sent to a webhook, what waits, and what was given up; kept for 30 days after its end."""

    queryset = Delivery.objects.all()
    serializer_class = WebhookDeliveryOut
    write_scope = SCOPE
    missing = "There is no such delivery."
    ordering = ("-id",)
    filters = {
        "status": filters.by_choice("status", states.SENDING),
        "verb": filters.by_text("verb"),
        "record": filters.by_text("record"),
        "event": filters.by_id("event_id"),
    }

    def get_queryset(self) -> QuerySet[Any]:
        webhook_id = int(self.kwargs["webhook_id"])
        self.require_visible(Webhook.objects.visible_to(self.person), webhook_id, operations.NOT_FOUND)
        return Delivery.objects.filter(webhook_id=webhook_id).prefetch_related("tries")

    @verb("redeliver")
    def redeliver(self, request: Request, webhook_id: str, pk: str) -> Response:
        """Deliver it once more, with the same Webhook-Id. What waits is tried now."""
        self.take()
        operations.redeliver(int(webhook_id), int(pk), by=self.person, at=self.at)
        return self.answer(self.get_object())
