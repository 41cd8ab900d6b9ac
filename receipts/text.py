"""A receipt as plain text, 42 columns wide: what a till prints, to be mailed, pasted or read aloud."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from infra.i18n import voice
from receipts.columns import WIDTH, Sheet, width
from receipts.shapes import Fiscal, Item, Party, ReceiptView, Related, Row, Sums, TaxRow, TaxTable, Tender

Words = Callable[[str], str]
_INDENT: Final = 2
_GAP: Final = 2
_LEAST_LABEL: Final = 10  # columns of the tax table's first one


def plain(receipt: ReceiptView, *, url: str = "", closing: Iterable[str] = ()) -> str:
    """Lines that end with a line feed, in logical order. ``url`` is that of the page; ``closing`` stands before it.

    No line is wider than :data:`receipts.columns.WIDTH`, and no amount is cut in two unless it is wider than that.
    """
    sheet, words = Sheet(receipt.direction), voice(receipt.language).gettext
    _head(sheet, receipt)
    _about(sheet, receipt, words)
    _lines(sheet, receipt, words)
    if receipt.sums:
        _sums(sheet, receipt.sums, words)
    _beside(sheet, receipt, words)
    _foot(sheet, receipt, closing)
    if url:
        sheet.rule()
        sheet.write(url, breaks="/")
    return sheet.text()


def _head(sheet: Sheet, receipt: ReceiptView) -> None:
    if receipt.brand != receipt.store.name:
        sheet.centre(receipt.brand)
    for line in _party(receipt.store):
        sheet.centre(line)
    if receipt.header:
        sheet.gap()
    for line in receipt.header:
        sheet.centre(line)
    for state in receipt.states:
        sheet.gap()
        sheet.rule("*")
        sheet.centre(state.title)
        sheet.centre(state.text)
        sheet.rule("*")
    sheet.gap()


def _party(party: Party) -> Iterator[str]:
    yield from filter(None, (party.name, *party.lines, party.phone))
    for row in party.details:
        yield f"{row.label}: {row.value}"


def _about(sheet: Sheet, receipt: ReceiptView, words: Words) -> None:
    sheet.write(receipt.title)
    sheet.write(receipt.issued.text)
    _pairs(sheet, receipt.facts)
    if receipt.original:
        _related(sheet, receipt.original)
    if receipt.reason:
        sheet.pair(words("Reason"), receipt.reason)
    if receipt.buyer:
        sheet.gap()
        sheet.write(f"{words('Billed to')}:")
        for line in _party(receipt.buyer):
            sheet.write(line, indent=_INDENT)


def _lines(sheet: Sheet, receipt: ReceiptView, words: Words) -> None:
    everything = list(_with_parts(receipt.items))
    marks = max((width(item.mark) for item in everything), default=0)
    prices = max((width(item.price) for item in everything), default=0)
    sheet.rule()
    for item in receipt.items:
        _item(sheet, item, (marks, prices), 0, words)
    sheet.rule()
    sheet.write(receipt.item_count)


def _with_parts(items: Sequence[Item]) -> Iterator[Item]:
    for item in items:
        yield item
        yield from _with_parts(item.parts)


def _item(sheet: Sheet, item: Item, columns: tuple[int, int], indent: int, words: Words) -> None:
    inner = indent + _INDENT
    sheet.pair(item.name, _price(item, *columns), indent=indent)
    for line in (words("Returned") if item.comes_back else "", item.measure):
        sheet.write(line, indent=inner)
    if item.was:
        sheet.pair(words("Before"), item.was, indent=inner)
    _pairs(sheet, item.discounts, inner)
    for note in item.notes:
        sheet.write(note, indent=inner)
    _details(sheet, item.details, inner)
    for part in item.parts:
        _item(sheet, part, columns, inner, words)


def _price(item: Item, marks: int, prices: int) -> str:
    """The price with its mark before it, so that marks stand below each other as prices do."""
    if not item.mark:
        return item.price
    return item.mark + " " * (marks - width(item.mark) + _GAP + prices - width(item.price)) + item.price


def _pairs(sheet: Sheet, rows: Iterable[Row], indent: int = 0) -> None:
    for row in rows:
        sheet.pair(row.label, row.value, indent=indent)


def _details(sheet: Sheet, rows: Iterable[Row], indent: int) -> None:
    for row in rows:
        sheet.write(f"{row.label}: {row.value}", indent=indent)


def _related(sheet: Sheet, related: Related) -> None:
    sheet.pair(f"{related.label} · {related.when.date}", related.amount)


def _sums(sheet: Sheet, sums: Sums, words: Words) -> None:
    _pairs(sheet, sums.summary)
    sheet.rule("=")
    sheet.pair(sums.total.label, sums.total.value)
    sheet.rule("=")
    for tender in sums.tenders:
        _tender(sheet, tender)
    if sums.balance_due:
        sheet.pair(sums.balance_due.label, sums.balance_due.value)
    for line in (sums.status, sums.savings, sums.returned):
        sheet.write(line)
    if sums.taxes:
        sheet.rule()
        _taxes(sheet, sums.taxes, words)
    if sums.loyalty:
        sheet.rule()
        _pairs(sheet, sums.loyalty)


def _tender(sheet: Sheet, tender: Tender) -> None:
    sheet.pair(tender.label, tender.amount)
    sheet.write(tender.note, indent=_INDENT)
    _details(sheet, tender.details, _INDENT)
    for line in tender.slip:
        sheet.write(line, indent=_INDENT)


def _taxes(sheet: Sheet, taxes: TaxTable, words: Words) -> None:
    """A table where its columns fit; else each row with its amounts below each other."""
    heads = (
        [("net", words("Net"))] * taxes.has_net
        + [("tax", words("Amount"))]
        + [("gross", words("Gross"))] * taxes.has_gross
    )
    rows = [[words("Tax"), *(head for _, head in heads)]]
    rows += [[_tax_label(row), *(getattr(row, name) for name, _ in heads)] for row in taxes.rows]
    sheet.write(words("Taxes included") if taxes.is_included else words("Taxes"))
    widths = [max(width(cell) for cell in column) for column in zip(*rows, strict=True)][1:]
    room = WIDTH - sum(widths) - _GAP * len(widths)
    if room >= _LEAST_LABEL:
        for row in rows:
            sheet.row(row, [room, *widths])
        return
    for label, *amounts in rows[1:]:
        sheet.write(label)
        for (_, head), amount in zip(heads, amounts, strict=True):
            if amount:
                sheet.pair(head, amount, indent=_INDENT)


def _tax_label(row: TaxRow) -> str:
    name = f"{row.mark} {row.label}" if row.mark else row.label
    return f"{name} ({row.exemption})" if row.exemption else name


def _beside(sheet: Sheet, receipt: ReceiptView, words: Words) -> None:
    """What came back, the fiscal device's words, and codes, for those who type them in."""
    if receipt.amendments:
        sheet.rule()
    for related in receipt.amendments:
        _related(sheet, related)
    if receipt.fiscal:
        sheet.rule()
        _fiscal(sheet, receipt.fiscal)
    if receipt.codes:
        sheet.rule()
    for code in receipt.codes:
        sheet.write(f"{code.label}: {code.value}" if code.label else code.value)


def _fiscal(sheet: Sheet, fiscal: Fiscal) -> None:
    for line in fiscal.lines:
        sheet.write(line)
    _details(sheet, fiscal.values, 0)
    sheet.write(fiscal.qr)


def _foot(sheet: Sheet, receipt: ReceiptView, closing: Iterable[str]) -> None:
    told = [*receipt.notes, *receipt.footer]
    if told:
        sheet.rule()
    for line in told:
        sheet.centre(line)
    closing = list(closing)
    if closing:
        sheet.rule()
    for line in closing:
        sheet.write(line)
