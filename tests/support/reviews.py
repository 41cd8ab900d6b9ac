"""Reviews to test with: what was bought, what is said of it, and who decides."""

from typing import Any, Final

import httpx
from sqlalchemy import Engine, select

from engagement.tables import Event
from tests.support.inside import Person
from tests.support.sales import Body
from tests.support.surveys import AGENT, sold

BREAD: Final[Body] = {
    "id": "1",
    "sku": "bread",
    "name": "Rye loaf",
    "unit_price": "2.00",
    "tax_rate": "7",
    "total": "2.00",
}
KNIFE: Final[Body] = BREAD | {"id": "2", "sku": "knife/20 cm", "name": "Knife <20 cm>"}
BAG: Final[Body] = {name: value for name, value in BREAD.items() if name != "sku"} | {"id": "3", "name": "Bag"}
WORDS: Final = {"stars-0": "5", "title-0": "Good bread", "text-0": "Keeps for a week.", "name": "Anna"}


def to_be_reviewed(owner: Person, till: Person) -> Body:
    """Of two products that have a number, and one that has none."""
    owner.put("/v1/review-settings", {"is_on": True}).raise_for_status()
    return bought(till)


def bought(till: Person, *lines: Body, **changes: Any) -> Body:
    lines = lines or (BREAD, KNIFE, BAG)
    total = f"{2 * len(lines)}.00"
    paid = {"taxes": [], "total": total, "payments": [{"method": "cash", "amount": total}]}
    return sold(till, lines=[dict(each) for each in lines], **paid | changes)


def send(stranger: Person, receipt: Body, **options: Any) -> httpx.Response:
    headers = {"User-Agent": AGENT} | options.pop("headers", {})
    fields = {"sku-0": "bread", "sku-1": "knife/20 cm"} | options
    return stranger.ask("POST", f"/r/{receipt['token']}/reviews?lang=en", data=fields, headers=headers)


def page(stranger: Person, receipt: Body) -> str:
    return stranger.get(f"/r/{receipt['token']}/reviews", lang="en").text


def queue(owner: Person, **query: Any) -> list[Body]:
    return list(owner.get("/v1/reviews", **query).raise_for_status().json()["reviews"])


def decide(owner: Person, review: Body, body: Body, tag: str | None = None) -> httpx.Response:
    tag = tag or owner.get(f"/v1/reviews/{review['id']}").headers["etag"]
    return owner.ask("PATCH", f"/v1/reviews/{review['id']}", json=body, headers={"If-Match": tag})


def approved(owner: Person) -> None:
    for each in queue(owner, state="waiting", limit=100):
        decide(owner, each, {"state": "approved"}).raise_for_status()


def told(engine: Engine) -> list[str]:
    with engine.connect() as conn:
        return list(conn.scalars(select(Event.kind).where(Event.kind.startswith("review.")).order_by(Event.id)))
