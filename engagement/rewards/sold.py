"""A sale as campaigns look at it, on the way in. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from engagement.rewards.rules import Facts, store_clock
from engagement.rewards.spend import net_spend
from receipts.sale import Sale


@dataclass(frozen=True, slots=True)
class Sold:
    """``sale`` has just become the receipt with the id ``receipt_id``. ``store`` and ``brand`` are slugs, ``shopper``
    is a pseudonym (engagement.shoppers)."""

    merchant_id: str
    receipt_id: str
    sale: Sale
    source: str
    shopper: str | None
    store_id: str
    store: str
    brand: str
    country: str | None
    timezone: str
    staff_id: str | None

    @property
    def counts(self) -> bool:
        return counts(self.sale.kind, self.sale.flags)


def counts(kind: str, flags: Iterable[str]) -> bool:
    """What is rung up for training earns nothing, and a copy did so when it was no copy."""
    return kind == "sale" and not {"training", "copy"} & set(flags)


def facts_of(sold: Sold, *, is_first: bool) -> Facts:
    sale = sold.sale
    return Facts(
        spend=net_spend(sale),
        currency=sale.currency,
        store=sold.store,
        brand=sold.brand,
        sold_at=store_clock(sale.issued_at, sold.timezone),
        skus=frozenset(line.sku for line in sale.lines if line.sku),
        categories=frozenset(line.category for line in sale.lines if line.category),
        segments=frozenset(_segments(sale.metadata.get("segments"))),
        channels=frozenset({sale.service or "in_store", sold.source}),
        is_known=sold.shopper is not None,
        is_first=is_first,
    )


def _segments(told: Any) -> list[str]:
    if isinstance(told, str):
        return [told]
    return [each for each in told if isinstance(each, str)] if isinstance(told, list) else []
