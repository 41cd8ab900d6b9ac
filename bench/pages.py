"""How fast a page is served: from memory against Starlette alone, from the database against its bare parts."""

import os
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import orjson

from bench.intake import SALE, shop
from bench.load import requests_a_second, served
from bench.table import Ratio, Row


def rows(seconds: float) -> Iterator[Row]:
    with shop() as env:
        with served("bench.apps:real", env=env) as address:
            env["TOKEN"] = posted(address, env)
        page = Path(env["COUNTERFOIL_DATA_DIR"], "page.html")
        page.write_bytes(_fetched(env))
        env["PAGE_FILE"] = str(page)
        hot, floor = _rate("bench.apps:real", env, seconds), _rate("bench.apps:same_bytes", env, seconds)
        yield Ratio("hot receipt pages/s : Starlette answering the same bytes", hot, floor, at_least=0.3)
        cold, parts = _rate("bench.apps:never_remembers", env, seconds), _rate("bench.apps:bare_page", env, seconds)
        yield Ratio("cold receipt pages/s : bare query and bare template", cold, parts, at_least=0.6)


def posted(address: str, env: dict[str, str]) -> str:
    """The token of the sale, once it is accepted."""
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {env['API_KEY']}"}
    request = urllib.request.Request(f"{address}/v1/receipts", SALE.read_bytes(), headers)
    with urllib.request.urlopen(request) as answer:
        return str(orjson.loads(answer.read())["token"])


def _fetched(env: dict[str, str]) -> bytes:
    with served("bench.apps:real", env=env) as address:
        answer = urllib.request.urlopen(f"{address}/r/{env['TOKEN']}?lang=de")
        return bytes(answer.read())


def _rate(factory: str, env: dict[str, str], seconds: float) -> float:
    with served(factory, env=os.environ | env) as address:
        url = f"{address}/r/{env['TOKEN']}?lang=de"
        requests_a_second(url, seconds=1)
        return requests_a_second(url, seconds=seconds)
