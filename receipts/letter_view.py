"""What the template of an email is given: the receipt as its page shows it, cut to what mail programs take."""

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from markupsafe import Markup

from accounts.find import BrandLook
from infra.i18n import Voice, voice
from infra.letter_style import Styles, styles
from infra.theme import theme
from receipts import jsonld
from receipts.labels import filled
from receipts.paper import Help, closing
from receipts.records import ReceiptRecord
from receipts.shapes import ReceiptView

# How much of a receipt is told, first choice first: how many lines, and whether the long parts beside them.
CUTS: Final = ((40, True), (10, True), (0, False))
_LAST_AMENDMENTS: Final = 10
_IN_A_ROW: Final = 6
# What the page stamps on a receipt.
_STAMPED: Final = ("training", "voided", "refunded", "copy")


@dataclass(frozen=True, slots=True)
class Contact:
    """``link`` opens what ``text`` names."""

    text: str
    link: str


@dataclass(frozen=True, slots=True)
class Choice:
    """An answer that a link gives. ``label`` is what is read out, where that is more than ``text``."""

    text: str
    label: str
    url: str


@dataclass(frozen=True, slots=True)
class Question:
    """What a letter asks, with a link for each answer. ``ends`` says what the ends of the scale mean; ``url`` leads to
    all answers; ``trap`` is hidden, and only programs that open every link open it."""

    text: str
    ends: str
    choices: tuple[Choice, ...]
    url: str
    trap: str

    @property
    def rows(self) -> tuple[tuple[Choice, ...], ...]:
        """Those that stand side by side on a wide screen, and below each other on a narrow one."""
        return tuple(row for row in (self.choices[:_IN_A_ROW], self.choices[_IN_A_ROW:]) if row)


@dataclass(frozen=True, slots=True)
class Around:
    """What stands around the receipt. ``stop_url`` is empty where the reader asked for the email."""

    subject: str
    url: str
    base_url: str
    stop_url: str
    has_pdf: bool
    question: Question | None = None


@dataclass(frozen=True, slots=True)
class LetterPage:
    """Every field is a variable of the template. ``rest`` says what is left out, ``initial`` stands in for the logo."""

    language: str
    subject: str
    preheader: str
    styles: Styles
    json_ld: Markup
    receipt: ReceiptView
    stamps: tuple[str, ...]
    rest: str
    logo_url: str
    initial: str
    button: str
    url: str
    base_url: str
    has_pdf: bool
    help: Help
    contacts: tuple[Contact, ...]
    why: str
    stop_url: str
    question: Question | None


def letter_page(
    record: ReceiptRecord, receipt: ReceiptView, look: BrandLook, around: Around, *, cut: tuple[int, bool]
) -> LetterPage:
    most, is_whole = cut
    spoken = voice(receipt.language, record.issuer.address.get("country"))
    return LetterPage(
        language=receipt.language,
        subject=around.subject,
        preheader=f"{receipt.title} · {receipt.issued.text} · {receipt.store.name}",
        styles=styles(look.colour),
        json_ld=_json_ld(record, around.url, most),
        receipt=_shortened(receipt, most, is_whole=is_whole),
        stamps=stamps(receipt),
        rest=_rest(spoken, len(receipt.items) - most),
        logo_url=f"{around.base_url}/media/{look.logo_key}" if look.logo_key else "",
        initial=look.name[:1].upper(),
        button=theme(look.colour).light.accent,
        url=around.url,
        base_url=around.base_url,
        has_pdf=around.has_pdf,
        help=closing(look, receipt.language),
        contacts=_contacts(look, spoken),
        why=why(spoken, receipt),
        stop_url=around.stop_url,
        question=around.question,
    )


def stamps(receipt: ReceiptView) -> tuple[str, ...]:
    """What stands before the subject and large on the receipt: nobody shall take it for a plain one."""
    return tuple(state.title for state in receipt.states if state.kind in _STAMPED)


def why(spoken: Voice, receipt: ReceiptView) -> str:
    """Why somebody gets this: they, or whoever typed their address in, asked for it."""
    text = spoken.gettext("You get this email because a receipt by email was asked for at %(store)s.")
    return filled(spoken, text, store=receipt.store.name)


def _json_ld(record: ReceiptRecord, url: str, most: int) -> Markup:
    """Nothing where no line is told: mail programs want the name of something that was bought."""
    order = jsonld.order(record, url=url)
    order["acceptedOffer"] = order["acceptedOffer"][:most]
    return Markup(jsonld.script(order)) if order["acceptedOffer"] else Markup()  # noqa: S704 - escaped for its element


def _shortened(receipt: ReceiptView, most: int, *, is_whole: bool) -> ReceiptView:
    """The first lines; and where it must be, the total alone of all that could be long."""
    if is_whole:
        return replace(receipt, items=receipt.items[:most]) if len(receipt.items) > most else receipt
    sums = receipt.sums and replace(receipt.sums, summary=(), tenders=(), taxes=None, loyalty=())
    amendments = receipt.amendments[-_LAST_AMENDMENTS:]
    return replace(
        receipt, items=(), sums=sums, header=(), notes=(), footer=(), fiscal=None, codes=(), amendments=amendments
    )


def _rest(spoken: Voice, count: int) -> str:
    if count <= 0:
        return ""
    number = spoken.formats.number(Decimal(count))
    text = spoken.ngettext("%(count)s more on your receipt", "%(count)s more on your receipt", count)
    return text % {"count": number}


def _contacts(look: BrandLook, spoken: Voice) -> tuple[Contact, ...]:
    website = (look.website or "").removeprefix("https://").removeprefix("http://")
    stated = (
        (look.support_phone, look.support_phone, f"tel:{(look.support_phone or '').replace(' ', '')}"),
        (look.support_email, look.support_email, f"mailto:{look.support_email}"),
        (look.support_url, spoken.gettext("Help pages"), look.support_url),
        (look.website, website, look.website),
    )
    return tuple(Contact(text, link) for there, text, link in stated if there and text and link)
