"""Somebody with a browser."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import zxingcpp
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, Response

PHONE: Final = {"width": 390, "height": 844}
AGENT: Final = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"


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


def width(page: Page) -> int:
    return int(page.evaluate("document.documentElement.scrollWidth"))


def scanned(page: Page, selector: str, folder: Path) -> set[str]:
    """What a phone reads that is held against this part of the screen."""
    part = page.locator(selector)
    part.scroll_into_view_if_needed()
    page.wait_for_load_state("networkidle")
    picture = folder / "part.png"
    part.screenshot(path=picture)
    return {code.text for code in zxingcpp.read_barcodes(Image.open(picture))}
