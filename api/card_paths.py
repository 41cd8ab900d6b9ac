"""What the OpenAPI document says of a card's link, whose routes FastAPI does not know."""

from typing import Any, Final

from api import schemas
from kernel.ids import TOKEN_PATTERN
from kernel.locale import LANGUAGES


def asked(name: str, says: str = "", **schema: Any) -> dict[str, Any]:
    return {"name": name, "in": "query", "schema": schema} | ({"description": says} if says else {})


TOKEN: Final = {"name": "token", "in": "path", "required": True, "schema": {"type": "string", "pattern": TOKEN_PATTERN}}
LANGUAGE: Final = asked(
    "lang", f"{', '.join(LANGUAGES)}; else the reader's own where the card is offered in it.", type="string"
)
_PHOTO: Final = asked("photo", "`0` leaves the photo out, for address books that stumble over it.", type="string")
_VERSION: Final = asked("version", "Of vCard: 3 is what phones take.", enum=["3", "3.0", "4", "4.0"], default="3")
_SIZE: Final = asked("size", "Pixels.", type="integer", minimum=32, maximum=2048)
_PRINTED: Final = asked("mm", "In print, instead of `size`.", type="integer", minimum=20, maximum=200)
_MARGIN: Final = asked("margin", "Modules.", type="integer", minimum=0, maximum=16)
_VARIANT: Final = asked("variant", "`vcard` holds the contact.", enum=["plain", "logo", "vcard"], default="plain")
_SOURCE: Final = asked("s", "How the link will be followed.", enum=["qr", "nfc", "link"], default="qr")
_CODE: Final = [_SIZE, _PRINTED, _MARGIN, _VARIANT, _SOURCE, LANGUAGE]
_SHEET: Final = asked("sheet", "`1` for A4 with ten of them.", enum=["0", "1"], default="0")
# A path's summary, description, media type, and what may be asked for in its query.
_FORMS: Final = {
    "/c/{token}.vcf": (
        "The card as vCard",
        "Of version 3.0 (RFC 2426) or 4.0 (RFC 6350), with the photo in it, as a file under the person's name.",
        "text/vcard",
        [_PHOTO, _VERSION, LANGUAGE],
    ),
    "/c/{token}.json": (
        "The card as JSContact",
        "RFC 9553, for programs.",
        "application/jscontact+json",
        [LANGUAGE],
    ),
    "/c/{token}/photo.webp": ("The photo for a page", "224 pixels a side; 404 where there is none.", "image/webp", []),
    "/c/{token}/photo.jpg": ("The photo", "480 pixels a side; 404 where there is none.", "image/jpeg", []),
    "/c/{token}/qr.svg": (
        "The card's QR code, SVG",
        "Of its link or, with `variant=vcard`, of the contact itself; decoded again before it is served.",
        "image/svg+xml",
        _CODE,
    ),
    "/c/{token}/qr.png": ("The card's QR code, PNG", "As the SVG; with `mm` at 300 dots an inch.", "image/png", _CODE),
    "/c/{token}/preview.jpg": ("What a shared link shows", "1200 by 630 pixels.", "image/jpeg", [LANGUAGE]),
    "/c/{token}/background.jpg": ("A background for calls", "1920 by 1080 pixels.", "image/jpeg", [LANGUAGE]),
    "/c/{token}/print.pdf": (
        "The card for a printer",
        "85 by 55 mm, two sides, with 3 mm of bleed and crop marks.",
        "application/pdf",
        [_SHEET, LANGUAGE],
    ),
}


def paths() -> dict[str, Any]:
    """To be merged into the document's ``paths``."""
    return {path: {"get": _operation(path, *form)} for path, form in _FORMS.items()}


def _operation(path: str, summary: str, description: str, media_type: str, query: list[Any]) -> dict[str, Any]:
    """A form that only an active card has."""
    problems = {str(status): answer for status, answer in schemas.problems(404, 410, 422, 503).items()}
    schema = {"type": "object"} if media_type.endswith("json") else {"type": "string"}
    found = {"description": summary, "content": {media_type: {"schema": schema}}}
    return {
        "tags": ["Links"],
        "summary": summary,
        "description": description,
        "operationId": "card" + "".join(each if each.isalnum() else "_" for each in path[2:]),
        "parameters": [TOKEN, *query],
        "responses": {"200": found, "304": {"description": "Not changed."}} | problems,
    }
