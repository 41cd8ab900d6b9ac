"""A receipt's other forms: text, PDF and QR code, as what an answer's body holds.

PDFs, and QR codes with a logo, are made when first asked for and kept under a name made of all that they come from.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.metadata import version
from typing import Final

from accounts.find import BrandLook
from api.paper import closing, sheet
from infra import fonts, qr
from infra.i18n import voice
from infra.pdf import Page, PdfPool
from infra.settings import ROOT
from infra.storage import Folder, content_key
from kernel.errors import FieldError, Invalid
from receipts.records import ReceiptRecord
from receipts.text import plain
from receipts.view import view

_SIZES: Final = range(32, 2049)
_MARGINS: Final = range(17)
_VARIANTS: Final = ("plain", "logo")
_DECIDING: Final = ("kernel", "infra", "receipts", "api", "locales", "templates/pdf")


@dataclass(frozen=True, slots=True)
class QrWish:
    """``size`` of the whole in pixels, ``margin`` in modules. The logo is left out where the brand has none."""

    size: int | None = None
    margin: int = 4
    has_logo: bool = False


def text(record: ReceiptRecord, look: BrandLook, *, base_url: str, language: str, copy: bool = False) -> str:
    """Plain text of at most 42 columns, for ``text/plain; charset=utf-8``."""
    help_ = closing(look, language)
    told = [each for each in (help_.returns, *help_.contacts) if each]
    return plain(view(record, language=language, copy=copy), url=_link(base_url, record.token), closing=told)


def pdf(
    record: ReceiptRecord,
    look: BrandLook,
    *,
    pool: PdfPool,
    storage: Folder,
    base_url: str,
    language: str,
    page: Page = "roll",
    copy: bool = False,
) -> bytes:
    """Blocks, for seconds where it is to be made: call it in a thread. Raises what :meth:`PdfPool.render` raises."""

    def make() -> bytes:
        url = _link(base_url, record.token)
        made = sheet(record, look, storage=storage, url=url, language=language, page=page, copy=copy)
        return pool.render(made.html, page=page, css=made.css, files=made.files)

    return storage.once(pdf_key(record, look, base_url=base_url, language=language, page=page, copy=copy), make)


def pdf_key(
    record: ReceiptRecord, look: BrandLook, *, base_url: str, language: str, page: Page = "roll", copy: bool = False
) -> str:
    """Under which :func:`pdf` keeps what it has made."""
    beside = (record.token, record.number, record.kind, record.original, record.amendments)
    asked = repr((beside, look, base_url, language, page, copy)).encode()
    documents = (record.content_json.encode(), record.issuer_json.encode())
    return content_key("pdf", *documents, asked, _made_by(), suffix=".pdf")


def qr_wish(query: Mapping[str, str]) -> QrWish:
    """From ``size``, ``margin`` and ``variant`` (plain or logo). Raises :class:`Invalid`."""
    size, margin, variant = query.get("size"), query.get("margin", "4"), query.get("variant", "plain")
    wrong = []
    if size is not None and not _is_in(_SIZES, size):
        wrong.append(FieldError("query:size", f"must be a number of pixels from {_SIZES[0]} to {_SIZES[-1]}"))
    if not _is_in(_MARGINS, margin):
        wrong.append(FieldError("query:margin", f"must be a number of modules from {_MARGINS[0]} to {_MARGINS[-1]}"))
    if variant not in _VARIANTS:
        wrong.append(FieldError("query:variant", f"must be {' or '.join(_VARIANTS)}"))
    if wrong:
        raise Invalid(errors=wrong)
    return QrWish(None if size is None else int(size), int(margin), variant == "logo")


def qr_svg(token: str, look: BrandLook, wish: QrWish, *, storage: Folder, base_url: str, language: str) -> bytes:
    """The code of the page's link. With a logo it takes a tenth of a second when first made: call that in a thread."""
    link, logo, title = _link(base_url, token), _logo(look, wish, storage), voice(language).gettext("QR code")

    def make() -> bytes:
        return qr.svg(link, margin=wish.margin, size=wish.size, title=title, logo=logo).encode()

    return _kept(storage, make, link, logo, wish, title, ".svg")


def qr_png(token: str, look: BrandLook, wish: QrWish, *, storage: Folder, base_url: str) -> bytes:
    """As :func:`qr_svg`. Raises :class:`infra.qr.SizeTooSmall` too."""
    link, logo = _link(base_url, token), _logo(look, wish, storage)

    def make() -> bytes:
        return qr.png(link, margin=wish.margin, size=wish.size, logo=logo)

    return _kept(storage, make, link, logo, wish, "", ".png")


def _link(base_url: str, token: str) -> str:
    return f"{base_url}/r/{token}"


def _is_in(allowed: range, text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 5 and int(text) in allowed


def _logo(look: BrandLook, wish: QrWish, storage: Folder) -> bytes | None:
    return storage.get(look.logo_key) if wish.has_logo and look.logo_key else None


def _kept(
    storage: Folder, make: Callable[[], bytes], link: str, logo: bytes | None, wish: QrWish, title: str, suffix: str
) -> bytes:
    """Only the code with a logo, in its own size, is worth a place on the disk: of other sizes there are too many."""
    if logo is None or wish != QrWish(has_logo=True):
        return make()
    return storage.once(content_key("qr", link.encode(), logo, title.encode(), _made_by(), suffix=suffix), make)


@cache
def _made_by() -> bytes:
    """Changes with what else decides over the bytes: our code, words and templates, the engine, the fonts installed."""
    digest = sha256(repr((version("weasyprint"), version("babel"), fonts.absent())).encode())
    for folder in _DECIDING:
        for path in sorted((ROOT / folder).rglob("*.*")):
            if path.suffix in (".py", ".po", ".html", ".css"):
                digest.update(path.read_bytes())
    return digest.digest()
