"""The scratch card in the hands of shoppers: by finger, by keyboard, without scripts and on paper."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from infra.settings import Settings
from tests.support.inside import Person, on_sqlite
from tests.support.scratched import CODE, Promoter, sold_now
from tests.support.served import served
from tests.support.shopper import AGENT, Shopper, open_scratch_card, scanned, somebody, width


@pytest.fixture
def shopper(chromium: Browser) -> Iterator[Shopper]:
    yield from somebody(chromium, user_agent=AGENT)


@pytest.fixture
def lively(chromium: Browser) -> Iterator[Shopper]:
    """Somebody who likes motion."""
    yield from somebody(chromium, user_agent=AGENT, reduced_motion="no-preference")


@pytest.fixture
def scriptless(chromium: Browser) -> Iterator[Shopper]:
    yield from somebody(chromium, user_agent=AGENT, java_script_enabled=False)


@pytest.fixture
def receipt(till: Person, promoter: Promoter) -> dict[str, Any]:
    """With a card."""
    promoter.launch()
    return sold_now(till)


@pytest.fixture
def link(receipt: dict[str, Any], settings: Settings) -> Iterator[str]:
    """Of the receipt, as it is served."""
    with served(settings.data) as address:
        yield f"{address}/r/{receipt['token']}?lang=en"


@pytest.fixture
def opened(link: str, shopper: Shopper) -> Page:
    """The receipt before the shopper, with the card in sight."""
    open_scratch_card(shopper.page, link)
    return shopper.page


def rub(page: Page, strokes: int, *, steps: int = 12) -> None:
    """Scratch so many times to and fro, from the top down, as a finger does."""
    box = page.locator(".foil").bounding_box()
    assert box
    left, right, top = box["x"] + 15, box["x"] + box["width"] - 15, box["y"]
    page.mouse.move(left, top + 12)
    page.mouse.down()
    for each in range(strokes):
        page.mouse.move(right if each % 2 == 0 else left, top + 12 + each * 26, steps=steps)
    page.mouse.up()


@on_sqlite
def test_a_shopper_scratches_with_a_finger(
    promoter: Promoter, receipt: dict[str, Any], link: str, lively: Shopper, tmp_path: Path
) -> None:
    page = lively.page
    open_scratch_card(page, link)
    with page.expect_response("**/scratch/**"):
        rub(page, 2)
    expect(page.locator(".under .prize")).to_have_text("€5 off")
    expect(page.get_by_text("Show this code at the till")).to_have_count(0)
    rub(page, 9)
    expect(page.get_by_text("Show this code at the till")).to_be_visible()
    expect(page.locator(".foil canvas")).to_have_count(0)
    code = page.locator(".key").inner_text()
    assert scanned(page, ".coupon .qr", tmp_path) == {code.replace("-", "")}
    with page.expect_response("**/taken"):
        page.get_by_role("button", name="Copy code").click()
    page.reload()
    expect(page.locator(".key")).to_have_text(code)
    assert promoter.card(receipt["id"]).state == "claimed"
    assert [each for each in lively.complaints if "clipboard" not in each.lower()] == []


@on_sqlite
def test_a_shopper_scratches_by_keyboard(
    till: Person, promoter: Promoter, settings: Settings, shopper: Shopper
) -> None:
    promoter.launch(minimum_age=18)
    receipt, page = sold_now(till), shopper.page
    with served(settings.data) as address:
        open_scratch_card(page, f"{address}/r/{receipt['token']}?lang=en")
        page.get_by_role("checkbox").focus()
        page.keyboard.press("Space")
        page.keyboard.press("Tab")
        expect(page.get_by_role("button", name="Reveal the card")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.locator(".ticket")).to_be_focused()
        expect(page.locator(".ticket")).to_contain_text("€5 off")
        assert CODE.fullmatch(page.locator(".key").inner_text())
        assert Axe().run(page).response["violations"] == []
    assert shopper.complaints == []


@on_sqlite
def test_a_shopper_without_scripts_presses_the_button(link: str, scriptless: Shopper) -> None:
    page = scriptless.page
    page.goto(link)
    page.get_by_role("button", name="Reveal the card").click()
    expect(page).to_have_url(f"{link}#scratch")
    expect(page.locator(".prize")).to_have_text("€5 off")
    expect(page.get_by_role("button", name="Copy code")).to_be_hidden()


@on_sqlite
def test_a_touch_that_scrolls_does_not_scratch(promoter: Promoter, receipt: dict[str, Any], opened: Page) -> None:
    assert opened.locator(".foil canvas").first.evaluate("each => getComputedStyle(each).touchAction") == "pan-y"
    opened.locator(".foil").click()
    opened.wait_for_timeout(300)
    assert promoter.card(receipt["id"]).state == "issued"


@on_sqlite
def test_a_card_that_cannot_be_told_gets_its_foil_back(opened: Page) -> None:
    opened.route("**/scratch/**", lambda route: route.abort())
    # One move asks once: no later answer puts the foil back while it is rubbed off.
    rub(opened, 1, steps=1)
    expect(opened.get_by_role("alert")).to_contain_text("did not reach us")
    opened.unroute("**/scratch/**")
    rub(opened, 9)
    expect(opened.get_by_text("Show this code at the till")).to_be_visible()


@on_sqlite
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_card_fits_and_reads_in_every_state(
    till: Person, promoter: Promoter, settings: Settings, chromium: Browser, scheme: Any
) -> None:
    promoter.launch(minimum_age=18)
    receipt = sold_now(till)
    for options in ({"viewport": {"width": 320, "height": 640}}, {"locale": "ar"}):
        for shopper in somebody(chromium, user_agent=AGENT, color_scheme=scheme, **options):
            with served(settings.data) as address:
                page = shopper.page
                open_scratch_card(page, f"{address}/r/{receipt['token']}")
                assert width(page) <= page.viewport_size["width"] if page.viewport_size else True
                assert Axe().run(page).response["violations"] == []


@on_sqlite
def test_the_code_is_printed_and_a_foil_is_not(opened: Page) -> None:
    opened.emulate_media(media="print")
    expect(opened.locator("#scratch")).to_be_hidden()
    opened.emulate_media(media="screen")
    opened.get_by_role("button", name="Reveal the card").click()
    expect(opened.locator(".key")).to_be_visible()
    opened.emulate_media(media="print")
    expect(opened.locator(".key")).to_be_visible()


@on_sqlite
def test_a_free_card_is_printed_with_its_last_day_and_without_its_foil(
    promoter: Promoter, settings: Settings, shopper: Shopper
) -> None:
    campaign, page = promoter.launch(free_entry={"per_shopper": 1}), shopper.page
    with served(settings.data) as address:
        page.goto(f"{address}/campaigns/{campaign}/entry?lang=en")
        page.get_by_label("Email").fill("ada@gmail.com")
        page.get_by_label("I have read the rules").check()
        page.get_by_role("button", name="Give me a card").click()
        expect(page.get_by_role("heading", name="Winter days")).to_be_visible()
        page.emulate_media(media="print")
        expect(page.get_by_text("Scratch it by")).to_be_visible()
        expect(page.locator(".foil")).to_be_hidden()


@on_sqlite
def test_the_first_sight_of_a_receipt_with_a_card_fits_the_first_flight(link: str, shopper: Shopper) -> None:
    page = shopper.page
    page.goto(link)
    page.wait_for_load_state("networkidle")
    critical, _ = shopper.weight(link)
    assert critical <= 14_000
