"""Letters reach a mail server once, whatever it does; and what it does is told in words that say what to do."""

import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import SecretStr

from infra import smtp
from infra.mail import Deferred, Letter, Refused, Undelivered
from infra.smtp import SmtpMailer
from tests.support.smtp import LETTER, Does, MailServer

# What a server is given that is meant to be too slow; others may be as slow as a busy machine.
SECONDS = 0.3
PATIENT = 30.0
PASSWORD = "hunter2"
DOUBT = "it may have been taken"


def letter(number: int = 1, *, recipient: str = "ana@example.org", body: str = "Thank you.") -> Letter:
    head = f"Message-ID: <{number}@shop.test>\r\nTo: {recipient}\r\nSubject: Receipt {number}\r\n\r\n"
    return Letter("receipts@shop.test", recipient, f"{head}{body}\r\n".encode())


@contextmanager
def mailer(url: str, *, timeout: float = PATIENT, connections: int = 4) -> Iterator[SmtpMailer]:
    with closing(SmtpMailer(SecretStr(url), timeout=timeout, connections=connections)) as opened:
        yield opened


@pytest.fixture
def server() -> Iterator[MailServer]:
    with MailServer() as server:
        yield server


@contextmanager
def rude(talk: Callable[[socket.socket], None]) -> Iterator[str]:
    """The address of a server that does with its one caller what ``talk`` does, and waits for the end."""
    end = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            caller, _ = listening.accept()
            with caller:
                talk(caller)
                end.wait(60)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"smtp://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            end.set()
            thread.join(5)


def failure(url: str, sent: Letter | None = None, *, timeout: float = PATIENT) -> Undelivered:
    with mailer(url, timeout=timeout) as opened, pytest.raises(Undelivered) as error:
        opened.send(sent or letter())
    return error.value


def test_a_letter_arrives_byte_for_byte_and_the_server_s_word_comes_back(server: MailServer) -> None:
    sent = letter(body=".a dot\r\n..two\r\n.\r\nend")
    with mailer(server.url()) as opened:
        assert opened.send(sent) == "2.0.0 queued as 1"
    assert [(each.sender, each.recipient, each.data) for each in server.accepted] == [
        (sent.sender, sent.recipient, sent.data)
    ]


def test_a_lone_line_end_cannot_end_the_letter_and_begin_another(server: MailServer) -> None:
    smuggled = Letter("a@shop.test", "b@example.org", b"Subject: x\r\n\r\none\n.\nMAIL FROM:<c@shop.test>\r.\rtwo")
    with mailer(server.url()) as opened:
        opened.send(smuggled)
    [accepted] = server.accepted
    assert accepted.data == b"Subject: x\r\n\r\none\r\n.\r\nMAIL FROM:<c@shop.test>\r\n.\r\ntwo\r\n"


@pytest.mark.parametrize("address", ["a@b\r\nRCPT TO:<c@d>", "a b@c.test", "<a@b.test>", "", "nobody", "a@b@c.test"])
def test_what_is_no_address_is_refused_before_anybody_is_asked(address: str) -> None:
    assert isinstance(failure("smtp://127.0.0.1:1", letter(recipient=address)), Refused)


def test_eight_threads_send_two_hundred_letters_over_four_connections_and_each_arrives_once(server: MailServer) -> None:
    with mailer(server.url()) as opened, ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda number: opened.send(letter(number)), range(200)))
    assert sorted(each.message_id for each in server.accepted) == sorted(
        f"<{number}@shop.test>" for number in range(200)
    )
    assert server.connections <= 4


@pytest.mark.parametrize("stage", ["MAIL", "RCPT", "DATA", LETTER])
@pytest.mark.parametrize("code", [421, 450, 451, 550, 552, 554])
def test_an_answer_decides_whether_to_try_again(server: MailServer, stage: str, code: int) -> None:
    # Of MAIL only "too large" is about the letter; else the sender is set up wrongly, and the operator mends that.
    refused = code == 552 if stage == "MAIL" else code >= 500
    with mailer(server.url()) as opened:
        server.at[stage] = f"{code} 9.9.9 because"
        with pytest.raises(Refused if refused else Deferred, match=f"{code} 9.9.9 because") as error:
            opened.send(letter(1))
        assert error.value.code == code
        assert DOUBT not in error.value.detail
        server.at.clear()
        opened.send(letter(2))
    assert [each.message_id for each in server.accepted] == ["<2@shop.test>"]


@pytest.mark.parametrize("code", [503, 530, 535])
def test_a_recipient_is_not_to_blame_for_a_server_that_wants_a_sign_in(server: MailServer, code: int) -> None:
    server.at["RCPT"] = f"{code} sign in first"
    assert isinstance(failure(server.url()), Deferred)


@pytest.mark.parametrize("does", Does)
@pytest.mark.parametrize("stage", ["MAIL", "RCPT", "DATA"])
def test_a_server_that_leaves_before_it_has_the_letter_will_be_tried_again(
    server: MailServer, stage: str, does: Does
) -> None:
    server.at[stage] = does
    error = failure(server.url(), timeout=SECONDS if does is Does.HANG else PATIENT)
    assert isinstance(error, Deferred)
    assert DOUBT not in error.detail


@pytest.mark.parametrize("does", Does)
def test_a_server_that_leaves_with_the_letter_leaves_doubt(server: MailServer, does: Does) -> None:
    server.at[LETTER] = does
    # Longer, since it has to come as far as the letter.
    error = failure(server.url(), timeout=4 * SECONDS if does is Does.HANG else PATIENT)
    assert isinstance(error, Deferred)
    assert error.detail.endswith(DOUBT)


def test_a_kept_connection_is_used_again(server: MailServer) -> None:
    with mailer(server.url()) as opened:
        for number in range(5):
            opened.send(letter(number))
    assert server.connections == 1


def test_a_connection_lives_through_a_refusal(server: MailServer) -> None:
    with mailer(server.url()) as opened:
        server.at["RCPT"] = "550 nobody of that name"
        with pytest.raises(Refused):
            opened.send(letter(1))
        server.at.clear()
        opened.send(letter(2))
    assert server.connections == 1


def test_a_server_that_hung_up_between_letters_is_called_again(server: MailServer) -> None:
    with mailer(server.url()) as opened:
        opened.send(letter(1))
        server.hang_up_all()
        opened.send(letter(2))
    assert (len(server.accepted), server.connections) == (2, 2)


def test_it_is_called_again_once_only(server: MailServer) -> None:
    with mailer(server.url()) as opened:
        opened.send(letter(1))
        server.at["MAIL"] = Does.HANG_UP
        with pytest.raises(Deferred):
            opened.send(letter(2))
    assert server.connections == 2


@pytest.mark.parametrize("limit", ["LONGEST_IDLE", "LONGEST_LIFE", "MOST_LETTERS"])
def test_a_connection_is_not_kept_for_ever(server: MailServer, limit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smtp, limit, 0)
    with mailer(server.url()) as opened:
        opened.send(letter(1))
        opened.send(letter(2))
    assert server.connections == 2


def test_whoever_waits_for_a_connection_of_ours_is_not_told_that_the_server_is_away() -> None:
    with MailServer(pause=SECONDS) as server, mailer(server.url(), timeout=4 * SECONDS, connections=1) as opened:
        with ThreadPoolExecutor(6) as threads:
            list(threads.map(lambda number: opened.send(letter(number)), range(6)))
        assert (len(server.accepted), server.connections) == (6, 1)


def test_nobody_there_is_a_reason_to_wait() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    error = failure(f"smtp://127.0.0.1:{port}")
    assert isinstance(error, Deferred)
    assert f"127.0.0.1:{port} cannot be reached" in error.detail


def drip(caller: socket.socket) -> None:
    """A byte at a time, so that no single wait is long."""
    try:
        for _ in range(1000):
            caller.sendall(b"2")
            time.sleep(SECONDS / 5)
    except OSError:
        pass


@pytest.mark.parametrize(
    "talk, said",
    [
        (lambda _: None, "no answer in time"),
        (drip, "no answer in time"),
        (lambda caller: caller.sendall(b"220-and\r\n" * 200), "an answer without end"),
        (lambda caller: caller.sendall(b"2" * 9000), "a line without end"),
        (lambda caller: caller.sendall(b"HTTP/1.1 400 Bad Request\r\n"), "answered"),
        (lambda caller: caller.sendall(b"421 too busy\r\n"), "answered 421 too busy"),
        (lambda caller: caller.sendall(b"554 no mail here\r\n"), "answered 554 no mail here"),
        (lambda caller: caller.shutdown(socket.SHUT_RDWR), "it hung up"),
    ],
    ids=["silence", "drip", "no end", "long line", "web server", "421", "554", "gone"],
)
def test_a_server_that_does_not_greet_is_no_reason_to_wait_for_ever(
    talk: Callable[[socket.socket], None], said: str
) -> None:
    with rude(talk) as url:
        began = time.monotonic()
        error = failure(url, timeout=SECONDS if said == "no answer in time" else PATIENT)
    assert isinstance(error, Deferred)
    assert said in error.detail
    assert time.monotonic() - began < PATIENT


def test_an_answer_of_a_server_is_one_clean_line(server: MailServer) -> None:
    server.at["RCPT"] = "550-\x1b[31mred\r\n550 " + "x" * 500
    detail = failure(server.url()).detail
    assert detail.isprintable()
    assert len(detail) == 300


def test_a_letter_that_is_too_large_is_refused_before_it_is_sent() -> None:
    with MailServer(largest=2000) as server:
        error = failure(server.url(), letter(body="x\r\n" * 2000))
        assert isinstance(error, Refused)
        assert "2000" in error.detail
        assert server.options == []


def test_an_address_beyond_ascii_reaches_a_server_that_knows_such() -> None:
    with MailServer(has_smtputf8=True) as server, mailer(server.url()) as opened:
        opened.send(letter(recipient="jürgen@example.org"))
        opened.send(letter())
        assert [each.recipient for each in server.accepted] == ["jürgen@example.org", "ana@example.org"]
        assert ["SMTPUTF8" in options for options in server.options] == [True, False]


def test_an_address_beyond_ascii_is_refused_where_the_server_does_not_know_such(server: MailServer) -> None:
    error = failure(server.url(), letter(recipient="jürgen@example.org"))
    assert isinstance(error, Refused)
    assert "does not offer SMTPUTF8" in error.detail


def test_a_letter_of_eight_bits_says_so(server: MailServer) -> None:
    with mailer(server.url()) as opened:
        opened.send(letter(body="Käse"))
    assert "BODY=8BITMIME" in server.options[0]


def test_a_user_with_the_right_password_may_send() -> None:
    with MailServer(login=("till", PASSWORD)) as server:
        url = server.url(user=f"till:{PASSWORD}@")
        with mailer(url) as opened:
            assert opened.check() is None
            opened.send(letter())
        assert len(server.accepted) == 1


def test_a_wrong_password_is_the_operator_s_to_mend_and_never_told() -> None:
    with MailServer(login=("till", "other")) as server:
        url = server.url(user=f"till:{PASSWORD}@")
        error = failure(url)
        with mailer(url) as opened:
            check = opened.check()
    assert isinstance(error, Deferred)
    assert error.code == 535
    assert check
    assert "COUNTERFOIL_SMTP_URL" in check
    assert PASSWORD not in error.detail + check


def test_a_password_that_a_server_repeats_is_cut_out() -> None:
    def repeat(caller: socket.socket) -> None:
        caller.sendall(b"220 hello\r\n")
        caller.recv(1000)
        caller.sendall(b"250-hello\r\n250 AUTH PLAIN\r\n")
        asked = caller.recv(1000).strip()
        caller.sendall(b"535 not " + PASSWORD.encode() + b", nor " + asked + b"\r\n")

    with rude(repeat) as url:
        error = failure(url.replace("//", f"//till:{PASSWORD}@"))
    assert error.detail.endswith("535 not …, nor AUTH PLAIN …")


def test_a_server_without_starttls_gets_nothing(server: MailServer) -> None:
    error = failure(server.url("?tls=starttls"))
    assert isinstance(error, Deferred)
    assert "offers no STARTTLS" in error.detail
    assert server.options == []


# --- certificates


def certified(folder: Path, host: str) -> ssl.SSLContext:
    """A server's side of TLS, for ``host``; ``folder/ca.pem`` is the authority that vouches for it."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "a test")])
    names: x509.GeneralName = x509.IPAddress(ip_address(host)) if host[0].isdigit() else x509.DNSName(host)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "ca.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "key.pem").write_bytes(private)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "ca.pem", folder / "key.pem")
    return context


@pytest.fixture(params=[False, True], ids=["starttls", "smtps"])
def is_tls_from_start(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


def test_a_letter_goes_out_under_a_certificate_that_is_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_tls_from_start: bool
) -> None:
    tls = certified(tmp_path, "localhost")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    with MailServer(tls=tls, is_tls_from_start=is_tls_from_start) as server:
        with mailer(server.url("" if is_tls_from_start else "?tls=starttls")) as opened:
            assert opened.check() is None
            opened.send(letter())
        assert len(server.accepted) == 1


@pytest.mark.parametrize(
    "host, is_trusted", [("localhost", False), ("other.test", True)], ids=["unknown", "other name"]
)
def test_nothing_goes_out_under_a_certificate_that_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_tls_from_start: bool, host: str, is_trusted: bool
) -> None:
    tls = certified(tmp_path, host)
    if is_trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    with MailServer(tls=tls, is_tls_from_start=is_tls_from_start) as server:
        error = failure(server.url("" if is_tls_from_start else "?tls=starttls"))
        assert server.accepted == []
    assert isinstance(error, Deferred)
    assert "certificate that is not trusted" in error.detail


def test_the_server_as_a_process_has_written_down_what_it_accepted(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.support.smtp", "0", str(tmp_path / "accepted")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            with mailer(f"smtp://localhost:{int(process.stdout.readline())}") as opened:
                opened.send(letter())
        finally:
            process.kill()
    assert (tmp_path / "accepted").read_text() == "<1@shop.test>\tana@example.org\n"
