"""QR codes as the routes of receipts and cards answer them, on screen and for print.

Those with a logo are made when first asked for and kept under a name made of all that they come from.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import ceil
from typing import ClassVar, Final

from accounts.find import BrandLook
from infra import qr
from infra.making import made_by
from infra.qr import Ecc
from infra.storage import Storage, at_hand, content_key
from kernel.errors import FieldError, Invalid

_SIZES: Final = range(32, 2049)
_MARGINS: Final = range(17)
_PRINTED: Final = range(20, 201)  # mm; what is smaller is not read from paper at arm's length
_LEAST_MODULE: Final = 0.5  # mm, below which ink runs together
_LEAST_DPI: Final = 300
_INCH: Final = 25.4


class PrintTooSmall(Invalid):
    slug: ClassVar[str] = "qr-print-size"
    title: ClassVar[str] = "The QR code could not be read at this size in print"


@dataclass(frozen=True, slots=True)
class QrWish:
    """``size`` of the whole in pixels, or ``mm`` in print; ``margin`` in modules.

    The logo is left out where the brand has none. ``is_offline`` asks for what is behind the link instead of the link.
    """

    size: int | None = None
    margin: int = 4
    has_logo: bool = False
    mm: int | None = None
    is_offline: bool = False


@dataclass(frozen=True, slots=True)
class Coded:
    """What a code says, and how much of it may be lost."""

    text: str
    ecc: Ecc = "M"


def qr_wish(query: Mapping[str, str], *, variants: tuple[str, ...] = ("plain", "logo")) -> QrWish:
    """From ``size`` or ``mm``, ``margin`` and ``variant`` (plain, logo, vcard). Raises :class:`Invalid`."""
    size, mm = query.get("size"), query.get("mm")
    margin, variant = query.get("margin", "4"), query.get("variant", "plain")
    wrong = []
    if size is not None and not _is_in(_SIZES, size):
        wrong.append(FieldError("query:size", f"must be a number of pixels from {_SIZES[0]} to {_SIZES[-1]}"))
    if mm is not None and (size is not None or not _is_in(_PRINTED, mm)):
        most = f"must be a number of millimetres from {_PRINTED[0]} to {_PRINTED[-1]}, and stand without size"
        wrong.append(FieldError("query:mm", most))
    if not _is_in(_MARGINS, margin):
        wrong.append(FieldError("query:margin", f"must be a number of modules from {_MARGINS[0]} to {_MARGINS[-1]}"))
    if variant not in variants:
        wrong.append(FieldError("query:variant", f"must be {' or '.join(variants)}"))
    if wrong:
        raise Invalid(errors=wrong)
    return QrWish(_number(size), int(margin), variant == "logo", _number(mm), variant == "vcard")


def qr_svg(coded: Coded, look: BrandLook, wish: QrWish, *, storage: Storage, title: str) -> bytes:
    """With a logo it takes a tenth of a second when first made: call that in a thread.

    Raises what :func:`infra.qr.svg` does, and :class:`PrintTooSmall`.
    """
    logo = _logo(look, wish, storage)

    def make() -> bytes:
        size, unit = (wish.size, "") if wish.mm is None else (wish.mm, "mm")
        _prove(coded, wish, logo)
        drawn = qr.svg(coded.text, ecc=coded.ecc, margin=wish.margin, size=size, unit=unit, title=title, logo=logo)
        return drawn.encode()

    return _kept(storage, make, coded, logo, wish, title, ".svg")


def qr_png(coded: Coded, look: BrandLook, wish: QrWish, *, storage: Storage) -> bytes:
    """As :func:`qr_svg`. For print it has 300 dots an inch or some more, so that every module is whole dots.

    Raises :class:`infra.qr.SizeTooSmall` too.
    """
    logo = _logo(look, wish, storage)

    def make() -> bytes:
        size, dpi = wish.size, None
        side = _prove(coded, wish, logo)
        if wish.mm is not None:
            size = side * ceil(wish.mm / _INCH * _LEAST_DPI / side)
            dpi = size * _INCH / wish.mm
        return qr.png(coded.text, ecc=coded.ecc, margin=wish.margin, size=size, dpi=dpi, logo=logo)

    return _kept(storage, make, coded, logo, wish, "", ".png")


def _prove(coded: Coded, wish: QrWish, logo: bytes | None) -> int:
    """How many modules wide the code is with its margin. One with a logo is read again when the logo is laid on it."""
    side = len(qr.matrix(coded.text, qr.level(coded.ecc, logo))) + 2 * wish.margin
    if wish.mm is not None and wish.mm / side < _LEAST_MODULE:
        least = ceil(side * _LEAST_MODULE)
        raise PrintTooSmall(f"Its {side} modules need {_LEAST_MODULE} mm each, so {least} mm; {wish.mm} mm are wished.")
    if logo is None:
        qr.prove(coded.text, coded.ecc)
    return side


def _is_in(allowed: range, text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 5 and int(text) in allowed


def _number(text: str | None) -> int | None:
    return None if text is None else int(text)


def _logo(look: BrandLook, wish: QrWish, storage: Storage) -> bytes | None:
    return at_hand(storage, look.logo_key) if wish.has_logo and look.logo_key else None


def _kept(
    storage: Storage, make: Callable[[], bytes], coded: Coded, logo: bytes | None, wish: QrWish, title: str, suffix: str
) -> bytes:
    """Only the code with a logo, in its own size, is worth a place on the disk: of other sizes there are too many."""
    if logo is None or wish != QrWish(has_logo=True):
        return make()
    said = coded.text.encode()
    return storage.once(content_key("qr", said, logo, title.encode(), made_by("infra"), suffix=suffix), make)
