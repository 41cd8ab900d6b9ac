"""The words for what a sale says in code: kinds, tenders, how a card was read. The unknown is printed as it came."""

from typing import Final

from infra.i18n import Voice, later

_NUMBERED: Final = {
    "sale": later("Receipt %(number)s"),
    "refund": later("Refund %(number)s"),
    "void": later("Cancellation %(number)s"),
    "exchange": later("Exchange %(number)s"),
}
METHODS: Final = {
    "card": later("Card"),
    "cash": later("Cash"),
    "gift_card": later("Gift card"),
    "voucher": later("Voucher"),
    "store_credit": later("Store credit"),
    "points": later("Points"),
    "wallet": later("Mobile wallet"),
    "bank_transfer": later("Bank transfer"),
    "invoice": later("Invoice"),
    "cheque": later("Cheque"),
    "other": later("Other payment"),
}
ENTRIES: Final = {
    "contactless": later("contactless"),
    "chip": later("chip"),
    "swipe": later("magnetic stripe"),
    "manual": later("entered by hand"),
    "online": later("online"),
}
VERIFICATIONS: Final = {
    "pin": later("PIN"),
    "signature": later("Signature"),
    "device": later("On the device"),
    "none": later("None"),
}
SERVICES: Final = {
    "dine_in": later("Eat in"),
    "takeaway": later("Takeaway"),
    "delivery": later("Delivery"),
    "pickup": later("Pick-up"),
    "online": later("Online order"),
}
# Names that nobody translates.
SCHEMES: Final = {
    "visa": "Visa",
    "mastercard": "Mastercard",
    "maestro": "Maestro",
    "amex": "American Express",
    "american_express": "American Express",
    "diners": "Diners Club",
    "discover": "Discover",
    "jcb": "JCB",
    "unionpay": "UnionPay",
    "girocard": "girocard",
    "rupay": "RuPay",
    "upi": "UPI",
    "mada": "mada",
    "cb": "CB",
    "interac": "Interac",
    "eftpos": "eftpos",
}
_FIRST_STRONG_ISOLATE, _POP_ISOLATE = "\u2068", "\u2069"


def word(voice: Voice, words: dict[str, str], code: str) -> str:
    """The word for ``code`` in the reader's language, or ``code`` itself."""
    return voice.gettext(words[code]) if code in words else code


def filled(voice: Voice, message: str, **values: str) -> str:
    """``message`` with its values. Where text runs right to left, a value keeps its own direction (UAX 9, isolates)."""
    if voice.direction == "rtl":
        values = {name: f"{_FIRST_STRONG_ISOLATE}{value}{_POP_ISOLATE}" for name, value in values.items()}
    return message % values


def numbered(voice: Voice, kind: str, number: str) -> str:
    """``Refund 000418``."""
    return filled(voice, voice.gettext(_NUMBERED[kind]), number=number)
