"""Secrets and signatures as Standard Webhooks 1.0.0 has them."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterable
from uuid import UUID

_PREFIX = "whsec_"
_BYTES = 32


def new_secret() -> str:
    """`whsec_` and 32 random bytes in base64."""
    return _PREFIX + base64.b64encode(secrets.token_bytes(_BYTES)).decode("ascii")


def message_id(event_id: UUID) -> str:
    """The message's id: the same at every try, and for every subscriber of the event."""
    return f"msg_{event_id.hex}"


def headers(message: str, at: int, body: bytes, keys: Iterable[str]) -> dict[str, str]:
    """The three headers. at: seconds since 1970. keys: secrets, each of which signs."""
    signed = f"{message}.{at}.".encode() + body
    signatures = [
        base64.b64encode(
            hmac.new(base64.b64decode(key.removeprefix(_PREFIX)), signed, hashlib.sha256).digest()
        ).decode("ascii")
        for key in keys
    ]
    return {
        "webhook-id": message,
        "webhook-timestamp": str(at),
        "webhook-signature": " ".join(f"v1,{one}" for one in signatures),
    }
