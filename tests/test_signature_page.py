"""A card's email signature is seen and copied as it will stand below an email."""

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect
from sqlalchemy import Engine

from cards.find import CardRecord
from infra.settings import Settings
from tests.support.cards import a_card
from tests.support.inside import Person, on_sqlite
from tests.support.served import served
from tests.support.shopper import Shopper, somebody, width
from tests.support.shops import Shops


@pytest.fixture
def emma(engine: Engine, shops: Shops) -> CardRecord:
    return a_card(engine, shops)


@pytest.fixture
def staff(chromium: Browser) -> Iterator[Shopper]:
    yield from somebody(chromium)


@on_sqlite
def test_a_signature_is_copied_with_its_looks_and_as_text(emma: CardRecord, settings: Settings, staff: Shopper) -> None:
    page = staff.page
    with served(settings.data) as address:
        staff.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=address)
        page.goto(f"{address}/c/{emma.token}/signature?lang=en")
        expect(page.frame_locator("iframe").get_by_text("Dr. Emma Lind")).to_be_visible()
        page.get_by_role("button", name="Copy signature").click()
        expect(page.get_by_role("status")).to_have_text("Copied")
        assert staff.complaints == []
        page.evaluate(
            "document.addEventListener('paste', (event) => { window.pasted = ['text/html', 'text/plain'].map("
            "(type) => event.clipboardData.getData(type)) })"
        )
        page.keyboard.press("Control+V")
        page.wait_for_function("() => window.pasted")
        html, text = page.evaluate("pasted")
    assert "border-collapse" in html
    assert "Dr. Emma Lind" in text


@on_sqlite
def test_the_page_can_be_used_by_everybody(emma: CardRecord, settings: Settings, staff: Shopper) -> None:
    page = staff.page
    with served(settings.data) as address:
        page.goto(f"{address}/c/{emma.token}/signature?lang=de")
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()
        page.set_viewport_size({"width": 320, "height": 844})
        assert width(page) == 320


def test_what_is_shown_by_itself_may_do_nothing(stranger: Person, emma: CardRecord) -> None:
    answer = stranger.get(f"/c/{emma.token}/signature.html")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "sandbox allow-popups" in policy
    assert stranger.get(f"/c/{emma.token}/signature.txt").text.startswith("-- \nDr. Emma Lind\n")


@pytest.mark.parametrize("form", ["", ".html", ".txt"])
def test_a_revoked_card_signs_nothing(stranger: Person, owner: Person, emma: CardRecord, form: str) -> None:
    owner.delete(f"/v1/cards/{emma.id}").raise_for_status()
    assert stranger.get(f"/c/{emma.token}/signature{form}").status_code == 410
