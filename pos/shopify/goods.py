"""What an order holds, in minor units: lines, shipping, duties, each with its reductions and its taxes."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from pos.event import Json
from pos.shopify.fields import identity, number, records, text
from pos.shopify.purse import Purse

# A line or a charge of the canonical sale bears at most so many.
_MOST_TAXES: Final = 10


@dataclass(frozen=True, slots=True)
class Share:
    """The part that a tax has in a good. ``rate`` is in percent; None where Shopify states none."""

    name: str | None
    rate: Decimal | None
    amount: int


@dataclass(frozen=True, slots=True)
class Cut:
    """A reduction of one good. ``whole`` is the place of the order-wide discount that it is a share of."""

    name: str
    amount: int
    percent: Decimal | None = None
    code: str | None = None
    whole: int | None = None


@dataclass(frozen=True, slots=True)
class Good:
    """``taxes`` is None where the payload does not say which apply."""

    id: str
    raw: Json
    quantity: Decimal
    price: Decimal | None
    gross: int
    cuts: tuple[Cut, ...] = ()
    taxes: tuple[Share, ...] | None = None

    @property
    def tells_taxes(self) -> bool:
        """Whether it is known which taxes apply, and at which rates."""
        return (
            self.taxes is not None
            and len(self.taxes) <= _MOST_TAXES
            and all(tax.rate is not None for tax in self.taxes)
        )

    @property
    def is_shipping(self) -> bool:
        return self.id.startswith("shipping")

    @property
    def net(self) -> int:
        """What is paid for it, with the tax where prices include it."""
        return self.gross - sum(cut.amount for cut in self.cuts)


def lines(order: Json, purse: Purse) -> list[Good]:
    applications = records(order.get("discount_applications"))
    found: dict[str, Good] = {}
    for index, line in enumerate(records(order.get("line_items"))):
        known = identity(line.get("id")) or str(index + 1)
        own_id = f"{known}.{index + 1}" if known in found else known
        found[own_id] = line_good(line, own_id, purse, applications)
    return list(found.values())


def line_good(line: Json, own_id: str, purse: Purse, applications: Sequence[Json]) -> Good:
    quantity, price = number(line.get("quantity")), purse.exact(line, "price")
    quantity = Decimal(1) if quantity is None else quantity
    gross = purse.minor((price or Decimal(0)) * quantity)
    return Good(own_id, line, quantity, price, gross, _cuts(line, purse, applications), taxes_of(line, purse))


def is_tip(good: Good) -> bool:
    """At an online checkout a tip is a line of its own; it is in the total, but not in the subtotal."""
    return bool(good.raw.get("tip") or good.raw.get("tip_payment_gateway"))


def is_gift_card(good: Good) -> bool:
    return good.raw.get("gift_card") is True


def shipping(order: Json, purse: Purse) -> list[Good]:
    applications = records(order.get("discount_applications"))
    return [
        _shipping(line, f"shipping.{index}", purse, applications)
        for index, line in enumerate(records(order.get("shipping_lines")))
        if line.get("is_removed") is not True
    ]


def _shipping(line: Json, own_id: str, purse: Purse, applications: Sequence[Json]) -> Good:
    """Where no allocation tells the reductions, ``discounted_price`` does."""
    price, cuts = purse.exact(line, "price"), _cuts(line, purse, applications)
    gross = purse.minor(price or Decimal(0))
    discounted = purse.amount(line, "discounted_price")
    if not cuts and discounted is not None and price is not None and discounted < gross:
        cuts = (Cut("Discount", gross - discounted),)
    return Good(own_id, line, Decimal(1), price, gross, cuts, taxes_of(line, purse))


def _cuts(line: Json, purse: Purse, applications: Sequence[Json]) -> tuple[Cut, ...]:
    """Allocations where there are any; ``total_discount`` is what orders had before 2018."""
    shares = records(line.get("discount_allocations"))
    if not shares:
        amount = purse.amount(line, "total_discount") or 0
        return (Cut("Discount", amount),) if amount else ()
    cuts = (_cut(share, purse, applications) for share in shares)
    return tuple(cut for cut in cuts if cut.amount)


def _cut(share: Json, purse: Purse, applications: Sequence[Json]) -> Cut:
    index, amount = share.get("discount_application_index"), purse.amount(share, "amount") or 0
    if not isinstance(index, int) or not 0 <= index < len(applications):
        return Cut("Discount", amount)
    of = applications[index]
    code = text(of.get("code"), 128)
    name = text(of.get("title")) or code or text(of.get("description")) or "Discount"
    value = number(of.get("value")) if of.get("value_type") == "percentage" else None
    percent = value if value is not None and 0 < value <= 100 else None
    is_whole = of.get("target_selection") == "all" and of.get("target_type") != "shipping_line"
    return Cut(name, amount, percent, code, index if is_whole else None)


def taxes_of(holder: Json, purse: Purse) -> tuple[Share, ...] | None:
    """Merged by title and rate. None where there is no ``tax_lines`` at all."""
    if not isinstance(holder.get("tax_lines"), list):
        return None
    return tuple(merged([_share(line, purse) for line in records(holder["tax_lines"])]))


def order_taxes(order: Json, purse: Purse) -> list[Share]:
    """The order's own table; where it has none, its ``total_tax`` is the one row."""
    shares = merged([_share(line, purse) for line in records(order.get("tax_lines"))])
    total = purse.amount(order, "total_tax") or 0
    return shares or ([Share("Tax", None, total)] if total else [])


def _share(line: Json, purse: Purse) -> Share:
    rate = number(line.get("rate"))
    percent = None if rate is None or not 0 <= rate < 100 else Decimal(f"{rate * 100:.6f}").normalize()
    return Share(text(line.get("title")), percent, purse.amount(line, "price") or 0)


def merged(shares: Sequence[Share]) -> list[Share]:
    """One share for each title and rate, in the order in which they first come."""
    sums: dict[tuple[str | None, Decimal | None], int] = {}
    for share in shares:
        sums[share.name, share.rate] = sums.get((share.name, share.rate), 0) + share.amount
    return [Share(name, rate, amount) for (name, rate), amount in sums.items()]


def duties(order: Json, purse: Purse) -> list[Good]:
    """What is added for customs and import, unless the prices include it."""
    if order.get("duties_included") is True:
        return []
    customs = purse.amount(order, "original_total_duties") or 0
    fees = purse.amount(order, "original_total_additional_fees") or 0
    found = (
        Good("duties", {"title": "Duties"}, Decimal(1), None, customs, (), _of_duties(order, purse)),
        Good("fees", {"title": "Import fees"}, Decimal(1), None, fees, (), ()),
    )
    return [good for good in found if good.gross]


def _of_duties(order: Json, purse: Purse) -> tuple[Share, ...]:
    each = (duty for line in records(order.get("line_items")) for duty in records(line.get("duties")))
    return tuple(merged([share for duty in each for share in taxes_of(duty, purse) or ()]))
