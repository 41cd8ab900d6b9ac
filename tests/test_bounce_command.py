"""A mail server hands over what comes back; it is told off by nobody and believed only where it names a message."""

import os
from pathlib import Path
from typing import Final

import pytest
from sqlalchemy import Engine
from typer.testing import CliRunner, Result

from cli.main import app
from tests.support.inside import on_sqlite
from tests.support.messages import ask_for, messages_of, settle_all, stopped
from tests.support.shops import Shops

BOUNCES: Final = "bounces@linden-rye.example"


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch, database_url: str, tmp_path: Path) -> None:
    monkeypatch.setenv("COUNTERFOIL_DATABASE_URL", database_url)
    monkeypatch.setenv("COUNTERFOIL_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("COUNTERFOIL_MAIL_BOUNCES", BOUNCES)


@pytest.fixture
def annas(engine: Engine, shops: Shops) -> str:
    """The id of a message that was sent to Anna by Linden & Rye; the other merchant sent her one too."""
    [message_id] = ask_for(engine, shops.linden, "anna@example.com")
    ask_for(engine, shops.moor, "anna@example.com")
    settle_all(engine, "sent")
    return message_id


def report(to: str = BOUNCES, message_id: str = "x@elsewhere.example", status: str = "5.1.1") -> str:
    """A delivery status notification (RFC 3464)."""
    return f"""From: MAILER-DAEMON@mx.example.com
To: {to}
Subject: Undelivered mail
Content-Type: multipart/report; report-type=delivery-status; boundary=B

--B
Content-Type: text/plain

It did not arrive.
--B
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.com

Final-Recipient: rfc822; anna@example.com
Action: failed
Status: {status}
Diagnostic-Code: smtp; 550 {status} no such user

--B
Content-Type: message/rfc822

Message-ID: <{message_id}>
Subject: Your receipt

--B--
"""


def piped(mail: str | bytes) -> Result:
    return CliRunner().invoke(app, ["bounces"], input=mail)


def states(engine: Engine, merchant_id: str) -> list[str]:
    return [message.state for message in messages_of(engine, merchant_id)]


@pytest.mark.parametrize("by", ["verp", "message id", "a server that writes capitals"])
def test_a_bounce_is_matched_and_its_address_written_to_no_more(
    annas: str, engine: Engine, shops: Shops, by: str
) -> None:
    mails = {
        "verp": report(to=f"bounces+{annas}@linden-rye.example"),
        "message id": report(message_id=f"{annas}@linden-rye.example"),
        "a server that writes capitals": report(to=f"Bounces+{annas.upper()}@LINDEN-RYE.example"),
    }
    done = piped(mails[by])
    assert (done.exit_code, done.output) == (
        0,
        f"{annas} bounced: 550 5.1.1 no such user; its address is written to no more.\n",
    )
    assert messages_of(engine, shops.linden)[0].detail == "550 5.1.1 no such user"
    assert states(engine, shops.linden) == ["bounced"]
    assert stopped(engine) == [(shops.linden, "bounced")]
    assert "nothing was done" in piped(mails[by]).output
    ask_for(engine, shops.linden, "anna@example.com", subject="rct_2")
    assert states(engine, shops.linden) == ["stopped", "bounced"]


def test_the_other_merchants_message_to_the_same_address_is_left_alone(
    annas: str, engine: Engine, shops: Shops
) -> None:
    piped(report(to=f"bounces+{annas}@linden-rye.example"))
    ask_for(engine, shops.moor, "anna@example.com", subject="rct_2")
    assert states(engine, shops.moor) == ["waiting", "sent"]


def test_a_full_mailbox_bounces_a_message_and_not_its_address(annas: str, engine: Engine, shops: Shops) -> None:
    done = piped(report(to=f"bounces+{annas}@linden-rye.example", status="4.2.2"))
    assert done.output == f"{annas} bounced: 550 4.2.2 no such user.\n"
    assert (states(engine, shops.linden), stopped(engine)) == (["bounced"], [])


@on_sqlite
@pytest.mark.parametrize(
    "mail",
    [
        "",
        b"\xff\xfe\x00\x00" * 100_000,
        "From: anna@example.com\nSubject: Thanks\n\nLovely bread!\n",
        "From: anna@example.com\nSubject: Out of office\nAuto-Submitted: auto-replied\n\nI am away.\n",
        report(),
        report(to="bounces+msg_00000000000000000000000000@linden-rye.example"),
        report(to="bounces+rct_1@linden-rye.example", message_id="' OR 1=1 --@x"),
    ],
    ids=["nothing", "noise", "a letter", "out of office", "another's", "forged", "hostile"],
)
def test_any_other_mail_changes_nothing_and_bounces_back_to_nobody(
    annas: str, engine: Engine, shops: Shops, mail: str | bytes
) -> None:
    done = piped(mail)
    assert (done.exit_code, done.output.count("\n")) == (0, 1)
    assert "nothing was done" in done.output
    assert (states(engine, shops.linden), stopped(engine)) == (["sent"], [])


@on_sqlite
def test_a_message_that_was_never_sent_does_not_bounce(engine: Engine, shops: Shops) -> None:
    [waiting] = ask_for(engine, shops.linden, "anna@example.com")
    assert "nothing was done" in piped(report(to=f"bounces+{waiting}@linden-rye.example")).output
    assert states(engine, shops.linden) == ["waiting"]


@on_sqlite
@pytest.mark.parametrize(
    "name, value",
    [
        ("COUNTERFOIL_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none"),
        ("COUNTERFOIL_DATABASE_URL", "mysql://x"),
    ],
    ids=["away", "misspelt"],
)
def test_while_the_database_is_away_the_mail_server_is_asked_to_come_again(
    annas: str, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    done = piped(report(to=f"bounces+{annas}@linden-rye.example"))
    assert done.exit_code == os.EX_TEMPFAIL
    assert "try again later" in done.output
    assert "Traceback" not in done.output
