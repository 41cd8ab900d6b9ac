"""What a phone has to fetch for the pages of a receipt and of a card, and what Lighthouse and axe say of them."""

import json
import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from io import BytesIO
from pathlib import Path

import httpx
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Browser, sync_playwright

from bench.intake import SALE, shop
from bench.load import served
from bench.pages import posted
from bench.table import Limit, Row
from kernel.clock import iso, utc_now
from tests.support import browser
from tests.support.campaigns import campaign
from tests.support.cards import EMMA
from tests.support.shopper import somebody

_LIGHTHOUSE = "lighthouse@12.8.2"
_CATEGORIES = ("performance", "accessibility", "best-practices")


def rows(_seconds: float) -> Iterator[Row]:
    with shop() as env, served("bench.apps:real", env=env) as address, _calling(address, env) as caller:
        yield from _of_page("receipt", f"{address}/r/{posted(address, env)}?lang=de")
        yield from _of_page("card", f"{address}/c/{_carded(caller)}?lang=de")
        yield from _of_page("receipt that asks, offers and gives", f"{address}/r/{_with_all(caller)}?lang=de")


def _of_page(name: str, url: str) -> Iterator[Row]:
    with sync_playwright() as playwright:
        arguments = list(browser.ARGUMENTS)
        with closing(playwright.chromium.launch(executable_path=browser.executable(), args=arguments)) as chromium:
            critical, whole, violations = _looked_at(chromium, url)
    yield Limit(f"{name}: critical path compressed", critical / 1000, at_most=14, unit="KB")
    yield Limit(f"{name}: everything, with its pictures", whole / 1000, at_most=40, unit="KB")
    yield Limit(f"{name}: axe violations", violations, at_most=0)
    for category, score in _lighthouse(url).items():
        yield Limit(f"{name}: Lighthouse mobile, {category}", score, at_least=100)


@contextmanager
def _calling(address: str, env: dict[str, str]) -> Iterator[httpx.Client]:
    def check(answer: httpx.Response) -> None:
        answer.raise_for_status()

    key = {"Authorization": f"Bearer {env['API_KEY']}"}
    with httpx.Client(base_url=address, headers=key, event_hooks={"response": [check]}) as caller:
        yield caller


def _carded(caller: httpx.Client) -> str:
    """The token of a full card with a photo."""
    card = caller.post("/v1/cards", json={"staff": "emma", "profile": EMMA}).json()
    photo = Image.effect_noise((900, 900), 40).convert("RGB")
    data = BytesIO()
    photo.save(data, "JPEG")
    url = f"/v1/cards/{card['id']}/photo"
    caller.put(url, content=data.getvalue(), headers={"Content-Type": "image/jpeg"})
    return str(card["token"])


def _with_all(caller: httpx.Client) -> str:
    """The token of a receipt with who served, a survey, three offers and a scratch card."""
    caller.post("/v1/surveys", json={"brand": "bench", "event": "transaction"})
    for sku in ("butter", "jam", "honey"):
        product = {
            "name": {"de": sku.title()},
            "price": "5.40",
            "currency": "EUR",
            "link": f"https://shop.example/{sku}",
        }
        caller.put(f"/v1/products/{sku}", json=product)
        caller.post("/v1/offer-rules", json={"kind": "pin", "product": sku})
    given = caller.post("/v1/campaigns", json=campaign()).json()
    caller.put(f"/v1/campaigns/{given['id']}/state", json={"state": "live"})
    sale = json.loads(SALE.read_bytes()) | {"external_id": "with-all", "issued_at": iso(utc_now())}
    return str(caller.post("/v1/receipts", json=sale).json()["token"])


def _looked_at(chromium: Browser, url: str) -> tuple[int, int, int]:
    """Compressed bytes for the first sight of the page (its styles stand inside it), and for all of it; violations."""
    with contextmanager(somebody)(chromium, bypass_csp=True) as shopper:
        shopper.page.goto(url)
        shopper.page.wait_for_load_state("networkidle")
        critical, _ = shopper.weight(url)
        # What is further down comes when it is near.
        shopper.page.evaluate("scrollTo(0, document.body.scrollHeight)")
        shopper.page.wait_for_timeout(2_000)
        return critical, shopper.weight(url)[1], int(Axe().run(shopper.page).violations_count)


def _lighthouse(url: str) -> dict[str, int]:
    """Scores of 100, by category, as Lighthouse's mobile preset gives them."""
    chrome = {"CHROME_PATH": browser.executable() or "", "npm_config_update_notifier": "false"}
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.json")
        command = ["npx", "--yes", _LIGHTHOUSE, url, "--output=json", f"--output-path={report}", "--quiet"]
        command += [
            f"--only-categories={','.join(_CATEGORIES)}",
            f"--chrome-flags=--headless {' '.join(browser.ARGUMENTS)}",
        ]
        subprocess.run(command, env=os.environ | chrome, check=True, capture_output=True)
        categories = json.loads(report.read_text())["categories"]
    return {name: round(categories[name]["score"] * 100) for name in _CATEGORIES}
