"""How fast one worker sends, against smtplib alone on one kept connection: the same bytes to the same mail server."""

import os
import smtplib
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson

from bench.intake import SALE, shop
from bench.load import served
from bench.table import Ratio, Row
from tests.support.mail_process import MailProcess
from tests.support.smtp import MailServer

_A_SECOND = 80  # letters that each second of the bench is worth


def rows(seconds: float) -> Iterator[Row]:
    count = max(100, int(seconds * _A_SECOND))
    with tempfile.TemporaryDirectory() as folder, shop() as env, MailProcess(Path(folder)) as mail:
        letter = _letter(env)
        _sell(env | mail.env, count)
        with _worker(env | mail.env):
            mail.wait_for(1)
            ours = _rate(mail, count - len(mail.accepted()))
        alone = _alone(mail, letter, count)
    yield Ratio("emails/s of one worker, SQLite : smtplib alone sending the same bytes", ours, alone, at_least=0.3)


def _rate(mail: MailProcess, count: int) -> float:
    """Letters a second from now on, until so many more were accepted."""
    began = time.perf_counter()
    mail.wait_for(len(mail.accepted()) + count)
    return count / (time.perf_counter() - began)


def _alone(mail: MailProcess, letter: bytes, count: int) -> float:
    began = time.perf_counter()
    with smtplib.SMTP("127.0.0.1", mail.port) as smtp:
        for _ in range(count):
            smtp.sendmail("receipts@receipts.test", ["shopper@example.com"], letter, ["BODY=8BITMIME"])
    return count / (time.perf_counter() - began)


def _letter(env: dict[str, str]) -> bytes:
    """What the worker sends of the sale."""
    with MailServer() as server:
        env |= {"COUNTERFOIL_SMTP_URL": server.url(), "COUNTERFOIL_MAIL_FROM": "receipts@receipts.test"}
        _sell(env, 1)
        with _worker(env):
            while not server.accepted:
                time.sleep(0.05)
    return server.accepted[0].data


def _sell(env: dict[str, str], count: int) -> None:
    """So many sales, each to be sent, while nobody sends."""
    sale = orjson.loads(SALE.read_bytes()) | {"deliver": ["email"]}
    sales = [sale | {"external_id": f"mail-{count}-{number}"} for number in range(count)]
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {env['API_KEY']}"}
    with served("bench.apps:real", env=env) as address:
        for start in range(0, count, 50):
            body = orjson.dumps({"receipts": sales[start : start + 50]})
            with urllib.request.urlopen(
                urllib.request.Request(f"{address}/v1/receipts/batch", body, headers)
            ) as answer:
                assert all("receipt" in each for each in orjson.loads(answer.read())["results"])


@contextmanager
def _worker(env: dict[str, str]) -> Iterator[None]:
    command = [sys.executable, "-c", "from cli.main import main; main()", "worker"]
    process = subprocess.Popen(command, env=os.environ | env, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait(30)
