"""How mail is set up: one way for letters to leave, told apart at start, in words that name no password."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError

from infra.mail import LONGEST_DETAIL, Deferred, Letter, Refused, Undelivered, envelope_sender, one_line, open_mailer
from infra.outbox import Outbox
from infra.ses import SesMailer
from infra.settings import Mail, explain
from infra.smtp import SmtpMailer
from infra.smtp_url import SmtpServer, read_smtp_url
from tests.support.smtp import MailServer

FROM = "receipts@shop.test"


def given_settings(monkeypatch: pytest.MonkeyPatch, **values: str) -> None:
    for name, value in values.items():
        monkeypatch.setenv(f"COUNTERFOIL_{name.upper()}", value)


def test_without_settings_no_mail_leaves() -> None:
    assert open_mailer(Mail()) is None


@pytest.mark.parametrize(
    "name, value, kind",
    [
        ("smtp_url", "smtp://localhost:25", SmtpMailer),
        ("ses_region", "eu-central-1", SesMailer),
        ("mail_outbox", "var/outbox", Outbox),
    ],
)
def test_one_setting_and_an_address_choose_the_way(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, kind: type
) -> None:
    given_settings(monkeypatch, mail_from=FROM, **{name: value})
    mailer = open_mailer(Mail())
    assert mailer
    assert isinstance(mailer, kind)
    mailer.close()


@pytest.mark.parametrize(
    "values, said",
    [
        ({"smtp_url": "smtp://localhost"}, "COUNTERFOIL_MAIL_FROM: must be set with COUNTERFOIL_SMTP_URL"),
        (
            {"smtp_url": "smtp://localhost", "mail_outbox": "var", "mail_from": FROM},
            "COUNTERFOIL_SMTP_URL and COUNTERFOIL_MAIL_OUTBOX: set one of them",
        ),
        ({"ses_configuration_set": "receipts"}, "COUNTERFOIL_SES_REGION: must be set with"),
        ({"mail_from": "Shop <a@b.test>"}, "COUNTERFOIL_MAIL_FROM: must be a bare address"),
        ({"mail_bounces": "bounces"}, "COUNTERFOIL_MAIL_BOUNCES: must be a bare address"),
        ({"smtp_timeout": "0"}, "COUNTERFOIL_SMTP_TIMEOUT: "),
        ({"smtp_url": "mail.example.com:587"}, "COUNTERFOIL_SMTP_URL: must be smtp://host:port or smtps://"),
        ({"smtp_url": "smtp://till:hunter2@mail.test:port"}, "COUNTERFOIL_SMTP_URL: cannot be read; smtp://user:pass"),
        ({"smtp_url": "smtp://till:hun/ter2@mail.test"}, "COUNTERFOIL_SMTP_URL: cannot be read; smtp://user:pass"),
        ({"smtp_url": "smtp://mail.test/hunter2"}, "COUNTERFOIL_SMTP_URL: must end after the port"),
        ({"smtp_url": "smtp://till@mail.test"}, "COUNTERFOIL_SMTP_URL: must name both a user and a password"),
        ({"smtp_url": "smtp://till:hunter2@mail.test?tls=none"}, "COUNTERFOIL_SMTP_URL: would send the password"),
        ({"smtp_url": "smtp://mail.test?tls=maybe"}, "COUNTERFOIL_SMTP_URL: must say tls=starttls or tls=none"),
        ({"smtp_url": "smtp://mail.test?ssl=1"}, "COUNTERFOIL_SMTP_URL: may only have tls="),
        ({"smtp_url": "smtps://mail.test?tls=none"}, "COUNTERFOIL_SMTP_URL: must not say tls= with smtps://"),
        ({"smtp_url": "smtp://till:hünter2@mail.test"}, "COUNTERFOIL_SMTP_URL: must have a user and a password of"),
    ],
)
def test_settings_that_cannot_be_are_explained_without_the_password(
    monkeypatch: pytest.MonkeyPatch, values: dict[str, str], said: str
) -> None:
    given_settings(monkeypatch, **values)
    with pytest.raises(ValidationError) as error:
        Mail()
    explained = explain(error.value)
    assert explained.startswith(said)
    assert "hunter2" not in explained


@pytest.mark.parametrize(
    "url, server",
    [
        ("smtp://mail.test", SmtpServer("mail.test", 587, "starttls")),
        ("smtp://mail.test:2525", SmtpServer("mail.test", 2525, "starttls")),
        ("smtp://mail.test?tls=none", SmtpServer("mail.test", 25, "none")),
        ("smtps://mail.test", SmtpServer("mail.test", 465, "implicit")),
        ("smtp://localhost", SmtpServer("localhost", 25, "none")),
        ("smtp://[::1]:2525", SmtpServer("::1", 2525, "none")),
        ("smtp://localhost?tls=starttls", SmtpServer("localhost", 587, "starttls")),
        ("smtp://till%40a:p%2F%40%25@mail.test", SmtpServer("mail.test", 587, "starttls", "till@a", "p/@%")),
    ],
)
def test_an_address_of_a_server_says_how_it_is_spoken_to(url: str, server: SmtpServer) -> None:
    assert read_smtp_url(url) == server


def test_a_password_is_not_shown_by_chance() -> None:
    assert "hunter2" not in repr(read_smtp_url("smtp://till:hunter2@mail.test"))
    mail = Mail(smtp_url="smtp://till:hunter2@mail.test", mail_from=FROM)
    assert "hunter2" not in repr(mail)


def test_bounces_come_back_to_an_address_that_tells_them_apart() -> None:
    mail = Mail(mail_outbox=Path("var"), mail_from=FROM)
    assert envelope_sender(mail, "msg_01hx") == FROM
    assert envelope_sender(mail.model_copy(update={"mail_bounces": "b@c.test"}), "msg_01hx") == "b+msg_01hx@c.test"


@pytest.mark.parametrize("token", ["", "A", "a@b", "a\n", "a" * 41])
def test_a_token_that_a_server_could_change_is_refused(token: str) -> None:
    with pytest.raises(ValueError, match="token"):
        envelope_sender(Mail(), token)


def test_a_way_takes_as_many_letters_at_once_as_its_worker_sends() -> None:
    with MailServer(pause=0.3) as server:
        mailer = open_mailer(Mail(smtp_url=SecretStr(server.url()), mail_from=FROM, smtp_timeout=5), at_once=16)
        assert mailer
        with closing(mailer), ThreadPoolExecutor(16) as threads:
            list(threads.map(lambda _: mailer.send(Letter(FROM, "ana@example.org", b"Subject: x\r\n\r\n")), range(16)))
        assert (len(server.accepted), server.connections) == (16, 16)


@pytest.mark.parametrize(
    "word, kind",
    [
        ("554 5.7.1 <ana@example.org>: Relay access denied", Deferred),
        ("550 5.7.1 Relaying denied. Proper authentication required.", Deferred),
        ("550 5.7.54 SMTP; Unable to relay recipient in non-accepted domain", Deferred),
        ("550 relay not permitted", Deferred),
        ("553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)", Deferred),
        ("550 5.1.1 <ana@example.org>: User unknown in relay recipient table", Refused),
        ("550 5.7.1 <ana@example.org>: Recipient address rejected: blocked", Refused),
    ],
)
def test_a_recipient_is_not_to_blame_for_a_server_that_does_not_relay_for_us(
    word: str, kind: type[Undelivered]
) -> None:
    with MailServer({"RCPT": word}) as server:
        mailer = open_mailer(Mail(smtp_url=SecretStr(server.url()), mail_from=FROM, smtp_timeout=5))
        assert mailer
        with closing(mailer), pytest.raises(kind):
            mailer.send(Letter(FROM, "ana@example.org", b"Subject: x\r\n\r\n"))


@given(st.text(), st.booleans())
def test_what_a_stranger_wrote_becomes_one_line(text: str, in_doubt: bool) -> None:
    detail = Deferred(text, in_doubt=in_doubt).detail
    assert detail.isprintable()
    assert len(detail) <= LONGEST_DETAIL
    assert one_line(detail) == detail
