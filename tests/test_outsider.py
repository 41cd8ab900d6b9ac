"""An outsider, with every right at another merchant, walks every route with every method and gets nothing of ours.

Every route of the application must be in the walk, so that a new one cannot be forgotten.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from fastapi.routing import APIRoute
from sqlalchemy import Engine, select
from starlette.routing import Route

from accounts import manage
from accounts.manage import MerchantProfile
from api.app import create_app
from infra.database import Base
from infra.settings import Settings
from tests.support import doors_offers, doors_rewards, doors_scratch, doors_surveys, doors_voice
from tests.support.cards import EMMA
from tests.support.exchange import leave_at
from tests.support.inside import Person
from tests.support.sales import coffee, example, refund
from tests.support.shops import OPENED, Shops

Names = dict[str, str]


@dataclass(frozen=True)
class Door:
    """A route, what of ours the outsider asks it for, and how they are answered."""

    method: str
    route: str
    status: int
    # With {names} of what is ours.
    path: str
    body: Any = None
    kind: str = ""


# In this order: what is put comes last, since an outsider may well use the slugs that we use, for things of their own.
WALK = [
    Door("GET", "/v1/receipts", 200, "/v1/receipts"),
    Door("GET", "/v1/receipts/{token:receipt}", 404, "/v1/receipts/{receipt}"),
    Door("GET", "/v1/receipts/{token:receipt}", 404, "/v1/receipts/{token}"),
    Door("DELETE", "/v1/receipts/{token:receipt}/shopper", 404, "/v1/receipts/{receipt}/shopper"),
    Door("POST", "/v1/receipts", 422, "/v1/receipts", refund("{receipt}")),
    Door("POST", "/v1/receipts", 422, "/v1/receipts", refund({"token": "{token}"}, kind="void")),
    Door("POST", "/v1/receipts", 422, "/v1/receipts", coffee(store="kreuzberg")),
    Door("POST", "/v1/receipts", 422, "/v1/receipts", coffee(till="till-1")),
    Door("PUT", "/v1/receipts/{token:receipt}", 409, "/v1/receipts/{token}", coffee()),
    Door(
        "POST",
        "/v1/receipts/batch",
        200,
        "/v1/receipts/batch",
        {"receipts": [refund("{receipt}"), coffee(token="{token}")]},
    ),
    Door("GET", "/v1/merchant", 200, "/v1/merchant"),
    Door("GET", "/v1/brands", 200, "/v1/brands"),
    Door("GET", "/v1/stores", 200, "/v1/stores"),
    Door("GET", "/v1/staff", 200, "/v1/staff"),
    Door("GET", "/v1/stores/{store}/tills", 404, "/v1/stores/kreuzberg/tills"),
    Door("PUT", "/v1/stores/{store}/tills/{slug}", 404, "/v1/stores/kreuzberg/tills/till-1", {"name": "Mine"}),
    Door("PUT", "/v1/brands/{slug}/logo", 404, "/v1/brands/linden-rye/logo", b"picture"),
    Door("DELETE", "/v1/brands/{slug}/logo", 404, "/v1/brands/linden-rye/logo"),
    Door("GET", "/v1/receipts/{token:receipt}/deliveries", 404, "/v1/receipts/{receipt}/deliveries"),
    Door(
        "POST",
        "/v1/receipts/{token:receipt}/deliveries",
        404,
        "/v1/receipts/{receipt}/deliveries",
        {"to": "a@b.example"},
    ),
    Door("GET", "/v1/deliveries", 200, "/v1/deliveries"),
    Door("GET", "/v1/suppressions", 200, "/v1/suppressions"),
    Door("DELETE", "/v1/suppressions/{address:path}", 404, "/v1/suppressions/shopper%40example.com"),
    Door("GET", "/v1/cards", 200, "/v1/cards"),
    Door("POST", "/v1/cards", 422, "/v1/cards", {"store": "kreuzberg", "profile": {"name": "Mine"}}),
    Door("POST", "/v1/cards", 422, "/v1/cards", {"brand": "linden-rye", "profile": {"name": "Mine"}}),
    Door(
        "POST",
        "/v1/cards/import",
        200,
        "/v1/cards/import",
        b"name,email,store\nMine,emma@linden-rye.example,kreuzberg\n",
        kind="text/csv",
    ),
    Door("GET", "/v1/cards/{card:card}", 404, "/v1/cards/{card}"),
    Door("GET", "/v1/cards/{card:card}", 404, "/v1/cards/{card_token}"),
    Door("PUT", "/v1/cards/{card:card}", 404, "/v1/cards/{card}", {"profile": {"name": "Mine"}}),
    Door("PUT", "/v1/cards/{card:card}/state", 404, "/v1/cards/{card}/state", {"state": "paused"}),
    Door("PUT", "/v1/cards/{card:card}/photo", 404, "/v1/cards/{card}/photo", b"picture"),
    Door("DELETE", "/v1/cards/{card:card}/photo", 404, "/v1/cards/{card}/photo"),
    Door("POST", "/v1/cards/{card:card}/invites", 404, "/v1/cards/{card}/invites", {"send": True}),
    Door("DELETE", "/v1/cards/{card:card}/invites", 404, "/v1/cards/{card}/invites"),
    Door("DELETE", "/v1/cards/{card:card}", 404, "/v1/cards/{card}"),
    Door("GET", "/v1/card-numbers", 200, "/v1/card-numbers"),
    Door("GET", "/v1/card-numbers.csv", 200, "/v1/card-numbers.csv"),
    Door("GET", "/v1/contacts", 200, "/v1/contacts"),
    Door("GET", "/v1/contacts.csv", 200, "/v1/contacts.csv"),
    Door("GET", "/v1/contacts", 404, "/v1/contacts?card={card}"),
    Door("DELETE", "/v1/contacts/{contact_id}", 404, "/v1/contacts/{contact}"),
    Door("GET", "/v1/brands/{slug}/card-template", 404, "/v1/brands/linden-rye/card-template"),
    Door("PUT", "/v1/brands/{slug}/card-template", 404, "/v1/brands/linden-rye/card-template", {"locked": []}),
    *(Door(*door) for door in doors_surveys.DOORS),
    *(Door(*door) for door in doors_voice.DOORS),
    *(Door(*door) for door in doors_offers.DOORS),
    *(Door(*door) for door in doors_rewards.DOORS),
    *(Door(*door) for door in doors_scratch.DOORS),
    Door("GET", "/v1/alliances", 200, "/v1/alliances"),
    Door("POST", "/v1/alliances", 422, "/v1/alliances", {"ally": "nobody"}),
    Door("POST", "/v1/alliances/{alliance_id}/agreement", 404, "/v1/alliances/{alliance}/agreement"),
    Door("DELETE", "/v1/alliances/{alliance_id}", 404, "/v1/alliances/{alliance}"),
    Door("GET", "/v1/events", 200, "/v1/events"),
    Door("GET", "/v1/keys", 200, "/v1/keys"),
    Door("POST", "/v1/keys", 404, "/v1/keys", {"name": "mine", "scopes": ["receipts:read"], "store": "kreuzberg"}),
    Door("DELETE", "/v1/keys/{key_id}", 404, "/v1/keys/{key}"),
    Door("GET", "/v1/hook-endpoints", 200, "/v1/hook-endpoints"),
    Door(
        "POST",
        "/v1/hook-endpoints",
        404,
        "/v1/hook-endpoints",
        {"source": "shopify", "store": "kreuzberg", "secret": "a secret of mine"},
    ),
    Door(
        "PUT",
        "/v1/hook-endpoints/{endpoint_id}/secret",
        404,
        "/v1/hook-endpoints/{endpoint}/secret",
        {"secret": "a secret of mine"},
    ),
    Door("DELETE", "/v1/hook-endpoints/{endpoint_id}", 404, "/v1/hook-endpoints/{endpoint}"),
    Door("POST", "/hooks/{source}/{slug}", 401, "/hooks/shopify/{hook}", {"id": 1}),
    Door("GET", "/metrics", 401, "/metrics"),
    Door("PUT", "/v1/stores/{slug}", 422, "/v1/stores/mitte", {"name": "Mine", "brand": "linden-rye"}),
    Door("PUT", "/v1/stores/{slug}", 204, "/v1/stores/mitte", {"name": "Mine", "brand": "moor"}),
    Door("PUT", "/v1/staff/{slug}", 422, "/v1/staff/emma", {"name": "Mine", "store": "kreuzberg"}),
    Door("PUT", "/v1/staff/{slug}", 204, "/v1/staff/emma", {"name": "Mine"}),
    Door("PUT", "/v1/brands/{slug}", 204, "/v1/brands/linden-rye", {"name": "Mine"}),
    Door("PUT", "/v1/merchant", 204, "/v1/merchant", {"name": "Mine"}),
]
# Whoever knows these addresses may see what is behind them, whatever their key: the address is the key. The outsider
# knows none, and tries what they might guess from all that they do know.
LINKS = {
    "/r/{token:token}",
    "/r/{token:token}.pdf",
    "/r/{token:token}.txt",
    "/r/{token:token}.json",
    "/r/{token:token}.xml",
    "/r/{token:token}/qr.svg",
    "/r/{token:token}/qr.png",
    "/r/{token:token}/codes/{name}.svg",
    "/r/{token:token}.pkpass",
    "/r/{token}/service",
    *doors_offers.LINKS,
    *doors_scratch.LINKS,
    *doors_surveys.LINKS,
    *doors_voice.LINKS,
    "/u/{token}",
    "/media/logos/{shard}/{name}.{form}",
    "/c/{token:token}",
    "/c/{token:token}/worker.js",
    "/c/{token:token}.vcf",
    "/c/{token:token}.json",
    "/c/{token:token}/qr.svg",
    "/c/{token:token}/qr.png",
    "/c/{token:token}/photo.webp",
    "/c/{token:token}/photo.jpg",
    "/c/{token:token}/preview.jpg",
    "/c/{token:token}/background.jpg",
    "/c/{token:token}/print.pdf",
    "/c/{token:token}/signature",
    "/c/{token:token}/signature.html",
    "/c/{token:token}/signature.txt",
    "/i/{token}",
}
# By a link, too: what a visitor does, leaves or says.
LEFT_BY_LINK = {
    ("POST", "/c/{token:token}/beacon"),
    ("POST", "/c/{token:token}/exchange"),
    ("POST", "/r/{token}/service"),
    *doors_offers.LEFT_BY_LINK,
    *doors_scratch.LEFT_BY_LINK,
    *doors_surveys.LEFT_BY_LINK,
    *doors_voice.LEFT_BY_LINK,
    ("POST", "/i/{token}"),
}
# These tell of every merchant what every verifier must know of them, and of no receipt.
KEYS = {"/.well-known/jwks.json", "/.well-known/{merchant}/jwks.json", *doors_scratch.PROMISES}
# Only who sits at the machine gets to these, and only where mail is kept instead of being sent (test_mailbox.py).
MAILBOX = {
    "/mailbox",
    "/mailbox/{letter}",
    "/mailbox/{letter}/html",
    "/mailbox/{letter}/attachments/{number:int}",
}
# A phone shows the token of its pass, or asks by its own id, and whoever has no pass knows neither
# (test_wallet_service.py). The button of Google's wallet is behind a card's link.
WALLETS = {
    ("POST", "/wallet/v1/devices/{device}/registrations/{kind}/{serial}"),
    ("DELETE", "/wallet/v1/devices/{device}/registrations/{kind}/{serial}"),
    ("GET", "/wallet/v1/devices/{device}/registrations/{kind}"),
    ("GET", "/wallet/v1/passes/{kind}/{serial}"),
    ("POST", "/wallet/v1/log"),
    ("POST", "/c/{token:token}/google"),
    ("GET", "/c/{token:token}.pkpass"),
}
# Nothing of any merchant is behind these.
PUBLIC = {
    "/verify",
    "/healthz",
    "/readyz",
    "/openapi.json",
    "/docs",
    "/docs/start.js",
    "/docs/{name}",
    "/static/{path:path}",
}


def every_route(settings: Settings) -> Iterator[tuple[str, str]]:
    for outer in create_app(settings).routes:
        router = getattr(outer, "original_router", None)
        for route in router.routes if router else [outer]:
            assert isinstance(route, Route | APIRoute), f"{route} is neither walked nor known to be harmless"
            yield from ((method, route.path) for method in (route.methods or set()) - {"HEAD"})


def test_every_route_is_in_the_walk(settings: Settings) -> None:
    walked = {(door.method, door.route) for door in WALK}
    opened = {("GET", route) for route in LINKS | KEYS | MAILBOX | PUBLIC}
    assert set(every_route(settings)) == walked | opened | WALLETS | LEFT_BY_LINK | {
        ("POST", "/verify"),
        ("POST", "/u/{token}"),
    }


@pytest.fixture
def ours(owner: Person, engine: Engine) -> Names:
    """What Linden & Rye has, by the names that the walk uses."""
    receipt = owner.post("/v1/receipts", example()).json()
    owner.post("/v1/receipts", refund(receipt["id"], "1.00"))
    key = owner.post("/v1/keys", {"name": "Till 3", "scopes": ["receipts:read"]}).json()
    wanted = {"source": "shopify", "store": "mitte", "secret": "a secret of ours"}
    endpoint = owner.post("/v1/hook-endpoints", wanted).json()
    hook = endpoint["url"].rpartition("/")[2]
    card = owner.post("/v1/cards", {"staff": "emma", "store": "mitte", "profile": EMMA}).json()
    owner.post(f"/v1/cards/{card['id']}/invites", {})
    leave_at(owner, card["token"])
    [contact] = owner.get("/v1/contacts").json()["contacts"]
    with engine.begin() as conn:
        manage.create_merchant(conn, "fen", MerchantProfile(name="Fen"), now=OPENED)
    alliance = owner.post("/v1/alliances", {"ally": "fen"}).json()
    return {
        "card": card["id"],
        "card_token": card["token"],
        "contact": contact["id"],
        **doors_offers.ours(owner),
        **doors_surveys.ours(owner),
        **doors_voice.ours(owner),
        **doors_rewards.ours(owner),
        "alliance": alliance["id"],
        "receipt": receipt["id"],
        "token": receipt["token"],
        "key": key["id"],
        "endpoint": endpoint["id"],
        "hook": hook,
    }


def filled(part: Any, ours: Names) -> Any:
    if isinstance(part, dict):
        return {name: filled(value, ours) for name, value in part.items()}
    if isinstance(part, list):
        return [filled(value, ours) for value in part]
    return re.sub(r"\{(\w+)\}", lambda found: ours[found[1]], part) if isinstance(part, str) else part


def knock(person: Person, door: Door, ours: Names) -> Any:
    body = {"content": door.body} if isinstance(door.body, bytes) else {"json": filled(door.body, ours)}
    headers = {"Content-Type": door.kind} if door.kind else {}
    return person.ask(door.method, filled(door.path, ours), headers=headers, **({} if door.body is None else body))


def rows_of(engine: Engine, merchant: str) -> dict[str, list[dict[str, Any]]]:
    """Every row of a merchant, by table."""
    found = {}
    with engine.connect() as conn:
        for table in Base.metadata.sorted_tables:
            mine = table.c.id if table.name == "merchants" else table.c.get("merchant_id")
            if mine is None:  # how far a chore has come, for all merchants
                continue
            found[table.name] = [dict(row) for row in conn.execute(select(table).where(mine == merchant)).mappings()]
    return found


def marks(engine: Engine, merchant: str) -> set[str]:
    """What an answer would hold if it told anything of ours: names, goods, people, and every id and link."""
    rows = [row for rows in rows_of(engine, merchant).values() for row in rows]
    ids = {row[name] for row in rows for name in row if name in ("id", "token", "digest") or name.endswith("_id")}
    words = {"Linden", "Torstra", "Sourdough", "000417", "T3-20261121", "shopper@example.com", "30.62"}
    return words | {each for each in ids if each and len(each) > 8}


def test_an_outsider_gets_nothing_of_ours(outsider: Person, ours: Names, shops: Shops, engine: Engine) -> None:
    before, telling = rows_of(engine, shops.linden), marks(engine, shops.linden)
    for door in WALK:
        answer = knock(outsider, door, ours)
        assert answer.status_code == door.status, (door, answer.text)
        assert {mark for mark in telling if mark in answer.text} == set(), door
    assert rows_of(engine, shops.linden) == before


def test_an_outsider_is_told_no_more_of_what_is_ours_than_of_what_is_nobodys(outsider: Person, ours: Names) -> None:
    """The same words for a receipt of another merchant as for none: else ids could be tried."""
    nobodys = {name: value[:-6] + value[-6:][::-1].swapcase() for name, value in ours.items()}
    for door in WALK:
        if door.status == 404 or door.path == "/v1/receipts":
            assert knock(outsider, door, ours).text == knock(outsider, door, nobodys).text, door


def test_an_outsiders_batch_is_refused_sale_by_sale(outsider: Person, ours: Names) -> None:
    (door,) = [door for door in WALK if door.route == "/v1/receipts/batch"]
    results = knock(outsider, door, ours).json()["results"]
    assert [result["status"] for result in results] == [422, 409]


def test_an_outsiders_lists_hold_their_own_things_only(outsider: Person, ours: Names) -> None:
    assert outsider.get("/v1/receipts").json() == {"receipts": [], "next_cursor": None}
    assert [brand["slug"] for brand in outsider.get("/v1/brands").json()["brands"]] == ["moor"]
    assert len(outsider.get("/v1/keys").json()["keys"]) == 1
    assert outsider.get("/v1/hook-endpoints").json() == {"hook_endpoints": []}


def test_links_are_not_found_by_what_can_be_guessed(
    outsider: Person, stranger: Person, ours: Names, shops: Shops, engine: Engine
) -> None:
    telling = marks(engine, shops.linden) - {ours["receipt"]}
    token = ours["token"]
    near = [token[:-1] + ("A" if token[-1] != "A" else "B"), token[1:], token.swapcase(), ours["receipt"]]
    for person in (outsider, stranger):
        for guess in [*near, "000417", "T3-20261121-000417", "%25", "..", ""]:
            for form in ("", ".pdf", ".txt", ".json", "/qr.svg", "/qr.png", "/codes/number.svg", "/"):
                answer = person.get(f"/r/{guess}{form}")
                assert answer.status_code < 500
                assert {mark for mark in telling if mark in answer.text} == set(), (guess, form)


def test_a_stranger_gets_into_nothing_that_takes_a_key(stranger: Person, ours: Names) -> None:
    for door in WALK:
        assert knock(stranger, door, ours).status_code == 401, door


def test_a_reader_reads_receipts_and_nothing_else(reader: Person, ours: Names, shops: Shops, engine: Engine) -> None:
    before = rows_of(engine, shops.linden)
    for door in WALK:
        if door.method == "GET" and door.route.startswith(("/v1/receipts", "/v1/deliveries")):
            continue
        expected = 401 if door.route.startswith(("/hooks", "/metrics")) else 403
        assert knock(reader, door, ours).status_code == expected, door
    assert rows_of(engine, shops.linden) == before
    assert reader.get(f"/v1/receipts/{ours['receipt']}").status_code == 200


def test_a_till_changes_nothing_but_receipts(till: Person, ours: Names, shops: Shops, engine: Engine) -> None:
    before = rows_of(engine, shops.linden)
    for door in WALK:
        if not door.route.startswith(("/v1/receipts", "/hooks", "/metrics")):
            assert knock(till, door, ours).status_code == 403, door
    assert rows_of(engine, shops.linden) == before


def test_what_is_public_tells_nothing_of_anybody(stranger: Person, ours: Names, shops: Shops, engine: Engine) -> None:
    telling = {mark for mark in marks(engine, shops.linden) if re.match("[a-z]{3}_", mark) or mark == ours["token"]}
    for path in sorted(path for path in PUBLIC if "{" not in path):
        answer = stranger.get(path)
        assert answer.status_code == 200
        assert {mark for mark in telling if mark in answer.text} == set(), path
