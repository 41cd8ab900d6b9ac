"""What all parts of one view share while it is made."""

from dataclasses import dataclass
from datetime import tzinfo

from infra.i18n import Voice, voice
from receipts.records import ReceiptRecord
from receipts.sale import Content
from receipts.taxes_view import Marks
from receipts.wall_clock import zone_of


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
