"""How fast sales are accepted, against only reading and checking them, and against one ORM commit a request."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.load import requests_a_second, served
from bench.table import Ratio, Row
from tests.support import postgres
from tests.support.mail_process import MailProcess

SALE = Path(__file__).with_name("sale.json")
_SCRIPT = Path(__file__).with_name("post_sale.lua")


def rows(seconds: float) -> Iterator[Row]:
    with shop() as env:
        floor = _rate("bench.apps:only_validated", env, seconds)
        real = _rate("bench.apps:real", env, seconds)
        yield Ratio("accepted receipts/s, SQLite, 1 worker : only validated", real, floor, at_least=0.4)
        yield Ratio(
            "the same : one ORM commit a request, SQLite", real, _rate("bench.apps:orm", env, seconds), at_least=2
        )
    yield _with_mail("SQLite", {}, seconds)
    url = postgres.start(owner=os.getpid(), durable=True).create("bench")
    with shop({"COUNTERFOIL_DATABASE_URL": url}) as env:
        floor = _rate("bench.apps:only_validated", env, seconds, workers=2)
        real = _rate("bench.apps:real", env, seconds, workers=2)
        yield Ratio("accepted receipts/s, PostgreSQL, 2 workers : only validated", real, floor, at_least=0.3)
        naive = _rate("bench.apps:orm", env, seconds, workers=2)
        yield Ratio("the same : one ORM commit a request, PostgreSQL", real, naive, at_least=2)
    url = postgres.start(owner=os.getpid(), durable=True).create("bench")
    yield _with_mail("PostgreSQL", {"COUNTERFOIL_DATABASE_URL": url}, seconds)


def _with_mail(database: str, env: dict[str, str], seconds: float) -> Ratio:
    """A server sends, while it takes sales, what every second one of them asks for."""
    with tempfile.TemporaryDirectory() as folder, MailProcess(Path(folder)) as mail, shop(env | mail.env) as env:
        without = _rate("bench.apps:ordinary", env, seconds)
        asking = _rate("bench.apps:ordinary", env | {"MAIL": "1"}, seconds)
    return Ratio(f"intake, every second sale to be sent, {database} : none", asking, without, at_least=0.6)


@contextmanager
def shop(env: dict[str, str] | None = None) -> Iterator[dict[str, str]]:
    """The environment of a server with a merchant, ready to take the sale of ``sale.json``."""
    with tempfile.TemporaryDirectory() as folder:
        env = {"COUNTERFOIL_DATA_DIR": folder} | (env or {})
        made = subprocess.run(
            [sys.executable, "-m", "bench.shop"], env=os.environ | env, capture_output=True, text=True, check=True
        )
        yield env | {"API_KEY": made.stdout.strip(), "SALE_FILE": str(SALE)}


def _rate(factory: str, env: dict[str, str], seconds: float, workers: int = 1) -> float:
    with served(factory, workers=workers, env=env) as address:
        os.environ |= {name: env[name] for name in ("API_KEY", "SALE_FILE")} | {"MAIL": env.get("MAIL", "")}
        url = f"{address}/v1/receipts"
        requests_a_second(url, seconds=1, script=_SCRIPT)
        return requests_a_second(url, seconds=seconds, script=_SCRIPT)
