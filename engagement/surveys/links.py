"""Links to surveys: each is for one receipt and one survey, and carries a mark that only we can make."""

import hmac
import re
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from typing import Final

from engagement.surveys.records import Channel

# What the key of links is derived for (infra.secrets.derived).
PURPOSE: Final = "survey links"
_MARK_BYTES: Final = 16
_TOKEN: Final = re.compile(r"([0-9a-z]{26})\.([0-9a-z]{26})\.([pel])\.([A-Za-z0-9_-]{22})")
_CHANNELS: Final[dict[str, Channel]] = {"p": "page", "e": "email", "l": "link"}


@dataclass(frozen=True, slots=True)
class Linked:
    """What a link is for, and where it stood."""

    survey_id: str
    receipt_id: str
    channel: Channel


def link_token(key: bytes, linked: Linked) -> str:
    named = f"{_bare(linked.survey_id)}.{_bare(linked.receipt_id)}.{linked.channel[0]}"
    return f"{named}.{_mark(key, named)}"


def opened(key: bytes, token: str) -> Linked | None:
    """None alike for what is no link and for one that we did not make."""
    found = _TOKEN.fullmatch(token)
    named, _, mark = token.rpartition(".")
    if found is None or not hmac.compare_digest(mark, _mark(key, named)):
        return None
    survey_id, receipt_id, letter, _ = found.groups()
    return Linked(f"srv_{survey_id}", f"rct_{receipt_id}", _CHANNELS[letter])


def _bare(identifier: str) -> str:
    return identifier.partition("_")[2]


def _mark(key: bytes, named: str) -> str:
    made = hmac.digest(key, named.encode(), "sha256")[:_MARK_BYTES]
    return urlsafe_b64encode(made).rstrip(b"=").decode()
