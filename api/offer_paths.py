"""What the OpenAPI document says of an offer's link, and of what pages tell of offers."""

from typing import Any, Final

from api import schemas
from engagement.offers import links

_MARK: Final = {
    "name": "mark",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "pattern": links.PATTERN},
}
_HTML: Final = {"text/html": {"schema": {"type": "string"}}}
# Without types: what a page of another version tells is heard too, and not counted.
_TOLD: Final = {
    "properties": {
        "a": {"description": "What was done: view or tap."},
        "o": {"description": "The marks of the offers, at most 10."},
    },
}


def paths() -> dict[str, Any]:
    """To be merged into the document's ``paths``."""
    return {"/o/{mark}": {"get": _follow(), "post": _tap()}, "/o/beacon": {"post": _beacon()}}


def _follow() -> dict[str, Any]:
    said = ("Follow an offer", "To the product's own link, and nowhere else. It counts nothing.")
    return _operation("offer_follow", said, {"302": {"description": "To the product."}} | _over())


def _tap() -> dict[str, Any]:
    said = ("Tap an offer", "The button of who has no script: it counts once, then leads to the product's own link.")
    return _operation("offer_tap", said, {"303": {"description": "To the product."}} | _over())


def _over() -> dict[str, Any]:
    missing = _problems(404, 503)
    missing["404"] |= {"description": "None of our marks, or the offer is over."}
    missing["404"]["content"] |= _HTML
    return missing


def _beacon() -> dict[str, Any]:
    said = ("Tell of offers", "What the page of a receipt sends while somebody looks at it; at most 1 KB, of any type.")
    told = {"204": {"description": "Heard. Whether it counts is not said."}} | _problems(400, 413, 503)
    body = {"requestBody": {"required": True, "content": {"application/json": {"schema": _TOLD}}}}
    return _operation("offer_beacon", said, told) | {"parameters": []} | body


def _operation(name: str, says: tuple[str, str], answers: dict[str, Any]) -> dict[str, Any]:
    summary, description = says
    told = {"tags": ["Links"], "summary": summary, "description": description, "operationId": name}
    return told | {"parameters": [_MARK], "responses": answers}


def _problems(*statuses: int) -> dict[str, Any]:
    return {str(status): answer for status, answer in schemas.problems(*statuses).items()}
