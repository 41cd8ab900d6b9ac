"""The receipt's page in a real browser: what a shopper does with it, on every screen, with and without scripts."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect

from accounts import keys
from cli import demo_shops
from infra import database, schema
from infra.settings import Data
from infra.storage import open_storage
from kernel.clock import utc_now
from kernel.ids import new_token
from tests.support import gallery
from tests.support.gallery import GALLERY
from tests.support.served import served
from tests.support.shopper import Shopper, require_fits, scanned, somebody


@dataclass(frozen=True)
class Site:
    address: str
    # Each exhibit's page, by its name, with the address in front.
    pages: dict[str, str]
    # May post receipts for the demo's first shop.
    key: str


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    data = Data(data_dir=tmp_path_factory.mktemp("site"))
    schema.bring_up_to_date(data.where_database())
    engine = database.connect(data.where_database())
    with engine.begin() as conn:
        shops = demo_shops.put_all(conn, open_storage(data), now=utc_now())
        paths = gallery.put_all(conn, shops)
        key, _ = keys.create(conn, shops[demo_shops.MAIN], name="till", scopes=["receipts:write"], now=utc_now())
    engine.dispose()
    with served(data) as address:
        yield Site(address, {name: address + path for name, path in paths.items()}, key)


@pytest.fixture
def shopper(chromium: Browser) -> Iterator[Shopper]:
    yield from somebody(chromium)


@pytest.fixture
def scriptless(chromium: Browser) -> Iterator[Shopper]:
    """The same without JavaScript."""
    yield from somebody(chromium, java_script_enabled=False)


def test_a_shopper_opens_a_receipt_and_nothing_complains(site: Site, shopper: Shopper) -> None:
    shopper.page.goto(site.pages["sale"])
    expect(shopper.page).to_have_title("Receipt 000417 · Linden & Rye")
    expect(shopper.page.get_by_role("heading", level=1)).to_have_text("Receipt 000417")
    expect(shopper.page.locator(".figure .spoken")).to_have_text("€30.62")
    shopper.page.wait_for_load_state("networkidle")
    assert shopper.complaints == []


@pytest.mark.parametrize("name", ["sale", "invoice"])
def test_everything_comes_from_us_and_little_of_it(site: Site, shopper: Shopper, name: str) -> None:
    """What is needed for the first sight fits the first flight of 14 KB, all of it is below 40 KB."""
    shopper.page.goto(site.pages[name])
    shopper.page.locator("nav.languages").scroll_into_view_if_needed()
    shopper.page.click("[popovertarget=qr]")
    shopper.page.wait_for_load_state("networkidle")
    assert all(answer.url.startswith((site.address, "data:")) for answer in shopper.answers)
    critical, whole = shopper.weight(site.pages[name])
    assert 0 < critical <= 14_000
    assert whole < 40_000
    assert shopper.context.cookies() == []


def test_a_line_unfolds(site: Site, shopper: Shopper) -> None:
    shopper.page.goto(site.pages["sale"])
    serial = shopper.page.get_by_text("BK-77120")
    expect(serial).to_be_hidden()
    shopper.page.get_by_text("Bread knife").click()
    expect(serial).to_be_visible()


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without"])
def test_the_language_is_switched_by_a_link(site: Site, chromium: Browser, scripts: bool) -> None:
    for shopper in somebody(chromium, java_script_enabled=scripts):
        shopper.page.goto(site.pages["sale"])
        shopper.page.get_by_role("link", name="Deutsch").click()
        expect(shopper.page.get_by_role("heading", level=1)).to_have_text("Beleg 000417")
        expect(shopper.page.locator("html")).to_have_attribute("lang", "de")
        expect(shopper.page.locator(".total dd")).to_have_text("30,62\u00a0€")


def test_without_scripts_nothing_is_missing_but_the_print_button(site: Site, scriptless: Shopper) -> None:
    page = scriptless.page
    page.goto(site.pages["sale"])
    page.get_by_text("Bread knife").click()
    expect(page.get_by_text("BK-77120")).to_be_visible()
    expect(page.get_by_role("button", name="Print")).to_be_hidden()
    expect(page.get_by_role("link", name="Share")).to_have_attribute("href", re.compile("^mailto:.*body=http"))
    page.get_by_role("button", name="QR code").click()
    expect(page.get_by_role("heading", name="Scan to open this receipt")).to_be_visible()
    page.get_by_role("button", name="Close").click()
    expect(page.get_by_role("heading", name="Scan to open this receipt")).to_be_hidden()


def test_sharing_copies_the_link_where_the_browser_cannot_share(site: Site, shopper: Shopper) -> None:
    shopper.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=site.address)
    page = shopper.page
    page.add_init_script("delete Navigator.prototype.share")
    page.goto(site.pages["sale"])
    page.get_by_role("link", name="Share").click()
    expect(page.get_by_role("status")).to_have_text("Link copied")
    assert page.evaluate("navigator.clipboard.readText()") == site.pages["sale"].partition("?")[0]


def test_sharing_uses_the_browsers_own_where_it_has_one(site: Site, shopper: Shopper) -> None:
    page = shopper.page
    page.add_init_script("Navigator.prototype.share = async (what) => { window.shared = what }")
    page.goto(site.pages["sale"])
    page.get_by_role("link", name="Share").click()
    assert page.evaluate("shared.url") == site.pages["sale"].partition("?")[0]


def test_the_printed_page_has_all_details_and_no_buttons(site: Site, shopper: Shopper) -> None:
    page = shopper.page
    page.goto(site.pages["sale"])
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    expect(page.get_by_text("BK-77120")).to_be_visible()
    expect(page.get_by_role("link", name="PDF")).to_be_hidden()
    expect(page.get_by_role("navigation")).to_be_hidden()
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    page.emulate_media(media="screen")
    expect(page.get_by_text("BK-77120")).to_be_hidden()


def test_the_pdf_is_downloaded(site: Site, shopper: Shopper) -> None:
    shopper.page.goto(site.pages["sale"])
    with shopper.page.expect_download() as started:
        shopper.page.get_by_role("link", name="PDF").click()
    assert started.value.path().read_bytes().startswith(b"%PDF-")


@pytest.mark.parametrize("name", GALLERY)
def test_no_screen_is_too_narrow(site: Site, shopper: Shopper, name: str) -> None:
    page = shopper.page
    page.goto(site.pages[name])
    require_fits(page)
    assert page.locator(".slip").bounding_box()["width"] <= 448  # type: ignore[index]


@pytest.mark.parametrize("name", GALLERY)
def test_axe_finds_nothing_by_day_and_by_night(site: Site, shopper: Shopper, name: str) -> None:
    shopper.page.goto(site.pages[name])
    for scheme in ("light", "dark"):
        shopper.page.emulate_media(color_scheme=scheme)
        found = Axe().run(shopper.page)
        assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize("path", ["/r/nothing", f"/r/{new_token()}"], ids=["nothing here", "on its way"])
def test_axe_finds_nothing_on_the_pages_around_it(site: Site, shopper: Shopper, path: str) -> None:
    shopper.page.goto(site.address + path)
    found = Axe().run(shopper.page)
    assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize("name", ["sale", "picnic", "arabic"])
def test_a_finger_hits_what_it_aims_at(site: Site, shopper: Shopper, name: str) -> None:
    """WCAG 2.2, 2.5.8: 24 pixels each way."""
    shopper.page.goto(site.pages[name])
    targets = shopper.page.locator("a:visible, button:visible, summary:visible").all()
    boxes = {target.inner_text(): target.bounding_box() for target in targets}
    assert {text: box for text, box in boxes.items() if box and min(box["width"], box["height"]) < 24} == {}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_codes_can_be_scanned_from_the_screen(site: Site, chromium: Browser, scheme: str, tmp_path: Path) -> None:
    for shopper in somebody(chromium, color_scheme=scheme, device_scale_factor=2):
        page = shopper.page
        page.goto(site.pages["sale"])
        assert scanned(page, ".codes figure", tmp_path) == {"000417"}
        assert scanned(page, ".fiscal", tmp_path) == {"V0;till-3;Kassenbeleg-V1;example"}
        page.get_by_role("button", name="QR code").click()
        assert scanned(page, "#qr", tmp_path) == {site.pages["sale"].partition("?")[0]}


def test_arabic_is_laid_out_from_the_right(site: Site, shopper: Shopper) -> None:
    page = shopper.page
    page.goto(site.pages["arabic"])
    logo, name = (page.locator(selector).bounding_box() for selector in (".brand img", ".brand p"))
    item, price = (page.locator(selector).first.bounding_box() for selector in (".items .name", ".items .price"))
    assert logo
    assert name
    assert item
    assert price
    assert logo["x"] > name["x"]
    assert item["x"] > price["x"]


def test_a_receipt_that_is_on_its_way_shows_itself_once_it_is_there(site: Site, shopper: Shopper) -> None:
    token = new_token()
    shopper.page.goto(f"{site.address}/r/{token}?lang=en")
    expect(shopper.page.get_by_role("heading", level=1)).to_have_text("Your receipt is on its way")
    sale = GALLERY["sale"].sale | {"external_id": token, "number": "000900"}
    answer = httpx.put(
        f"{site.address}/v1/receipts/{token}", json=sale, headers={"Authorization": f"Bearer {site.key}"}
    )
    assert answer.status_code == 201
    expect(shopper.page.get_by_role("heading", level=1)).to_have_text("Receipt 000900")


def test_without_scripts_the_waiting_page_asks_again_by_itself(site: Site, scriptless: Shopper) -> None:
    scriptless.page.goto(f"{site.address}/r/{new_token()}?lang=en")
    assert scriptless.page.locator("meta[http-equiv=refresh]").count() == 1


def test_a_long_receipt_is_whole(site: Site, shopper: Shopper) -> None:
    shopper.page.goto(site.pages["long"])
    assert shopper.page.locator(".items > li").count() == 200


def test_a_refund_and_its_sale_lead_to_each_other(site: Site, shopper: Shopper) -> None:
    shopper.page.goto(site.pages["partly-refunded"])
    expect(shopper.page.get_by_text("€39.00 of €128.00 went back.")).to_be_visible()
    shopper.page.locator(".related a").click()
    expect(shopper.page.get_by_role("heading", level=1)).to_contain_text("Refund")
    shopper.page.locator(".related a").click()
    expect(shopper.page.get_by_role("heading", level=1)).to_have_text("Receipt 000398")
