"""What a receipt says, part by part, in one reader's language: every string is ready to be shown, none is markup.

The page, the PDF and the text form are all made from these. An empty string or tuple means that the part is not there.
"""

from dataclasses import dataclass
from typing import Literal

from infra.formats import Figure, Moment

__all__ = [
    "Code",
    "Figure",
    "Fiscal",
    "Item",
    "Moment",
    "Party",
    "ReceiptView",
    "Related",
    "Row",
    "State",
    "Sums",
    "TaxRow",
    "TaxTable",
    "Tender",
]

Tone = Literal["", "less", "more"]


@dataclass(frozen=True, slots=True)
class Row:
    """A label and what stands against it. ``tone`` is ``less`` for what lowers the price; ``language`` is that of the
    value where it is another one than its surroundings'."""

    label: str
    value: str
    tone: Tone = ""
    language: str = ""


@dataclass(frozen=True, slots=True)
class Item:
    """A line. Amounts are in the column's currency and without its sign."""

    id: str
    name: str
    # After the line's own discounts; empty on a gift receipt, and for a part that costs nothing extra.
    price: str
    # The price before a mark-down, to be struck through.
    was: str = ""
    # "0.735 kg × €2.99"
    measure: str = ""
    # The letters that lead to the tax table.
    mark: str = ""
    discounts: tuple[Row, ...] = ()
    # Options and what else tells this thing from another: always shown.
    notes: tuple[str, ...] = ()
    # Shown when the line is unfolded.
    details: tuple[Row, ...] = ()
    # Parts of a bundle, modifiers, deposits.
    parts: tuple["Item", ...] = ()
    comes_back: bool = False
    url: str = ""


@dataclass(frozen=True, slots=True)
class TaxRow:
    label: str
    mark: str
    net: str
    tax: str
    gross: str
    exemption: str = ""


@dataclass(frozen=True, slots=True)
class TaxTable:
    """``has_*`` says whether any row fills the column, ``is_wide`` that the columns need more than a phone's width."""

    rows: tuple[TaxRow, ...]
    has_marks: bool
    has_net: bool
    has_gross: bool
    is_included: bool
    is_wide: bool


@dataclass(frozen=True, slots=True)
class Tender:
    """``method`` is the sale's own word (``card``), for an icon; ``slip`` is the terminal's text, line by line."""

    method: str
    label: str
    amount: str
    note: str = ""
    details: tuple[Row, ...] = ()
    slip: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Related:
    """Another receipt that this one leads to."""

    token: str
    kind: str
    label: str
    amount: str
    when: Moment


@dataclass(frozen=True, slots=True)
class State:
    """Something that a reader must know before the rest."""

    kind: Literal[
        "training", "void", "voided", "refund", "refunded", "partly-refunded", "exchange", "exchanged", "gift", "copy"
    ]
    title: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Fiscal:
    """Verbatim; the labels of ``values`` are the device's own. Where no code holds ``qr``, it is printed as text."""

    lines: tuple[str, ...]
    values: tuple[Row, ...]
    qr: str
    has_code: bool


@dataclass(frozen=True, slots=True)
class Code:
    """A barcode to print. ``type`` is how it is drawn: ``code128``, ``ean13`` or ``qr``."""

    type: str
    value: str
    label: str


@dataclass(frozen=True, slots=True)
class Party:
    """The store that issued the receipt, or the business that bought."""

    name: str
    lines: tuple[str, ...] = ()
    phone: str = ""
    details: tuple[Row, ...] = ()


@dataclass(frozen=True, slots=True)
class Sums:
    """All that tells what was paid. A gift receipt has none of it."""

    figure: Figure
    # "Paid", "Refunded", …
    status: str
    # "You saved €2.08"
    savings: str
    # What leads from the lines to the total.
    summary: tuple[Row, ...]
    total: Row
    taxes: TaxTable | None
    tenders: tuple[Tender, ...]
    balance_due: Row | None
    loyalty: tuple[Row, ...]
    # "€24.90 of €30.62 went back"
    returned: str


@dataclass(frozen=True, slots=True)
class ReceiptView:
    token: str
    number: str
    kind: str
    currency: str
    language: str
    direction: str
    # The language of names and notes, where the till said that it is another one.
    content_language: str
    is_gift: bool
    # "Receipt 000417"
    title: str
    states: tuple[State, ...]
    brand: str
    # The brand's store and its address, or the brand and its store: two lines for the head.
    place: Row
    store: Party
    issued: Moment
    # Number, till, who served and the like.
    facts: tuple[Row, ...]
    header: tuple[str, ...]
    items: tuple[Item, ...]
    # "3 items"
    item_count: str
    sums: Sums | None
    buyer: Party | None
    fiscal: Fiscal | None
    codes: tuple[Code, ...]
    notes: tuple[str, ...]
    footer: tuple[str, ...]
    # Why a refund or void was made.
    reason: str
    original: Related | None
    # What came back on this receipt, oldest first.
    amendments: tuple[Related, ...]
