"""Handing finished letters to a mail server, to Amazon SES or to a folder.

::

    Undelivered
    ├── Refused     for good: trying again will not help
    └── Deferred    for now: try again later
"""

import re
from dataclasses import dataclass
from typing import Final, Protocol

from infra.settings import Mail

LONGEST_DETAIL: Final = 300
_IN_DOUBT: Final = "; it may have been taken"
# Some servers write the part before the @ in lower case, so a token must not live by its capitals.
_TOKEN: Final = re.compile(r"[a-z0-9_-]{1,40}")


@dataclass(frozen=True, slots=True)
class Letter:
    """What goes on the wire, to one person.

    ``sender`` (of the envelope, see :func:`envelope_sender`) and ``recipient`` are bare addresses. ``data`` is the
    whole message with CRLF (RFC 5322); letters beyond ASCII in its head need a server that speaks SMTPUTF8.
    """

    sender: str
    recipient: str
    data: bytes


class Undelivered(Exception):
    """The letter was not taken. ``detail`` is one clean line of at most 300 characters, without any password."""

    def __init__(self, detail: str, *, code: int | None = None) -> None:
        self.detail = one_line(detail)
        self.code = code  # the reply code of SMTP, where a server gave one
        super().__init__(self.detail)


class Refused(Undelivered):
    """For good: the recipient or the message is not wanted."""


class Deferred(Undelivered):
    """For now: the server is away, busy or set up wrongly.

    ``in_doubt``: the whole letter was handed over and no answer came, so sending it again may double it. The detail
    ends with that.
    """

    def __init__(self, detail: str, *, code: int | None = None, in_doubt: bool = False) -> None:
        doubt = _IN_DOUBT if in_doubt else ""
        super().__init__(one_line(detail, LONGEST_DETAIL - len(doubt)) + doubt, code=code)


class Mailer(Protocol):
    """A way for letters to leave. Any number of threads may use one at once."""

    def send(self, letter: Letter) -> str:
        """Returns once the other side has accepted the letter, with its word for it. Raises :class:`Undelivered`."""

    def check(self) -> str | None:
        """None where letters could be sent now; otherwise what is wrong and what to do, in one line."""

    def close(self) -> None: ...


def open_mailer(mail: Mail, *, at_once: int = 4) -> Mailer | None:
    """The way that is set; None where none is. Nothing is connected yet.

    ``at_once`` is how many letters may be under way at the same time, each over a connection of its own.
    """
    # Late: boto3 takes half a second, and the three are made of what stands above.
    if mail.smtp_url:
        from infra.smtp import SmtpMailer

        return SmtpMailer(mail.smtp_url, timeout=mail.smtp_timeout, connections=at_once)
    if mail.ses_region:
        from infra.ses import SesMailer

        return SesMailer(mail)
    if mail.mail_outbox:
        from infra.outbox import Outbox

        return Outbox(mail.mail_outbox)
    return None


def envelope_sender(mail: Mail, token: str) -> str:
    """Where a bounce of this letter shall go: ``local+token@domain`` (VERP) of the bounce address, if there is one.

    The token is lower-case letters, digits, ``_`` and ``-``, at most 40 of them; ValueError otherwise.
    """
    if not _TOKEN.fullmatch(token):
        raise ValueError("the token of an envelope sender must be up to 40 of a-z, 0-9, _ and -")
    if not mail.mail_bounces:
        return mail.mail_from or ""
    local, _, domain = mail.mail_bounces.rpartition("@")
    return f"{local}+{token}@{domain}"


def one_line(text: str, longest: int = LONGEST_DETAIL) -> str:
    """What a stranger wrote, as one line that a log, a page and a terminal can show."""
    line = " ".join("".join(each if each.isprintable() else " " for each in text[: longest * 10]).split())
    return line if len(line) <= longest else line[: longest - 1] + "…"
