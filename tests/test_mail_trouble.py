"""A mail server on its bad days: what becomes of letters is told, nothing is lost, and it heals without a hand."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import Engine

from infra import jobs
from infra.mail import Letter
from infra.settings import Settings
from infra.smtp import SmtpMailer
from notify.asking import DELIVER
from notify.sending import Due
from tests.support.inside import Person, on_sqlite
from tests.support.mail_process import MailProcess, wait_until_settled
from tests.support.sales import coffee
from tests.support.server import NO_PDF, Served
from tests.support.shops import Shops
from tests.support.smtp import Does, MailServer
from tests.support.workshop import Clock, Postman, workshop
from worker import compose, deliver
from worker.workshop import Workshop

PATIENCE = 1.0  # seconds that the mail server is given for an answer


@dataclass
class Mailroom:
    """Receipts that ask for a letter, and a worker that is called when the test says so."""

    owner: Person
    shop: Workshop
    clock: Clock

    def sell(self, address: str = "anna@example.com") -> str:
        """The id of a receipt that is to be sent there."""
        sale = coffee(deliver=["email"], shopper={"email": address})
        receipt_id: str = self.owner.post("/v1/receipts", sale).json()["id"]
        return receipt_id

    def work(self) -> None:
        deliver.deliver(self.shop, "job", {})

    def work_later(self) -> None:
        self.clock.pass_by(minutes=2)
        self.work()

    def told(self, receipt_id: str) -> tuple[str, str]:
        [delivery] = self.owner.get(f"/v1/receipts/{receipt_id}/deliveries").json()["deliveries"]
        return delivery["state"], delivery["detail"]

    def jobs_to_come(self, engine: Engine) -> int:
        with engine.connect() as conn:
            return jobs.tally(conn).get(DELIVER, jobs.Tally()).delayed


@pytest.fixture
def server() -> Iterator[MailServer]:
    with MailServer() as server:
        yield server


@pytest.fixture
def room(owner: Person, settings: Settings, server: MailServer) -> Iterator[Mailroom]:
    clock = Clock()
    mailer = SmtpMailer(SecretStr(server.url()), timeout=PATIENCE, connections=4)
    with workshop(settings, Postman(), clock) as shop:
        yield Mailroom(owner, replace(shop, mailer=mailer), clock)
    mailer.close()


WAITS = [
    ({"MAIL": "451 4.3.0 try later"}, "451 4.3.0 try later"),
    ({"MAIL": Does.HANG}, "no answer in time"),
    ({"RCPT": "450 4.2.1 mailbox busy"}, "450 4.2.1 mailbox busy"),
    ({"RCPT": "550 5.1.1 nobody here", "MAIL": "421 4.3.2 closing"}, "421 4.3.2 closing"),
    ({"LETTER": "452 4.3.1 disk full"}, "452 4.3.1 disk full"),
    ({"LETTER": Does.HANG}, "has the letter and gave no answer"),
    ({"LETTER": Does.HANG_UP}, "has the letter and gave no answer"),
    ({"MAIL": "535 5.7.8 wrong password"}, "535 5.7.8 wrong password"),
]


@pytest.mark.parametrize("at, word", WAITS)
@on_sqlite
def test_a_letter_waits_with_the_server_s_word_and_leaves_when_all_is_well(
    room: Mailroom, server: MailServer, engine: Engine, at: dict[str, str | Does], word: str
) -> None:
    receipt_id = room.sell()
    server.at = at
    room.work()
    state, detail = room.told(receipt_id)
    assert state == "waiting"
    assert word in detail
    assert room.jobs_to_come(engine) == 1

    server.at = {}
    room.work_later()
    assert room.told(receipt_id) == ("sent", "2.0.0 queued as 1")
    assert [letter.recipient for letter in server.accepted] == ["anna@example.com"]


@pytest.mark.parametrize("stage", ["RCPT", "DATA", "LETTER"])
@on_sqlite
def test_a_letter_that_is_refused_for_good_is_not_tried_again(room: Mailroom, server: MailServer, stage: str) -> None:
    receipt_id = room.sell()
    server.at = {stage: "550 5.7.1 not wanted"}
    room.work()
    state, detail = room.told(receipt_id)
    assert state == "refused"
    assert "550 5.7.1 not wanted" in detail

    server.at = {}
    room.work_later()
    assert room.told(receipt_id) == (state, detail)
    assert server.accepted == []


@on_sqlite
def test_a_password_that_is_wrong_keeps_letters_until_it_is_right(room: Mailroom) -> None:
    receipt_id = room.sell()
    with MailServer(login=("shop", "right")) as server:
        for password in ("wrong", "right"):
            mailer = SmtpMailer(SecretStr(server.url(user=f"shop:{password}@")), timeout=30, connections=4)
            replace(room, shop=replace(room.shop, mailer=mailer)).work_later()
            mailer.close()
            if password == "wrong":
                state, detail = room.told(receipt_id)
                assert state == "waiting"
                assert "535" in detail
                assert "wrong" not in detail
        assert room.told(receipt_id)[0] == "sent"


@pytest.mark.parametrize("word", ["550 5.1.1 nobody here", "450 4.2.1 mailbox busy"])
def test_one_recipient_who_cannot_be_reached_does_not_keep_the_others(
    room: Mailroom, server: MailServer, word: str
) -> None:
    first, bad, last = (room.sell(f"{name}@example.com") for name in ("first", "bad", "last"))
    server.at = {"RCPT bad@example.com": word}
    room.work()
    states = [room.told(each)[0] for each in (first, bad, last)]
    assert states == ["sent", "refused" if word.startswith("5") else "waiting", "sent"]


def test_one_letter_that_cannot_be_made_does_not_keep_the_others(
    room: Mailroom, server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, bad, last = (room.sell(f"{name}@example.com") for name in ("first", "bad", "last"))

    def letter(shop: Workshop, message: Due) -> Letter:
        if message.subject_id == bad:
            raise ZeroDivisionError
        return compose.letter(shop, message)

    monkeypatch.setattr(deliver, "letter", letter)
    room.work()
    assert [room.told(each)[0] for each in (first, bad, last)] == ["sent", "waiting", "sent"]
    assert room.told(bad)[1] == "could not be made: ZeroDivisionError"
    monkeypatch.undo()
    room.work_later()
    assert room.told(bad)[0] == "sent"


@on_sqlite
def test_a_server_that_is_away_is_asked_once_for_all_and_none_is_lost(room: Mailroom, server: MailServer) -> None:
    """A hundred letters would each wait for it."""
    receipts = [room.sell(f"s{number}@example.com") for number in range(20)]
    server.at = {"MAIL": Does.HANG}
    before = server.connections
    room.work()
    assert {room.told(each)[0] for each in receipts} == {"waiting"}
    assert server.connections - before <= 2

    server.at = {}
    room.work_later()
    assert {room.told(each)[0] for each in receipts} == {"sent"}
    assert len(server.accepted) == 20


@on_sqlite
def test_a_letter_is_given_up_after_two_days_and_says_why(room: Mailroom, server: MailServer) -> None:
    receipt_id = room.sell()
    server.at = {"RCPT": "450 4.2.1 mailbox busy"}
    began = room.clock()
    while room.told(receipt_id)[0] == "waiting":
        room.work()
        room.clock.pass_by(minutes=61)
    state, detail = room.told(receipt_id)
    assert (state, detail.partition(";")[0]) == ("failed", "given up")
    assert "450 4.2.1 mailbox busy" in detail
    assert timedelta(hours=46) < room.clock() - began < timedelta(hours=50)


@on_sqlite
def test_a_shop_heals_by_itself_when_its_mail_server_comes_back(
    tmp_path: Path, sqlite_url: str, shops: Shops, engine: Engine
) -> None:
    """Real processes, real time: it is tried again within seconds."""
    with ExitStack() as opened:
        gone = MailProcess(tmp_path)
        gone.close()
        server = opened.enter_context(Served(tmp_path, sqlite_url, env=gone.env, first=NO_PDF))
        client = opened.enter_context(
            httpx.Client(base_url=server.url, headers={"Authorization": f"Bearer {shops.owner}"}, timeout=30)
        )
        sale = coffee(deliver=["email"], shopper={"email": "anna@example.com"})
        receipt_id = client.post("/v1/receipts", json=sale).json()["id"]
        told: dict[str, Any] = {"attempts": 0}
        while told["attempts"] == 0 or told["detail"] is None:
            [told] = client.get(f"/v1/receipts/{receipt_id}/deliveries").json()["deliveries"]
        assert (told["state"], "refused" in told["detail"]) == ("waiting", True)
        back = opened.enter_context(MailProcess(tmp_path, port=gone.port))
        wait_until_settled(engine, seconds=30)
        assert [recipient for _, recipient in back.accepted()] == ["anna@example.com"]
        [told] = client.get(f"/v1/receipts/{receipt_id}/deliveries").json()["deliveries"]
        assert told["state"] == "sent"
