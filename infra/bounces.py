"""Reading in a mail that a letter did not arrive (RFC 3464, and sloppier ones).

Anybody can send one. Nothing here raises, whatever the input; what is found is a claim, to be matched with letters that
were really sent.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes
from email.message import Message
from email.policy import Compat32
from typing import Any, Final

from infra.mail import one_line
from infra.mail_address import is_address

LONGEST_BOUNCE: Final = 64 * 1024  # bytes; what is beyond is the returned letter's body
_LONGEST_PART: Final = 16 * 1024
_MOST_PARTS: Final = 50
# The standard library's parser tries each line at each boundary around it, and the parameters of a head at each mark.
_MOST_BOUNDARIES: Final = 30
_LONGEST_FIELD: Final = 1000
_MESSAGE_ID: Final = re.compile(r"<[^<>\s\x00-\x1f]{1,250}>")
_QUOTED_ID: Final = re.compile(r"(?im)^[> \t]{0,8}Message-ID:[ \t]*(?:\r?\n[ \t]+)?(<[^<>\s]{1,250}>)")
_STATUS: Final = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.])")  # RFC 3463
_REPLY: Final = re.compile(r"(?<![\d.])([45])[0-5]\d(?=[ \t-])")
_ADDRESS: Final = re.compile(r"<([^<>\s]{3,320})>")
_DAEMON: Final = re.compile(r"mailer-daemon|postmaster|mail delivery (?:sub)?system", re.IGNORECASE)
_DELAY: Final = re.compile(r"delay|warning|still being|not yet", re.IGNORECASE)
_TO: Final = ("Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To", "To")
_ENDED: Final = ("failed", "")


@dataclass(frozen=True, slots=True)
class Bounce:
    """A letter that its last server gave up.

    ``message_id`` is the letter's own, with its angle brackets. ``verp`` is the token of
    :func:`infra.mail.envelope_sender`, in lower case. ``is_permanent``: the address will not work another time either.
    ``status`` is ``5.1.1`` or the like (RFC 3463), or empty. ``detail`` is one line of the server's words.
    """

    message_id: str | None
    verp: str | None
    recipient: str | None
    is_permanent: bool
    status: str
    detail: str


def read_bounce(raw: bytes, *, bounces: str | None = None) -> Bounce | None:
    """What a mail says about a letter that did not arrive; None for any other mail, such as an out-of-office reply.

    ``bounces`` is the address that bounces go to (``COUNTERFOIL_MAIL_BOUNCES``); without it no token is looked for.
    A delay is no bounce: its server is still trying.
    """
    try:
        return _bounce(raw[:LONGEST_BOUNCE], bounces)
    except Exception:  # the standard library's parser has many ways to stumble over a mail made to do so
        return None


class _ShortFields(Compat32):
    def header_source_parse(self, sourcelines: list[str]) -> Any:
        name, value = super().header_source_parse(sourcelines)
        return name, value[:_LONGEST_FIELD]


_SHORT_FIELDS: Final = _ShortFields()


def _bounce(raw: bytes, bounces: str | None) -> Bounce | None:
    if raw.lower().count(b"boundary") > _MOST_BOUNDARIES:
        return None
    message = message_from_bytes(raw, policy=_SHORT_FIELDS)
    parts = list(_parts(message))
    text = raw.decode("utf-8", errors="replace")
    report = next((part for part in parts if part.get_content_type() == "message/delivery-status"), None)
    found = _reported(report) if report else _told(message, parts)
    if not found:
        return None
    recipient, status, detail = found
    verp = _verp(message, text, bounces)
    return Bounce(_original_id(message, parts, text), verp, recipient, status.startswith("5"), status, detail)


def _parts(message: Message) -> Iterator[Message]:
    for count, part in enumerate(message.walk()):
        if count == _MOST_PARTS:
            return
        yield part


def _reported(report: Message) -> tuple[str | None, str, str] | None:
    """Recipient, status and words of the first recipient who was given up (RFC 3464 section 2.3)."""
    blocks = report.get_payload()
    for block in blocks if isinstance(blocks, list) else []:
        if not isinstance(block, Message) or _field(block, "Action").lower() not in _ENDED:
            continue
        said = _after_type(_field(block, "Diagnostic-Code"))
        status = _status(_field(block, "Status")) or _status(said)
        if not status or status.startswith("2"):
            continue
        names = (_after_type(_field(block, name)) for name in ("Original-Recipient", "Final-Recipient"))
        recipient = next((name.strip("<>") for name in names if is_address(name.strip("<>"))), None)
        return recipient, status, one_line(said or f"status {status}")
    return None


def _told(message: Message, parts: list[Message]) -> tuple[str | None, str, str] | None:
    """The same out of the words of a mail system that sends no report: qmail, old Exim and the like."""
    if not _DAEMON.search(_field(message, "From")) or _DELAY.search(_field(message, "Subject")):
        return None
    words = "\n".join(_words(part) for part in parts if part.get_content_type() == "text/plain")[:_LONGEST_PART]
    line = next((line for line in words.splitlines() if _STATUS.search(line) or _REPLY.search(line)), None)
    if line is None or not (status := _status(line)):
        return None
    named = [_field(message, "X-Failed-Recipients"), *_ADDRESS.findall(words)]
    return next((name for name in named if is_address(name)), None), status, one_line(line)


def _words(part: Message) -> str:
    payload = part.get_payload(decode=True)
    return payload[:_LONGEST_PART].decode("utf-8", errors="replace") if isinstance(payload, bytes) else ""


def _status(text: str) -> str:
    """``5.1.1``; of a plain reply code such as 550 no more than its class is known: ``5.0.0``."""
    if found := _STATUS.search(text):
        return found[0]
    reply = _REPLY.search(text + " ")
    return f"{reply[1]}.0.0" if reply else ""


def _field(message: Message, name: str) -> str:
    return one_line(str(message.get(name, "")), 1000)


def _after_type(value: str) -> str:
    """``rfc822; ana@example.org`` without its type."""
    kind, mark, rest = value.partition(";")
    return (rest if mark and " " not in kind.strip() else value).strip()


def _original_id(message: Message, parts: list[Message], text: str) -> str | None:
    """Out of the returned letter or its head; else the last that is quoted; else what the bounce answers to."""
    for part in parts[1:]:
        held = part.get_payload(decode=True) if part.get_content_type().endswith("rfc822-headers") else None
        returned = message_from_bytes(held, policy=_SHORT_FIELDS) if isinstance(held, bytes) else part
        if found := _MESSAGE_ID.search(_field(returned, "Message-ID")):
            return found[0]
    own = _field(message, "Message-ID")
    quoted = [found for found in _QUOTED_ID.findall(text) if found != own]
    answered = _MESSAGE_ID.findall(_field(message, "In-Reply-To") + _field(message, "References"))
    return next(iter(quoted[-1:] or answered[:1]), None)


def _verp(message: Message, text: str, bounces: str | None) -> str | None:
    """The token of the address that the bounce came to, or that the returned letter was sent from."""
    if not bounces:
        return None
    local, _, domain = bounces.rpartition("@")
    ours = re.compile(rf"{re.escape(local)}\+([a-z0-9_-]{{1,40}})@{re.escape(domain)}(?![\w.-])", re.IGNORECASE)
    heads = (str(value) for name in _TO for value in message.get_all(name, []))
    found = next((found for head in (*heads, text) if (found := ours.search(head))), None)
    return found[1].lower() if found else None
