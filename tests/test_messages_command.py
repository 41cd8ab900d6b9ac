"""Operators see messages with the last word of a mail server, and send again what was refused."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine
from typer.testing import CliRunner

from cli import checks_work
from cli.main import app
from cli.verdict import well
from infra import jobs
from infra.settings import Settings
from kernel.clock import utc_now
from kernel.errors import Conflict, NotFound
from notify import sending, stopping
from tests.support.inside import on_sqlite
from tests.support.messages import LEASE, ask_for, messages_of, settle_all
from tests.support.shops import Shops


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch, database_url: str, tmp_path: Path) -> None:
    monkeypatch.setenv("COUNTERFOIL_DATABASE_URL", database_url)
    monkeypatch.setenv("COUNTERFOIL_DATA_DIR", str(tmp_path / "data"))


def run(*words: str) -> str:
    done = CliRunner().invoke(app, ["messages", *words])
    assert done.exit_code == 0, done.output
    return done.output


def refusal(*words: str) -> BaseException | None:
    return CliRunner().invoke(app, ["messages", *words]).exception


@pytest.fixture
def refused(engine: Engine, shops: Shops) -> str:
    [message_id] = ask_for(engine, shops.linden, "anna@example.com")
    settle_all(engine, "refused", "550 not here")
    return message_id


def test_messages_are_listed_newest_first_with_the_servers_last_word(
    engine: Engine, shops: Shops, refused: str
) -> None:
    [other] = ask_for(engine, shops.moor, "ben@example.com")
    newest, oldest = run().splitlines()
    assert newest.startswith(f"{other}  moor  ")
    assert newest.split()[3:] == ["waiting", "0", "tries", "ben@example.com"]
    assert oldest.startswith(f"{refused}  linden-rye  ")
    assert oldest.endswith("refused   1 try  anna@example.com  550 not here")


def test_the_list_is_narrowed_to_a_merchant_and_a_state(engine: Engine, shops: Shops, refused: str) -> None:
    ask_for(engine, shops.moor, "ben@example.com")
    assert "ben@" not in run("--merchant", "linden-rye")
    assert "ben@" not in run("--state", "refused")
    assert run("--merchant", "moor", "--state", "refused") == "There is none.\n"
    assert isinstance(refusal("--merchant", "nobody"), NotFound)


def test_a_refused_message_waits_again_with_a_job_that_sees_to_it(
    engine: Engine, shops: Shops, refused: str, database_url: str
) -> None:
    assert run("resend", refused) == f"{refused} waits to be sent.\n"
    with engine.begin() as conn:
        assert jobs.tally(conn)["deliver"].delayed == 1
        [due] = sending.claim(conn, "a job", now=utc_now(), lease=LEASE, at_most=10)
    assert (due.id, due.attempts) == (refused, 0)
    assert isinstance(refusal("resend", refused), Conflict)


def test_all_that_were_refused_wait_again_but_those_who_want_none(
    engine: Engine, shops: Shops, refused: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("notify.desk._AT_ONCE", 2)
    ask_for(engine, shops.linden, *(f"{number}@example.com" for number in range(4)))
    ask_for(engine, shops.moor, "ben@example.com")
    settle_all(engine, "refused", "554 5.7.1 relay access denied")
    with engine.begin() as conn:
        stopping.stop(conn, refused, "unsubscribed", now=utc_now())
    assert run("resend", "--state", "failed") == "0 messages wait to be sent.\n"
    assert run("resend", "--state", "refused", "--merchant", "linden-rye") == "4 messages wait to be sent.\n"
    assert [message.state for message in messages_of(engine, shops.linden)] == ["waiting"] * 4 + ["refused"]
    assert [message.state for message in messages_of(engine, shops.moor)] == ["refused"]
    assert run("resend", "--all") == "1 message waits to be sent.\n"
    with engine.begin() as conn:
        assert jobs.tally(conn)["deliver"].delayed


@on_sqlite
@pytest.mark.parametrize(
    "words", [[], ["msg_0", "--all"], ["--all", "--state", "failed"], ["msg_0", "--merchant", "x"]]
)
def test_whoever_sends_again_says_what(words: list[str]) -> None:
    assert CliRunner().invoke(app, ["messages", "resend", *words]).exit_code == 2


@on_sqlite
def test_what_was_sent_or_bounced_is_not_sent_again(engine: Engine, shops: Shops) -> None:
    [message_id] = ask_for(engine, shops.linden, "anna@example.com")
    settle_all(engine, "sent")
    assert isinstance(refusal("resend", message_id), Conflict)
    assert isinstance(refusal("resend", "msg_0"), NotFound)
    assert [message.state for message in messages_of(engine, shops.linden)] == ["sent"]


@on_sqlite
def test_an_address_that_wants_none_gets_none_again(engine: Engine, shops: Shops, refused: str) -> None:
    with engine.begin() as conn:
        stopping.stop(conn, refused, "unsubscribed", now=utc_now())
    assert "Its address unsubscribed" in str(refusal("resend", refused))
    assert [message.state for message in messages_of(engine, shops.linden)] == ["refused"]


@on_sqlite
def test_doctor_tells_of_messages_that_are_late(engine: Engine, shops: Shops) -> None:
    assert checks_work.messages(Settings()) == well("none is late")
    ask_for(engine, shops.linden, "anna@example.com", now=utc_now() - timedelta(minutes=11))
    assert checks_work.messages(Settings()).state == "FAIL"
