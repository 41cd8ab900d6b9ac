"""What a reader must know before the rest: that this is a copy, that it was refunded, that it counts for nothing."""

from collections.abc import Iterator, Sequence

from receipts.labels import filled, numbered
from receipts.records import ReceiptRecord, RelatedReceipt
from receipts.setting import Setting
from receipts.shapes import Related, State


def went_back(record: ReceiptRecord) -> int | None:
    """How much of the receipt's sum was refunded; all of it where it was voided. None where nothing was."""
    if any(each.kind == "void" for each in record.amendments):
        return abs(record.total)
    refunds = [abs(each.total) for each in record.amendments if each.kind == "refund"]
    return min(sum(refunds), abs(record.total)) if refunds else None


def states(setting: Setting, original: Related | None, amendments: Sequence[Related]) -> Iterator[State]:
    _ = setting.voice.gettext
    if "training" in setting.flags:
        yield State("training", _("Training"), _("Made for practice. This is not a valid receipt."))
    if amendments:
        yield from _amended(setting, amendments)
    yield from _amending(setting, original)
    if setting.is_gift:
        yield State("gift", _("Gift receipt"), _("For an exchange or a return. The prices are left out."))
    if "copy" in setting.flags:
        yield State("copy", _("Copy"), _("This is a copy of the receipt."))


def _amended(setting: Setting, amendments: Sequence[Related]) -> Iterator[State]:
    """What happened to this receipt afterwards."""
    voice, record, last = setting.voice, setting.record, amendments[-1].when.date
    _, returned = voice.gettext, went_back(record)
    if any(each.kind == "void" for each in record.amendments):
        yield State("voided", _("Cancelled"), filled(voice, _("This receipt was cancelled on %(date)s."), date=last))
    elif returned is not None and returned >= abs(record.total):
        yield State("refunded", _("Refunded"), filled(voice, _("All of it went back, last on %(date)s."), date=last))
    elif returned is not None:
        yield State(
            "partly-refunded", _("Partly refunded"), "" if setting.is_gift else returned_text(setting, returned)
        )
    if any(each.kind == "exchange" for each in record.amendments):
        yield State("exchanged", _("Exchanged"), filled(voice, _("Something was exchanged on %(date)s."), date=last))


def returned_text(setting: Setting, returned: int) -> str:
    text = setting.voice.gettext("%(returned)s of %(total)s went back.")
    whole = abs(setting.record.total)
    return filled(setting.voice, text, returned=setting.money(returned), total=setting.money(whole))


def _amending(setting: Setting, original: Related | None) -> Iterator[State]:
    """What this receipt does to an earlier one."""
    _ = setting.voice.gettext
    of = "" if original is None or setting.is_gift else f"{original.label} · {original.when.date}"
    match setting.record.kind:
        case "refund":
            yield State("refund", _("Refund"), of)
        case "void":
            yield State("void", _("Cancellation"), of)
        case "exchange":
            yield State("exchange", _("Exchange"), of)


def status(setting: Setting) -> str:
    """The one word under the sum. Silent where the till does not say how it was paid."""
    _, content = setting.voice.gettext, setting.content
    match setting.record.kind:
        case "refund":
            return _("Refunded")
        case "void":
            return _("Cancelled")
        case "exchange":
            return _("Exchanged")
    if content.balance_due > 0:
        return _("Partly paid") if content.payments else _("Not yet paid")
    return _("Paid") if content.payments else ""


def related(setting: Setting, receipt: RelatedReceipt, amount: int) -> Related:
    """``receipt`` as a link on another one's page."""
    voice = setting.voice
    return Related(
        token=receipt.token,
        kind=receipt.kind,
        label=numbered(voice, receipt.kind, receipt.number),
        amount=voice.formats.money(amount, receipt.currency),
        when=voice.formats.moment(receipt.issued_at, setting.zone),
    )
