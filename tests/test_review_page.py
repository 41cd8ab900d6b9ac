"""A shopper reviews what they bought in a real browser: by keyboard, without a script, on a narrow phone, at night."""

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect

from infra.settings import Settings
from tests.support.inside import Person, on_sqlite
from tests.support.reviews import approved, bought, queue
from tests.support.sales import Body
from tests.support.served import served
from tests.support.shopper import Shopper, somebody, width


@pytest.fixture
def shopper(chromium: Browser) -> Iterator[Shopper]:
    yield from somebody(chromium)


@pytest.fixture
def scriptless(chromium: Browser) -> Iterator[Shopper]:
    yield from somebody(chromium, java_script_enabled=False)


@pytest.fixture
def on_a_narrow_phone_at_night(chromium: Browser) -> Iterator[Shopper]:
    yield from somebody(chromium, viewport={"width": 320, "height": 700}, color_scheme="dark")


@pytest.fixture
def receipt(owner: Person, till: Person) -> Body:
    owner.put("/v1/review-settings", {"is_on": True}).raise_for_status()
    owner.put("/v1/brands/linden-rye", {"name": "Linden & Rye", "languages": ["en", "ar"]}).raise_for_status()
    return bought(till)


@on_sqlite
def test_by_keyboard_from_the_receipt_to_thanks_and_back_to_change_it(
    owner: Person, receipt: Body, settings: Settings, shopper: Shopper
) -> None:
    page = shopper.page
    with served(settings.data) as address:
        page.goto(f"{address}/r/{receipt['token']}?lang=en")
        page.get_by_role("link", name="Review what you bought").press("Enter")
        bread = page.get_by_role("group", name="Stars for Rye loaf")
        bread.get_by_role("radio", name="1 star").focus()
        for _ in range(3):
            page.keyboard.press("ArrowRight")
        expect(bread.get_by_role("radio", name="4 stars")).to_be_checked()
        page.get_by_text("Say more").first.click()
        page.get_by_label("Your review").first.fill("Keeps for a week.")
        page.get_by_label("Name to be shown").fill("Anna")
        page.keyboard.press("Enter")
        expect(page.get_by_role("status")).to_contain_text("Thank you")
        expect(page.get_by_text("Somebody will look at it before it is shown.")).to_be_visible()
        expect(bread.get_by_role("radio", name="4 stars")).to_be_checked()
    [found] = queue(owner)
    assert (found["stars"], found["text"], found["display_name"]) == (4, "Keeps for a week.", "Anna")
    assert shopper.complaints == []


@on_sqlite
def test_without_a_script_it_is_the_same(owner: Person, receipt: Body, settings: Settings, scriptless: Shopper) -> None:
    page = scriptless.page
    with served(settings.data) as address:
        page.goto(f"{address}/r/{receipt['token']}/reviews?lang=en")
        page.get_by_role("radio", name="5 stars").first.check(force=True)
        page.get_by_role("button", name="Send").click()
        expect(page.get_by_role("status")).to_contain_text("Thank you")
        page.get_by_role("button", name="Delete this review").click()
        expect(page.get_by_role("button", name="Delete this review")).to_have_count(0)
    assert queue(owner) == []


@on_sqlite
@pytest.mark.parametrize("language", ["en", "ar"])
def test_both_pages_fit_a_narrow_phone_and_bar_nobody(
    owner: Person,
    stranger: Person,
    receipt: Body,
    settings: Settings,
    on_a_narrow_phone_at_night: Shopper,
    language: str,
) -> None:
    words = {"sku-0": "bread", "stars-0": "5", "title-0": "Good " * 20, "text-0": "Unbreakable" * 30}
    stranger.ask("POST", f"/r/{receipt['token']}/reviews?lang=en", data=words)
    approved(owner)
    page = on_a_narrow_phone_at_night.page
    with served(settings.data) as address:
        for path in (f"/r/{receipt['token']}/reviews", "/reviews/linden-rye/bread"):
            page.goto(f"{address}{path}?lang={language}")
            page.eval_on_selector_all("details", "all => all.forEach(each => each.open = true)")
            assert width(page) == 320
            found = Axe().run(page).response["violations"]
            assert [(each["id"], each["nodes"][0]["target"]) for each in found] == []
    assert on_a_narrow_phone_at_night.complaints == []


@on_sqlite
def test_another_site_may_show_what_is_said_of_a_product_in_a_frame(
    owner: Person, stranger: Person, receipt: Body, settings: Settings, shopper: Shopper
) -> None:
    stranger.ask("POST", f"/r/{receipt['token']}/reviews?lang=en", data={"sku-0": "bread", "stars-0": "5"})
    approved(owner)
    page = shopper.page
    with served(settings.data) as address:
        page.goto(f"{address.replace('127.0.0.1', 'localhost')}/healthz")
        page.set_content(f'<iframe src="{address}/reviews/linden-rye/bread?lang=en"></iframe>')
        expect(page.frame_locator("iframe").get_by_text("1 review")).to_be_visible()
        page.set_content(f'<iframe src="{address}/r/{receipt["token"]}/reviews"></iframe>')
        page.wait_for_load_state("networkidle")
        assert page.frames[-1].locator("form").count() == 0
