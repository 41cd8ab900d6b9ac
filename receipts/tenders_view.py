"""How a receipt was paid, as a reader sees it."""

from collections.abc import Iterator

from infra.i18n import Voice
from receipts.labels import ENTRIES, METHODS, SCHEMES, VERIFICATIONS, filled, word
from receipts.sale import Loyalty, Payment
from receipts.shapes import Row, Tender


def tender(voice: Voice, payment: Payment, currency: str) -> Tender:
    return Tender(
        method=payment.method,
        label=_label(voice, payment),
        amount=voice.formats.amount(payment.amount, currency),
        note=" · ".join(_notes(voice, payment, currency)),
        details=tuple(_details(voice, payment, currency)),
        slip=tuple(payment.text),
    )


def _label(voice: Voice, payment: Payment) -> str:
    """``Visa •••• 4242``."""
    name = payment.name or word(voice, METHODS, payment.method)
    if payment.scheme:
        name = SCHEMES.get(payment.scheme.lower(), payment.scheme)
    return f"{name} •••• {payment.last4}" if payment.last4 else name


def _notes(voice: Voice, payment: Payment, currency: str) -> Iterator[str]:
    """What the shopper looks for first: how the card was read, what was handed over, what is left."""
    _, amount = voice.gettext, voice.formats.amount
    if payment.entry:
        yield word(voice, ENTRIES, payment.entry)
    if payment.wallet:
        yield payment.wallet
    if payment.tendered is not None:
        yield filled(voice, _("given %(amount)s"), amount=amount(payment.tendered, currency))
    if payment.change is not None:
        yield filled(voice, _("change %(amount)s"), amount=amount(payment.change, currency))
    if payment.tip:
        yield filled(voice, _("tip %(amount)s"), amount=amount(payment.tip, currency))
    if payment.foreign:
        yield voice.formats.price(payment.foreign.amount, payment.foreign.currency)
    if payment.balance is not None:
        yield filled(voice, _("%(amount)s left"), amount=voice.formats.money(payment.balance, currency))


def _details(voice: Voice, payment: Payment, currency: str) -> Iterator[Row]:
    _ = voice.gettext
    if payment.foreign and payment.foreign.rate is not None:
        pair = f"{payment.foreign.currency}/{currency}"
        yield Row(_("Exchange rate"), f"{voice.formats.number(payment.foreign.rate)} {pair}")
    if payment.verification:
        yield Row(_("Confirmed by"), word(voice, VERIFICATIONS, payment.verification))
    stated = (
        (_("Application"), payment.application),
        ("AID", payment.aid),
        (_("Authorisation"), payment.authorization),
        (_("Terminal"), payment.terminal),
        (_("Merchant number"), payment.merchant_number),
        (_("Reference"), payment.reference),
    )
    yield from (Row(label, value) for label, value in stated if value)


def loyalty_rows(voice: Voice, loyalty: Loyalty | None) -> tuple[Row, ...]:
    if loyalty is None:
        return ()
    _, number = voice.gettext, voice.formats.number
    rows = [Row(loyalty.programme or _("Loyalty card"), f"•••• {loyalty.card}" if loyalty.card else "")]
    if loyalty.earned is not None:
        rows.append(Row(_("Points earned"), number(loyalty.earned)))
    if loyalty.redeemed is not None:
        rows.append(Row(_("Points redeemed"), number(-abs(loyalty.redeemed)), "less"))
    if loyalty.balance is not None:
        rows.append(Row(_("Points balance"), number(loyalty.balance)))
    return tuple(rows)
