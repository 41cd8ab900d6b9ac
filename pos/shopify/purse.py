"""Which of an order's two currencies, and its amounts in it.

An order is kept in the shop's currency; the shopper may have paid in another, the presentment currency. Bare members
(``total_price``) are in the shop's; a money bag beside them (``total_price_set``) holds both.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import TypeGuard

from kernel import money
from pos.event import Json
from pos.shopify.fields import number, record

_MEMBERS = ("presentment_money", "shop_money")


class NotInThisCurrency(Exception):
    """An amount is stated in the other currency only."""


@dataclass(frozen=True, slots=True)
class Purse:
    currency: str
    # Whether bare members, which are in the shop's currency, count.
    is_shop: bool

    @property
    def digits(self) -> int:
        return money.exponent(self.currency)

    def exact(self, holder: Json, name: str) -> Decimal | None:
        """``holder[name]``, or its bag's part in this currency; nought is nought in any. Raises
        :class:`NotInThisCurrency`."""
        bare, bag = number(holder.get(name)), self._of_bag(record(holder.get(f"{name}_set")))
        if self.is_shop:
            return bag if bare is None else bare
        if bag is None and bare:
            raise NotInThisCurrency
        return bare if bag is None else bag

    def amount(self, holder: Json, name: str) -> int | None:
        """In minor units; what is finer is rounded, half away from zero."""
        exact = self.exact(holder, name)
        return None if exact is None else self.minor(exact)

    def minor(self, exact: Decimal) -> int:
        return money.nearest(exact.scaleb(self.digits))

    def plain(self, minor: int) -> str:
        return money.plain(minor, self.digits)

    def _of_bag(self, bag: Json) -> Decimal | None:
        for part in (record(bag.get(member)) for member in _MEMBERS):
            if part.get("currency_code") == self.currency:
                return number(part.get("amount"))
        return None


def purses(order: Json) -> list[Purse]:
    """The currencies of an order, the shopper's first. Empty where the shop's is none that ISO 4217 knows."""
    total = record(order.get("total_price_set"))
    shop = order.get("currency") or record(total.get("shop_money")).get("currency_code")
    presentment = order.get("presentment_currency")
    if not _is_known(shop):
        return []
    shoppers = [Purse(presentment, False)] if _is_known(presentment) and presentment != shop else []
    return [*shoppers, Purse(shop, True)]


def _is_known(currency: object) -> TypeGuard[str]:
    return isinstance(currency, str) and currency in money.EXPONENTS
