"""Which offers a receipt shows, and why: never what is on it, was bought before, went back, or cannot be had."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final

import orjson
from sqlalchemy import Connection, Row, Select, Subquery, Text, and_, bindparam, cast, func, select, true

from engagement import alliances, shoppers
from engagement.offers import books, products, rules
from engagement.offers.books import Book
from engagement.offers.items import all_of, is_bought, is_goods, item_of, keys
from engagement.offers.links import Reason
from engagement.offers.products import ProductRecord
from engagement.offers.rules import Rule
from engagement.offers.tables import Basket, Neighbour, PopularItem, Product, ProductItem
from infra.database import one_of
from receipts.records import ReceiptRecord
from receipts.tables import Receipt, ReceiptShopper

_KINDS: Final = ("sale", "exchange")
# A receipt may have 2,000 lines; what goes with so many of them tells enough.
_MOST_ITEMS: Final = 50
_MOST_BASKETS: Final = 500


@dataclass(frozen=True, slots=True)
class Offer:
    """``beside`` is the line of the receipt that it goes with, in the till's words; ``count`` on how many receipts both
    were. ``in_store`` says that it is popular in this very store; ``ally`` is the name of whose product it is."""

    product: ProductRecord
    reason: Reason
    beside: str = ""
    count: int = 0
    in_store: bool = False
    ally: str = ""


@dataclass(frozen=True, slots=True)
class Ruled:
    """A rule with its product, and the items of which one must be on the receipt, if any must."""

    rule: Rule
    product: ProductRecord
    beside: frozenset[str]


@dataclass(frozen=True, slots=True)
class Desk:
    """What is known of a merchant's offers before any receipt is: to be remembered for a moment."""

    book: Book
    has_products: bool = False
    has_offers: bool = False
    ruled: tuple[Ruled, ...] = ()
    banned: tuple[Ruled, ...] = ()


@dataclass(slots=True)
class _Asked:
    """A receipt with what must not be offered on it."""

    conn: Connection
    desk: Desk
    record: ReceiptRecord
    store_id: str
    # The till's names of its lines by each item that they could be, and the items under which they are counted.
    names: dict[str, str]
    counted: list[str]
    not_these: set[str]
    # What this shopper has, and what they gave back.
    owned: set[str]
    returned: set[str]
    # Complements of what is on it, with the name of what they go with, best first.
    complements: dict[str, str] = field(default_factory=dict)


_BEFORE: Final = (
    select(Basket.items, Basket.returned, Basket.also)
    .where(Basket.merchant_id == bindparam("merchant_id"), Basket.shopper == bindparam("shopper"))
    .order_by(Basket.at.desc())
    .limit(_MOST_BASKETS)
)
_MINE: Final = ProductItem.merchant_id == bindparam("merchant_id")
# Complements as text: of few that are found anybody reads them.
_KNOWN: Final = (
    select(ProductItem.item, ProductItem.product_id, cast(Product.complements, Text).label("complements"))
    .join(Product, Product.id == ProductItem.product_id)
    .where(_MINE, one_of(ProductItem.item, "items"))
    .subquery("known")
)
# A row for each product that is on it, and one where none is.
_ON_IT: Final = (
    select(Receipt.store_id, ReceiptShopper.details, Basket.returned, _KNOWN)
    .outerjoin(ReceiptShopper, ReceiptShopper.receipt_id == Receipt.id)
    .outerjoin(Basket, Basket.receipt_id == Receipt.id)
    .outerjoin(_KNOWN, true())
    .where(Receipt.merchant_id == bindparam("merchant_id"), Receipt.id == bindparam("id"))
)
_OF_ITEMS: Final = and_(
    Neighbour.merchant_id == bindparam("merchant_id"),
    Neighbour.edition == bindparam("edition"),
    one_of(Neighbour.a, "items"),
)


def _as_products(best: Subquery) -> Select[*tuple[Any, ...]]:
    """Each of ``best`` with the products that may be offered for it, and whether to who has them too; else None."""
    # Found first, as PostgreSQL would otherwise read the whole catalogue.
    known = and_(_MINE, ProductItem.item == best.c.item, ProductItem.offered)
    found = select(best.c.item, ProductItem.product_id, ProductItem.again).outerjoin_from(best, ProductItem, known)
    return found.order_by(best.c.score.desc(), best.c.item, ProductItem.product_id)


_LED: Final = select(Neighbour.a, Neighbour.b, Neighbour.score, Neighbour.receipts).where(_OF_ITEMS).cte("led")
_BEST: Final = (
    select(_LED.c.b.label("item"), func.sum(_LED.c.score).label("score"))
    .group_by(_LED.c.b)
    # Some ways of telling say of an item that it is not wanted.
    .having(func.sum(_LED.c.score) > 0)
    .order_by(func.sum(_LED.c.score).desc(), _LED.c.b)
    .limit(bindparam("at_most"))
    .subquery("best")
)
# With all that led to each: first, of those with which it was bought most often, the strongest.
_NEAR: Final = (
    _as_products(_BEST)
    .add_columns(_LED.c.a, _LED.c.receipts)
    .join(_LED, _LED.c.b == _BEST.c.item)
    .order_by(_LED.c.receipts.desc(), _LED.c.score.desc(), _LED.c.a)
)
_POPULAR: Final = _as_products(
    select(PopularItem.item, PopularItem.score)
    .where(
        PopularItem.merchant_id == bindparam("merchant_id"),
        PopularItem.edition == bindparam("edition"),
        PopularItem.place == bindparam("place"),
    )
    .order_by(PopularItem.score.desc(), PopularItem.item)
    .limit(bindparam("at_most"))
    .subquery("best")
)
# So many are looked at, and where too few of them may be shown, so many more.
_LOOKS: Final = (30, 300, 6_000)


def desk(conn: Connection, merchant_id: str) -> Desk:
    book = books.book(conn, merchant_id)
    own = select(ProductItem.item).where(ProductItem.merchant_id == merchant_id).limit(1)
    has_products = conn.scalar(own) is not None
    if not book.is_on:
        return Desk(book, has_products)
    ruled = tuple(_ruled(conn, merchant_id))
    banned = tuple(each for each in ruled if each.rule.kind == "ban")
    wanted = tuple(each for each in ruled if each.rule.kind != "ban" and each.product.is_offered)
    return Desk(book, has_products, bool(wanted) or has_products, wanted, banned)


def offers_for(conn: Connection, of: Desk, record: ReceiptRecord, *, key: bytes) -> list[Offer]:
    """Best first; ``key`` is for the pseudonyms of shoppers."""
    if not of.has_offers or not _asks(record):
        return []
    asked = _asked(conn, of, record, key)
    if asked is None:
        return []
    found: dict[str, Offer] = {}
    for offers in (_by_rule, _complements, _near, _popular):
        for offer in offers(asked, of.book.at_most - len(found)):
            if len(found) < of.book.at_most:
                found.setdefault(offer.product.id, offer)
        asked.not_these.update(found)
        if len(found) >= of.book.at_most:
            break
    return list(found.values())


def _asks(record: ReceiptRecord) -> bool:
    """Who is given something did not buy it, and who gave all back wants nothing."""
    is_void = any(each.kind == "void" for each in record.amendments)
    return record.kind in _KINDS and not is_void and not {"gift", "training"} & set(record.content.flags)


def _ruled(conn: Connection, merchant_id: str) -> Iterator[Ruled]:
    """An ally's product is shown as long as both want it."""
    listed = rules.listed(conn, merchant_id)
    allies = set(alliances.allies(conn, merchant_id).values()) if any(each.ally_id for each in listed) else set()
    own = products.with_skus(conn, merchant_id, [name for rule in listed for name in (rule.sku, rule.beside) if name])
    theirs = {
        ally_id: products.with_skus(conn, ally_id, [rule.sku for rule in listed if rule.ally_id == ally_id])
        for ally_id in sorted(allies & {rule.ally_id for rule in listed if rule.ally_id})
    }
    for rule in listed:
        product = (own if rule.ally_id is None else theirs.get(rule.ally_id, {})).get(rule.sku)
        if product is None or (rule.ally_id is not None and not product.content.shared):
            continue
        yield Ruled(rule, product, _items_of(rule.beside, own) if rule.beside else frozenset())


def _items_of(sku: str, known: Mapping[str, ProductRecord]) -> frozenset[str]:
    content = known[sku].content if sku in known else None
    return frozenset(keys(sku, content.gtin if content else None, content.name.values() if content else ()))


def _asked(conn: Connection, of: Desk, record: ReceiptRecord, key: bytes) -> _Asked | None:
    """None where the receipt was purged meanwhile, or all of it went back."""
    lines = orjson.loads(record.content_json).get("lines", ())
    # Also what is part of something, and what went back.
    on_it = list({item for line in lines for item in all_of(line)})
    known = conn.execute(_ON_IT, {"merchant_id": record.merchant_id, "id": record.id, "items": on_it}).all()
    if not known:
        return None
    private = known[0]
    kept = _kept(record, lines, set(orjson.loads(private.returned or "[]")))
    if kept is None:
        return None
    names = {item: line["name"] for line in reversed(kept) for item in all_of(line)}
    before = _before(conn, record, private.details, key)
    counted = list(dict.fromkeys(item_of(line) for line in kept))[:_MOST_ITEMS]
    asked = _Asked(conn, of, record, private.store_id, names, counted, set(), *before)
    asked.not_these |= {each.product.id for each in of.banned if _holds(asked, each)}
    for row in known:
        asked.not_these.add(row.product_id)
        if row.item in names:
            of_it = (sku for sku in orjson.loads(row.complements) if sku not in asked.complements)
            asked.complements |= dict.fromkeys(of_it, names[row.item])
    return asked


def _kept(record: ReceiptRecord, lines: Sequence[Mapping[str, Any]], gone: set[str]) -> list[Mapping[str, Any]] | None:
    """The lines of goods that stayed with the shopper; None where none of them did."""
    goods = [line for line in lines if is_goods(line)]
    taken = [line for line in goods if is_bought(record.kind, line)]
    kept = [line for line in taken if item_of(line) not in gone]
    if not goods or kept:
        return kept
    # What went back is known by its item: of three of a kind one may have, and two stay.
    refunds = [abs(each.total) for each in record.amendments if each.kind == "refund"]
    is_part = len(refunds) == len(record.amendments) and sum(refunds) < abs(record.total)
    return taken if taken and is_part else None


def _before(conn: Connection, record: ReceiptRecord, details: str | None, key: bytes) -> tuple[set[str], set[str]]:
    """What this shopper bought and kept, and what they gave back and did not buy anew."""
    shopper = shoppers.behind(key, record.merchant_id, orjson.loads(details) if details else {})
    owned: set[str] = set()
    returned: set[str] = set()
    if shopper is not None:
        for items, gone, also in conn.execute(_BEFORE, {"merchant_id": record.merchant_id, "shopper": shopper}):
            returned |= _known_as(gone, also) - owned
            owned |= _known_as(items, also) - returned
    return owned, returned


def _known_as(items: str, also: str | None) -> set[str]:
    """Items of a basket, with the other keys by which the catalogue knows them."""
    found = set(orjson.loads(items))
    if also is None:
        return found
    return found.union(*(keys for item, keys in orjson.loads(also).items() if item in found))


def _by_rule(asked: _Asked, _wanted: int) -> Iterator[Offer]:
    order = {"pin": 0, "ally": 1, "complement": 2}
    for each in sorted(asked.desk.ruled, key=lambda ruled: order[ruled.rule.kind]):
        if not _may_be(asked, each.product) or not _holds(asked, each):
            continue
        beside = _beside(asked, each)
        if each.rule.kind == "ally":
            yield Offer(each.product, "ally", beside, ally=each.rule.ally_name or "")
        else:
            yield Offer(each.product, "pinned" if each.rule.kind == "pin" else "goes_with", beside)


def _holds(asked: _Asked, ruled: Ruled) -> bool:
    """Whether the rule is for this store, and what it names is on the receipt."""
    return ruled.rule.store_id in (None, asked.store_id) and not (ruled.rule.beside and not _beside(asked, ruled))


def _beside(asked: _Asked, ruled: Ruled) -> str:
    """What the receipt calls that beside which the rule stands; empty where it is not on it."""
    return next((asked.names[item] for item in ruled.beside if item in asked.names), "")


def _complements(asked: _Asked, _wanted: int) -> Iterator[Offer]:
    if not asked.complements:
        return
    found = products.with_skus(asked.conn, asked.record.merchant_id, list(asked.complements))
    for sku, beside in asked.complements.items():
        product = found.get(sku)
        if product is not None and _may_be(asked, product):
            yield Offer(product, "goes_with", beside)


def _near(asked: _Asked, wanted: int) -> Iterator[Offer]:
    if asked.desk.book.edition is None or not asked.counted:
        return
    for product, row in _first(asked, _NEAR, _named(asked) | {"items": asked.counted}, wanted):
        reason: Reason = "together" if row.receipts else "similar"
        yield Offer(product, reason, asked.names[row.a], row.receipts)


def _popular(asked: _Asked, wanted: int) -> Iterator[Offer]:
    """In this store, then at the merchant."""
    if asked.desk.book.edition is None:
        return
    for place in (asked.store_id, ""):
        found = _first(asked, _POPULAR, _named(asked) | {"place": place}, wanted)
        for product, _ in found:
            yield Offer(product, "popular", in_store=bool(place))
        if len(found) >= wanted:
            return


def _named(asked: _Asked) -> dict[str, Any]:
    return {"merchant_id": asked.record.merchant_id, "edition": asked.desk.book.edition}


def _first(
    asked: _Asked, best: Select[*tuple[Any, ...]], of: Mapping[str, Any], wanted: int
) -> list[tuple[ProductRecord, Row[*tuple[Any, ...]]]]:
    """The first products that may be offered, each with its row of ``best``, in their order."""
    return list(islice(_all(asked, best, of, wanted), wanted))


def _all(
    asked: _Asked, best: Select[*tuple[Any, ...]], of: Mapping[str, Any], at_once: int
) -> Iterator[tuple[ProductRecord, Row[*tuple[Any, ...]]]]:
    seen: dict[str, Row[*tuple[Any, ...]]] = {}
    for at_most in _LOOKS:
        rows = asked.conn.execute(best, {**of, "at_most": at_most}).all()
        fresh: dict[str, Row[*tuple[Any, ...]]] = {}
        for row in rows:
            known = row.product_id is not None and row.product_id not in seen
            if known and not _is_had(asked, {row.item}, again=bool(row.again)):
                fresh.setdefault(row.product_id, row)
        seen |= fresh
        waiting = iter(fresh)
        while some := list(islice(waiting, at_once)):
            records = products.with_ids(asked.conn, some)
            for each in some:
                if each in records and _may_be(asked, records[each]):
                    yield records[each], fresh[each]
        if len({row.item for row in rows}) < at_most:
            return


def _may_be(asked: _Asked, product: ProductRecord) -> bool:
    """An ally's catalogue has SKUs of its own, so nothing that was bought here tells of it."""
    if product.id in asked.not_these or not product.is_offered:
        return False
    told = product.content
    is_ours = product.merchant_id == asked.record.merchant_id
    return not is_ours or not _is_had(asked, keys(product.sku, told.gtin, told.name.values()), again=told.again)


def _is_had(asked: _Asked, items: Iterable[str], *, again: bool) -> bool:
    """Whether this shopper has it, or did not want it."""
    return any(item in asked.returned or (item in asked.owned and not again) for item in items)
