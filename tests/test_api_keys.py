"""Keys over the API: shown once, never able to do more than who made them, and dead when revoked."""

from typing import Any

import pytest
from sqlalchemy import Engine, select

from accounts import keys
from accounts.keys import Caller
from accounts.tables import ApiKey
from cli.demo import new_key
from kernel.clock import utc_now
from kernel.errors import Forbidden
from tests.support.inside import Inside, Person, on_sqlite
from tests.support.sales import coffee
from tests.support.shops import ALL, Shops

KEYS = "/v1/keys"


def created(person: Person, **wish: Any) -> dict[str, Any]:
    answer = person.post(KEYS, {"name": "Till 3", "scopes": ["receipts:write"]} | wish)
    assert answer.status_code == 201, answer.text
    key: dict[str, Any] = answer.json()
    return key


def test_a_key_is_shown_once(owner: Person) -> None:
    key = created(owner)
    assert key["key"].startswith("cf_live_")
    assert len(key["key"]) == 40
    listed = owner.get(KEYS)
    assert key["key"] not in listed.text
    (found,) = [each for each in listed.json()["keys"] if each["id"] == key["id"]]
    assert found == {name: value for name, value in key.items() if name != "key"}
    assert key["key"].startswith(found["hint"].removesuffix("…"))


def test_only_a_hash_of_a_key_is_kept(owner: Person, shops: Shops, engine: Engine) -> None:
    key = created(owner)["key"]
    with engine.connect() as conn:
        kept = str(conn.execute(select(ApiKey.__table__)).all())
    for secret in (key, shops.owner, shops.till):
        assert secret not in kept
        assert secret.removeprefix("cf_live_")[4:] not in kept


def test_a_key_does_what_its_scopes_say_and_no_more(owner: Person, inside: Inside) -> None:
    writer = Person(inside, created(owner)["key"])
    assert writer.post("/v1/receipts", coffee()).status_code == 201
    assert [writer.get(path).status_code for path in ("/v1/receipts", "/v1/brands", KEYS)] == [403, 403, 403]


def test_a_key_may_be_bound_to_a_store_or_a_till(owner: Person, inside: Inside) -> None:
    store = created(owner, store="kreuzberg")
    till = created(owner, store="mitte", till="till-1")
    assert (store["till_id"], bool(store["store_id"])) == (None, True)
    assert till["till_id"]
    assert Person(inside, store["key"]).post("/v1/receipts", coffee(store="mitte")).status_code == 403
    assert Person(inside, till["key"]).post("/v1/receipts", coffee(till="till-1")).status_code == 201


@on_sqlite
@pytest.mark.parametrize(
    "wish, status, pointer",
    [
        ({"till": "till-1"}, 422, "/store"),
        ({"store": "nowhere"}, 404, None),
        ({"store": "mitte", "till": "till-9"}, 404, None),
        ({"scopes": []}, 422, "/scopes"),
        ({"scopes": ["receipts:delete"]}, 422, "/scopes"),
        ({"scopes": "receipts:write"}, 422, "/scopes"),
        ({"name": ""}, 422, "/name"),
        ({"merchant": "moor"}, 422, "/merchant"),
    ],
)
def test_a_key_that_cannot_be_is_refused(owner: Person, wish: dict[str, Any], status: int, pointer: str | None) -> None:
    answer = owner.post(KEYS, {"name": "Till 3", "scopes": ["receipts:write"]} | wish)
    assert answer.status_code == status
    assert [error["pointer"] for error in answer.json().get("errors", [])] == ([pointer] if pointer else [])


def test_nobody_makes_a_key_that_may_do_more_than_their_own(owner: Person, inside: Inside) -> None:
    keeper = Person(inside, created(owner, scopes=["keys:write", "receipts:read"])["key"])
    assert keeper.post(KEYS, {"name": "more", "scopes": ["receipts:write"]}).status_code == 403
    assert keeper.post(KEYS, {"name": "same", "scopes": ["receipts:read"]}).status_code == 201


def test_a_bound_key_makes_lists_and_revokes_none(owner: Person, inside: Inside) -> None:
    key = created(owner, scopes=["keys:write"], store="mitte")
    keeper = Person(inside, key["key"])
    assert keeper.post(KEYS, {"name": "wider", "scopes": ["keys:write"]}).status_code == 403
    assert keeper.get(KEYS).status_code == 403
    assert keeper.delete(f"{KEYS}/{key['id']}").status_code == 403


def test_a_revoked_key_is_dead_at_once(owner: Person, inside: Inside) -> None:
    key = created(owner, scopes=["receipts:read"])
    till = Person(inside, key["key"])
    assert till.get("/v1/receipts").status_code == 200
    assert [owner.delete(f"{KEYS}/{key['id']}").status_code for _ in range(2)] == [204, 204]
    assert till.get("/v1/receipts").status_code == 401
    (found,) = [each for each in owner.get(KEYS).json()["keys"] if each["id"] == key["id"]]
    assert found["revoked_at"] is not None


def test_a_key_may_revoke_itself(owner: Person, inside: Inside) -> None:
    key = created(owner, scopes=["keys:write"])
    keeper = Person(inside, key["key"])
    assert keeper.delete(f"{KEYS}/{key['id']}").status_code == 204
    assert keeper.get(KEYS).status_code == 401


def test_the_keys_of_another_merchant_are_not_there(owner: Person, outsider: Person) -> None:
    key = created(owner)
    assert outsider.delete(f"{KEYS}/{key['id']}").status_code == 404
    assert key["id"] not in outsider.get(KEYS).text
    assert [each["scopes"] for each in outsider.get(KEYS).json()["keys"]] == [sorted(ALL)]


def test_a_key_is_not_found_by_its_beginning_or_its_case(owner: Person, shops: Shops, inside: Inside) -> None:
    for almost in (shops.owner[:-1], shops.owner + "x", shops.owner.swapcase(), shops.owner.replace("live", "test")):
        assert Person(inside, almost).get("/v1/merchant").status_code == 401


def test_each_start_of_the_demo_has_one_key_and_says_that_the_last_one_is_revoked(engine: Engine, shops: Shops) -> None:
    def started() -> list[str]:
        with engine.begin() as conn:
            return new_key(conn, shops.linden, now=utc_now())

    first, second = started(), started()
    assert [line.partition(": ")[0] for line in (*first, *second)] == ["api key", "note", "api key"]
    with engine.connect() as conn:
        of_demo = [each for each in keys.list_keys(conn, shops.linden) if each.name == "demo"]
    [active] = [each for each in of_demo if not each.revoked_at]
    assert second[-1].removeprefix("api key: ").startswith(active.hint)


def test_what_belongs_to_the_whole_merchant_takes_its_scope_and_a_key_of_no_store() -> None:
    scopes = frozenset({"offers:read"})
    Caller("key_1", "mer_1", scopes).require_whole("offers:read")
    with pytest.raises(Forbidden, match="the scope offers:write"):
        Caller("key_1", "mer_1", scopes).require_whole("offers:write")
    with pytest.raises(Forbidden, match="not bound to a store or till"):
        Caller("key_1", "mer_1", scopes, store_id="sto_1").require_whole("offers:read")
