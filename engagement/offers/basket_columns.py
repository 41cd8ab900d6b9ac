"""Which column of a file of baskets says what, told by its name."""

import re
from collections.abc import Mapping, Sequence
from typing import Final, Literal, get_args

Field = Literal["basket", "item", "date", "time", "customer", "store", "quantity", "price"]
FIELDS: Final[tuple[Field, ...]] = get_args(Field)

# The surest name first: only letters and digits count, in any case.
_NAMES: Final[Mapping[Field, str]] = {
    "basket": "basket basketid invoice invoiceno invoicenumber invoiceid order orderid orderno ordernumber"
    " transaction transactionid transactionno transactionnumber transid receipt receiptid receiptno receiptnumber"
    " ticket ticketid bill billno session sessionid tid",
    "item": "item itemid itemno sku stockcode product productid productcode article articleid articleno upc ean gtin"
    " asin itemname itemdescription productname productdescription items description",
    "date": "date datetime timestamp invoicedate orderdate transactiondate transactiondt purchasedate at day createdat"
    " week",
    "time": "time transactiontime ordertime",
    "customer": "customer customerid customerno customernumber member memberid membernumber shopper user userid"
    " household householdkey householdid client clientid card cardid loyaltyid",
    "store": "store storeid storeno shop shopid branch branchid location outlet",
    "quantity": "quantity qty units unitssold",
    "price": "price unitprice salesprice saleprice amountpaid salesvalue",
}
_NUMBERED: Final = re.compile(r"items?\d+")


class UnknownColumn(ValueError):
    """Its words say which, and what there is."""


def plain(name: str) -> str:
    return re.sub(r"[\W_]+", "", name).casefold()


def recognised(header: Sequence[str]) -> dict[Field, int]:
    """Field → the column's place from 0, for those whose name says so."""
    places = {plain(name): place for place, name in reversed(list(enumerate(header)))}
    found: dict[Field, int] = {}
    for field, names in _NAMES.items():
        for name in names.split():
            if name in places and places[name] not in found.values():
                found[field] = places[name]
                break
    return found


def items_of_a_line(header: Sequence[str]) -> list[int]:
    """The columns of a file that has a basket a line, under a header such as `Item 1, Item 2, …`."""
    places = [place for place, name in enumerate(header) if _NUMBERED.fullmatch(plain(name))]
    return places if len(places) > 1 else []


def named(asked: Mapping[Field, str], header: Sequence[str] | None, columns: int) -> dict[Field, int]:
    """Of columns that somebody names or counts from 1. Raises :class:`UnknownColumn`."""
    places = {plain(name): place for place, name in enumerate(header or ())}
    found: dict[Field, int] = {}
    for field, name in asked.items():
        if plain(name) in places:
            found[field] = places[plain(name)]
        elif name.isdecimal() and 0 < int(name) <= columns:
            found[field] = int(name) - 1
        else:
            there = ", ".join(header) if header else f"the numbers 1 to {columns}"
            raise UnknownColumn(f"there is no column {name} for the {field}; there are: {there}")
    return found
