"""The page ``/verify`` in a real browser: with and without scripts, on every screen, by day and by night."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from cli import demo_shops
from infra import database
from infra.settings import Data
from infra.storage import open_storage
from kernel.clock import utc_now
from tests.support import gallery
from tests.support.served import served

PHONE = {"width": 390, "height": 844}


@dataclass(frozen=True)
class Site:
    address: str
    # Paths of exhibits, by their names.
    paths: dict[str, str]

    def document(self, name: str) -> bytes:
        return httpx.get(f"{self.address}{self.paths[name]}.json").content


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    data = Data(data_dir=tmp_path_factory.mktemp("site"))
    database.migrate(data.where_database())
    engine = database.connect(data.where_database())
    with engine.begin() as conn:
        shops = demo_shops.put_all(conn, open_storage(data), now=utc_now())
        paths = gallery.put_all(conn, shops)
    engine.dispose()
    with served(data) as address:
        yield Site(address, {name: path.partition("?")[0] for name, path in paths.items()})


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """Whoever complains on the console fails the test."""
    yield from opened(chromium)


def opened(chromium: Browser, **options: Any) -> Iterator[Page]:
    context = chromium.new_context(**{"viewport": PHONE, "reduced_motion": "reduce"} | options)
    complaints: list[str] = []
    page = context.new_page()
    page.on("console", lambda said: complaints.append(said.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    context.close()
    assert complaints == []


def file(content: bytes, name: str = "receipt.json") -> Any:
    return {"name": name, "mimeType": "application/json", "buffer": content}


def present(page: Page, site: Site, content: bytes | str, language: str = "en") -> None:
    """Fill in the form and send it."""
    page.goto(f"{site.address}/verify?lang={language}")
    if isinstance(content, bytes):
        page.set_input_files("#file", file(content))
    else:
        page.fill("#text", content)
    page.locator("button[type=submit]").click()


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without"])
def test_a_receipt_leads_to_the_page_and_is_found_genuine(site: Site, chromium: Browser, scripts: bool) -> None:
    for page in opened(chromium, java_script_enabled=scripts):
        page.goto(f"{site.address}{site.paths['partly-refunded']}?lang=en")
        page.get_by_role("link", name="Is this receipt genuine?").click()
        page.get_by_label("PDF or JSON file").set_input_files(file(site.document("partly-refunded")))
        page.get_by_role("button", name="Check").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("This receipt is genuine")
        expect(page.get_by_text("€39.00 of €128.00 went back.")).to_be_visible()
        page.get_by_label("or a link").fill(site.address + site.paths["sale"])
        page.get_by_role("button", name="Check").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("This link is genuine")


def test_a_file_may_be_dropped_on_the_page(site: Site, page: Page) -> None:
    page.goto(f"{site.address}/verify?lang=en")
    text = site.document("sale").decode().replace("30.62", "3.62")
    page.evaluate(
        """(text) => {
          const dataTransfer = new DataTransfer();
          dataTransfer.items.add(new File([text], "receipt.json"));
          document.body.dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true }));
        }""",
        text,
    )
    expect(page.get_by_role("heading", level=1)).to_have_text("This receipt was changed")


def test_every_answer_fits_every_screen_and_axe_finds_nothing(site: Site, page: Page) -> None:
    """A genuine one that is far too wide, one that was changed, one that cannot be told; and the form."""
    genuine = site.document("huge")
    for content, language in (
        (b"", "ar"),
        (genuine, "ar"),
        (genuine, "en"),
        (genuine[:-9] + b'"}}', "en"),
        (b"{}", "en"),
    ):
        present(page, site, content, language)
        for width in (320, 1280, 390):
            page.set_viewport_size({"width": width, "height": 844})
            assert page.evaluate("document.documentElement.scrollWidth") == width
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            found = Axe().run(page)
            assert found.violations_count == 0, found.generate_report()


def test_the_answer_has_what_the_form_was_sent_in(site: Site, page: Page) -> None:
    present(page, site, site.document("arabic"), "ar")
    expect(page.locator("html")).to_have_attribute("dir", "rtl")
    label, value = (page.locator(f".proved {part}").first.bounding_box() for part in ("dt", "dd"))
    assert label
    assert value
    assert label["x"] > value["x"]
