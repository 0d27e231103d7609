"""Secrets of webhooks, kept so that only this installation can read them, and signatures in the Standard Webhooks form.

A signature is the HMAC with SHA-256 over `id.timestamp.body`, by the bytes that stand in base64 behind `whsec_`.
"""

from __future__ import annotations

import hmac
import secrets
from base64 import b64decode, b64encode, urlsafe_b64encode
from collections.abc import Iterable

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

PREFIX = "whsec_"
SECRET_BYTES = 32
PURPOSE = b"coop: secrets of webhooks"


class Unreadable(Exception):
    """A secret was kept under a SECRET_KEY that this installation does not have."""


def new_secret() -> str:
    return PREFIX + b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def signature(secrets_shown: Iterable[str], message_id: str, timestamp: int, body: bytes) -> str:
    """The header Webhook-Signature: one signature for each secret, the newest first, with a space between."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    return " ".join(f"v1,{b64encode(mac(secret, signed)).decode()}" for secret in secrets_shown)


def mac(secret: str, signed: bytes) -> bytes:
    return hmac.digest(b64decode(secret.removeprefix(PREFIX)), signed, "sha256")


def seal(secret: str) -> str:
    """A secret as it is kept."""
    return box().encrypt(secret.encode()).decode()


def unseal(kept: str) -> str:
    """A secret as its owner was shown it. Raises Unreadable."""
    try:
        return box().decrypt(kept.encode()).decode()
    except InvalidToken:
        raise Unreadable from None


def sealed_anew(kept: str) -> str:
    """The same secret under the present SECRET_KEY. Raises Unreadable."""
    try:
        return box().rotate(kept.encode()).decode()
    except InvalidToken:
        raise Unreadable from None


def box() -> MultiFernet:
    """Encrypts with a key made of SECRET_KEY; what was encrypted under one of its fallbacks is read too."""
    return MultiFernet([Fernet(derived(key)) for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)])


def derived(key: str) -> bytes:
    """A key for this purpose alone: who learns it cannot sign sessions."""
    return urlsafe_b64encode(HKDF(SHA256(), length=32, salt=None, info=PURPOSE).derive(key.encode()))
