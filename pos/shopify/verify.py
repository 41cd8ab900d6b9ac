"""Is this delivery from Shopify? HMAC-SHA256 of the raw body under the app's secret, in base64.

Source: shopify.dev, "Deliver webhooks through HTTPS". Newer deliveries leave the ``X-`` off their headers; header names
are compared without regard to case.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence

from pos.event import Delivery

_ID_LENGTH = 255
_TOPIC_LENGTH = 100


def delivery(headers: Mapping[str, str], body: bytes, secrets: Sequence[str]) -> Delivery | None:
    """What ``headers`` say of the delivery, or None where none of ``secrets`` signed ``body``.

    ``secrets`` are the present one and, after a rotation, the previous one: all are tried, so that the time taken
    tells nothing. Shopify sends no time stamp; a replay is recognised by the id.
    """
    named = {name.lower(): value for name, value in headers.items()}
    stated = _header(named, "hmac-sha256").encode("utf-8", "replace")
    matches = [hmac.compare_digest(signature(body, secret).encode(), stated) for secret in secrets]
    if not any(matches):
        return None
    # A subscription may be read without its id header by a relay; the body then stands for itself.
    own_id = _header(named, "webhook-id") or f"sha256:{hashlib.sha256(body).hexdigest()}"
    return Delivery(own_id[:_ID_LENGTH], _header(named, "topic").lower()[:_TOPIC_LENGTH])


def signature(body: bytes, secret: str) -> str:
    """What Shopify writes into the header."""
    return base64.b64encode(hmac.digest(secret.encode(), body, "sha256")).decode()


def _header(named: Mapping[str, str], name: str) -> str:
    return (named.get(f"x-shopify-{name}") or named.get(f"shopify-{name}") or "").strip()
