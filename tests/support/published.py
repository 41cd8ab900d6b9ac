"""Shopify's published orders, which are not part of this repository: their texts belong to others."""

from pathlib import Path
from typing import Final

PUBLISHED: Final = Path(__file__).resolve().parents[3] / "shared" / "payloads" / "shopify"
MISSING: Final = (
    "no folder shared/payloads/shopify beside this repository: it would hold the published orders, such as"
    " python_api-order.json; tests/support/shopify.py has orders of our own in the same form"
)
