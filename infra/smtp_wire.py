"""The line to a mail server: opened, kept private, signed in. Every answer is waited for, but not for ever."""

import smtplib
import socket
import ssl
from base64 import b64encode
from functools import cache
from time import monotonic
from typing import Final

from infra.mail import Deferred
from infra.smtp_url import SmtpServer

_LONGEST_LINE: Final = 4096
_MOST_LINES: Final = 100


def open_wire(server: SmtpServer, tls: ssl.SSLContext | None, timeout: float) -> smtplib.SMTP:
    """Connect, greet, keep private and sign in; raises Deferred, since none of it is the fault of a letter."""
    where = f"the mail server {server.host}:{server.port}"
    try:
        smtp = _connect(server, tls, timeout)
    except ssl.SSLCertVerificationError as error:
        why = f"{where} has a certificate that is not trusted: {error.verify_message}"
        raise Deferred(f"{why}; SSL_CERT_FILE names an authority of your own") from None
    except smtplib.SMTPResponseException as error:
        said = in_words(error.smtp_code, error.smtp_error)
        raise Deferred(f"{where} answered {said}", code=error.smtp_code) from None
    except (OSError, smtplib.SMTPException, UnicodeError) as error:
        raise Deferred(f"{where} cannot be reached: {why_not(error)}") from None
    try:
        _sign_in(smtp, server)
    except BaseException:
        smtp.close()
        raise
    return smtp


class _Patient(smtplib.SMTP):
    """Waits for a whole answer no longer than ``timeout`` seconds, however slowly its bytes drop in."""

    _unread = b""

    def getreply(self) -> tuple[int, bytes]:
        try:
            return self._reply(monotonic() + self.timeout)
        except OSError:
            self.close()
            raise

    def _reply(self, until: float) -> tuple[int, bytes]:
        said = []
        for _ in range(_MOST_LINES):
            line = self._line(until)
            said.append(line[4:].strip())
            if not line[:3].isdigit():
                return -1, b"\n".join(said)
            if line[3:4] != b"-":
                return int(line[:3]), b"\n".join(said)
        raise ConnectionError("an answer without end")

    def _line(self, until: float) -> bytes:
        assert self.sock
        while b"\n" not in self._unread:
            if len(self._unread) > _LONGEST_LINE:
                raise ConnectionError("a line without end")
            self.sock.settimeout(max(until - monotonic(), 0.001))
            got = self.sock.recv(_LONGEST_LINE)
            if not got:
                raise ConnectionError("it hung up")
            self._unread += got
        self.sock.settimeout(self.timeout)
        line, _, self._unread = self._unread.partition(b"\n")
        return line

    def starttls(self, *args: object, context: ssl.SSLContext | None = None, **more: object) -> tuple[int, bytes]:
        reply = super().starttls(context=context)
        self._unread = b""  # what came before TLS was said by anybody
        return reply


class _PatientTls(_Patient, smtplib.SMTP_SSL):
    pass


def _connect(server: SmtpServer, tls: ssl.SSLContext | None, timeout: float) -> smtplib.SMTP:
    if server.tls == "implicit":
        smtp: smtplib.SMTP = _PatientTls(server.host, server.port, _own_name(), timeout=timeout, context=tls)
    else:
        smtp = _Patient(server.host, server.port, _own_name(), timeout=timeout)
    try:
        assert smtp.sock
        smtp.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        smtp.ehlo_or_helo_if_needed()
        if server.tls == "starttls":
            if not smtp.has_extn("starttls"):
                raise smtplib.SMTPNotSupportedError("it offers no STARTTLS; say smtps:// or ?tls=none if that is meant")
            smtp.starttls(context=tls)
            smtp.ehlo_or_helo_if_needed()
    except BaseException:
        smtp.close()
        raise
    return smtp


def _sign_in(smtp: smtplib.SMTP, server: SmtpServer) -> None:
    if not server.user or not server.password:
        return
    try:
        smtp.login(server.user, server.password)
    except smtplib.SMTPResponseException as error:
        said = _without_password(in_words(error.smtp_code, error.smtp_error), server)
        raise Deferred(f"the mail server refused COUNTERFOIL_SMTP_URL's user: {said}", code=error.smtp_code) from None
    except (OSError, smtplib.SMTPException) as error:
        raise Deferred(f"the mail server did not sign in COUNTERFOIL_SMTP_URL's user: {why_not(error)}") from None


def _without_password(said: str, server: SmtpServer) -> str:
    """Some servers repeat what they were sent."""
    user, password = server.user or "", server.password or ""
    sent = (f"\0{user}\0{password}", password)
    for secret in (*(b64encode(text.encode()).decode() for text in sent), password):
        said = said.replace(secret, "…")
    return said


def in_words(code: int, said: bytes | str) -> str:
    return f"{code} {said.decode(errors='replace') if isinstance(said, bytes) else said}"


def why_not(error: Exception) -> str:
    return "no answer in time" if isinstance(error, TimeoutError) else str(error)


@cache
def _own_name() -> str:
    """For EHLO: this machine's full name or, where it has none, an address literal (RFC 5321 section 4.1.4)."""
    name = socket.getfqdn()
    return name if "." in name and name.isascii() else "[127.0.0.1]"
