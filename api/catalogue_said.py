"""What the catalogue says of things on a receipt, told among the details of their lines."""

from calendar import monthrange
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from typing import Final

from sqlalchemy import Connection

from api.house import House
from engagement.offers import about
from engagement.offers.about import Said
from infra.i18n import Voice, voice
from receipts.records import ReceiptRecord
from receipts.sale import Line
from receipts.shapes import Item, ReceiptView, Row
from receipts.wall_clock import zone_of

# Of all texts on a receipt, so that its page stays as light as it must be: a single one may have 2,000.
_MOST_SIGNS: Final = 4_000


@dataclass(slots=True)
class _Room:
    """``signs`` are still free."""

    signs: int

    def takes(self, row: Row) -> bool:
        is_taken = len(row.value) <= self.signs
        self.signs -= len(row.value) if is_taken else 0
        return is_taken


def find(conn: Connection, house: House, record: ReceiptRecord) -> Mapping[str, Said]:
    """By the ids of lines."""
    desk = house.offer_desks.of(conn, record.merchant_id)
    return about.about(conn, record) if desk.has_products else {}


def beside(receipt: ReceiptView, record: ReceiptRecord, said: Mapping[str, Said]) -> ReceiptView:
    """The receipt with it. It is no part of what was issued, and so of no other form of the receipt: the catalogue may
    say something else tomorrow. A text for which there is no room is left out whole."""
    if not said:
        return receipt
    words = voice(receipt.language, record.issuer.address.get("country"))
    lines = {line.id: line for line in record.content.lines}
    room = _Room(_MOST_SIGNS)

    def item(each: Item) -> Item:
        if (found := said.get(each.id)) is None:
            return each
        more = (*_facts(words, record, lines[each.id], found), *filter(room.takes, _texts(words, found)))
        return replace(each, details=(*each.details, *more))

    return replace(receipt, items=tuple(map(item, receipt.items)))


def _facts(words: Voice, record: ReceiptRecord, line: Line, said: Said) -> Iterator[Row]:
    """What the till said of the line itself goes before."""
    _ = words.gettext
    if said.category and line.category is None:
        yield Row(_("Category"), said.category)
    if said.warranty_months and line.warranty_months is None:
        ends = _months_after(record.content.issued_at, said.warranty_months, zone_of(record))
        yield Row(_("Warranty until"), words.formats.moment(ends).date)


def _texts(words: Voice, said: Said) -> Iterator[Row]:
    _ = words.gettext
    for label, texts in ((_("Warranty terms"), said.warranty), (_("Care"), said.care)):
        language = words.language if words.language in texts else next(iter(texts), "")
        if texts.get(language):
            yield Row(label, texts[language], language=language if language != words.language else "")


def _months_after(issued_at: datetime, months: int, zone: tzinfo | None) -> datetime:
    """The same day of a later month, or its last one."""
    local = issued_at.astimezone(zone) if zone else issued_at
    years, month = divmod(local.month - 1 + months, 12)
    year = local.year + years
    return local.replace(year=year, month=month + 1, day=min(local.day, monthrange(year, month + 1)[1]))
