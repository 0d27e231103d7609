"""Who sends a request: the owner of the key in `Authorization: Bearer KEY`."""

from __future__ import annotations

from typing import cast

from django.http import HttpRequest
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from coop.lib import web
from partners.models import ApiKey, Person
from partners.operations import digest_of

# One sentence for every key that does not open anything, so that nobody learns which of them once did.
REFUSED = "This key is not known, was revoked or has expired."
MAX_KEY = 200


class ApiKeyAuthentication(BaseAuthentication):
    """Finds the key by its digest. Raises AuthenticationFailed; without the header the caller stays anonymous."""

    def authenticate(self, request: Request) -> tuple[Person, ApiKey] | None:
        said = request.META.get("HTTP_AUTHORIZATION", "")
        if not said:
            return None
        scheme, _, secret = said.partition(" ")
        secret = secret.strip()
        if scheme.lower() != "bearer" or not secret or len(secret) > MAX_KEY or not secret.isascii():
            raise AuthenticationFailed("Send the header “Authorization: Bearer KEY” with a key of Coop.")
        key = ApiKey.objects.select_related("person").filter(digest=digest_of(secret)).first()
        if key is None or key.revoked_at is not None or not key.person.is_active:
            raise AuthenticationFailed(REFUSED)
        if key.expires_at is not None and key.expires_at <= web.now(cast(HttpRequest, request)):
            raise AuthenticationFailed(REFUSED)
        return key.person, key

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="coop"'


class ApiKeyScheme(OpenApiAuthenticationExtension):
    """How the schema names it."""

    target_class = "partners.api.authentication.ApiKeyAuthentication"
    name = "key"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer"}
