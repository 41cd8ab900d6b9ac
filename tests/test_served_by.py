"""The receipt names who served, leads to their card, and takes a rating."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, expect
from sqlalchemy import Engine, select

from cards import links
from cards.find import CardRecord
from cards.tables import CardVisit, ServiceRating
from infra import secrets
from infra.settings import Settings
from tests.support.cards import a_card
from tests.support.inside import Person, on_sqlite
from tests.support.sales import coffee
from tests.support.served import served
from tests.support.shopper import AGENT, Shopper, somebody
from tests.support.shops import Shops

_AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"


@pytest.fixture
def emma(engine: Engine, shops: Shops) -> CardRecord:
    return a_card(engine, shops)


def sold(till: Person, **changes: Any) -> dict[str, Any]:
    answer = till.post("/v1/receipts", coffee(**{"staff": "emma"} | changes))
    return dict(answer.raise_for_status().json())


def page_of(stranger: Person, receipt: dict[str, Any]) -> str:
    return stranger.get(f"/r/{receipt['token']}", lang="en").text


def test_a_receipt_shows_who_served_with_a_link_that_counts_for_it(
    stranger: Person, till: Person, emma: CardRecord, settings: Settings
) -> None:
    receipt = sold(till)
    page = page_of(stranger, receipt)
    assert "You were served by" in page
    [link] = [part.partition('"')[0] for part in page.split('class="face" href="')[1:]]
    query = parse_qs(urlsplit(link.replace("&amp;", "&")).query)
    key = secrets.derived(settings.data, links.PURPOSE)
    assert query["s"] == ["receipt"]
    assert links.receipt_of(key, emma.token, query["r"][0]) == receipt["id"]


@pytest.mark.parametrize("staff", [None, "jonas"])
def test_nobody_is_shown_who_is_not_named_or_has_no_card(
    stranger: Person, till: Person, owner: Person, emma: CardRecord, staff: str | None
) -> None:
    owner.put("/v1/staff/jonas", {"name": "Jonas"}).raise_for_status()
    assert "You were served by" not in page_of(stranger, sold(till, staff=staff))


@pytest.mark.parametrize("state", ["paused", "revoked"])
def test_a_card_that_is_put_away_vanishes_from_receipts(
    stranger: Person, till: Person, owner: Person, emma: CardRecord, state: str
) -> None:
    receipt = sold(till)
    assert "You were served by" in page_of(stranger, receipt)
    if state == "paused":
        owner.put(f"/v1/cards/{emma.id}/state", {"state": "paused"}).raise_for_status()
    else:
        owner.delete(f"/v1/cards/{emma.id}").raise_for_status()
    assert "You were served by" not in page_of(stranger, receipt)


def test_a_rating_is_shown_and_the_last_one_holds(
    stranger: Person, till: Person, emma: CardRecord, engine: Engine
) -> None:
    receipt = sold(till)
    for score in ("2", "5"):
        answer = stranger.ask(
            "POST", f"/r/{receipt['token']}/service?lang=en", data={"score": score}, headers={"User-Agent": AGENT}
        )
        assert (answer.status_code, answer.headers["location"]) == (303, f"/r/{receipt['token']}?lang=en#card")
    with engine.connect() as conn:
        assert list(conn.execute(select(ServiceRating.receipt_id, ServiceRating.score))) == [(receipt["id"], 5)]
    assert page_of(stranger, receipt).count('class="given"') == 5


@pytest.fixture
def shopper(chromium: Browser) -> Iterator[Shopper]:
    yield from somebody(chromium, user_agent=_AGENT)


@on_sqlite
def test_a_shopper_saves_the_contact_of_who_served_and_rates_them(
    till: Person, emma: CardRecord, settings: Settings, engine: Engine, shopper: Shopper
) -> None:
    receipt = sold(till)
    page = shopper.page
    with served(settings.data) as address:
        page.goto(f"{address}/r/{receipt['token']}?lang=en")
        with page.expect_download() as started, page.expect_response("**/beacon"):
            page.get_by_role("link", name="Save contact").click()
        assert started.value.path().read_bytes().startswith(b"BEGIN:VCARD")
        page.get_by_role("button", name="4 stars").click()
        expect(page.get_by_text("Thank you for your rating")).to_be_visible()
        expect(page.get_by_role("button", name="4 stars")).to_have_attribute("aria-pressed", "true")
        with page.expect_response(lambda answer: '"view"' in (answer.request.post_data or "")):
            page.locator(".face").click()
            expect(page.get_by_role("heading", level=1)).to_have_text("Dr. Emma Lind")
    with engine.connect() as conn:
        visits = set(conn.execute(select(CardVisit.receipt_id, CardVisit.act)))
    assert visits >= {(receipt["id"], "save"), (receipt["id"], "view")}
    assert shopper.complaints == []
