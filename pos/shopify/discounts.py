"""Reductions of the whole order: those that Shopify shares out over the lines, and those that it does not."""

from collections.abc import Sequence
from dataclasses import replace

from pos.event import Json
from pos.shopify.fields import plain, records, text, without_nones
from pos.shopify.goods import Cut, Good
from pos.shopify.purse import Purse


def unallocated(order: Json, goods: Sequence[Good], purse: Purse) -> int:
    """What ``total_discounts`` holds beyond the reductions of single goods: orders before 2018 share nothing out."""
    total = purse.amount(order, "total_discounts") or 0
    return max(total - sum(cut.amount for good in goods for cut in good.cuts), 0)


def off_shipping(order: Json, shipping: Sequence[Good], most: int, purse: Purse) -> list[Good]:
    """Shipping less the discount codes on it that no allocation tells, ``most`` at most."""
    codes = [code for code in records(order.get("discount_codes")) if code.get("type") == "shipping"]
    left = min(most, sum(purse.amount(code, "amount") or 0 for code in codes)) if most else 0
    reduced: list[Good] = []
    for good in shipping:
        amount = min(left, good.net)
        name = _named(codes)
        reduced.append(replace(good, cuts=(*good.cuts, Cut(name, amount))) if amount > 0 else good)
        left -= max(amount, 0)
    return reduced


def whole(order: Json, lines: Sequence[Good], left: int, purse: Purse) -> list[Json]:
    """``discounts`` of the canonical sale; ``left`` is what falls on no line in particular."""
    shared: dict[int, list[tuple[str, Cut]]] = {}
    for good in lines:
        for cut in good.cuts:
            if cut.whole is not None:
                shared.setdefault(cut.whole, []).append((good.id, cut))
    found = [_shared(shares, purse) for _, shares in sorted(shared.items())]
    if left:
        codes = [code for code in records(order.get("discount_codes")) if code.get("type") != "shipping"]
        found.append({"name": _named(codes), "amount": purse.plain(left)})
    return found


def _shared(shares: Sequence[tuple[str, Cut]], purse: Purse) -> Json:
    amount = sum(cut.amount for _, cut in shares)
    allocations = [{"line": line, "amount": purse.plain(cut.amount)} for line, cut in shares]
    return told(replace(shares[0][1], amount=amount), purse) | {"allocations": allocations}


def told(cut: Cut, purse: Purse) -> Json:
    """A ``discount`` of the canonical sale."""
    percent = None if cut.percent is None else plain(cut.percent)
    return without_nones({"name": cut.name, "amount": purse.plain(cut.amount), "percent": percent, "code": cut.code})


def _named(codes: Sequence[Json]) -> str:
    names = [name for name in (text(code.get("code"), 60) for code in codes) if name]
    return ", ".join(dict.fromkeys(names))[:300] or "Discount"
