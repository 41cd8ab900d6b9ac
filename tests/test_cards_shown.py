"""What is put of a brand, a store or a template reaches the cards that show it, in wallets too, and no others."""

from typing import Any, Final

import pytest
from sqlalchemy import Connection, Engine, event

from accounts import manage as accounts
from accounts.manage import BrandProfile
from cards import find, manage, wallets
from cards.find import CardRecord
from cards.manage import Belongs
from cards.wallets import GOOGLE, PUSH, Change, Device
from tests.support.cards import profile
from tests.support.inside import Inside, Person, on_sqlite
from tests.support.pdf import a_square
from tests.support.shops import OPENED, Shops
from worker.passes import change_of

BRAND: Final[dict[str, Any]] = {"name": "Linden & Rye", "colour": "#1f5c47", "languages": ["de", "en"]}
ADDRESS: Final = {"lines": ["Torstraße 112"], "postal_code": "10119", "city": "Berlin", "country": "DE"}
STORE: Final = {"name": "Linden & Rye Mitte", "brand": "linden-rye", "address": ADDRESS, "timezone": "Europe/Berlin"}
HOURS: Final = {"opening_hours": {"mon": ["08:00-18:00"]}}
# Where each card is. "gone" is revoked.
PLACES: Final = {
    "mitte": Belongs(store="mitte"),
    "kreuzberg": Belongs(store="kreuzberg"),
    "nowhere": Belongs(brand="linden-rye"),
    "cafe-mitte": Belongs(store="mitte", brand="cafe"),
    "cafe": Belongs(brand="cafe"),
    "gone": Belongs(store="mitte"),
}
OF_BRAND: Final = {"mitte", "kreuzberg", "nowhere"}
OF_STORE: Final = {"mitte", "cafe-mitte"}

BRAND_PATH, STORE_PATH, TEMPLATE_PATH = (
    "/v1/brands/linden-rye",
    "/v1/stores/mitte",
    "/v1/brands/linden-rye/card-template",
)


@pytest.fixture
def cards(engine: Engine, shops: Shops) -> dict[str, CardRecord]:
    """Each in the wallet of a phone that is called as its place is, and in Google's."""
    with engine.begin() as conn:
        accounts.put_brand(conn, shops.linden, "cafe", BrandProfile(name="Café"), now=OPENED)
        return {name: _in_wallets(conn, shops.linden, name, belongs) for name, belongs in PLACES.items()}


def _in_wallets(conn: Connection, merchant_id: str, name: str, belongs: Belongs) -> CardRecord:
    card_id = manage.create(conn, merchant_id, belongs, profile(given=name), now=OPENED)
    card = find.one(conn, merchant_id, card_id)
    if name == "gone":
        manage.set_state(conn, card, "revoked", now=OPENED)
    wallets.register(conn, merchant_id, card_id, Device(name, "ab"), now=OPENED)
    wallets.note_object(conn, card)
    return find.one(conn, merchant_id, card_id)


def touched(engine: Engine, cards: dict[str, CardRecord]) -> set[str]:
    """The cards with another ETag."""
    with engine.connect() as conn:
        now = {name: find.one(conn, each.merchant_id, each.id).changed_at for name, each in cards.items()}
    return {name for name, each in cards.items() if now[name] != each.changed_at}


def told(engine: Engine, inside: Inside, cards: dict[str, CardRecord], kind: str) -> list[str]:
    """Whom the jobs that wait tell, each as often as it is told."""
    found = inside.app.state.house.post.jobs._client.list_workflows(name=kind)
    changes = [change_of(each.input["args"][0]) for each in found]
    by_id = {card.id: name for name, card in cards.items()}
    with engine.connect() as conn:
        if kind == PUSH:
            return sorted(each.device for change in changes for each in wallets.held(conn, change, after="", limit=50))
        return sorted(by_id[each] for change in changes for each in wallets.objects(conn, change, after="", limit=50))


@pytest.mark.parametrize(
    "path, body, whose",
    [
        (BRAND_PATH, BRAND | {"name": "Linden und Roggen"}, OF_BRAND),
        (BRAND_PATH, BRAND | {"colour": "#aa2200"}, OF_BRAND),
        (BRAND_PATH, BRAND | {"website": "https://linden-rye.example"}, OF_BRAND),
        (STORE_PATH, STORE | HOURS, OF_STORE),
        (STORE_PATH, STORE | {"phone": "+49 30 5550 9999"}, OF_STORE),
        (TEMPLATE_PATH, {"organisation": "L & R"}, OF_BRAND),
    ],
)
def test_what_cards_show_reaches_those_that_show_it(
    owner: Person, engine: Engine, inside: Inside, cards: dict[str, CardRecord], path: str, body: Any, whose: set[str]
) -> None:
    assert owner.put(path, body).status_code == 204
    # What the template says counts for a revoked card too, but nobody is told of it.
    assert touched(engine, cards) - {"gone"} == whose
    assert told(engine, inside, cards, PUSH) == sorted(whose)
    assert told(engine, inside, cards, GOOGLE) == sorted(whose)


def test_a_logo_reaches_the_cards_of_its_brand(
    owner: Person, engine: Engine, inside: Inside, cards: dict[str, CardRecord]
) -> None:
    headers = {"Content-Type": "image/png"}
    for _ in range(2):
        logo = owner.ask("PUT", f"{BRAND_PATH}/logo", content=a_square("red"), headers=headers)
        assert logo.status_code == 204, logo.text
    assert touched(engine, cards) == OF_BRAND
    assert told(engine, inside, cards, PUSH) == sorted(OF_BRAND)


@pytest.mark.parametrize(
    "path, body",
    [
        (BRAND_PATH, BRAND),
        (BRAND_PATH, BRAND | {"support_email": "help@linden-rye.example", "return_text": {"en": "Bring it back."}}),
        (STORE_PATH, STORE),
        (STORE_PATH, STORE | {"legal_name": "Linden GmbH", "tax_id": "DE1"}),
        (STORE_PATH, STORE | {"brand": "cafe"}),
        (TEMPLATE_PATH, {}),
    ],
)
def test_what_cards_do_not_show_touches_and_tells_nobody(
    owner: Person, engine: Engine, inside: Inside, cards: dict[str, CardRecord], path: str, body: Any
) -> None:
    assert owner.put(path, body).status_code == 204
    assert touched(engine, cards) == set()
    assert told(engine, inside, cards, PUSH) == told(engine, inside, cards, GOOGLE) == []


def test_the_same_template_again_and_what_it_locks_touch_and_tell_nobody(
    owner: Person, engine: Engine, inside: Inside, cards: dict[str, CardRecord]
) -> None:
    template = {"organisation": "L & R"}
    owner.put(TEMPLATE_PATH, template)
    with engine.connect() as conn:
        then = {name: find.one(conn, each.merchant_id, each.id) for name, each in cards.items()}
    owner.put(TEMPLATE_PATH, template)
    owner.put(TEMPLATE_PATH, template | {"locked": ["photo"], "consent": {"en": "Do."}, "consent_version": "2"})
    assert owner.get(TEMPLATE_PATH).json()["locked"] == ["photo"]
    assert touched(engine, then) == set()
    assert told(engine, inside, cards, PUSH) == sorted(OF_BRAND)


def test_passes_are_told_page_by_page_each_once(engine: Engine, shops: Shops, cards: dict[str, CardRecord]) -> None:
    with engine.begin() as conn:
        for card in cards.values():
            for name in ("b", "a", "c"):
                wallets.register(conn, shops.linden, card.id, Device(f"{name}-{card.id}", "ab"), now=OPENED)
        change, after, found = Change(shops.linden, brand_id=cards["mitte"].look.id), "", []
        while page := wallets.held(conn, change, after=after, limit=2):
            found += page
            after = page[-1].place
    assert len(found) == 4 * len(OF_BRAND)
    assert found == sorted(set(found), key=lambda each: (each.serial, each.device))


@on_sqlite
def test_a_page_of_passes_is_found_without_sorting_all(
    engine: Engine, shops: Shops, cards: dict[str, CardRecord]
) -> None:
    plans = []

    def look(conn: Any, _cursor: Any, sql: str, values: Any, _context: Any, _many: bool) -> None:
        plans.append(str(conn.connection.driver_connection.execute(f"EXPLAIN QUERY PLAN {sql}", values).fetchall()))

    card = cards["mitte"]
    with engine.begin() as conn:
        event.listen(conn, "before_cursor_execute", look)
        for change in (
            Change(shops.linden, serial=card.id),
            Change(shops.linden, brand_id=card.look.id),
            Change(shops.linden, store_id=card.store_id),
        ):
            wallets.held(conn, change, after=f"{card.id} a", limit=2)
    assert len(plans) == 3
    # The passes of one card may be sorted by themselves: that is the right part.
    assert not [plan for plan in plans if "B-TREE FOR ORDER BY" in plan or "FOR GROUP BY" in plan or "SCAN" in plan]
