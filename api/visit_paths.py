"""What the OpenAPI document says of what visitors do by a link: tell of their visit, leave their contact, rate."""

from typing import Any, Final

from api import schemas
from kernel.ids import TOKEN_PATTERN

_TOKEN: Final = {
    "name": "token",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "pattern": TOKEN_PATTERN},
}
_LANGUAGE: Final = {"name": "lang", "in": "query", "schema": {"type": "string"}}
_TEXT: Final = {"type": "string"}
_HTML: Final = {"text/html": {"schema": _TEXT}}
# Without types: what a page of another version tells is heard too, and not counted.
_TOLD: Final = {
    "properties": {
        "a": {"description": "What was done: view, save, wallet, share or tap."},
        "s": {"description": "How they came: qr, nfc, wallet, receipt, link, email."},
        "t": {"description": "What was tapped, such as phone or linkedin."},
        "r": {"description": "The mark of the receipt's link."},
    },
}
_CONTACT: Final = {
    "type": "object",
    "required": ["form_id", "name", "consent"],
    "properties": {
        "form_id": _TEXT | {"description": "As it stands in the page's form."},
        "consent": _TEXT | {"description": "The version of the text that is agreed to, as it stands there."},
        **dict.fromkeys(("name", "email", "phone", "organisation", "note", "s", "r"), _TEXT),
    },
}
_SCORE: Final = {
    "type": "object",
    "required": ["score"],
    "properties": {"score": {"type": "integer", "minimum": 1, "maximum": 5}},
}
_FORM: Final = "application/x-www-form-urlencoded"


def paths() -> dict[str, Any]:
    """To be merged into the document's ``paths``."""
    return {
        "/c/{token}/beacon": {"post": _beacon()},
        "/c/{token}/exchange": {"post": _exchange()},
        "/r/{token}/service": {"get": _back(), "post": _rating()},
    }


def _beacon() -> dict[str, Any]:
    told = {"204": {"description": "Heard. Whether it counts is not said."}}
    return _operation(
        "visit_beacon",
        (
            "Tell of a visit",
            "What the page of a card sends while somebody looks at it; at most 1 KB, of any type.",
        ),
        {"application/json": {"schema": _TOLD}},
        told | _problems(400, 404, 410, 413, 503),
    )


def _exchange() -> dict[str, Any]:
    refused = _problems(400, 403, 404, 410, 413, 415, 422, 429, 503)
    # The page, which says what is to be put right.
    for status in ("422", "429"):
        refused[status]["content"] |= _HTML
    return _operation(
        "visit_exchange",
        ("Leave a contact", "The form on a card's page: a name, an email address or a telephone number, and consent."),
        {_FORM: {"schema": _CONTACT}},
        {"303": {"description": "Left: back to the card's page."}} | refused,
    )


def _rating() -> dict[str, Any]:
    return _operation(
        "visit_rating",
        ("Rate who served", "The stars on a receipt's page. The last answer holds."),
        {_FORM: {"schema": _SCORE}},
        {"303": {"description": "Rated: back to the receipt."}} | _problems(400, 403, 404, 413, 415, 422, 503),
    )


def _back() -> dict[str, Any]:
    missing = _problems(404)
    missing["404"]["content"] |= _HTML
    return {
        "tags": ["Links"],
        "summary": "Back to the receipt",
        "description": "For who loads the address of a rating anew. It rates nothing.",
        "operationId": "visit_rating_back",
        "parameters": [_TOKEN, _LANGUAGE],
        "responses": {"303": {"description": "To the receipt."}} | missing,
    }


def _problems(*statuses: int) -> dict[str, Any]:
    return {str(status): answer for status, answer in schemas.problems(*statuses).items()}


def _operation(name: str, says: tuple[str, str], content: dict[str, Any], answers: dict[str, Any]) -> dict[str, Any]:
    summary, description = says
    return {
        "tags": ["Links"],
        "summary": summary,
        "description": description,
        "operationId": name,
        "parameters": [_TOKEN, _LANGUAGE],
        "requestBody": {"required": True, "content": content},
        "responses": answers,
    }
