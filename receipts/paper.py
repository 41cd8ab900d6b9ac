"""A receipt as paper has it: what the templates of the slip and of the sheet are given, and the pictures on them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from accounts.find import BrandLook
from infra import fonts, pages, qr
from infra.i18n import voice
from infra.monochrome import black_on_white, in_grey, on_white
from infra.pdf import Page
from infra.theme import theme
from receipts import codes
from receipts.records import ReceiptRecord
from receipts.shapes import Code, Item, ReceiptView, TaxTable
from receipts.view import view

_STYLES: Final = {page: (pages.TEMPLATES / "pdf" / f"{page}.css").read_text() for page in ("roll", "a4")}
_DOT: Final = 0.125  # millimetres; what the head of a till's printer can do at 203 dpi
_ROLL: Final = 72  # millimetres that it reaches
_QR: Final = 26  # millimetres at most, where the code is not a large one
_LOGO_PIXELS: Final = 240
# From how many characters on the column of amounts must be wider.
_WIDE, _WIDEST = 9, 14
# How long an amount may be that stands in one, two or three columns of a tax table.
_FITS: Final = {1: 30, 2: 13, 3: 9}


@dataclass(frozen=True, slots=True)
class Picture:
    """``width`` in millimetres, so that a module of a code is a whole number of dots."""

    name: str
    alt: str
    width: float
    is_square: bool


@dataclass(frozen=True, slots=True)
class Help:
    """The brand's words on returns, and how to reach it. ``language`` is that of the words where it is another one."""

    returns: str
    language: str
    contacts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Paper:
    """``amounts`` is the class of the columns of amounts, ``missing`` the scripts that this machine cannot print."""

    receipt: ReceiptView
    help: Help
    url: str
    amounts: str
    has_marks: bool
    stacks_taxes: bool
    has_logo: bool
    number_code: Picture | None
    page_code: Picture
    fiscal_code: Picture | None
    codes: tuple[tuple[Code, Picture], ...]
    missing: str = ""


@dataclass(frozen=True, slots=True)
class Sheet:
    """What :meth:`infra.pdf.PdfPool.render` takes."""

    html: str
    css: str
    files: Mapping[str, bytes]


def sheet(
    record: ReceiptRecord, look: BrandLook, *, logo: bytes | None, url: str, language: str, page: Page, copy: bool
) -> Sheet:
    """Takes some milliseconds; more where the logo, a PNG, is large. ``url`` is that of the receipt's page."""
    files: dict[str, bytes] = {}
    drawn = _printable(logo, page) if logo else None
    context = _paper(record, look, files, logo=drawn, url=url, language=language, copy=copy)
    html = pages.render(f"pdf/{page}.html", context, language)
    lacking = fonts.missing(html)
    if lacking:
        html = pages.render(f"pdf/{page}.html", replace(context, missing=", ".join(lacking)), language)
    accent = theme(look.colour).light.accent
    return Sheet(html, _STYLES[page].replace("#123456", accent), files)


def closing(look: BrandLook, language: str) -> Help:
    """The return text in the reader's language, else in the first of the brand's that has one."""
    written_in = next((tag for tag in (language, *look.languages) if look.return_text.get(tag)), language)
    contacts = (look.support_phone, look.support_email, look.support_url, look.website)
    return Help(
        returns=look.return_text.get(written_in, ""),
        language=written_in if written_in != language else "",
        contacts=tuple(filter(None, contacts)),
    )


def _paper(
    record: ReceiptRecord,
    look: BrandLook,
    files: dict[str, bytes],
    *,
    logo: bytes | None,
    url: str,
    language: str,
    copy: bool,
) -> Paper:
    """Puts the pictures into ``files``."""
    receipt, words = view(record, language=language, copy=copy), voice(language).gettext
    if logo:
        files["logo.png"] = logo
    fiscal = receipt.fiscal.qr if receipt.fiscal and receipt.fiscal.has_code else ""
    return Paper(
        receipt=receipt,
        help=closing(look, language),
        url=url,
        amounts=_room(receipt),
        has_marks=any(item.mark for item in _lines(receipt)),
        stacks_taxes=receipt.sums is not None and _is_wide(receipt.sums.taxes),
        has_logo=logo is not None,
        number_code=_bars(files, "number", "code128", record.number, words("Barcode")),
        page_code=_square(files, "page", url, words("QR code")),
        fiscal_code=_square(files, "fiscal", fiscal, words("QR code of the fiscal data")) if fiscal else None,
        codes=tuple((code, _drawn(files, f"code-{at}", code)) for at, code in enumerate(receipt.codes)),
    )


@lru_cache(64)
def _printable(logo: bytes, page: Page) -> bytes | None:
    return black_on_white(logo) if page == "roll" else on_white(logo, _LOGO_PIXELS)


def _drawn(files: dict[str, bytes], name: str, code: Code) -> Picture:
    alt = code.label or code.value
    return _bars(files, name, code.type, code.value, alt) or _square(files, name, code.value, alt)


def _bars(files: dict[str, bytes], name: str, kind: str, value: str, alt: str) -> Picture | None:
    drawn = codes.bars(kind, value)
    if drawn is None:
        return None
    modules = codes.modules_wide(drawn)
    dots = 3 if modules * 3 * _DOT <= _ROLL else 2
    files[f"{name}.svg"] = drawn.encode()
    return Picture(f"{name}.svg", alt, min(modules * dots * _DOT, _ROLL), is_square=False)


def _square(files: dict[str, bytes], name: str, text: str, alt: str) -> Picture:
    modules = len(qr.matrix(text))
    dots = max(_QR / _DOT // modules, 3)
    files[f"{name}.png"] = in_grey(qr.png(text, scale=1, margin=0))
    return Picture(f"{name}.png", alt, min(modules * dots * _DOT, _ROLL - 4), is_square=True)


def _room(receipt: ReceiptView) -> str:
    """The class of columns in which the longest amount fits."""
    longest = max((len(text) for text in _amounts(receipt)), default=0)
    return "widest" if longest >= _WIDEST else "wide" if longest >= _WIDE else "narrow"


def _is_wide(taxes: TaxTable | None) -> bool:
    """Whether the amounts do not fit side by side."""
    if taxes is None:
        return False
    longest = max(len(text) for row in taxes.rows for text in (row.net, row.tax, row.gross))
    return longest > _FITS[1 + taxes.has_net + taxes.has_gross]


def _lines(receipt: ReceiptView) -> Iterator[Item]:
    for item in receipt.items:
        yield item
        yield from item.parts


def _amounts(receipt: ReceiptView) -> Iterator[str]:
    yield from (item.price for item in _lines(receipt))
    yield from (related.amount for related in receipt.amendments)
    if receipt.original:
        yield receipt.original.amount
    if receipt.sums:
        yield receipt.sums.total.value
        yield from (row.value for row in receipt.sums.summary)
        yield from (tender.amount for tender in receipt.sums.tenders)
