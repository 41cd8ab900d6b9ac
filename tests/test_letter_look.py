"""A receipt's email in a real browser, standing in for the mail programs that are made of one."""

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Route, expect

from receipts.document import Issuer
from receipts.letter import compose
from tests.support.gallery import GALLERY
from tests.support.records import JUMEIRAH, MITTE, TOKEN, record, related
from tests.test_templates import LOOK

BASE = "https://receipts.test"
SHOWN = ("sale", "picnic", "huge", "arabic", "gift", "refund")


def html_of(name: str) -> str:
    shown = GALLERY[name]
    issuer: Issuer = JUMEIRAH if shown.shop == "noor" else MITTE
    body = {key: value for key, value in shown.sale.items() if key not in ("store", "till", "staff")}
    found = record(body, issuer=issuer, original=related("sale", 3900) if "original" in body else None)
    look = replace(LOOK, colour="#e8b04b" if shown.shop == "noor" else LOOK.colour)
    language = shown.query.removeprefix("lang=")
    return compose(
        found, look, url=f"{BASE}/r/{TOKEN}", base_url=BASE, language=language, stop_url=f"{BASE}/u/x", has_pdf=True
    ).html


@pytest.fixture
def inbox(chromium: Browser) -> Iterator[Page]:
    """A page that has nobody to ask: the email must be whole without."""
    context = chromium.new_context(viewport={"width": 600, "height": 800})
    context.route("**/*", Route.abort)
    yield context.new_page()
    context.close()


@pytest.mark.parametrize("name", SHOWN)
def test_axe_finds_nothing_by_day_and_by_night(inbox: Page, name: str) -> None:
    inbox.set_content(html_of(name))
    for scheme in ("light", "dark"):
        inbox.emulate_media(color_scheme=scheme)
        found = Axe().run(inbox)
        assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize("name", SHOWN)
def test_no_screen_is_too_narrow(inbox: Page, name: str) -> None:
    inbox.set_content(html_of(name))
    for pixels in (320, 600, 1280):
        inbox.set_viewport_size({"width": pixels, "height": 800})
        assert inbox.evaluate("document.documentElement.scrollWidth") == pixels


def test_without_its_style_sheets_it_looks_the_same_by_day(inbox: Page) -> None:
    """Several mail programs leave out every ``<style>``."""
    pictures = []
    for html in (html_of("picnic"), re.sub(r"<style>.*?</style>", "", html_of("picnic"), flags=re.DOTALL)):
        inbox.set_content(html)
        pictures.append(inbox.screenshot(full_page=True))
    assert pictures[0] == pictures[1]


def test_arabic_runs_from_the_right(inbox: Page) -> None:
    inbox.set_content(html_of("arabic"))
    name, price = inbox.locator(".item").first.bounding_box(), inbox.locator(".item.price").first.bounding_box()
    assert name
    assert price
    assert name["x"] > price["x"]


def test_the_first_thing_to_press_opens_the_receipt(inbox: Page) -> None:
    inbox.set_content(html_of("sale"))
    expect(inbox.get_by_role("link").first).to_have_text("Open your receipt")
    expect(inbox.get_by_role("link").first).to_have_attribute("href", f"{BASE}/r/{TOKEN}")
