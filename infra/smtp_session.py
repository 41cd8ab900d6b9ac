"""One conversation with a mail server (RFC 5321), letter by letter. All errors of smtplib are OSErrors."""

import re
import smtplib
import ssl
from time import monotonic
from typing import Final

from infra.mail import Deferred, Letter, Refused, Undelivered, one_line
from infra.smtp_url import SmtpServer
from infra.smtp_wire import in_words, open_wire, why_not

# Answers that tell the operator, not the sender of this letter, what to do (RFC 4954 section 6, RFC 3207 section 4).
_SET_UP_WRONGLY: Final = (503, 530, 534, 535, 538)
# The commonest of all has no code of its own: "554 5.7.1 Relay access denied", "550 relay not permitted", "553 … not in
# my list of allowed rcpthosts". Of another status (RFC 3463) it is about the recipient, whatever else it says.
_NOT_OURS: Final = re.compile(r"\brelay|authenticat|rcpthosts", re.IGNORECASE)
_STATUS: Final = re.compile(r"(?<![\d.])5\.(\d{1,3})\.\d{1,3}(?![\d.])")
_TOO_LARGE: Final = 552
CLOSING: Final = 421


class Gone(Deferred):
    """The server had left before this letter was begun: another connection may take it at once."""


class Session:
    """An open connection. For one thread at a time."""

    def __init__(self, server: SmtpServer, tls: ssl.SSLContext | None, timeout: float) -> None:
        """Raises Deferred, as :func:`infra.smtp_wire.open_wire` does."""
        self._smtp = open_wire(server, tls, timeout)
        self.began = self.used = monotonic()
        self.letters = 0

    def hand_over(self, letter: Letter) -> str:
        """The server's word for the accepted letter. Raises Undelivered; :class:`Gone` where nothing was said yet."""
        smtp, self.letters = self._smtp, self.letters + 1
        data = b"\r\n".join(letter.data.splitlines()) + b"\r\n"
        options = _options(smtp, letter, data)
        try:
            self._begin(letter, options)
            _expect(smtp.rcpt(letter.recipient), "RCPT")
            _expect(smtp.docmd("DATA"), "DATA", 3)
            smtp.send(_stuffed(data))
        except OSError as error:
            raise Deferred(f"the letter was not handed over: {why_not(error)}") from None
        return self._verdict()

    def recover(self) -> bool:
        """Whether the connection can take another letter, after one that was not taken."""
        try:
            self.used = monotonic()
            return self._smtp.rset()[0] == 250
        except OSError:
            return False

    def close(self) -> None:
        """Say goodbye without waiting for the answer."""
        try:
            self._smtp.putcmd("QUIT")
        except OSError:
            pass
        finally:
            self._smtp.close()

    def _begin(self, letter: Letter, options: list[str]) -> None:
        try:
            reply = self._smtp.mail(letter.sender, options)
        except TimeoutError:
            raise
        except OSError as error:
            raise Gone(f"the mail server hung up: {why_not(error)}") from None
        if reply[0] == CLOSING:
            raise Gone(f"the mail server answered {in_words(*reply)}", code=CLOSING)
        _expect(reply, "MAIL")

    def _verdict(self) -> str:
        try:
            code, said = self._smtp.getreply()
        except OSError as error:
            why = f"the mail server has the letter and gave no answer: {why_not(error)}"
            raise Deferred(why, in_doubt=True) from None
        self.used = monotonic()
        if code // 100 not in (2, 4, 5):
            self._smtp.close()
            raise Deferred(f"the mail server has the letter and said {in_words(code, said)}", in_doubt=True)
        _expect((code, said), "the letter")
        return one_line(said.decode(errors="replace"))


def _options(smtp: smtplib.SMTP, letter: Letter, data: bytes) -> list[str]:
    """Parameters of MAIL. Raises Refused where the letter needs what the server does not have."""
    options = []
    if smtp.has_extn("size"):  # RFC 1870; 0 and none mean that there is no fixed limit
        most = smtp.esmtp_features["size"]
        if most.isdecimal() and 0 < int(most) < len(data):
            raise Refused(f"the letter has {len(data)} bytes and the mail server takes {most} at most")
        options.append(f"SIZE={len(data)}")
    if not data.isascii():  # RFC 6152
        options.append(_needed(smtp, "8bitmime", "BODY=8BITMIME", "the letter is 8 bits wide"))
    head = data.partition(b"\r\n\r\n")[0]
    if not (letter.sender + letter.recipient).isascii() or not head.isascii():  # RFC 6531
        options.append(_needed(smtp, "smtputf8", "SMTPUTF8", "the address has letters beyond ASCII"))
    return options


def _needed(smtp: smtplib.SMTP, extension: str, option: str, why: str) -> str:
    if not smtp.has_extn(extension):
        raise Refused(f"{why}, and the mail server does not offer {extension.upper()}")
    return option


def _stuffed(data: bytes) -> bytes:
    """With the dots of RFC 5321 section 4.5.2, and the one that ends it."""
    start = b"." if data.startswith(b".") else b""
    return start + data.replace(b"\r\n.", b"\r\n..") + b".\r\n"


def _expect(reply: tuple[int, bytes], asked: str, wanted: int = 2) -> None:
    """Raises what an answer means, unless it is of the hundred that is wanted."""
    code, said = reply
    if code // 100 == wanted:
        return
    detail = f"the mail server answered {asked} with {in_words(code, said)}"
    is_refused = code // 100 == 5 and not _is_operators(asked, code, said.decode(errors="replace"))
    kind: type[Undelivered] = Refused if is_refused else Deferred
    raise kind(detail, code=code)


def _is_operators(asked: str, code: int, said: str) -> bool:
    """Whether it is the operator who is told what to do. A sender that is not wanted is set up wrongly too."""
    status = _STATUS.search(said)
    is_trusted = not _NOT_OURS.search(said) or (status is not None and status[1] != "7")
    return code in _SET_UP_WRONGLY or (asked == "MAIL" and code != _TOO_LARGE) or not is_trusted
