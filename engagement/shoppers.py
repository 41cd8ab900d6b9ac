"""Who bought, as far as counting needs it: a pseudonym that tells one shopper of a merchant from another."""

import hmac
from collections.abc import Mapping
from typing import Any, Final

from receipts.sale import Shopper

PURPOSE: Final = "shoppers"
_LENGTH: Final = 32  # hex digits: 128 bits


def pseudonym(key: bytes, merchant_id: str, shopper: Shopper | None) -> str | None:
    """32 hex digits; None for who is not known. ``key`` is derived for :data:`PURPOSE` (infra.secrets).

    Made of the surest mark that the till has: the customer's number, that of their loyalty card, their email address,
    their telephone. Who is known by one mark here and by another there counts as two.
    """
    mark = _mark(shopper) if shopper else None
    if mark is None:
        return None
    return hmac.digest(key, f"{merchant_id}\n{mark}".encode(), "sha256").hex()[:_LENGTH]


def behind(key: bytes, merchant_id: str, private: Mapping[str, Any]) -> str | None:
    """As :func:`pseudonym`, of who is named in a receipt's private part (receipts.find.private_part)."""
    told = private.get("shopper")
    return pseudonym(key, merchant_id, Shopper.model_validate(told)) if told else None


def _mark(shopper: Shopper) -> str | None:
    if shopper.customer_id:
        return f"customer {shopper.customer_id}"
    if shopper.loyalty_id:
        return f"loyalty {shopper.loyalty_id}"
    if shopper.email:
        return f"email {shopper.email.strip().lower()}"
    if shopper.phone:
        return f"phone {''.join(each for each in shopper.phone if each.isdigit())}"
    return None
