"""A card as a vCard: 3.0 (RFC 2426), which all phones take, 4.0 (RFC 6350, RFC 9554), and a short one for a QR code.

What goes into a line is cleaned by :mod:`cards.vcard_lines`, whoever made the face: no value becomes a property.
"""

from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC
from typing import Final, Literal
from urllib.parse import quote

from cards.face import Face
from cards.names import language_name
from cards.vcard_lines import Lines, clean, fields, one_line, paragraphs, text, url
from cards.vcard_ways import add_ways
from kernel.locale import LANGUAGES, base_language

Version = Literal["3.0", "4.0"]
VERSIONS: Final[tuple[Version, ...]] = ("3.0", "4.0")
MEDIA_TYPE: Final = "text/vcard; charset=utf-8"
_PRODUCT: Final = "-//Counterfoil//Cards//EN"
_LONGEST_FILE_NAME: Final = 80
# What a QR code still holds at the size of a stamp (version 13, level L).
_SHORT: Final = 350
_SHORT_NAME: Final = 60


@dataclass(frozen=True, slots=True)
class Labels:
    """Words of ours on a card, in its language; :mod:`cards.vcard_words` has them in all."""

    booking: str = "Book an appointment"
    hobbies: str = "Hobbies"
    languages: str = "Languages"


ENGLISH: Final = Labels()


def vcard(
    face: Face,
    *,
    photo: bytes | None = None,
    version: Version = "3.0",
    is_short: bool = False,
    labels: Labels = ENGLISH,
) -> bytes:
    """UTF-8 with CRLF, in lines of at most 75 octets. ``photo`` is a JPEG of at most 24 KB.

    A short one has at most 350 octets, beside what a long name or address takes, and no photo.
    """
    # Loaded late: vobject brings all of calendars, which take a megabyte that most servers never need.
    from cards.vcard_envelope import enveloped

    lines = Lines(is_four=version == "4.0")
    lines.add("VERSION", version)
    if is_short:
        _add_short(lines, face)
    else:
        _add_all(lines, face, photo, labels)
    return enveloped(lines.added).encode()


def file_name(face: Face) -> str:
    """``Emma-Lind.vcf``."""
    whole = f"{face.given} {face.family}" if face.has_parts else _full_name(face)
    words = "".join(each if each.isalnum() or each in "'’." else " " for each in clean(whole)).split()
    return ("-".join(words)[:_LONGEST_FILE_NAME].strip(".-") or "contact") + ".vcf"


def attached(face: Face) -> bytes:
    """The value of ``Content-Disposition``, by which a browser saves it under its name (RFC 6266)."""
    name = file_name(face)
    plain = "".join(each if each.isascii() else "_" for each in name)
    encoded = f"; filename*=UTF-8''{quote(name)}" if plain != name else ""
    return f'attachment; filename="{plain}"{encoded}'.encode()


def _add_all(lines: Lines, face: Face, photo: bytes | None, labels: Labels) -> None:
    language = _known_language(face)
    lines.add("PRODID", _PRODUCT)
    # A URI in version 4, where it does not say that it is text (RFC 6350 section 6.7.6).
    lines.add("UID", text(face.uid), ("VALUE", "text" if lines.is_four else ""))
    lines.add(
        "REV", face.changed_at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ" if lines.is_four else "%Y-%m-%dT%H:%M:%SZ")
    )
    _add_name(lines, face)
    organisation = (face.organisation, face.department) if one_line(face.department) else (face.organisation,)
    lines.add("ORG", fields(*organisation))
    lines.add("TITLE", text(face.title))
    add_ways(lines, face, language, labels.booking)
    page = url(face.url)
    lines.add("URL", page, ("TYPE", "WORK"))
    lines.add("SOURCE", f"{page}.vcf" if page else "")
    lines.add("NOTE", paragraphs(_note(face, language, labels)))
    _add_person(lines, face)
    _add_photo(lines, photo)


def _add_name(lines: Lines, face: Face) -> None:
    """Both forms always: Apple shows the parts, Android the whole."""
    whole = _full_name(face)
    parts = (face.family, face.given, face.additional, face.prefix, face.suffix)
    told = fields(*map(one_line, parts)) if face.has_parts else ""
    lines.add("FN", text(whole))
    lines.add("N", told or fields("", whole, "", "", ""))
    lines.add("NICKNAME", text(face.nickname))


def _add_person(lines: Lines, face: Face) -> None:
    lines.add("PRONOUNS" if lines.is_four else "X-PRONOUNS", text(face.pronouns))
    for rank, tag in enumerate(face.languages[:100], start=1):
        lines.add("LANG", text(tag), ("PREF", str(rank) if lines.is_four else ""))
    if lines.is_four:
        lines.add("KIND", "individual")
        lines.add("LANGUAGE", text(face.language))
        for hobby in face.hobbies:
            lines.add("HOBBY", text(hobby))


def _add_photo(lines: Lines, photo: bytes | None) -> None:
    """Never a LOGO beside it: Android takes that for the photo."""
    encoded = b64encode(photo).decode() if photo else ""
    if not encoded:
        return
    if lines.is_four:
        lines.add("PHOTO", f"data:image/jpeg;base64,{encoded}")
    else:
        lines.add("PHOTO", encoded, ("ENCODING", "b"), ("TYPE", "JPEG"))


def _add_short(lines: Lines, face: Face) -> None:
    """The name, and as much of the rest as there is room for, what matters most first."""
    whole = _full_name(face)[:_SHORT_NAME]
    parts = [one_line(each)[:_SHORT_NAME] for each in (face.family, face.given)]
    told = parts if any(parts) else ["", whole]
    lines.add("FN", text(whole), _charset(whole))
    lines.add("N", fields(*told, "", "", ""), _charset(*told))
    for name, value, *parameters in _briefly(face):
        before = len(lines.added)
        lines.add(name, value, *parameters)
        if _octets(lines) > _SHORT:
            del lines.added[before:]


def _briefly(face: Face) -> Iterable[tuple[str, str, *tuple[tuple[str, str], ...]]]:
    phone = next((each for each in face.phones if each.kind == "mobile"), next(iter(face.phones), None))
    yield "URL", url(face.url), ("TYPE", "WORK")
    if phone is not None:
        yield "TEL", text(phone.number), ("TYPE", "CELL" if phone.kind == "mobile" else "WORK")
    for email in face.emails[:1]:
        yield "EMAIL", text(email.address), ("TYPE", "INTERNET"), _charset(email.address)
    yield "ORG", fields(face.organisation), _charset(face.organisation)
    yield "TITLE", text(face.title), _charset(face.title)


def _charset(*values: str) -> tuple[str, str]:
    """Without it, iOS reads a QR code's vCard as if it were Latin-1."""
    return ("CHARSET", "" if all(each.isascii() for each in values) else "utf-8")


def _octets(lines: Lines) -> int:
    return len("BEGIN:VCARD\r\nEND:VCARD\r\n") + sum(len(each.encode()) + 2 for _, each in lines.added)


def _full_name(face: Face) -> str:
    """One line that is never empty."""
    parts = (face.prefix, face.given, face.additional, face.family, face.suffix)
    whole = one_line(face.name) or " ".join(told for each in parts if (told := one_line(each)))
    return whole or one_line(face.nickname) or one_line(face.organisation) or "?"


def _note(face: Face, language: str, labels: Labels) -> str:
    """Also what a vCard has no place for that phones show."""
    spoken = [language_name(tag, language) for tag in face.languages]
    lists = [(labels.hobbies, face.hobbies), (labels.languages, spoken)]
    told = [f"{name}: {', '.join(values)}" for name, values in lists if values]
    return "\n\n".join(part for part in (clean(face.description), "\n".join(told)) if part)


def _known_language(face: Face) -> str:
    """In which names of languages and countries are told."""
    base = base_language(face.language)
    return base if base in LANGUAGES else "en"
