"""What a phone has to fetch for the pages of a receipt and of a card, and what Lighthouse and axe say of them."""

import json
import os
import re
import subprocess
import tempfile
import urllib.request
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from urllib.parse import urljoin

import httpx
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import sync_playwright

from bench.intake import shop
from bench.load import served
from bench.pages import posted
from bench.table import Limit, Row
from tests.support import browser
from tests.support.cards import EMMA

_LIGHTHOUSE = "lighthouse@12.8.2"
_SCRIPT = re.compile(r'<script type="module" src="([^"]+)"')
_IMAGE = re.compile(r'<img [^>]*src="(/[^"]+)"')
_CATEGORIES = ("performance", "accessibility", "best-practices")


def rows(_seconds: float) -> Iterator[Row]:
    with shop() as env, served("bench.apps:real", env=env) as address:
        yield from _of_page("receipt", f"{address}/r/{posted(address, env)}?lang=de")
        yield from _of_page("card", f"{address}/c/{_carded(address, env)}?lang=de")


def _of_page(name: str, url: str) -> Iterator[Row]:
    page, critical = _critical(url)
    yield Limit(f"{name} page, critical path compressed", critical / 1000, at_most=14, unit="KB")
    whole = critical + sum(len(_get(urljoin(url, image))) for image in _IMAGE.findall(page))
    yield Limit(f"{name} page, everything, with its pictures", whole / 1000, at_most=40, unit="KB")
    yield Limit(f"{name} page, axe violations", _violations(url), at_most=0)
    for category, score in _lighthouse(url).items():
        yield Limit(f"{name} page, Lighthouse mobile, {category}", score, at_least=100)


def _carded(address: str, env: dict[str, str]) -> str:
    """The token of a full card with a photo."""
    key = {"Authorization": f"Bearer {env['API_KEY']}"}
    body = {"staff": "emma", "profile": EMMA}
    card = httpx.post(f"{address}/v1/cards", json=body, headers=key).raise_for_status().json()
    photo = Image.effect_noise((900, 900), 40).convert("RGB")
    data = BytesIO()
    photo.save(data, "JPEG")
    url = f"{address}/v1/cards/{card['id']}/photo"
    httpx.put(url, content=data.getvalue(), headers=key | {"Content-Type": "image/jpeg"}).raise_for_status()
    return str(card["token"])


def _critical(url: str) -> tuple[str, int]:
    """The page's text, and the compressed bytes of the page and its scripts; its styles stand inside it."""
    page = _get(url)
    scripts = [_packed(urljoin(url, source)) for source in _SCRIPT.findall(page.decode())]
    return page.decode(), _packed(url) + sum(scripts)


def _packed(url: str) -> int:
    return len(_get(url, {"Accept-Encoding": "gzip"}))


def _get(url: str, headers: dict[str, str] | None = None) -> bytes:
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers or {})) as answer:
        return bytes(answer.read())


def _violations(url: str) -> int:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser.executable(), args=list(browser.ARGUMENTS))
        page = chromium.new_page(bypass_csp=True, viewport={"width": 390, "height": 844})
        page.goto(url)
        found = Axe().run(page).violations_count
        chromium.close()
        return int(found)


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
