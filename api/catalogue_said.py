"""What the catalogue says of things on a receipt, told among the details of their lines."""

from calendar import monthrange
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, tzinfo

from sqlalchemy import Connection

from api.house import House
from engagement.offers import about
from engagement.offers.about import Said
from infra.i18n import Voice, voice
from receipts.records import ReceiptRecord
from receipts.sale import Line
from receipts.shapes import Item, ReceiptView, Row
from receipts.wall_clock import zone_of


def find(conn: Connection, house: House, record: ReceiptRecord) -> Mapping[str, Said]:
    """By the ids of lines."""
    desk = house.offer_desks.of(conn, record.merchant_id)
    return about.about(conn, record) if desk.has_products else {}


def beside(receipt: ReceiptView, record: ReceiptRecord, said: Mapping[str, Said]) -> ReceiptView:
    """The receipt with it. It is no part of what was issued, and so of no other form of the receipt: the catalogue may
    say something else tomorrow."""
    if not said:
        return receipt
    words = voice(receipt.language, record.issuer.address.get("country"))
    lines = {line.id: line for line in record.content.lines}

    def item(each: Item) -> Item:
        found = said.get(each.id)
        more = tuple(_rows(words, record, lines[each.id], found)) if found else ()
        return replace(each, details=(*each.details, *more)) if more else each

    return replace(receipt, items=tuple(map(item, receipt.items)))


def _rows(words: Voice, record: ReceiptRecord, line: Line, said: Said) -> Iterator[Row]:
    """What the till said of the line itself goes before."""
    _ = words.gettext
    if said.category and line.category is None:
        yield Row(_("Category"), said.category)
    if said.warranty_months and line.warranty_months is None:
        ends = _months_after(record.content.issued_at, said.warranty_months, zone_of(record))
        yield Row(_("Warranty until"), words.formats.moment(ends).date)
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
