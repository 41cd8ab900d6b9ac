"""Cards over the API: created, listed, changed, paused, revoked."""

from typing import Any

import pytest
from sqlalchemy import Engine, func, select, text

from accounts.find import store_id
from accounts.keys import create as create_key
from cards.tables import Card
from tests.support.cards import EMMA
from tests.support.inside import Inside, Person, on_sqlite
from tests.support.pdf import a_square
from tests.support.shops import OPENED, Shops
from tests.test_races import at_once

CARDS = "/v1/cards"
JSON = dict[str, Any]


def created(owner: Person, **changes: Any) -> JSON:
    answer = owner.post(CARDS, {"staff": "emma", "store": "mitte", "profile": EMMA} | changes)
    assert answer.status_code == 201, answer.text
    card: JSON = answer.json()
    return card


@pytest.fixture
def mitte(inside: Inside, shops: Shops, engine: Engine) -> Person:
    """Whose key is bound to the store mitte, with both scopes of cards."""
    with engine.begin() as conn:
        scopes = ["cards:read", "cards:write"]
        bound = store_id(conn, shops.linden, "mitte")
        key, _ = create_key(conn, shops.linden, name="mitte", scopes=scopes, now=OPENED, store_id=bound)
    return Person(inside, key)


def test_a_card_is_created_found_changed_paused_and_revoked(owner: Person) -> None:
    card = created(owner)
    assert (card["staff"], card["store"], card["brand"], card["state"]) == ("emma", "mitte", "linden-rye", "active")
    assert card["url"] == f"https://receipts.test/c/{card['token']}"
    assert [owner.get(f"{CARDS}/{card[name]}").json() for name in ("id", "token")] == [card, card]

    moved = owner.put(f"{CARDS}/{card['id']}", {"store": "kreuzberg", "profile": {"name": "Emma"}}).json()
    assert (moved["store"], moved["profile"]["name"], moved["token"]) == ("kreuzberg", "Emma", card["token"])
    assert moved["profile"]["phones"] == []

    paused = owner.put(f"{CARDS}/{card['id']}/state", {"state": "paused"}).json()
    assert paused["state"] == "paused"
    assert [owner.delete(f"{CARDS}/{card['id']}").status_code for _ in range(2)] == [204, 204]
    assert owner.get(f"{CARDS}/{card['id']}").json()["state"] == "revoked"


def test_what_is_revoked_stays_so(owner: Person) -> None:
    path = f"{CARDS}/{created(owner)['id']}"
    owner.delete(path)
    answers = [
        owner.put(path, {"profile": EMMA}),
        owner.put(f"{path}/state", {"state": "active"}),
        owner.put(f"{path}/state", {"state": "paused"}),
        owner.delete(f"{path}/photo"),
        owner.post(f"{path}/invites", {}),
    ]
    assert {(each.status_code, each.json()["type"].rpartition(":")[2]) for each in answers} == {(409, "card-revoked")}


def test_a_second_card_for_one_member_of_staff_is_refused_and_the_first_is_named(owner: Person) -> None:
    card = created(owner)
    answer = owner.post(CARDS, {"staff": "emma", "profile": {"name": "Emma"}})
    assert answer.status_code == 409
    assert answer.json()["type"].endswith(":card-exists")
    assert card["id"] in answer.json()["detail"]


def test_the_same_put_again_changes_nothing(owner: Person) -> None:
    card = created(owner)
    body = {"store": "mitte", "profile": EMMA}
    assert owner.put(f"{CARDS}/{card['id']}", body).json() == card


def test_a_card_is_changed_only_if_it_is_still_as_it_was_seen(owner: Person) -> None:
    path = f"{CARDS}/{created(owner)['id']}"
    tag = owner.get(path).headers["etag"]
    first = owner.put(path, {"profile": {"name": "First"}}, If_Match=tag)
    second = owner.put(path, {"profile": {"name": "Second"}}, If_Match=tag)
    assert [first.status_code, second.status_code] == [200, 412]
    assert second.json()["type"].endswith(":changed-meanwhile")
    again = owner.put(path, {"profile": {"name": "Second"}}, If_Match=first.headers["etag"])
    assert again.json()["profile"]["name"] == "Second"


def test_the_list_goes_on_where_it_stopped_and_is_narrowed(owner: Person) -> None:
    ids = [created(owner, staff=f"s-{number}", store=store)["id"] for number, store in enumerate(["mitte"] * 3)]
    owner.delete(f"{CARDS}/{ids[0]}")
    first = owner.get(CARDS, limit=2).json()
    rest = owner.get(CARDS, limit=2, cursor=first["next_cursor"]).json()
    assert [each["id"] for each in first["cards"] + rest["cards"]] == ids
    assert rest["next_cursor"] is None
    by = {"state": "revoked", "staff": "s-1", "store": "kreuzberg"}
    found = {
        name: [each["id"] for each in owner.get(CARDS, **{name: value}).json()["cards"]] for name, value in by.items()
    }
    assert found == {"state": ids[:1], "staff": [ids[1]], "store": []}


def test_a_key_of_one_store_sees_its_cards_and_changes_none(owner: Person, mitte: Person) -> None:
    here, there = created(owner), created(owner, staff="noor", store="kreuzberg")
    assert [each["id"] for each in mitte.get(CARDS).json()["cards"]] == [here["id"]]
    assert mitte.get(f"{CARDS}/{here['id']}").status_code == 200
    assert mitte.get(f"{CARDS}/{there['id']}").status_code == 404
    assert mitte.get(CARDS, store="kreuzberg").status_code == 422
    tried = [
        mitte.post(CARDS, {"profile": EMMA}),
        mitte.put(f"{CARDS}/{here['id']}", {"profile": EMMA}),
        mitte.put(f"{CARDS}/{here['id']}/state", {"state": "paused"}),
        mitte.delete(f"{CARDS}/{here['id']}"),
        mitte.delete(f"{CARDS}/{here['id']}/photo"),
        mitte.post(f"{CARDS}/{here['id']}/invites", {}),
        mitte.put("/v1/brands/linden-rye/card-template", {}),
    ]
    assert {each.status_code for each in tried} == {403}
    assert owner.get(f"{CARDS}/{here['id']}").json() == here


def test_a_photo_is_put_and_taken_away(owner: Person) -> None:
    card = created(owner)
    path = f"{CARDS}/{card['id']}"
    assert owner.ask("PUT", f"{path}/photo", content=a_square("red")).status_code == 204
    assert owner.get(path).json()["photo_url"] == f"{card['url']}/photo.jpg"
    assert owner.ask("PUT", f"{path}/photo", content=b"no picture").status_code == 422
    assert owner.delete(f"{path}/photo").status_code == 204
    assert owner.get(path).json()["photo_url"] is None


def test_a_template_is_put_and_shown_with_its_defaults(owner: Person) -> None:
    path = "/v1/brands/linden-rye/card-template"
    assert owner.get(path).json()["locked"] == ["title", "department"]
    assert owner.put(path, {"organisation": "L&R", "locked": ["photo"]}).status_code == 204
    assert {name: owner.get(path).json()[name] for name in ("organisation", "locked", "consent_version")} == {
        "organisation": "L&R",
        "locked": ["photo"],
        "consent_version": "1",
    }


def test_a_template_changes_all_cards_of_its_brand(owner: Person) -> None:
    card = created(owner)
    owner.put("/v1/brands/linden-rye/card-template", {"organisation": "L&R"})
    assert owner.get(f"{CARDS}/{card['id']}").json()["changed_at"] >= card["changed_at"]
    assert owner.get(f"{CARDS}/{card['id']}").headers["etag"] != ""


# --- two at once


def cards(engine: Engine) -> int:
    with engine.connect() as conn:
        return conn.scalar(select(func.count()).select_from(Card)) or 0


def test_of_two_who_create_one_card_at_once_one_does(owner: Person, engine: Engine) -> None:
    for body in ({"staff": "emma", "profile": EMMA}, {"staff": "nobody-yet", "profile": EMMA}):
        statuses = at_once(8, lambda _, body=body: owner.post(CARDS, body).status_code)  # type: ignore[misc]
        assert sorted(statuses) == [201] + [409] * 7
    assert cards(engine) == 2


def test_without_the_constraint_each_would(owner: Person, engine: Engine) -> None:
    """The control: it is the unique member of staff that decides."""
    with engine.begin() as conn:
        conn.execute(text("DROP INDEX uq_cards_staff_id"))
    statuses = at_once(8, lambda _: owner.post(CARDS, {"staff": "emma", "profile": EMMA}).status_code)
    assert (statuses, cards(engine)) == ([201] * 8, 8)


def test_two_new_people_of_one_name_get_a_card_each(owner: Person, engine: Engine) -> None:
    staff = at_once(4, lambda _: owner.post(CARDS, {"profile": {"name": "Zoë"}}).json()["staff"])
    assert sorted(staff) == ["zoe", "zoe-2", "zoe-3", "zoe-4"]


# --- what cannot be


@on_sqlite
@pytest.mark.parametrize(
    "body, pointers",
    [
        ({}, ["/profile"]),
        ({"profile": None}, ["/profile"]),
        ({"profile": []}, ["/profile"]),
        ({"profile": {}}, ["/profile"]),
        ({"profile": {"name": "a\r\nTEL:1"}}, ["/profile/name"]),
        ({"profile": {"name": "\u0000"}}, ["/profile/name"]),
        ({"profile": {"name": "a" * 10_000}}, ["/profile/name"]),
        ({"profile": {"name": "a", "phones": [{"number": "x"}]}}, ["/profile/phones/0/number"]),
        ({"profile": {"name": "a", "photo": "x"}}, ["/profile/photo"]),
        ({"profile": EMMA, "brand": "moor"}, ["/brand"]),
        ({"profile": EMMA, "store": "nowhere"}, ["/store"]),
        ({"profile": EMMA, "state": "revoked"}, ["/state"]),
        ({"profile": EMMA, "staff": "Emma Lind"}, ["/staff"]),
    ],
    ids=str,
)
def test_what_is_wrong_with_a_card_is_told_by_its_field(
    owner: Person, engine: Engine, body: JSON, pointers: list[str]
) -> None:
    answer = owner.post(CARDS, body)
    assert answer.status_code == 422
    assert [each["pointer"] for each in answer.json()["errors"]] == pointers
    assert cards(engine) == 0


def test_a_merchant_of_several_brands_has_to_name_one(owner: Person) -> None:
    owner.put("/v1/brands/second", {"name": "Second"})
    answer = owner.post(CARDS, {"staff": "noor", "profile": EMMA})
    assert answer.json()["errors"][0]["pointer"] == "/brand"
    assert created(owner, staff="noor", store=None, brand="second")["brand"] == "second"
