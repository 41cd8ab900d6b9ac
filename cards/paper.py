"""A card for a printer: 85 by 55 mm, alone with crop marks or ten on a sheet of A4, a front and a back.

Every line is measured and set in the size in which it fits, so nothing runs into the edge or the code.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import hypot
from typing import Final

from cards.face import Face
from cards.links import shown
from cards.pictures import Sitter
from infra import lettering, pages, qr
from infra.i18n import voice
from infra.lettering import Fit
from infra.monochrome import in_grey, on_white
from infra.pdf import Page, PdfPool
from infra.qr import Ecc
from infra.theme import Palette
from kernel.locale import direction

_STYLE: Final = (pages.TEMPLATES / "pdf" / "card.css").read_text()
_WIDE, _HIGH, _BLEED = 85, 55, 3  # millimetres
# On A4: rows touch, columns do not, since what is at their sides differs.
_LEFTS, _TOPS = (15, 110), tuple(11 + _HIGH * row for row in range(5))
_FINE: Final = 20  # units to a point in which text is measured: fonts are drawn in whole ones
_MM: Final = _FINE * 72 / 25.4
_TEXT_WIDTH: Final = int(46 * _MM * 0.98)  # both engines round differently
_SIGN_WIDTH: Final = int(70 * _MM)
_SCAN_WIDTH: Final = int(22 * _MM)
_MOST_WAYS: Final = 4
_MOST_MODULES: Final = 42  # of half a millimetre on the 22 mm of a code, with one more around


@dataclass(frozen=True, slots=True)
class Line:
    text: str
    points: float


@dataclass(frozen=True, slots=True)
class Place:
    """Where a card lies on its sheet, as CSS; ``row`` is ``top`` or ``end`` where its art goes over the edge there."""

    style: str = ""
    row: str = ""


@dataclass(frozen=True, slots=True)
class CardPaper:
    """What templates/pdf/card.html is given. ``marks`` are where a sheet is cut; there are none for a card alone."""

    language: str
    direction: str
    title: str
    has_logo: bool
    organisation: tuple[Line, ...]
    name: tuple[Line, ...]
    role: tuple[Line, ...]
    ways: tuple[tuple[Line, ...], ...]
    scan: tuple[Line, ...]
    sign: tuple[Line, ...]
    site: tuple[Line, ...]
    places: tuple[Place, ...]
    marks: tuple[str, ...]


def pdf(pool: PdfPool, sitter: Sitter, *, link: str, website: str, page: Page) -> bytes:
    """``page`` is ``card`` or ``sheet``; ``link`` is what the code says. Blocks, and raises as the pool does."""
    context = _paper(sitter, website=website, is_sheet=page == "sheet")
    html = pages.render("pdf/card.html", context, context.language)
    files = {"code.png": _code(link), "art.svg": _art(sitter.palette).encode()}
    if sitter.logo:
        files["logo.png"] = on_white(sitter.logo, 512)
    return pool.render(html, page=page, css=_colours(sitter.palette) + _STYLE, files=files)


def _code(link: str) -> bytes:
    """At level M where its modules are large enough for paper then, else at L."""
    ecc: Ecc = "M" if len(qr.matrix(link, "M")) <= _MOST_MODULES else "L"
    qr.prove(link, ecc)
    return in_grey(qr.png(link, ecc=ecc, scale=1, margin=1))


def _paper(sitter: Sitter, *, website: str, is_sheet: bool) -> CardPaper:
    face, words = sitter.face, voice(sitter.face.language).gettext
    beside_logo = _TEXT_WIDTH - int(13 * _MM) if sitter.logo else _TEXT_WIDTH
    return CardPaper(
        language=face.language,
        direction=direction(face.language),
        title=f"{face.name} · {face.organisation}",
        has_logo=bool(sitter.logo),
        organisation=_set(face.organisation, beside_logo, most=8, least=6, lines=2, weight=700),
        name=_name(face.name),
        role=_set(face.role, _TEXT_WIDTH, most=7, least=6, lines=2),
        ways=tuple(_set(way, _TEXT_WIDTH, most=7, least=5) for way in _ways(face, website)),
        scan=_set(words("Scan to save my contact"), _SCAN_WIDTH, most=5.5, least=4.5, lines=2),
        sign=_set(face.organisation, _SIGN_WIDTH, most=15, least=9, lines=2, weight=700),
        site=_set(shown(website), _SIGN_WIDTH, most=7, least=5),
        places=tuple(_places()) if is_sheet else (Place(),),
        marks=tuple(_cuts()) if is_sheet else (),
    )


def _name(name: str) -> tuple[Line, ...]:
    """In two lines, or in three where they would be as small."""
    lines = _set(name, _TEXT_WIDTH, most=13, least=9, lines=2, weight=700)
    return lines if lines and lines[0].points > 9 else _set(name, _TEXT_WIDTH, most=9, least=7.5, lines=3, weight=700)


def _set(text: str, width: int, *, most: float, least: float, lines: int = 1, weight: int = 400) -> tuple[Line, ...]:
    """Sizes in points."""
    fit = Fit(width, most=int(most * _FINE), least=int(least * _FINE), lines=lines, weight=weight)
    return tuple(Line(each.text, each.size / _FINE) for each in lettering.fitted(text, fit))


def _ways(face: Face, website: str) -> list[str]:
    """How to reach the person, most direct first."""
    own = next((each for each in face.addresses if each.kind == "work"), None)
    address = own or (face.shop.address if face.shop else None)
    city = " ".join(each for each in (address.postal_code, address.city) if each) if address else ""
    place = ", ".join(each for each in (*address.lines, city) if each) if address else ""
    phones = [each.number for each in face.phones if each.kind in ("mobile", "work")]
    emails = [each.address for each in face.emails if each.kind == "work"] or [each.address for each in face.emails]
    told = [*phones[:1], *emails[:1], place, *phones[1:2], shown(website)]
    return [each for each in told if each][:_MOST_WAYS]


def _places() -> Iterator[Place]:
    rows = {_TOPS[0]: "top", _TOPS[-1]: "end"}
    for top in _TOPS:
        yield from (Place(f"left:{left}mm;top:{top}mm", rows.get(top, "")) for left in _LEFTS)


def _cuts() -> Iterator[str]:
    """Hairlines in the margin, clear of the art."""
    for x in (edge for left in _LEFTS for edge in (left, left + _WIDE)):
        for top in (2, _TOPS[-1] + _HIGH + _BLEED + 1):
            yield f"left:{x - 0.05}mm;top:{top}mm;width:0.1mm;height:5mm"
    for y in (*_TOPS, _TOPS[-1] + _HIGH):
        for left in (5, _LEFTS[-1] + _WIDE + _BLEED + 2):
            yield f"left:{left}mm;top:{y - 0.05}mm;width:5mm;height:0.1mm"


def _colours(palette: Palette) -> str:
    names = ("accent", "brand", "muted", "soft")
    own = ";".join(f"--{name}:{getattr(palette, name)}" for name in names)
    return f"html{{color:{palette.ink};--on-brand:{palette.on_brand};--on-brand-soft:{palette.on_brand_soft};{own}}}"


def _art(palette: Palette) -> str:
    """The brand's colour to the end of the art, with the rings that its receipts have."""
    wide, high = _WIDE + 2 * _BLEED, _HIGH + 2 * _BLEED
    x, y = wide * 1.04, high * 1.18
    rings = "".join(
        f'<circle cx="{x:.2f}" cy="{y:.2f}" r="{radius / 10:.1f}"/>' for radius in range(18, int(hypot(x, y) * 10), 18)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{wide}mm" height="{high}mm" viewBox="0 0 {wide} {high}">'
        f'<path fill="{palette.brand}" d="M0 0h{wide}v{high}H0z"/>'
        f'<g fill="none" stroke="{palette.engraving}" stroke-width=".2">{rings}</g></svg>'
    )
