"""The pages of ``/mailbox`` as typed contexts: for who tries the service out, and in English as its docs are."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from api.contexts import KeptFile, KeptLine, LetterPage, MailboxPage, Moment
from api.receipt_page import OWN_COLOUR
from infra.outbox import Kept, Opened
from infra.theme import theme

_KILO: Final = 1000


def mailbox_page(letters: Sequence[Kept], *, is_demo: bool) -> MailboxPage:
    return MailboxPage(**_page("Mailbox"), letters=tuple(map(_line, letters)), is_demo=is_demo)


def letter_page(opened: Opened) -> LetterPage:
    return LetterPage(
        **_page(opened.kept.subject or "Without a subject"),
        letter=_line(opened.kept),
        sender=opened.sender,
        has_html=opened.html is not None,
        text=opened.text or "",
        head=opened.head,
        files=tuple(KeptFile(each.name, f"{len(each.data) / _KILO:,.1f} KB") for each in opened.attachments),
    )


def _page(title: str) -> dict[str, Any]:
    return {
        "language": "en",
        "direction": "ltr",
        "title": title,
        "description": "Messages that were kept instead of being sent",
        "theme": theme(OWN_COLOUR),
        "languages": (),
    }


def _line(kept: Kept) -> KeptLine:
    return KeptLine(kept.id, kept.recipient, kept.subject or "Without a subject", _moment(kept.at))


def _moment(at: datetime) -> Moment:
    return Moment(at.isoformat(timespec="seconds"), f"{at:%d %b %Y, %H:%M:%S} UTC")
