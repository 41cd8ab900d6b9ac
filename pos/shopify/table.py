"""Taxes: which ones a line bears, and the tax table with the amounts on which they were taken."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from pos.event import Json
from pos.shopify.fields import plain, without_nones
from pos.shopify.goods import Good, Share, is_gift_card, merged
from pos.shopify.purse import Purse


@dataclass(frozen=True, slots=True)
class Way:
    """How the taxes came about. A payload does not say it, so an adapter tries which way leads to what is stated."""

    rounding: str
    tells_amounts: bool = False
    tells_rates: bool = True


# Line by line is Shopify's own way. Orders that an API client makes, and tax services, spread a sum over the lines. In
# the last way the rates do not explain the taxes, as for a shopper who is exempt: then no line is said to bear one.
WAYS: Final = (Way("line", tells_amounts=True), Way("rate"), Way("order"), Way("line", tells_rates=False))


def borne(good: Good, purse: Purse, way: Way, *, others_are_taxed: bool) -> list[Json]:
    """``taxes`` of a line or charge. One that bears none among others that do is said to bear nought per cent."""
    if not good.tells_taxes or not others_are_taxed or not way.tells_rates:
        return []
    if not good.taxes:
        return [] if is_gift_card(good) else [{"rate": "0"}]
    return [_applied(share, purse, way) for share in good.taxes or ()]


def _applied(share: Share, purse: Purse, way: Way) -> Json:
    rate, amount = plain(share.rate or Decimal(0)), purse.plain(share.amount) if way.tells_amounts else None
    return without_nones({"name": share.name, "rate": rate, "amount": amount})


def stated(goods: Sequence[Good], of_order: Sequence[Share]) -> list[Share]:
    """The taxes of an order. Where its goods state the same sum under other titles, theirs are taken: each line then
    leads to its row."""
    of_goods = merged([share for good in goods for share in good.taxes or ()])
    same_sum = sum(share.amount for share in of_goods) == sum(share.amount for share in of_order)
    return of_goods if same_sum or not of_order else list(of_order)


def rows(shares: Sequence[Share], goods: Sequence[Good], purse: Purse, way: Way, *, is_included: bool) -> list[Json]:
    """``taxes`` of the canonical sale; with net and gross where every good says what it bears."""
    is_told = way.tells_rates and all(good.tells_taxes for good in goods)
    return [_row(share, goods if is_told else (), purse, is_included) for share in shares]


def _row(share: Share, goods: Sequence[Good], purse: Purse, is_included: bool) -> Json:
    rate = None if share.rate is None else plain(share.rate)
    row = {"name": share.name, "rate": rate, "tax": purse.plain(share.amount)}
    bearing = [good for good in goods if any(_is_same(share, each) for each in good.taxes or ())]
    if not bearing or share.rate is None:
        return without_nones(row)
    net = sum(good.net for good in bearing)
    if is_included:
        net -= sum(each.amount for good in bearing for each in good.taxes or ())
    return without_nones(row | {"net": purse.plain(net), "gross": purse.plain(net + share.amount)})


def _is_same(one: Share, other: Share) -> bool:
    return (one.name, one.rate) == (other.name, other.rate)
