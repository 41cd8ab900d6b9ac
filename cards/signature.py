"""A card at the end of an email: as HTML that mail programs keep, and as text.

A table with its styles inline, since most programs drop all others. Its colours can be read on white and on black, so a
program that turns the ground dark and leaves them alone loses nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from typing import Final
from urllib.parse import quote

from accounts.find import BrandLook
from cards.face import Face
from cards.links import page_url, shown, tel
from infra.i18n import voice
from infra.theme import on_either
from kernel.locale import direction, isolated

_FONT: Final = "font-family:-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif"
_PHOTO: Final = 80
_MIDDLE: Final = on_either("#808080")


@dataclass(frozen=True, slots=True)
class Signature:
    html: str
    text: str


@dataclass(frozen=True, slots=True)
class _Way:
    text: str
    url: str
    is_number: bool = False


def signature(face: Face, look: BrandLook, *, photo_url: str, base_url: str) -> Signature:
    """``photo_url`` is absolute, or empty; the link back to the card says that it came from an email."""
    token = face.url.rpartition("/")[2]
    words = voice(face.language).gettext
    card = _Way(words("Save my contact"), page_url(base_url, token, "email"))
    ways = list(_ways(face, look))
    return Signature(_html(face, look.colour, ways, card, photo_url), _text(face, ways, card))


def _ways(face: Face, look: BrandLook) -> Iterator[_Way]:
    for phone in [each for each in face.phones if each.kind != "fax"][:2]:
        yield _Way(phone.number, tel(phone.number), is_number=True)
    for email in face.emails[:1]:
        yield _Way(email.address, f"mailto:{quote(email.address, safe='@')}")
    if look.website:
        yield _Way(shown(look.website), look.website)


def _html(face: Face, colour: str, ways: list[_Way], card: _Way, photo_url: str) -> str:
    brand = on_either(colour)
    lines = [f'<strong style="font-size:17px;color:{brand}">{_said(face, face.name)}</strong>']
    about = " · ".join(each for each in (face.role, face.organisation) if each)
    lines += [_said(face, about)] if about else []
    links = [_link(face, way, _MIDDLE) for way in ways]
    lines += [" &#183; ".join(links[at : at + 2]) for at in range(0, len(links), 2)]
    lines.append(_link(face, card, brand, weight="bold"))
    side = "right" if direction(face.language) == "rtl" else "left"
    table = f"border-collapse:collapse;{_FONT};font-size:14px;line-height:1.5;color:{_MIDDLE}"
    cell = f"padding-{side}:14px;border-{side}:3px solid {brand};text-align:{side};vertical-align:middle"
    return (
        f'<table role="presentation" cellpadding="0" cellspacing="0" border="0" lang="{face.language}" '
        f'dir="{direction(face.language)}" style="{table}"><tr>{_photo(face, photo_url, side)}'
        f'<td style="{cell};word-break:break-word">{"<br>".join(lines)}</td></tr></table>'
    )


def _photo(face: Face, url: str, side: str) -> str:
    if not url:
        return ""
    other = "left" if side == "right" else "right"
    return (
        f'<td style="padding-{other}:14px;vertical-align:middle"><img src="{escape(url)}" alt="{escape(face.name)}" '
        f'width="{_PHOTO}" height="{_PHOTO}" style="display:block;width:{_PHOTO}px;height:{_PHOTO}px;'
        'border-radius:8px;background:#ffffff"></td>'
    )


def _link(face: Face, way: _Way, colour: str, weight: str = "normal") -> str:
    style = f"color:{colour};text-decoration:none;font-weight:{weight};white-space:nowrap"
    return f'<a href="{escape(way.url)}" style="{style}">{_said(face, way.text)}</a>'


def _said(face: Face, text: str) -> str:
    return escape(isolated(text, beside=direction(face.language)))


def _text(face: Face, ways: list[_Way], card: _Way) -> str:
    """Below the line of two dashes and a space that tells programs where a signature starts (RFC 3676 section 4.3)."""
    about = " · ".join(each for each in (face.role, face.organisation) if each)
    return "\n".join(["-- ", face.name, *([about] if about else []), *(_plain(face, way) for way in ways), card.url])


def _plain(face: Face, way: _Way) -> str:
    """A number has no letter that would keep its groups in their order; to addresses programs would take marks."""
    return isolated(way.text, beside=direction(face.language)) if way.is_number else way.text
