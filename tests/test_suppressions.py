"""Addresses that a merchant writes to no more: listed without themselves, and written to again."""

from datetime import UTC, datetime
from typing import Final

import pytest
from sqlalchemy import Engine, insert

from kernel.ids import digest
from notify.tables import Suppression
from tests.support.inside import Person, on_sqlite
from tests.support.shops import Shops, key_for

SINCE: Final = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)


@pytest.fixture
def stopped(engine: Engine, shops: Shops) -> list[str]:
    """Twelve addresses of Linden & Rye."""
    addresses = [f"person-{number}@example.com" for number in range(12)]
    with engine.begin() as conn:
        conn.execute(insert(Suppression), [row(shops.linden, each) for each in addresses])
        conn.execute(insert(Suppression), [row(shops.moor, addresses[0])])
    return addresses


def row(merchant_id: str, address: str) -> dict[str, object]:
    told = {"channel": "email", "digest": digest(address), "reason": "bounced", "since": SINCE}
    return told | {"merchant_id": merchant_id}


def listed(person: Person, limit: int = 100) -> list[dict[str, str]]:
    """All pages."""
    found, cursor = [], None
    while True:
        query = {"limit": limit} | ({"cursor": cursor} if cursor else {})
        page = person.get("/v1/suppressions", **query).raise_for_status().json()
        found += page["suppressions"]
        cursor = page["next_cursor"]
        if cursor is None:
            return found


def test_suppressions_are_listed_page_by_page_without_addresses(owner: Person, stopped: list[str]) -> None:
    found = listed(owner, limit=5)
    assert {each["address_sha256"] for each in found} == {digest(address) for address in stopped}
    assert len(found) == len(stopped)
    assert found == listed(owner)
    assert {(each["channel"], each["reason"], each["since"]) for each in found} == {
        ("email", "bounced", "2026-11-20T09:30:00Z")
    }
    assert "@" not in str(found)


def test_an_address_is_written_to_again_by_one_merchant(
    owner: Person, outsider: Person, stopped: list[str], till: Person
) -> None:
    address = stopped[0].upper().replace("@", "%40")
    assert owner.delete(f"/v1/suppressions/{address}").status_code == 204
    assert owner.delete(f"/v1/suppressions/{address}").status_code == 404
    assert len(listed(owner)) == len(stopped) - 1
    assert len(listed(outsider)) == 1


def test_an_address_with_a_slash_can_be_taken_off(owner: Person, engine: Engine, shops: Shops) -> None:
    with engine.begin() as conn:
        conn.execute(insert(Suppression), [row(shops.linden, "a/b@example.com")])
    assert owner.delete("/v1/suppressions/a%2Fb%40example.com").status_code == 204


def test_another_channel_is_another_address(owner: Person, stopped: list[str]) -> None:
    assert owner.delete(f"/v1/suppressions/{stopped[0]}?channel=sms").status_code == 404


@on_sqlite
def test_only_keys_of_the_whole_merchant_with_the_scope_may_look_or_change(
    owner: Person, reader: Person, till: Person, engine: Engine, shops: Shops, stopped: list[str]
) -> None:
    with engine.begin() as conn:
        looker = Person(owner.inside, key_for(conn, shops.linden, ["accounts:read"]))
    for person in (reader, till):
        assert person.get("/v1/suppressions").status_code == 403
    assert looker.get("/v1/suppressions").status_code == 200
    for person in (reader, till, looker):
        assert person.delete(f"/v1/suppressions/{stopped[0]}").status_code == 403


@on_sqlite
@pytest.mark.parametrize("query", ["cursor=x", "cursor=email.%00", "limit=0", "limit=101"])
def test_a_list_is_asked_for_rightly(owner: Person, query: str) -> None:
    assert owner.ask("GET", f"/v1/suppressions?{query}").status_code == 422


@on_sqlite
def test_the_address_stands_in_no_log(owner: Person, stopped: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    owner.delete(f"/v1/suppressions/{stopped[0]}")
    told = "".join(capsys.readouterr())
    assert "path=/v1/suppressions/…" in told
    assert "person" not in told
    assert "example.com" not in told
