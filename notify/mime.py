"""A message as the bytes on the wire (RFC 5322, RFC 2045 to 2049): seven bits wide, the same for the same input."""

import re
from base64 import encodebytes
from binascii import b2a_qp
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.header import Header
from email.utils import format_datetime
from hashlib import sha256
from typing import Final
from urllib.parse import quote

from infra.mail_address import routable

_CRLF: Final = "\r\n"
# From how many characters on a text is written as encoded words, which may be folded.
_LONG: Final = 60
_LONGEST_NAME: Final = 60
_LINE_END: Final = re.compile(r"\r\n?|\n")
_UNPRINTABLE: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
# Marks, overrides and isolates of UAX 9: a name could turn the address around that stands beside it.
_TURNING: Final = re.compile(r"[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]+")
_ATOMS: Final = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]*")
_MESSAGE_ID: Final = re.compile(r"<[!-;=?A-~]+@[!-;=?A-~]+>")
_MIME_TYPE: Final = re.compile(r"[a-z0-9.+-]+/[a-z0-9.+-]+")
_LINK: Final = re.compile(r"https://[!-;=?-~]+")
_IN_NAME: Final = re.compile(r'[/\\:*?"<>|]+')


@dataclass(frozen=True, slots=True)
class Attachment:
    """``name`` is the file's, ``mime`` its type, such as ``application/pdf``."""

    name: str
    mime: str
    data: bytes


def build(
    *,
    sender_name: str,
    sender: str,
    recipient: str,
    reply_to: str | None,
    subject: str,
    html: str,
    text: str,
    language: str,
    message_id: str,
    date: datetime,
    stop_url: str | None,
    attachments: Sequence[Attachment] = (),
) -> bytes:
    """The whole message with CRLF. Raises ValueError for what is no address, message id or media type.

    ``sender``, ``recipient`` and ``reply_to`` are bare addresses, ``message_id`` stands in angle brackets, ``date`` has
    a timezone. A ``stop_url`` that is not https has no header: RFC 8058 knows no other. Only addresses with letters
    beyond ASCII before the ``@`` make the head wider than seven bits (RFC 6532).
    """
    head = {
        "From": f"{_phrase(sender_name)} <{routable(sender)}>".lstrip(),
        "To": routable(recipient),
        "Reply-To": routable(reply_to) if reply_to else "",
        "Subject": _words("Subject", _line(subject)),
        "Date": format_datetime(date.astimezone(UTC)),
        "Message-ID": _checked(_MESSAGE_ID, message_id, "message id"),
        **_manners(stop_url),
        "Content-Language": language,
        "MIME-Version": "1.0",
    }
    written = "".join(f"{name}: {value}{_CRLF}" for name, value in head.items() if value)
    return written.encode() + _body(text, html, attachments, sha256(message_id.encode()).hexdigest()[:24]).encode()


def _manners(stop_url: str | None) -> dict[str, str]:
    """That nobody answers a machine (RFC 3834; Exchange has a word of its own), and how to have it stop (RFC 8058)."""
    manners = {"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "OOF, AutoReply"}
    if stop_url and _LINK.fullmatch(stop_url):
        manners |= {"List-Unsubscribe": f"<{stop_url}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
    return manners


def _phrase(name: str) -> str:
    """A display name, as atoms, a quoted string or encoded words (RFC 5322 section 3.2, RFC 2047 section 5)."""
    clean = _line(_TURNING.sub("", name))
    if not clean.isascii() or len(clean) > _LONG or "=?" in clean:
        return _words("From", clean)
    if _ATOMS.fullmatch(clean):
        return clean
    return '"' + re.sub(r'(["\\])', r"\\\1", clean) + '"'


def _words(header: str, text: str) -> str:
    if text.isascii() and len(text) <= _LONG and "=?" not in text:
        return text
    return Header(text, "utf-8", maxlinelen=76, header_name=header).encode(linesep=_CRLF)


def _line(text: str) -> str:
    return " ".join(_UNPRINTABLE.sub(" ", text).split())


def _checked(pattern: re.Pattern[str], text: str, what: str) -> str:
    if not pattern.fullmatch(text):
        raise ValueError(f"not a {what}")
    return text


def _body(text: str, html: str, attachments: Sequence[Attachment], mark: str) -> str:
    both = _multipart("alternative", [_text("plain", text), _text("html", html)], mark)
    return _multipart("mixed", [both, *map(_attached, attachments)], mark) if attachments else both


def _multipart(kind: str, parts: Sequence[str], mark: str) -> str:
    """No line of quoted-printable or base64 begins with ``--=_``, so no content can end its part."""
    boundary = f"=_{kind}_{mark}"
    inner = "".join(f"--{boundary}{_CRLF}{part}{_CRLF}" for part in parts)
    return f'Content-Type: multipart/{kind}; boundary="{boundary}"{_CRLF * 2}{inner}--{boundary}--{_CRLF}'


def _text(kind: str, text: str) -> str:
    """In the shorter of the two encodings: letters of Latin scripts mostly quoted, others in base64."""
    data = _LINE_END.sub(_CRLF, text).encode(errors="replace")
    quoted = b2a_qp(data).decode()
    coded, transfer = (quoted, "quoted-printable") if len(quoted) <= len(data) * 1.35 else (_coded(data), "base64")
    return _part((f"Content-Type: text/{kind}; charset=utf-8", f"Content-Transfer-Encoding: {transfer}"), coded)


def _attached(attachment: Attachment) -> str:
    media_type = _checked(_MIME_TYPE, attachment.mime, "media type")
    name = _IN_NAME.sub("-", _line(_TURNING.sub("", attachment.name)))[-_LONGEST_NAME:]
    said = f'filename="{name}"' if name.isascii() else f"filename*=utf-8''{quote(name, safe='')}"
    return _part(
        (
            f"Content-Type: {media_type}",
            "Content-Transfer-Encoding: base64",
            f"Content-Disposition: attachment; {said}",
        ),
        _coded(attachment.data),
    )


def _part(head: Sequence[str], body: str) -> str:
    return _CRLF.join((*head, "", body))


def _coded(data: bytes) -> str:
    return encodebytes(data).decode().replace("\n", _CRLF)
