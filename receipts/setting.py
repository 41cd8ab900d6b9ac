"""What all parts of one view share while it is made."""

from dataclasses import dataclass
from datetime import UTC, timedelta, tzinfo
from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from infra.i18n import Voice, voice
from receipts.records import ReceiptRecord
from receipts.sale import Content
from receipts.taxes_view import Marks


@dataclass(frozen=True, slots=True)
class Setting:
    record: ReceiptRecord
    content: Content
    currency: str
    voice: Voice
    flags: frozenset[str]
    is_gift: bool
    marks: Marks
    # The clock on the wall of the shop.
    zone: tzinfo | None

    def amount(self, minor: int) -> str:
        """For the column of amounts: without the currency's sign."""
        return self.voice.formats.amount(minor, self.currency)

    def money(self, minor: int) -> str:
        return self.voice.formats.money(minor, self.currency)


def setting(record: ReceiptRecord, *, language: str, copy: bool) -> Setting:
    flags = frozenset(record.content.flags) | ({"copy"} if copy else set())
    return Setting(
        record=record,
        content=record.content,
        currency=record.currency,
        voice=voice(language, record.issuer.address.get("country")),
        flags=flags,
        is_gift="gift" in flags,
        marks=Marks(record.content),
        zone=zone_of(record),
    )


def zone_of(record: ReceiptRecord) -> tzinfo | None:
    """The till's own offset; the store's timezone where the till writes UTC."""
    own = record.content.issued_at.tzinfo
    if record.content.issued_at.utcoffset() == timedelta(0):
        return _named(record.issuer.timezone) or own
    return own


@cache
def _named(timezone: str) -> tzinfo | None:
    """None for a name that the tz database does not have: a receipt is shown all the same."""
    try:
        return ZoneInfo(timezone) if timezone != "UTC" else UTC
    except (ZoneInfoNotFoundError, ValueError):
        return None
