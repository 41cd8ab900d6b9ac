"""A receipt's other forms: text and QR code, as what an answer's body holds.

QR codes with a logo are made when first asked for and kept under a name made of all that they come from.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from accounts.find import BrandLook
from infra import qr
from infra.i18n import voice
from infra.storage import Storage, at_hand, content_key
from kernel.errors import FieldError, Invalid
from receipts.paper import closing
from receipts.printed import made_by
from receipts.records import ReceiptRecord
from receipts.text import plain
from receipts.view import view

_SIZES: Final = range(32, 2049)
_MARGINS: Final = range(17)
_VARIANTS: Final = ("plain", "logo")


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
    return plain(view(record, language=language, copy=copy), url=link_to(base_url, record.token), closing=told)


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


def qr_svg(token: str, look: BrandLook, wish: QrWish, *, storage: Storage, base_url: str, language: str) -> bytes:
    """The code of the page's link. With a logo it takes a tenth of a second when first made: call that in a thread."""
    link, logo, title = link_to(base_url, token), _logo(look, wish, storage), voice(language).gettext("QR code")

    def make() -> bytes:
        return qr.svg(link, margin=wish.margin, size=wish.size, title=title, logo=logo).encode()

    return _kept(storage, make, link, logo, wish, title, ".svg")


def qr_png(token: str, look: BrandLook, wish: QrWish, *, storage: Storage, base_url: str) -> bytes:
    """As :func:`qr_svg`. Raises :class:`infra.qr.SizeTooSmall` too."""
    link, logo = link_to(base_url, token), _logo(look, wish, storage)

    def make() -> bytes:
        return qr.png(link, margin=wish.margin, size=wish.size, logo=logo)

    return _kept(storage, make, link, logo, wish, "", ".png")


def link_to(base_url: str, token: str) -> str:
    return f"{base_url}/r/{token}"


def _is_in(allowed: range, text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 5 and int(text) in allowed


def _logo(look: BrandLook, wish: QrWish, storage: Storage) -> bytes | None:
    return at_hand(storage, look.logo_key) if wish.has_logo and look.logo_key else None


def _kept(
    storage: Storage, make: Callable[[], bytes], link: str, logo: bytes | None, wish: QrWish, title: str, suffix: str
) -> bytes:
    """Only the code with a logo, in its own size, is worth a place on the disk: of other sizes there are too many."""
    if logo is None or wish != QrWish(has_logo=True):
        return make()
    return storage.once(content_key("qr", link.encode(), logo, title.encode(), made_by(), suffix=suffix), make)
