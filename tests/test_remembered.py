"""What is remembered is never older than a change that was told, not even where it was being read meanwhile."""

import asyncio
import threading

import pytest
from sqlalchemy import Engine, text

from accounts import keys
from accounts.find import BrandLook, brand_look
from accounts.keys import Caller
from api.brand_looks import BrandLooks
from api.key_ring import KeyRing
from api.page_cache import PageCache, Rendered
from infra.changes import Changes, Remembered
from infra.database import reading
from kernel.errors import Unauthorized
from tests.support.inside import Inside, Person, on_sqlite
from tests.support.sales import coffee
from tests.support.shops import OPENED, Shops


def test_a_value_is_remembered_until_something_changes() -> None:
    known: Remembered[str] = Remembered(seconds=60)
    known.put("name", "before", known.mark())
    assert known.get("name") == "before"
    known.forget()
    assert known.get("name") is None


def test_a_value_is_remembered_no_longer_than_its_time() -> None:
    known: Remembered[str] = Remembered(seconds=0)
    known.put("name", "before", known.mark())
    assert known.get("name") is None


def test_what_was_read_before_a_change_and_put_after_it_is_not_believed() -> None:
    known: Remembered[str] = Remembered(seconds=60)
    mark = known.mark()
    known.forget()
    known.put("name", "before", mark)
    assert known.get("name") is None


def test_a_change_of_one_subject_leaves_the_others_alone() -> None:
    changes = Changes()
    mark = changes.mark()
    changes.tell("this")
    assert changes.since(mark, "this")
    assert not changes.since(mark, "that")
    changes.tell_all()
    assert changes.since(mark, "that")


def test_of_too_many_changes_none_is_missed() -> None:
    changes = Changes(most=2)
    mark = changes.mark()
    for subject in ("first", "second", "third"):
        changes.tell(subject)
    assert all(changes.since(mark, subject) for subject in ("first", "second", "third"))
    assert not changes.since(changes.mark(), "first")


def test_a_key_that_is_revoked_while_it_is_looked_up_works_no_longer(
    engine: Engine, shops: Shops, monkeypatch: pytest.MonkeyPatch
) -> None:
    ring, read, revoked = KeyRing(engine, seconds=60), threading.Event(), threading.Event()
    asked = ring._asked

    def slowly(key: str) -> Caller:
        caller = asked(key)
        read.set()
        assert revoked.wait(60)
        return caller

    async def work() -> None:
        monkeypatch.setattr(ring, "_asked", slowly)
        first = asyncio.create_task(ring.caller(shops.reader))
        await asyncio.to_thread(read.wait, 60)
        with engine.begin() as conn:
            key = conn.scalar(text("SELECT id FROM api_keys WHERE hint = :hint"), {"hint": shops.reader[:12]})
            keys.revoke(conn, shops.linden, key, now=OPENED)
        ring.forget()
        revoked.set()
        await first
        with pytest.raises(Unauthorized):
            await ring.caller(shops.reader)

    asyncio.run(work())


@on_sqlite
def test_a_brand_that_changes_while_it_is_read_is_read_again(
    owner: Person, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = owner.post("/v1/receipts", coffee()).json()["token"]
    looks = BrandLooks(seconds=60)

    def changed_meanwhile(*arguments: object) -> BrandLook:
        look = brand_look(*arguments)  # type: ignore[arg-type]
        looks.forget()
        return look

    with reading(engine) as conn:
        monkeypatch.setattr("api.brand_looks.brand_look", changed_meanwhile)
        first = looks.with_record(conn, token)
        monkeypatch.setattr("api.brand_looks.brand_look", brand_look)
        second = looks.with_record(conn, token)
        third = looks.with_record(conn, token)
    assert first is not None
    assert second is not None
    assert third is not None
    assert second[1] is not first[1]
    assert third[1] is second[1]


def page(subject: str) -> Rendered:
    return Rendered(b"a page", "text/html", subject=subject)


def test_a_page_that_was_made_of_what_has_changed_is_not_kept() -> None:
    pages = PageCache()
    mark = pages.mark()
    pages.forget("token")
    pages.put("key", page("token"), mark)
    assert pages.get("key") is None
    pages.put("key", page("token"), pages.mark())
    assert pages.get("key") is not None


def test_a_page_that_was_made_before_all_was_forgotten_is_not_kept() -> None:
    pages = PageCache()
    mark = pages.mark()
    pages.clear()
    pages.put("key", page("token"), mark)
    assert pages.get("key") is None


def test_all_pages_of_one_subject_are_forgotten_and_no_others() -> None:
    pages = PageCache()
    for key, subject in (("1", "this"), ("2", "this"), ("3", "that")):
        pages.put(key, page(subject), pages.mark())
    pages.forget("this")
    assert [pages.get(key) is None for key in ("1", "2", "3")] == [True, True, False]


def test_what_does_not_fit_any_more_goes_with_its_subject() -> None:
    pages = PageCache(most_bytes=30)
    for key in ("1", "2", "3"):
        pages.put(key, page(key), pages.mark())
    pages.forget("1")
    assert [pages.get(key) is None for key in ("1", "2", "3")] == [True, False, False]


def test_a_page_that_has_expired_makes_room_before_memory_is_short() -> None:
    now = [0.0]
    known = PageCache(seconds=2, clock=lambda: now[0])
    known.put("first", Rendered(b"x" * 1000, "text/html"), known.mark())
    now[0] = 3.0
    known.put("second", Rendered(b"x", "text/html"), known.mark())
    assert list(known._entries) == ["second"]


@on_sqlite
def test_an_address_with_words_of_the_readers_choice_does_not_fill_the_memory(owner: Person, inside: Inside) -> None:
    token = owner.post("/v1/receipts", coffee()).json()["token"]
    for number in range(5):
        headers = {"Accept-Language": f"de-{number}, tlh;q=0.{number}"}
        assert owner.ask("GET", f"/r/{token}?utm={number}", headers=headers).status_code == 200
    assert len(inside.app.state.house.pages._entries) == 1
    assert 'lang="en"' in owner.get(f"/r/{token}", lang="en").text
    assert 'lang="de"' in owner.get(f"/r/{token}", lang="de").text
