"""Whoever copies the commands of the README, or of the page on Shopify, gets what they say."""

import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from PIL import Image

from tests.support.waiting import wait_until

ROOT: Final = Path(__file__).resolve().parent.parent
README: Final = (ROOT / "README.md").read_text()
SHOPIFY: Final = (ROOT / "docs/shopify.md").read_text()
COMMANDS: Final = f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin"
ADDRESS: Final = "http://127.0.0.1:8000"


def fences(page: str, language: str = "sh") -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)


def blocks(heading: str, language: str = "sh") -> list[str]:
    """What stands in fences of ``language`` under a heading of the README."""
    found = re.search(rf"^#+ {heading}\n(.*?)(?=^#+ |\Z)", README, re.MULTILINE | re.DOTALL)
    assert found
    return fences(found[1], language)


def typed(commands: str, folder: Path, **env: str) -> str:
    """What the commands print, in a shell that stops at the first that fails."""
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", commands],
        cwd=folder,
        env={"PATH": COMMANDS} | env,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@contextmanager
def running(command: list[str], folder: Path, env: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    started = subprocess.Popen(
        command, cwd=folder, env={"PATH": COMMANDS} | env, text=True, stdout=subprocess.PIPE, start_new_session=True
    )
    with started:
        try:
            yield started
        finally:
            os.killpg(started.pid, signal.SIGTERM)


@dataclass(frozen=True)
class Demo:
    address: str
    key: str
    receipts: tuple[str, ...]
    mailbox: str
    # Where a service that is set up beside it would keep its things.
    real: Path


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """The shops of ``scripts/demo``, which ends in this command."""
    folder = tmp_path_factory.mktemp("demo")
    real = tmp_path_factory.mktemp("real")
    env = {"COUNTERFOIL_DATABASE_URL": f"sqlite:///{real}/own.db", "COUNTERFOIL_STORAGE_URL": (real / "own").as_uri()}
    with running(["counterfoil", "demo", "--data", str(folder), "--port", "0"], folder, env) as started:
        assert started.stdout
        lines: list[str] = []
        while not lines or not lines[-1].startswith("api key: "):
            lines.append(started.stdout.readline())
            assert lines[-1], "it ended before it was ready"
        told = [re.fullmatch(r"(receipt|card|mailbox|docs): (\S+).*\n", line) for line in lines[:-1]]
        urls = [(each[1], each[2]) for each in told if each]
        [docs] = [url for what, url in urls if what == "docs"]
        [mailbox] = [url for what, url in urls if what == "mailbox"]
        receipts = tuple(url for what, url in urls if what in ("receipt", "card"))
        yield Demo(docs.removesuffix("/docs"), lines[-1].removeprefix("api key: ").strip(), receipts, mailbox, real)


def post_the_sale(demo: Demo, folder: Path) -> Any:
    [commands] = blocks("Post a sale")
    own, replaced = re.subn(r"^KEY=.*$", f"KEY={demo.key}", commands, flags=re.MULTILINE)
    assert replaced == 1
    return json.loads(typed(own.replace(ADDRESS, demo.address), folder))


def shape(value: Any) -> Any:
    return {name: shape(each) for name, each in value.items()} if isinstance(value, dict) else type(value)


def test_the_script_ends_in_the_command_that_is_tried_here() -> None:
    assert 'counterfoil" demo --data' in (ROOT / "scripts/demo").read_text()


def test_the_addresses_that_the_demo_prints_open(demo: Demo) -> None:
    opened = {url: httpx.get(url).status_code for url in (*demo.receipts, demo.mailbox, f"{demo.address}/docs")}
    assert set(opened.values()) == {200}


def test_the_mailbox_of_the_demo_holds_its_receipts_soon(demo: Demo) -> None:
    until, found = time.monotonic() + 60, ""
    while "anna@example.com" not in found and time.monotonic() < until:
        time.sleep(0.1)
        found = httpx.get(demo.mailbox).text
    assert re.findall(r"\w+@example\.com", found)


def test_the_demo_keeps_out_of_a_service_that_is_set_up_beside_it(demo: Demo) -> None:
    assert list(demo.real.iterdir()) == []


def test_the_sale_is_accepted_once_with_the_answer_that_is_shown(demo: Demo, tmp_path: Path) -> None:
    first, again = post_the_sale(demo, tmp_path), post_the_sale(demo, tmp_path)
    assert first == again
    [told] = blocks("Post a sale", "json")
    assert shape(first) == shape(json.loads(told))
    assert (first["number"], first["warnings"]) == ("000431", [])


def test_every_link_of_the_answer_opens(demo: Demo, tmp_path: Path) -> None:
    answer = post_the_sale(demo, tmp_path)
    links = [answer["url"], answer["pdf_url"], answer["text_url"], answer["json_url"], *answer["qr"].values()]
    kinds = [httpx.get(link, timeout=60).raise_for_status().headers["content-type"].partition(";")[0] for link in links]
    assert kinds == ["text/html", "application/pdf", "text/plain", "application/json", "image/svg+xml", "image/png"]


def test_the_card_that_is_given_opens_in_all_its_forms(demo: Demo, tmp_path: Path) -> None:
    [commands] = blocks("Give somebody a card")
    card = json.loads(typed(f"KEY={demo.key}\n{commands.replace(ADDRESS, demo.address)}", tmp_path))
    links = [card["url"], card["vcf_url"], card["json_url"], *card["qr"].values()]
    kinds = [httpx.get(link, timeout=60).raise_for_status().headers["content-type"].partition(";")[0] for link in links]
    assert kinds == ["text/html", "text/vcard", "application/jscontact+json", "image/svg+xml", "image/png"]


def test_what_came_back_can_be_read(demo: Demo, tmp_path: Path) -> None:
    [commands] = blocks("Read what came back")
    told = typed(f"KEY={demo.key}\n{commands.replace(ADDRESS, demo.address)}", tmp_path)
    numbers, report, campaigns = (json.loads(line) for line in told.replace("}{", "}\n{").splitlines())
    assert (numbers["measure"], numbers["total"]["responses"] > 20) == ("nps", True)
    assert report["report"]["chosen"]
    assert [each["state"] for each in campaigns["campaigns"]] == ["live"]


@dataclass(frozen=True)
class Own:
    """A service that was started as the README says, from nothing, and whose merchant has taken the first steps."""

    folder: Path
    # Its settings.
    env: dict[str, str]
    till_key: str

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.env['COUNTERFOIL_PORT']}"


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Own]:
    folder = tmp_path_factory.mktemp("own")
    commands = blocks("Run it for real")[0]
    assert "COUNTERFOIL_DATA_DIR=/var/lib/counterfoil\n" in commands
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    base = re.search(r"COUNTERFOIL_BASE_URL=(\S+)", commands)
    assert base
    env = {"COUNTERFOIL_DATA_DIR": str(folder / "data"), "COUNTERFOIL_BASE_URL": base[1], "COUNTERFOIL_PORT": port}
    command = commands.strip().splitlines()[-1].split()
    with running(command, folder, env | {"COUNTERFOIL_LOG_LEVEL": "warning"}) as started:
        wait_for(f"http://127.0.0.1:{port}/readyz", started)
        yield Own(folder, env, first_steps(env, folder))


def wait_for(url: str, started: subprocess.Popen[str]) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until and started.poll() is None:
        try:
            httpx.get(url).raise_for_status()
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("the service did not start")


def first_steps(env: dict[str, str], folder: Path) -> str:
    """Take them; the key of the till."""
    Image.new("RGB", (64, 64), "#8a1c4a").save(folder / "logo.png")
    commands = "\n".join(blocks("First steps")).replace(ADDRESS, f"http://127.0.0.1:{env['COUNTERFOIL_PORT']}")
    return typed(commands, folder, **env).split()[-1]


def test_a_merchant_who_takes_the_first_steps_can_take_sales(own: Own) -> None:
    sale = {
        "issued_at": "2026-11-21T17:42:10+00:00",
        "currency": "GBP",
        "lines": [{"id": "1", "name": "Mug", "total": "12.00"}],
        "total": "12.00",
    }
    answer = httpx.post(f"{own.address}/v1/receipts", json=sale, headers={"Authorization": f"Bearer {own.till_key}"})
    assert answer.status_code == 201
    url = answer.json()["url"]
    base_url = own.env["COUNTERFOIL_BASE_URL"]
    assert url.startswith(f"{base_url}/r/")
    page = httpx.get(own.address + url.removeprefix(base_url))
    assert "Corner Shop, High Street" in page.text
    assert "Till 1" in page.text


ORDER: Final = {
    "id": 5182437125,
    "name": "#1002",
    "currency": "GBP",
    "processed_at": "2026-11-21T12:00:00+00:00",
    "financial_status": "paid",
    "taxes_included": True,
    "line_items": [
        {"id": 1, "title": "Mug", "quantity": 1, "price": "12.00", "tax_lines": [], "total_discount": "0.00"}
    ],
    "subtotal_price": "12.00",
    "total_discounts": "0.00",
    "total_tax": "0.00",
    "total_price": "12.00",
}


def has_order(folder: Path) -> bool:
    with closing(sqlite3.connect(f"file:{folder}/counterfoil.db?mode=ro", uri=True)) as database:
        return bool(database.execute("SELECT id FROM receipts WHERE number = '#1002'").fetchall())


def test_an_order_of_shopify_comes_in_both_ways_and_is_one_receipt(own: Own, tmp_path: Path) -> None:
    (tmp_path / "order.json").write_text(json.dumps(ORDER))
    connect, deliver, bring_in = fences(SHOPIFY)
    env = own.env | {"SECRET": "not-much-of-a-secret"}
    public = typed(connect, tmp_path, **env).strip()
    typed(deliver, tmp_path, URL=public.replace(env["COUNTERFOIL_BASE_URL"], own.address), **env)
    # It is worked on after it was answered.
    wait_until(lambda: has_order(own.folder / "data"))
    assert typed(bring_in, tmp_path, **env).count("order:5182437125 (#1002) is there already\n") == 2
