"""What a reader must know before the rest: that this is a copy, that it was refunded, that it counts for nothing."""

from collections.abc import Iterator, Sequence

from infra.i18n import Voice
from receipts.labels import filled, numbered
from receipts.records import ReceiptRecord, RelatedReceipt
from receipts.shapes import Related, State


def went_back(record: ReceiptRecord) -> int | None:
    """How much of the receipt's sum was refunded; all of it where it was voided. None where nothing was."""
    if any(each.kind == "void" for each in record.amendments):
        return abs(record.total)
    refunds = [abs(each.total) for each in record.amendments if each.kind == "refund"]
    return min(sum(refunds), abs(record.total)) if refunds else None


def states(
    voice: Voice, record: ReceiptRecord, amendments: Sequence[Related], original: Related | None, flags: frozenset[str]
) -> Iterator[State]:
    _ = voice.gettext
    is_gift = "gift" in flags
    if "training" in flags:
        yield State("training", _("Training"), _("Made for practice. This is not a valid receipt."))
    yield from _amended(voice, record, amendments, is_gift)
    yield from _amending(voice, record, original, is_gift)
    if is_gift:
        yield State("gift", _("Gift receipt"), _("For an exchange or a return. The prices are left out."))
    if "copy" in flags:
        yield State("copy", _("Copy"), _("This is a copy of the receipt."))


def _amended(voice: Voice, record: ReceiptRecord, amendments: Sequence[Related], is_gift: bool) -> Iterator[State]:
    """What happened to this receipt afterwards."""
    _, returned = voice.gettext, went_back(record)
    last = amendments[-1].when.date if amendments else ""
    if any(each.kind == "void" for each in record.amendments):
        yield State("voided", _("Cancelled"), filled(voice, _("This receipt was cancelled on %(date)s."), date=last))
    elif returned is not None and returned >= abs(record.total):
        yield State("refunded", _("Refunded"), filled(voice, _("All of it went back, last on %(date)s."), date=last))
    elif returned is not None:
        text = "" if is_gift else returned_text(voice, record, returned)
        yield State("partly-refunded", _("Partly refunded"), text)
    if any(each.kind == "exchange" for each in record.amendments):
        yield State("exchanged", _("Exchanged"), filled(voice, _("Something was exchanged on %(date)s."), date=last))


def returned_text(voice: Voice, record: ReceiptRecord, returned: int) -> str:
    money = voice.formats.money
    text = voice.gettext("%(returned)s of %(total)s went back.")
    return filled(
        voice, text, returned=money(returned, record.currency), total=money(abs(record.total), record.currency)
    )


def _amending(voice: Voice, record: ReceiptRecord, original: Related | None, is_gift: bool) -> Iterator[State]:
    """What this receipt does to an earlier one."""
    _ = voice.gettext
    of = "" if original is None or is_gift else f"{original.label} · {original.when.date}"
    match record.kind:
        case "refund":
            yield State("refund", _("Refund"), of)
        case "void":
            yield State("void", _("Cancellation"), of)
        case "exchange":
            yield State("exchange", _("Exchange"), of)


def status(voice: Voice, record: ReceiptRecord, is_gift: bool) -> str:
    """The one word under the sum. Silent where the till does not say how it was paid."""
    _, content = voice.gettext, record.content
    words = {"refund": _("Refunded"), "void": _("Cancelled"), "exchange": _("Exchanged")}
    if is_gift:
        return ""
    if record.kind in words:
        return words[record.kind]
    if content.balance_due > 0:
        return _("Partly paid") if content.payments else _("Not yet paid")
    return _("Paid") if content.payments else ""


def related(voice: Voice, receipt: RelatedReceipt, record: ReceiptRecord, amount: int) -> Related:
    """``receipt`` as a link on the page of ``record``, on the clock of the latter's till."""
    return Related(
        token=receipt.token,
        kind=receipt.kind,
        label=numbered(voice, receipt.kind, receipt.number),
        amount=voice.formats.money(amount, receipt.currency),
        when=voice.formats.moment(receipt.issued_at, zone_of(record)),
    )
