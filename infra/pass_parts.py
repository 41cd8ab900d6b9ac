"""What Apple's passes of this service have in common: the head of ``pass.json``, its fields, and their languages."""

import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from infra.theme import theme

# What the key of tokens is derived for (infra.secrets.derived).
PURPOSE: Final = "wallet passes"


@dataclass(frozen=True, slots=True)
class PassOffice:
    """Where passes come from. ``key`` makes the tokens with which phones ask for changes."""

    base_url: str
    pass_type: str
    team: str
    key: bytes

    def token(self, serial: str) -> str:
        """64 characters that only we can tell of the serial number. All copies of one pass share it."""
        return hmac.digest(self.key, serial.encode(), "sha256").hex()

    @property
    def service_url(self) -> str | None:
        """Where phones ask for changes; Apple takes https only, so there is none without."""
        return f"{self.base_url}/wallet" if self.base_url.startswith("https://") else None


@dataclass(frozen=True, slots=True)
class Told:
    """What a pass is about. ``colour`` is the brand's, ``link`` what its code holds, ``beside_logo`` a name where the
    logo is only a letter."""

    serial: str
    organisation: str
    description: str
    colour: str
    link: str
    beside_logo: str = ""
    is_void: bool = False


@dataclass(frozen=True, slots=True)
class PassField:
    """``change`` is what the phone says when the value changes, with ``%@`` for it; empty: nothing."""

    key: str
    label: str
    value: str
    change: str = ""


@dataclass(frozen=True, slots=True)
class PassParts:
    """What :func:`infra.pkpass.build` makes a pass of."""

    content: dict[str, Any]
    images: dict[str, bytes]
    strings: dict[str, dict[str, str]]


# By section of a style, such as "primaryFields".
Fields = Mapping[str, Iterable[PassField]]


def head(office: PassOffice, told: Told) -> dict[str, Any]:
    """All of ``pass.json`` but its style."""
    palette = theme(told.colour).light
    content: dict[str, Any] = {
        "formatVersion": 1,
        "passTypeIdentifier": office.pass_type,
        "teamIdentifier": office.team,
        "serialNumber": told.serial,
        "organizationName": told.organisation,
        "description": told.description,
        "backgroundColor": _rgb(palette.brand),
        "foregroundColor": _rgb(palette.on_brand),
        "labelColor": _rgb(palette.on_brand_soft),
        "sharingProhibited": False,
        "voided": told.is_void,
    }
    if told.beside_logo:
        content["logoText"] = told.beside_logo
    # A code in any other letters would not be read everywhere.
    if told.link.isascii():
        code = {"format": "PKBarcodeFormatQR", "message": told.link, "messageEncoding": "iso-8859-1"}
        content["barcodes"] = [code]
    if office.service_url:
        content |= {"webServiceURL": office.service_url, "authenticationToken": office.token(told.serial)}
    return content


def localised(own: str, spoken: Mapping[str, Fields]) -> tuple[dict[str, Any], dict[str, dict[str, str]]]:
    """The style in the language ``own``, and what stands in its place in each language, by what it replaces.

    Wallet looks words up by themselves, so a reader whose language is not there sees those of ``own``. Two equal words
    with different translations are told apart by blanks at the end, which nobody sees.
    """
    strings: dict[str, dict[str, str]] = {language: {} for language in spoken}
    others = {language: _by_key(fields) for language, fields in spoken.items()}

    def named(field: PassField, part: str) -> str:
        words = {language: getattr(there.get(field.key, field), part) for language, there in others.items()}
        name = getattr(field, part)
        while any(strings[language].get(name, text) != text for language, text in words.items()):
            name += " "
        for language, text in words.items():
            strings[language][name] = text
        return str(name)

    style = {section: [_shown(field, named) for field in fields] for section, fields in spoken[own].items()}
    return style, strings


def _by_key(fields: Fields) -> dict[str, PassField]:
    return {each.key: each for section in fields.values() for each in section}


def _shown(field: PassField, named: Any) -> dict[str, str]:
    shown = {"key": field.key, "value": named(field, "value")}
    shown |= {"label": named(field, "label")} if field.label else {}
    return shown | ({"changeMessage": field.change} if field.change else {})


def _rgb(colour: str) -> str:
    red, green, blue = bytes.fromhex(colour[1:])
    return f"rgb({red}, {green}, {blue})"
