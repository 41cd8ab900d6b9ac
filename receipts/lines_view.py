"""The lines of a receipt as a reader sees them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal

from receipts.prices import tells_a_price, without_prices
from receipts.sale import Discount, Line
from receipts.setting import Setting
from receipts.shapes import Item, Row

_PIECES = frozenset({"ea", "pc", "pcs", "x"})


def items(setting: Setting) -> tuple[Item, ...]:
    """Top lines in the till's order, each with what belongs to it: parts of a bundle, modifiers, deposits."""
    lines = setting.content.lines
    if all(line.parent is None for line in lines):
        return tuple(_item(setting, line, ()) for line in lines)
    tops = _tops(lines)
    parts: dict[str, list[Item]] = {}
    for line in lines:
        if tops[line.id] != line.id:
            parts.setdefault(tops[line.id], []).append(_item(setting, line, ()))
    return tuple(_item(setting, line, parts.get(line.id, ())) for line in lines if tops[line.id] == line.id)


def _tops(lines: Sequence[Line]) -> Mapping[str, str]:
    """For each line the one that it finally belongs to. Lines that name each other in a circle stand for themselves."""
    parents = {line.id: line.parent for line in lines}
    tops: dict[str, str] = {}
    for start in parents:
        trail: list[str] = []
        at: str | None = start
        while at is not None and at not in tops:
            tops[at] = at
            trail.append(at)
            at = parents[at]
        if at is None:
            tops |= dict.fromkeys(trail, trail[-1])
        elif at not in trail:
            tops |= dict.fromkeys(trail, tops[at])
    return tops


def _item(setting: Setting, line: Line, parts: Sequence[Item]) -> Item:
    priced = not setting.is_gift
    is_free_part = line.parent is not None and not line.total and not line.discounts
    return Item(
        id=line.id,
        name=without_prices(line.name) if setting.is_gift else line.name,
        price=setting.amount(line.total) if priced and not is_free_part else "",
        was=_was(setting, line) if priced and line.list_price is not None else "",
        measure=_measure(setting, line),
        mark=setting.marks.of(line) if priced else "",
        discounts=tuple(less(setting, discount) for discount in line.discounts) if priced else (),
        notes=tuple(_notes(setting, line)),
        details=tuple(_details(setting, line)),
        parts=tuple(parts),
        comes_back=line.original_line is not None or (setting.content.kind == "exchange" and line.total < 0),
        url=line.url or "",
    )


def less(setting: Setting, discount: Discount) -> Row:
    """A reduction as a negative amount, with its percentage where the name does not have it."""
    label = discount.name
    if discount.percent is not None:
        percent = setting.voice.formats.percent(discount.percent)
        label = label if percent.rstrip("% \u00a0") in label else f"{label} ({percent})"
    return Row(label, setting.amount(-discount.amount), "less")


def _was(setting: Setting, line: Line) -> str:
    """The price of a piece before it was marked down."""
    if line.list_price is None or (line.unit_price is not None and line.list_price <= line.unit_price):
        return ""
    return setting.voice.formats.price(line.list_price, setting.currency)


def _measure(setting: Setting, line: Line) -> str:
    """``0.735 kg × €2.99``; nothing for one piece whose price says it all."""
    formats, is_counted = setting.voice.formats, line.unit.lower() in _PIECES
    quantity = formats.number(line.quantity)
    if not is_counted:
        quantity = f"{quantity}\u00a0{line.unit}"
    is_one = is_counted and line.quantity == 1
    if setting.is_gift or line.unit_price is None:
        return "" if is_one else (f"×\u00a0{quantity}" if is_counted else quantity)
    if is_one and not line.discounts and not line.list_price:
        return ""
    return f"{quantity} × {formats.price(line.unit_price, setting.currency)}"


def _notes(setting: Setting, line: Line) -> Iterator[str]:
    yield from filter(None, (" · ".join(told(setting, line.options)), " · ".join(told(setting, _kind(line)))))
    yield from told(setting, (line.description, *line.notes, line.reason))


def _kind(line: Line) -> tuple[str | None, ...]:
    return line.brand, line.colour, line.size


def told(setting: Setting, texts: Iterable[str | None]) -> tuple[str, ...]:
    """The till's own words, as far as there are any; on a gift receipt only those without an amount."""
    return tuple(text for text in texts if text and not (setting.is_gift and tells_a_price(text)))


def _details(setting: Setting, line: Line) -> Iterator[Row]:
    rows = [*_names(setting, line), *_promises(setting, line), *_attributes(setting, line)]
    # The tax table tells it already: that alone is not worth unfolding.
    if not setting.is_gift and (rows or not setting.content.taxes):
        tax = setting.voice.gettext("Tax")
        yield from (Row(tax, rate) for rate in setting.marks.rates(setting.voice, line))
    yield from rows


def _attributes(setting: Setting, line: Line) -> Iterator[Row]:
    for label, text in line.attributes.items():
        if len(told(setting, (label, text))) == len((label, text)):
            yield Row(label, text)


def _names(setting: Setting, line: Line) -> Iterator[Row]:
    """By which the thing is known, and by whom it was sold."""
    _ = setting.voice.gettext
    stated = [
        (_("Item number"), line.sku),
        ("GTIN", line.gtin),
        ("HSN" if setting.currency == "INR" else _("Commodity code"), line.commodity_code),
        *((_("Serial number"), serial) for serial in (line.serial, *line.serials)),
        (_("Category"), "".join(told(setting, (line.category,)))),
        (_("Tags"), ", ".join(told(setting, line.tags))),
        (_("Tare"), f"{setting.voice.formats.number(line.tare)}\u00a0{line.unit}" if line.tare else None),
        (_("Seller"), " · ".join(told(setting, (line.seller.name, line.seller.tax_id))) if line.seller else None),
    ]
    yield from (Row(label, value) for label, value in stated if value)


def _promises(setting: Setting, line: Line) -> Iterator[Row]:
    """What the shop owes after the sale: until when it takes the thing back, and how long it answers for it."""
    voice = setting.voice
    if line.returnable is False:
        yield Row(voice.gettext("Return"), voice.gettext("not possible"))
    elif line.return_days is not None:
        last = voice.formats.moment(setting.content.issued_at + timedelta(days=line.return_days), setting.zone)
        yield Row(voice.gettext("Return until"), last.date)
    if line.warranty_months:
        months = voice.ngettext("%(count)s month", "%(count)s months", line.warranty_months)
        yield Row(voice.gettext("Warranty"), months % {"count": voice.formats.number(Decimal(line.warranty_months))})
