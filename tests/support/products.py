"""A small catalogue, sales of it, and what was learned of them without learning."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from sqlalchemy import Connection, Engine, insert, update

from engagement import shoppers
from engagement.offers import books, ledger, links
from engagement.offers.ledger import Keys
from engagement.offers.tables import Neighbour, OfferBook, PopularItem
from infra import secrets
from infra.settings import Settings
from kernel.clock import utc_now
from tests.support.inside import Person
from tests.support.sales import Body, coffee

ANNA: Final = {"customer_id": "anna-1"}
EDITION: Final = 7


def product(name: str, /, **changes: Any) -> Body:
    """One for 5.40 EUR."""
    return {"name": {"en": name}, "price": "5.40", "currency": "EUR", "link": "https://shop.example/it"} | changes


def stocked(owner: Person, *names: str, **changes: Any) -> None:
    """Each under its name in lower case."""
    for name in names:
        owner.put(f"/v1/products/{name.lower()}", product(name, **changes)).raise_for_status()


def sale(*skus: str, **changes: Any) -> Body:
    """Of each one, for 5.40 EUR."""
    lines = [
        {"id": str(at), "sku": sku, "name": sku.title(), "unit_price": "5.40", "total": "5.40"}
        for at, sku in enumerate(skus, 1)
    ]
    total = f"{5.40 * len(skus):.2f}"
    paid = {"lines": lines, "taxes": [], "total": total, "payments": [{"method": "cash", "amount": total}]}
    return coffee(**paid | changes)


def sold(person: Person, *skus: str, **changes: Any) -> Body:
    answer = person.post("/v1/receipts", sale(*skus, **changes))
    return dict(answer.raise_for_status().json())


def keys_of(settings: Settings) -> Keys:
    return Keys(secrets.derived(settings.data, shoppers.PURPOSE), secrets.derived(settings.data, links.PURPOSE))


def caught_up(engine: Engine, settings: Settings) -> int:
    return ledger.catch_up(engine, keys_of(settings), now=utc_now(), stop=lambda: False)


def taught(
    engine: Engine,
    merchant_id: str,
    near: Mapping[tuple[str, str], tuple[float, int]],
    popular: Iterable[tuple[str, str, float]] = (),
) -> None:
    """``near`` are score and receipts of two SKUs; ``popular`` are place, SKU and score."""
    with engine.begin() as conn:
        _teach(conn, merchant_id, near, popular)


def _teach(
    conn: Connection,
    merchant_id: str,
    near: Mapping[tuple[str, str], tuple[float, int]],
    popular: Iterable[tuple[str, str, float]],
) -> None:
    mine = {"merchant_id": merchant_id, "edition": EDITION}
    books.add_fresh(conn, merchant_id, 1)
    conn.execute(update(OfferBook).where(OfferBook.merchant_id == merchant_id).values(edition=EDITION))
    rows = [
        mine | {"a": f"s:{a}", "b": f"s:{b}", "score": score, "receipts": count}
        for (a, b), (score, count) in near.items()
    ]
    if rows:
        conn.execute(insert(Neighbour), rows)
    best = [mine | {"place": place, "item": f"s:{sku}", "score": score} for place, sku, score in popular]
    if best:
        conn.execute(insert(PopularItem), best)


def offered(owner: Person, receipt: Body) -> list[tuple[str, str]]:
    """SKU and reason of what its page shows."""
    found = owner.get("/v1/offers", receipt=receipt["id"]).raise_for_status().json()["offers"]
    return [(each["product"], each["reason"]) for each in found]
