"""Somebody with a browser."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import zxingcpp
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, Response, expect

from tests.support.waiting import wait_until

PHONE: Final = {"width": 390, "height": 844}
AGENT: Final = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
# Relative to the page's own script, as that asks for it: a module is fetched and run once.
_RUN: Final = "async (name) => { await import(new URL(name, document.querySelector('script[type=module]').src)) }"
_DRAWN: Final = "part => [...part.querySelectorAll('img')].every((each) => each.complete && each.naturalWidth)"


@dataclass
class Shopper:
    """They notice what goes wrong in their browser."""

    context: BrowserContext
    page: Page
    answers: list[Response] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def answered(self, answer: Response) -> None:
        self.answers.append(answer)

    def weight(self, page: str) -> tuple[int, int]:
        """Bytes that came for the first sight of ``page``, and for all of it."""
        sizes = {each.url: int(each.header_value("content-length") or 0) for each in self.answers if each.ok}
        critical = sum(size for url, size in sizes.items() if url == page or url.endswith((".js", ".css")))
        return critical, sum(sizes.values())


def somebody(chromium: Browser, **options: Any) -> Iterator[Shopper]:
    context = chromium.new_context(**{"viewport": PHONE, "reduced_motion": "reduce"} | options)
    shopper = Shopper(context, context.new_page())
    shopper.page.on("response", shopper.answered)
    shopper.page.on("console", lambda said: shopper.complaints.append(said.text))
    shopper.page.on("pageerror", lambda error: shopper.complaints.append(str(error)))
    yield shopper
    context.close()


def wait_for_script(page: Page, name: str) -> None:
    """Until one that comes late has run, such as ``survey.js``: what is pressed before goes the way of who has none."""
    page.evaluate(_RUN, name)


def stop_clock(page: Page) -> None:
    """What a page that is opened then does after a while waits until the test calls ``page.clock.run_for``."""
    page.clock.install(time=0)
    page.clock.pause_at(1)


def open_scratch_card(page: Page, address: str) -> None:
    """Come to the card of a receipt, and wait until it can be scratched."""
    page.goto(address)
    page.locator("#scratch").scroll_into_view_if_needed()
    expect(page.locator(".foil canvas").first).to_be_visible()


def width(page: Page) -> int:
    return int(page.evaluate("document.documentElement.scrollWidth"))


def require_fits(page: Page) -> None:
    """On every screen, with all of it unfolded."""
    page.eval_on_selector_all("details", "all => all.forEach(each => each.open = true)")
    for pixels in (320, 390, 1280):
        page.set_viewport_size({"width": pixels, "height": 844})
        assert width(page) == pixels


def scanned(page: Page, selector: str, folder: Path) -> set[str]:
    """What a phone reads that is held against this part of the screen."""
    part = page.locator(selector)
    part.scroll_into_view_if_needed()
    wait_until(lambda: part.evaluate(_DRAWN))
    picture = folder / "part.png"
    part.screenshot(path=picture)
    return {code.text for code in zxingcpp.read_barcodes(Image.open(picture))}
