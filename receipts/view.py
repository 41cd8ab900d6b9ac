"""A receipt in one reader's language: what was accepted, and what stands beside it, as strings ready to be shown."""

from collections.abc import Iterable, Iterator
from decimal import Decimal

from infra import qr
from kernel.locale import base_language
from receipts import lines_view, parties_view, states_view, taxes_view, tenders_view
from receipts.codes import drawn_as
from receipts.labels import SERVICES, filled, numbered, word
from receipts.records import ReceiptRecord
from receipts.sale import Content
from receipts.setting import Setting, setting
from receipts.shapes import Code, Fiscal, ReceiptView, Related, Row, Sums

__all__ = ["ReceiptView", "view"]


def view(record: ReceiptRecord, *, language: str, copy: bool = False) -> ReceiptView:
    """``language`` is one of :data:`kernel.locale.LANGUAGES`; the country of the store decides how figures are written.

    The sale's flag ``gift`` leaves out every price, tender and tax, and the links that would lead to them. ``copy``
    marks a reprint, as the sale's own flag does.
    """
    common = setting(record, language=language, copy=copy)
    content, voice, is_gift = record.content, common.voice, common.is_gift
    original, amendments = _original(common), _amendments(common)
    return ReceiptView(
        token=record.token,
        number=record.number,
        kind=record.kind,
        currency=record.currency,
        language=voice.language,
        direction=voice.direction,
        content_language=_other_language(content, voice.language),
        is_gift=is_gift,
        title=numbered(voice, record.kind, record.number),
        states=tuple(states_view.states(common, original, amendments)),
        brand=record.issuer.brand,
        place=parties_view.place(record.issuer),
        store=parties_view.store(voice, record.issuer),
        issued=voice.formats.moment(content.issued_at, common.zone),
        facts=tuple(_facts(common)),
        header=lines_view.told(common, content.header),
        items=lines_view.items(common),
        item_count=_item_count(common),
        sums=None if is_gift else _sums(common),
        buyer=parties_view.buyer(voice, content.buyer),
        fiscal=None if is_gift else _fiscal(content),
        codes=() if is_gift else tuple(_codes(content)),
        notes=lines_view.told(common, content.notes),
        footer=lines_view.told(common, content.footer),
        reason="".join(lines_view.told(common, (content.reason,))),
        original=None if is_gift else original,
        amendments=() if is_gift else amendments,
    )


def _sums(common: Setting) -> Sums:
    content, voice = common.content, common.voice
    returned = states_view.went_back(common.record)
    due, saved = content.balance_due, content.savings
    return Sums(
        figure=voice.formats.figure(content.total, common.currency),
        status=states_view.status(common),
        savings=filled(voice, voice.gettext("You saved %(amount)s"), amount=common.money(saved)) if saved else "",
        summary=_summary(common),
        total=Row(voice.gettext("Total"), common.money(content.total)),
        taxes=taxes_view.tax_table(voice, content, common.marks),
        tenders=tuple(tenders_view.tender(voice, payment, common.currency) for payment in content.payments),
        balance_due=Row(voice.gettext("Still to be paid"), common.money(due)) if due else None,
        loyalty=tenders_view.loyalty_rows(voice, content.loyalty),
        returned="" if returned is None else states_view.returned_text(common, returned),
    )


def _summary(common: Setting) -> tuple[Row, ...]:
    """From the lines to the total; nothing where the lines are the total."""
    content, _ = common.content, common.voice.gettext
    rows = [lines_view.less(common, discount) for discount in content.discounts]
    rows += [Row(charge.name, common.amount(charge.amount), "more") for charge in content.charges]
    rows += taxes_view.on_top(common.voice, content)
    if content.tip:
        rows.append(Row(_("Tip"), common.amount(content.tip), "more"))
    if content.rounding:
        rows.append(Row(_("Rounding"), common.amount(content.rounding)))
    if not rows:
        return ()
    return (Row(_("Subtotal"), common.amount(sum(line.total for line in content.lines))), *rows)


def _facts(common: Setting) -> Iterable[Row]:
    content, voice, issuer = common.content, common.voice, common.record.issuer
    _ = voice.gettext
    yield Row(_("Number"), common.record.number)
    for order in lines_view.told(common, (content.order_number,)):
        yield Row(_("Order"), order)
    if content.service:
        yield Row(_("Service"), word(voice, SERVICES, content.service))
    if issuer.staff:
        yield Row(_("Served by"), issuer.staff)
    if issuer.till:
        yield Row(_("Till"), issuer.till)
    if content.started_at:
        yield Row(_("Started"), voice.formats.moment(content.started_at, common.zone).text)
    if content.place_of_supply and not common.is_gift:
        yield Row(_("Place of supply"), content.place_of_supply)


def _item_count(common: Setting) -> str:
    count = sum(line.parent is None for line in common.content.lines)
    number = common.voice.formats.number(Decimal(count))
    return common.voice.ngettext("%(count)s item", "%(count)s items", count) % {"count": number}


def _fiscal(content: Content) -> Fiscal | None:
    fiscal = content.fiscal
    if fiscal is None:
        return None
    values, text = tuple(Row(*pair) for pair in fiscal.values.items()), fiscal.qr or ""
    return Fiscal(tuple(fiscal.lines), values, text, has_code=bool(text) and qr.holds(text))


def _codes(content: Content) -> Iterator[Code]:
    for code in content.barcodes:
        yield Code(drawn_as(code), code.value, code.label or "")


def _other_language(content: Content, language: str) -> str:
    stated = content.language or ""
    return stated if stated and base_language(stated) != language else ""


def _original(common: Setting) -> Related | None:
    original = common.record.original
    return states_view.related(common, original, original.total) if original else None


def _amendments(common: Setting) -> tuple[Related, ...]:
    """A refund counts against the receipt, whatever sign its till gave it."""
    return tuple(
        states_view.related(common, each, each.total if each.kind == "exchange" else -abs(each.total))
        for each in common.record.amendments
    )
