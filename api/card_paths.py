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
