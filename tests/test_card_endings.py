"""What is over of a card is gone: its addresses, its pictures, its photo, and who was on it."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

import pytest
from sqlalchemy import Connection, Engine, select
from starlette.routing import Route

from api import card_pictures
from cards import kept, manage, photos, stale
from cards import pictures as drawn
from cards.stale import Stale
from cards.tables import Card
from infra.portraits import portrait_form
from infra.settings import Settings
from infra.storage import Storage, StorageDown
from kernel.clock import utc_now
from tests.support.apple import with_wallet
from tests.support.authority import Files
from tests.support.cards import EMMA, a_card
from tests.support.inside import Inside, Person, on_sqlite
from tests.support.pdf import a_square
from tests.support.shops import Shops
from tests.support.stale import forget_stale
from tests.test_card_import import imported, states
from worker import pictures
from worker.workshop import Workshop

CARDS: Final = "/v1/cards"
# All that is behind a card's link, and how it answers where the card is paused, and where it was revoked.
GONE: Final = (404, 410)
ADDRESSES: Final = {
    "GET /c/{token}": GONE,
    "GET /c/{token}.vcf": GONE,
    "GET /c/{token}.json": GONE,
    "GET /c/{token}.pkpass": GONE,
    "GET /c/{token}/qr.svg": GONE,
    "GET /c/{token}/qr.png": GONE,
    "GET /c/{token}/photo.jpg": GONE,
    "GET /c/{token}/photo.webp": GONE,
    "GET /c/{token}/preview.jpg": GONE,
    "GET /c/{token}/background.jpg": GONE,
    "GET /c/{token}/print.pdf": GONE,
    "GET /c/{token}/signature": GONE,
    "GET /c/{token}/signature.html": GONE,
    "GET /c/{token}/signature.txt": GONE,
    # The script of all cards: it forgets what a browser kept of this one.
    "GET /c/{token}/worker.js": (200, 200),
    "POST /c/{token}/beacon": GONE,
    "POST /c/{token}/exchange": GONE,
    "POST /c/{token}/google": GONE,
}


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    """With both wallets, of which nothing is asked here that their files would be read for."""
    both = Files(tmp_path, tmp_path).settings(google_wallet_key=tmp_path / "google.json", google_wallet_issuer="1")
    return with_wallet(settings, both)


def behind(inside: Inside) -> set[str]:
    """Methods and paths of all routes of a card's link."""
    routes = [each for each in inside.app.routes if getattr(each, "path", "").startswith("/c/{token")]
    told = [(method, each) for each in routes if isinstance(each, Route) for method in each.methods or ()]
    return {f"{method} {each.path.replace(':token}', '}')}" for method, each in told if method != "HEAD"}


@on_sqlite
def test_every_address_of_a_card_is_in_the_table(inside: Inside) -> None:
    assert behind(inside) == set(ADDRESSES)


@pytest.mark.parametrize("at, state", [(0, "paused"), (1, "revoked")])
def test_every_address_of_a_card_that_is_put_away_says_so_alone(
    inside: Inside, engine: Engine, shops: Shops, at: int, state: manage.State
) -> None:
    card = a_card(engine, shops)
    with engine.begin() as conn:
        manage.set_state(conn, card, state, now=utc_now())
    asked = {each: each.replace("{token}", card.token).split() for each in ADDRESSES}
    # What the beacon reads, and the form takes for an empty one.
    sent: dict[str, Any] = {
        "content": b'{"a":"view"}',
        "headers": {"Content-Type": "application/x-www-form-urlencoded"},
    }
    answers = {each: inside.request(method, path, **sent) for each, (method, path) in asked.items()}
    assert {each: answer.status_code for each, answer in answers.items()} == {
        each: statuses[at] for each, statuses in ADDRESSES.items()
    }
    words = ("Emma", "Lind", "5550", "linden-rye.example", "Torstra")
    assert not [each for each, answer in answers.items() for word in words if word in answer.text]


# --- pictures and photos


@pytest.fixture
def storage(inside: Inside) -> Storage:
    found: Storage = inside.app.state.house.storage
    return found


def created(owner: Person, staff: str = "emma") -> str:
    """The path of a new card."""
    body = {"staff": staff, "store": "mitte", "profile": EMMA}
    return f"{CARDS}/{owner.post(CARDS, body).json()['id']}"


def put_photo(owner: Person, path: str, colour: str = "red") -> None:
    data, kind = a_square(colour), {"Content-Type": "image/png"}
    assert owner.ask("PUT", f"{path}/photo", content=data, headers=kind).status_code == 204


def kept_photos(storage: Storage) -> int:
    return len(list(storage.keys("photos/")))


def made_of(storage: Storage, token: str) -> list[str]:
    return list(storage.keys(f"{kept.folder(token)}/"))


def revoke(owner: Person, path: str) -> None:
    owner.delete(path)


def take_away(owner: Person, path: str) -> None:
    owner.delete(f"{path}/photo")


def replace(owner: Person, path: str) -> None:
    put_photo(owner, path, "blue")


@pytest.mark.parametrize("end, left", [(revoke, 0), (take_away, 0), (replace, 1)])
def test_a_photo_ends_with_its_last_card(
    owner: Person, shop: Workshop, storage: Storage, end: Callable[[Person, str], None], left: int
) -> None:
    one, other = created(owner), created(owner, "noor")
    put_photo(owner, one)
    put_photo(owner, other)
    end(owner, one)
    forget_stale(shop)
    assert kept_photos(storage) == 1 + left
    end(owner, other)
    forget_stale(shop)
    assert kept_photos(storage) == left


def test_a_photo_is_kept_for_a_card_of_another_merchant(
    owner: Person, outsider: Person, shop: Workshop, storage: Storage
) -> None:
    """Its key is made of its bytes."""
    theirs = outsider.post(CARDS, {"brand": "moor", "profile": EMMA}).json()
    mine = created(owner)
    put_photo(outsider, f"{CARDS}/{theirs['id']}")
    put_photo(owner, mine)
    owner.delete(mine)
    forget_stale(shop)
    assert kept_photos(storage) == 1
    assert outsider.get(f"/c/{theirs['token']}/photo.jpg").status_code == 200


def test_a_photo_that_came_to_no_card_goes(owner: Person, shop: Workshop, storage: Storage) -> None:
    path = created(owner)
    owner.delete(path)
    refused = owner.ask("PUT", f"{path}/photo", content=a_square("red"), headers={"Content-Type": "image/png"})
    assert (refused.status_code, kept_photos(storage)) == (409, 1)
    forget_stale(shop)
    assert kept_photos(storage) == 0


def test_who_takes_up_a_photo_while_it_is_deleted_gets_it_back(
    owner: Person, shop: Workshop, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other card is written after the worker looked, and before it deletes."""
    one, other = created(owner), created(owner, "noor")
    put_photo(owner, one)
    take_away(owner, one)
    asked = 0

    def is_shown(conn: Connection, photo_key: str) -> bool:
        nonlocal asked
        asked += 1
        found = stale.is_shown(conn, photo_key)
        if asked == 1:
            put_photo(owner, other)
        return found

    monkeypatch.setattr(pictures, "stale", SimpleNamespace(tokens=stale.tokens, is_shown=is_shown))
    forget_stale(shop)
    assert kept_photos(storage) == 1


def test_who_finds_their_photo_deleted_once_they_have_written_keeps_it_again(storage: Storage) -> None:
    key = photos.kept(storage, a_square("red"))
    storage.delete(key)
    photos.stays(storage, key, a_square("red"))
    assert storage.exists(key)


def pause(owner: Person, path: str) -> None:
    owner.put(f"{path}/state", {"state": "paused"}).raise_for_status()


def retitle(owner: Person, path: str) -> None:
    owner.put(path, {"store": "mitte", "profile": EMMA | {"title": "Owner"}}).raise_for_status()


def bring_in(owner: Person, _path: str) -> None:
    assert states(imported(owner, "staff,title\nemma,Owner\n")) == ["changed"]


def put_template(owner: Person, _path: str) -> None:
    owner.put("/v1/brands/linden-rye/card-template", {"organisation": "Others"}).raise_for_status()


def put_brand(owner: Person, _path: str) -> None:
    owner.put("/v1/brands/linden-rye", {"name": "Others", "languages": ["en"]}).raise_for_status()


def put_store(owner: Person, _path: str) -> None:
    body = {"brand": "linden-rye", "name": "Elsewhere", "timezone": "Europe/Berlin"}
    owner.put("/v1/stores/mitte", body).raise_for_status()


@pytest.mark.parametrize("change", [revoke, pause, retitle, bring_in, put_template, put_brand, put_store])
def test_pictures_of_a_card_end_with_whatever_changes_it(
    owner: Person, shop: Workshop, storage: Storage, change: Callable[[Person, str], None]
) -> None:
    path = created(owner)
    token = owner.get(path).json()["token"]
    owner.get(f"/c/{token}/preview.jpg").raise_for_status()
    assert len(made_of(storage, token)) == 1
    change(owner, path)
    forget_stale(shop)
    assert made_of(storage, token) == []


def test_a_storage_that_is_down_is_asked_again(
    owner: Person, shop: Workshop, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = created(owner)
    put_photo(owner, path)
    forget_stale(shop)
    owner.delete(path)
    with monkeypatch.context() as down:
        down.setattr(type(shop.storage), "keys", refuse)
        with pytest.raises(StorageDown):
            forget_stale(shop)
    assert forget_stale(shop) == 1
    assert kept_photos(storage) == 0


def refuse(*_: Any) -> Any:
    raise StorageDown("full")


def test_a_brand_of_many_cards_is_forgotten_in_parts(
    engine: Engine, shops: Shops, shop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures, "_AT_ONCE", 2)
    tokens = [a_card(engine, shops, staff=f"s-{number}").token for number in range(5)]
    keys = [f"{kept.folder(each)}/x.jpg" for each in tokens]
    for key in keys:
        shop.storage.put(key, b"picture")
    with engine.begin() as conn:
        brand = conn.scalar(select(Card.brand_id).limit(1))
        stale.let_go(conn, shop.jobs, Stale(shops.linden, brand=brand), now=utc_now())
    while forget_stale(shop):
        pass
    assert not [key for key in keys if shop.storage.exists(key)]


@pytest.mark.parametrize("form", ["preview.jpg", "photo.jpg"])
def test_what_is_drawn_while_its_card_is_revoked_is_not_kept(
    owner: Person, shop: Workshop, storage: Storage, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    """The worker has forgotten the rest before it is done."""
    path = created(owner)
    put_photo(owner, path)
    card = owner.get(path).json()
    preview = drawn.preview

    def meanwhile(make: Callable[..., bytes], *told: Any) -> bytes:
        owner.delete(path)
        forget_stale(shop)
        return make(*told)

    monkeypatch.setattr(card_pictures, "portrait_form", partial(meanwhile, portrait_form))
    monkeypatch.setattr(drawn, "preview", partial(meanwhile, preview))
    owner.get(f"/c/{card['token']}/{form}")
    assert made_of(storage, card["token"]) == []


# --- people


def test_of_a_revoked_card_the_name_alone_is_left(owner: Person, engine: Engine) -> None:
    path = created(owner)
    put_photo(owner, path)
    owner.delete(path)
    card = owner.get(path).json()
    assert {name: value for name, value in card["profile"].items() if value} == {
        name: EMMA[name] for name in ("prefix", "given", "family")
    }
    assert card["photo_url"] is None
    with engine.connect() as conn:
        row = conn.execute(select(Card.profile, Card.photo_key)).one()
    assert row.photo_key is None
    assert not [word for word in ("@", "5550", "Torstra", "rowing", "baker") if word in row.profile.lower()]


def test_nobody_comes_back_under_another_address(owner: Person) -> None:
    owner.delete(created(owner))
    report = imported(owner, "name,email\nDr. emma  LIND,emma@elsewhere.example\n")
    assert states(report) == ["refused"]
    assert "`staff`" in report["rows"][0]["errors"][0]["detail"]
    assert states(imported(owner, "staff,name\nemma-2,Dr. Emma Lind\n")) == ["created"]
