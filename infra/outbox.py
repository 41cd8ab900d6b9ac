"""Letters kept as files instead of being sent, for a shop that is tried out."""

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.parser import BytesHeaderParser
from pathlib import Path
from typing import Final

from infra import files
from infra.mail import Deferred, Letter, Refused, one_line
from infra.mail_address import is_address
from kernel.clock import utc_now
from kernel.ids import new_id

MOST_KEPT: Final = 500
_ID: Final = re.compile(r"ltr_[0-9a-z]{26}")
_HEAD: Final = 64 * 1024  # bytes within which the head of a letter ends


@dataclass(frozen=True, slots=True)
class Kept:
    """A line of the list. ``recipient`` is a bare address."""

    id: str
    recipient: str
    subject: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Attachment:
    name: str
    media_type: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Opened:
    """A letter as its reader sees it. ``html`` is as it was sent: show it where it can do nothing. ``head`` are its
    headers, as they were sent."""

    kept: Kept
    sender: str
    html: str | None
    text: str | None
    attachments: tuple[Attachment, ...]
    head: str


class Outbox:
    """See :class:`infra.mail.Mailer`. The word for a letter is its id; of all letters the newest are kept."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def send(self, letter: Letter) -> str:
        if not is_address(letter.recipient):
            raise Refused("the address cannot be written to")
        letter_id = new_id("ltr", utc_now())
        try:
            self._keep(letter_id, letter)
        except OSError as error:
            raise Deferred(f"COUNTERFOIL_MAIL_OUTBOX cannot be written to: {error.strerror or error}") from None
        return letter_id

    def check(self) -> str | None:
        # Whoever checks may be another user than the service, and must not be the one who makes it.
        there = next(each for each in (self._folder.absolute(), *self._folder.absolute().parents) if each.exists())
        if there.is_dir() and os.access(there, os.W_OK):
            return None
        return "the folder of COUNTERFOIL_MAIL_OUTBOX cannot be written to; make it, and give it to the service's user"

    def close(self) -> None:
        """Nothing is open."""

    def _keep(self, letter_id: str, letter: Letter) -> None:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        files.prepare(self._folder)
        # As a mail server writes it at delivery (RFC 9228), since a message need not name its recipient.
        files.write(self._folder, f"{letter_id}.eml", f"Delivered-To: {letter.recipient}\r\n".encode(), letter.data)
        for old in _files(self._folder)[MOST_KEPT:]:
            old.unlink(missing_ok=True)


def letters(folder: Path, *, most: int = 100) -> list[Kept]:
    """The newest letters first."""
    return list(_kept(_files(folder)[:most]))


def read(folder: Path, letter_id: str) -> Opened | None:
    """The letter, or None where there is none of that id. Any text may be asked for: no id leads out of the folder."""
    if not _ID.fullmatch(letter_id):
        return None
    path = folder / f"{letter_id}.eml"
    try:
        data = path.read_bytes()
        message = message_from_bytes(data, policy=policy.SMTPUTF8)
        kept = _line(path, message)
    except FileNotFoundError:
        return None
    html, text = _body(message, "html"), _body(message, "plain")
    attached = tuple(_attachment(part) for part in message.iter_attachments())
    head = data.partition(b"\r\n\r\n")[0].decode(errors="replace").replace("\r\n", "\n")
    return Opened(kept, one_line(str(message["From"] or "")), html, text, attached, head)


def _files(folder: Path) -> list[Path]:
    """Newest first: ids sort by age."""
    return sorted((path for path in folder.glob("*.eml") if _ID.fullmatch(path.stem)), reverse=True)


def _kept(paths: list[Path]) -> Iterator[Kept]:
    parser = BytesHeaderParser(policy=policy.SMTPUTF8)
    for path in paths:
        with suppress(FileNotFoundError), path.open("rb") as file:  # another process may have made room meanwhile
            yield _line(path, parser.parsebytes(file.read(_HEAD)))


def _line(path: Path, message: EmailMessage) -> Kept:
    recipient, subject = (one_line(str(message[name] or "")) for name in ("Delivered-To", "Subject"))
    return Kept(path.stem, recipient, subject, datetime.fromtimestamp(path.stat().st_mtime, UTC))


def _body(message: EmailMessage, kind: str) -> str | None:
    part = message.get_body((kind,))
    return None if part is None else str(part.get_content()).replace("\r\n", "\n")


def _attachment(part: EmailMessage) -> Attachment:
    data = part.get_payload(decode=True)
    assert isinstance(data, bytes)
    return Attachment(part.get_filename("attachment"), part.get_content_type(), data)
