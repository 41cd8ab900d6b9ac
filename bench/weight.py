"""What a phone has to fetch for a receipt's page, and what Lighthouse and axe say of it."""

import json
import os
import re
import subprocess
import tempfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urljoin

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

from bench.intake import shop
from bench.load import served
from bench.pages import posted
from bench.table import Limit, Row
from tests.support import browser

_LIGHTHOUSE = "lighthouse@12.8.2"
_SCRIPT = re.compile(r'<script type="module" src="([^"]+)"')
_IMAGE = re.compile(r'<img [^>]*src="(/[^"]+)"')
_CATEGORIES = ("performance", "accessibility", "best-practices")


def rows(_seconds: float) -> Iterator[Row]:
    with shop() as env, served("bench.apps:real", env=env) as address:
        url = f"{address}/r/{posted(address, env)}?lang=de"
        page, critical = _critical(url)
        yield Limit("receipt page, critical path compressed", critical / 1000, at_most=14, unit="KB")
        whole = critical + sum(len(_get(urljoin(url, image))) for image in _IMAGE.findall(page))
        yield Limit("receipt page, everything, with QR and logo", whole / 1000, at_most=40, unit="KB")
        yield Limit("receipt page, axe violations", _violations(url), at_most=0)
        for category, score in _lighthouse(url).items():
            yield Limit(f"receipt page, Lighthouse mobile, {category}", score, at_least=100)


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
