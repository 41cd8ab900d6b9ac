"""Offers on a receipt's page: followed to the product and nowhere else, counted once, by people."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from hypothesis import given
from hypothesis import strategies as st
from playwright.sync_api import Browser, expect
from sqlalchemy import Engine, select, text

from engagement.offers import links
from engagement.offers.links import REASONS, Mark
from engagement.offers.tables import OfferCount, OfferTouch
from infra.settings import Settings
from kernel.ids import new_id
from tests.support.inside import Person, on_sqlite
from tests.support.pdf import a_square
from tests.support.products import product, sold, stocked, taught
from tests.support.served import served
from tests.support.shopper import Shopper, somebody, width
from tests.support.shops import OPENED, Shops
from tests.support.visits import PHONE
from tests.support.waiting import wait_until
from tests.test_races import at_once

KEY = b"k" * 32
_AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
ids = st.builds(lambda _: new_id("rct", OPENED), st.integers())


@pytest.fixture
def receipt(owner: Person, engine: Engine, shops: Shops) -> dict[str, Any]:
    """Of rye, with butter and jam beside it; jam has no link."""
    stocked(owner, "Rye", "Butter", link="https://shop.example:8443/butter?from={offer}#it")
    owner.put("/v1/products/jam", product("Jam", link=None, list_price="6.00")).raise_for_status()
    taught(engine, shops.linden, {("rye", "butter"): (2, 37), ("rye", "jam"): (1, 2)})
    return sold(owner, "rye")


def page_of(stranger: Person, receipt: dict[str, Any], language: str = "en") -> str:
    return stranger.get(f"/r/{receipt['token']}", lang=language).text


def marks_on(page: str) -> list[str]:
    return re.findall(r'data-offer="([^"]+)"', page)


def tell(person: Person, act: str, marks: Any, *, agent: str = PHONE, **headers: str) -> int:
    sent = {"User-Agent": agent, "Content-Type": "text/plain;charset=UTF-8", "Sec-Fetch-Site": "same-origin"}
    return person.ask("POST", "/o/beacon", json={"a": act, "o": marks}, headers=sent | headers).status_code


def counted(engine: Engine) -> dict[str, int]:
    with engine.connect() as conn:
        return {f"{row.act} {row.sku}": row.times for row in conn.execute(select(OfferCount.__table__))}


def test_the_page_shows_each_offer_with_its_price_and_its_reason(stranger: Person, receipt: dict[str, Any]) -> None:
    page = page_of(stranger, receipt)
    assert re.findall(r'class="why">([^<]+)', page) == [
        "Bought together 37 times with Rye",
        "Bought together 2 times with Rye",
    ]
    assert "€5.40" in page
    assert "€6.00" in page
    [butter, jam] = marks_on(page)
    assert f'href="/o/{butter}"' in page
    assert f'href="/o/{jam}"' not in page


def test_a_receipt_without_offers_has_no_stub(stranger: Person, owner: Person) -> None:
    assert 'id="offers"' not in page_of(stranger, sold(owner, "rye"))


def test_the_page_may_post_to_where_its_offers_lead_and_nowhere_else(stranger: Person, receipt: dict[str, Any]) -> None:
    policy = stranger.get(f"/r/{receipt['token']}").headers["content-security-policy"]
    assert "form-action 'self' https://shop.example:8443;" in policy


def test_an_offer_leads_to_the_products_own_link_with_its_mark(stranger: Person, receipt: dict[str, Any]) -> None:
    mark = marks_on(page_of(stranger, receipt))[0]
    answer = stranger.get(f"/o/{mark}")
    assert (answer.status_code, answer.headers["location"]) == (302, f"https://shop.example:8443/butter?from={mark}#it")
    assert (answer.headers["cache-control"], answer.headers["referrer-policy"]) == ("no-store", "no-referrer")


def test_to_follow_it_a_hundred_times_writes_nothing(stranger: Person, receipt: dict[str, Any], engine: Engine) -> None:
    marks = marks_on(page_of(stranger, receipt))
    for _ in range(50):
        for mark in marks:
            stranger.ask("GET", f"/o/{mark}", headers={"User-Agent": PHONE})
    with engine.connect() as conn:
        assert conn.execute(select(OfferTouch.receipt_id)).all() == []
    assert counted(engine) == {}


@on_sqlite
def test_what_we_did_not_sign_leads_nowhere(stranger: Person, receipt: dict[str, Any]) -> None:
    mark = marks_on(page_of(stranger, receipt))[0]
    for forged in (mark[:-1] + ("A" if mark[-1] != "A" else "B"), mark.upper(), mark[1:], f"{mark}x", "https:"):
        answer = stranger.get(f"/o/{forged}")
        assert (answer.status_code, "location" in answer.headers) == (404, False)
        assert stranger.ask("POST", f"/o/{forged}").status_code == 404


@on_sqlite
@pytest.mark.parametrize("changes", [{"active": False}, {"link": None}], ids=str)
def test_an_offer_that_is_over_says_so(
    stranger: Person, owner: Person, receipt: dict[str, Any], changes: dict[str, Any]
) -> None:
    mark = marks_on(page_of(stranger, receipt))[0]
    stocked(owner, "Butter", **changes)
    answer = stranger.get(f"/o/{mark}", lang="en")
    assert (answer.status_code, "This offer is over." in answer.text) == (404, True)


def test_each_counts_once_however_often_it_is_told(stranger: Person, receipt: dict[str, Any], engine: Engine) -> None:
    marks = marks_on(page_of(stranger, receipt))
    for _ in range(3):
        assert tell(stranger, "view", marks) == tell(stranger, "tap", marks[:1]) == 204
    assert counted(engine) == {"shown butter": 1, "shown jam": 1, "tapped butter": 1}


def test_many_who_tap_at_once_count_once(stranger: Person, receipt: dict[str, Any], engine: Engine) -> None:
    marks = marks_on(page_of(stranger, receipt))
    assert set(at_once(8, lambda _: tell(stranger, "tap", marks[:1]))) == {204}
    assert counted(engine) == {"shown butter": 1, "tapped butter": 1}


def test_without_the_key_of_touches_it_would_be_several(
    stranger: Person, receipt: dict[str, Any], engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: it is the one row of each receipt and product that decides."""
    monkeypatch.setattr("engagement.offers.taps._is_first", lambda *_: True)
    marks = marks_on(page_of(stranger, receipt))
    at_once(4, lambda _: tell(stranger, "tap", marks[:1]))
    assert counted(engine)["tapped butter"] == 4


@on_sqlite
@pytest.mark.parametrize(
    "agent, headers",
    [
        ("Googlebot/2.1", {}),
        ("curl/8", {}),
        ("", {}),
        (PHONE, {"Sec-Fetch-Site": "cross-site"}),
        (PHONE, {"Sec-Purpose": "prefetch"}),
    ],
    ids=str,
)
def test_robots_and_other_sites_count_nothing(
    stranger: Person, receipt: dict[str, Any], engine: Engine, agent: str, headers: dict[str, str]
) -> None:
    marks = marks_on(page_of(stranger, receipt))
    assert tell(stranger, "tap", marks, agent=agent, **headers) == 204
    followed = stranger.ask("POST", f"/o/{marks[0]}", headers={"User-Agent": agent} | headers)
    assert (followed.status_code, counted(engine)) == (303, {})


@on_sqlite
@pytest.mark.parametrize("body", [{}, [], {"a": "view"}, {"a": ["view"], "o": []}, {"a": "view", "o": [1, None, "x"]}])
def test_what_a_page_of_another_version_tells_is_heard_and_not_counted(
    stranger: Person, engine: Engine, body: Any
) -> None:
    headers = {"User-Agent": PHONE}
    assert stranger.ask("POST", "/o/beacon", json=body, headers=headers).status_code == 204
    assert stranger.ask("POST", "/o/beacon", content=b"{", headers=headers).status_code == 400
    assert stranger.ask("POST", "/o/beacon", content=b'"' + b"x" * 2000, headers=headers).status_code == 413
    assert counted(engine) == {}


def test_the_button_of_who_has_no_script_counts_and_leads_on(
    stranger: Person, receipt: dict[str, Any], engine: Engine
) -> None:
    mark = marks_on(page_of(stranger, receipt))[0]
    answer = stranger.ask("POST", f"/o/{mark}", headers={"User-Agent": PHONE, "Origin": "null"})
    assert (answer.status_code, answer.headers["location"].partition("?")[0]) == (
        303,
        "https://shop.example:8443/butter",
    )
    assert counted(engine) == {"shown butter": 1, "tapped butter": 1}


def test_a_tap_is_told_to_programs_of_the_merchant(
    stranger: Person, owner: Person, receipt: dict[str, Any], engine: Engine
) -> None:
    tell(stranger, "tap", marks_on(page_of(stranger, receipt))[:1])
    with engine.begin() as conn:
        conn.execute(text("UPDATE events SET id = 'evt_0' WHERE kind = 'offer.tapped'"))
    [told] = owner.get("/v1/events", kind="offer.tapped").json()["events"]
    assert (told["receipt_id"], told["data"]) == (receipt["id"], {"sku": "butter", "reason": "together"})


def test_a_picture_is_cut_square_and_goes_with_its_product(stranger: Person, owner: Person) -> None:
    stocked(owner, "Rye")
    put = owner.ask("PUT", "/v1/product-pictures/rye", content=a_square("red"))
    assert put.status_code == 204
    address = owner.get("/v1/products/rye").json()["picture_url"].removeprefix("https://receipts.test")
    shown = stranger.get(address)
    assert (shown.headers["content-type"], shown.content[8:12]) == ("image/webp", b"WEBP")
    assert "immutable" in shown.headers["cache-control"]
    stocked(owner, "Jam")
    owner.ask("PUT", "/v1/product-pictures/jam", content=a_square("red")).raise_for_status()
    storage = owner.inside.app.state.house.storage
    key = address.removeprefix("/media/").replace(".webp", ".jpg")
    owner.delete("/v1/product-pictures/jam").raise_for_status()
    assert storage.exists(key)
    owner.delete("/v1/products/rye").raise_for_status()
    assert not storage.exists(key)


@on_sqlite
def test_what_is_no_picture_is_refused(owner: Person) -> None:
    stocked(owner, "Rye")
    assert owner.ask("PUT", "/v1/product-pictures/rye", content=b"<svg/>").status_code == 422
    assert owner.get("/v1/products/rye").json()["picture_url"] is None


@given(ids, ids, st.sampled_from(sorted(REASONS.values())))
def test_a_mark_is_read_back_and_needs_no_escaping(receipt_id: str, other: str, reason: Any) -> None:
    mark = Mark(receipt_id, other.replace("rct", "prd"), reason)
    told = links.made(KEY, mark)
    assert links.read(KEY, told) == mark
    assert re.fullmatch(links.PATTERN, told)
    assert links.read(b"x" * 32, told) is None


@given(st.text(max_size=80))
def test_nothing_else_is_a_mark(told: str) -> None:
    assert links.read(KEY, told) is None


@pytest.fixture
def shopper(chromium: Browser) -> Iterator[Shopper]:
    yield from somebody(chromium, user_agent=_AGENT)


@on_sqlite
def test_a_shopper_sees_offers_and_taps_one(
    owner: Person, receipt: dict[str, Any], settings: Settings, engine: Engine, shopper: Shopper
) -> None:
    page = shopper.page
    with served(settings.data) as address:
        page.route("https://shop.example:8443/**", lambda route: route.fulfill(body="<h1>Butter</h1>"))
        page.goto(f"{address}/r/{receipt['token']}?lang=en")
        with page.expect_response("**/o/beacon"):
            page.locator("#offers").scroll_into_view_if_needed()
        assert Axe().run(page).response["violations"] == []
        page.get_by_role("link", name="Butter").click()
        expect(page.get_by_role("heading", name="Butter")).to_be_visible()
        # What tells of it outlives the page, and may come after the next one is there.
        wait_until(lambda: "tapped butter" in counted(engine))
    assert counted(engine)["tapped butter"] == counted(engine)["shown butter"] == 1
    assert shopper.complaints == []


@on_sqlite
def test_without_a_script_a_button_stands_there_instead(
    owner: Person, receipt: dict[str, Any], settings: Settings, engine: Engine, chromium: Browser
) -> None:
    context = chromium.new_context(user_agent=_AGENT, java_script_enabled=False, viewport={"width": 320, "height": 600})
    page = context.new_page()
    with served(settings.data) as address:
        page.route("https://shop.example:8443/**", lambda route: route.fulfill(body="<h1>Butter</h1>"))
        page.goto(f"{address}/r/{receipt['token']}?lang=en")
        expect(page.get_by_role("link", name="Butter")).to_be_hidden()
        page.get_by_role("button", name="View Butter").click()
        expect(page.get_by_role("heading", name="Butter")).to_be_visible()
    assert counted(engine) == {"shown butter": 1, "tapped butter": 1}
    context.close()


@on_sqlite
@pytest.mark.parametrize("language", ["en", "de"])
def test_offers_fit_a_narrow_phone(
    receipt: dict[str, Any], settings: Settings, chromium: Browser, language: str
) -> None:
    context = chromium.new_context(viewport={"width": 320, "height": 600})
    page = context.new_page()
    with served(settings.data) as address:
        page.goto(f"{address}/r/{receipt['token']}?lang={language}")
        assert width(page) == 320
    context.close()
