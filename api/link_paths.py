"""What the OpenAPI document says of the shopper's link, whose routes FastAPI does not know."""

from typing import Any, Final

from api import (
    card_paths,
    offer_paths,
    schemas,
    scratch_paths,
    stop_paths,
    survey_paths,
    trust_paths,
    visit_paths,
    wallet_paths,
)
from kernel.ids import TOKEN_PATTERN
from kernel.locale import LANGUAGES


def _asked(name: str, says: str = "", **schema: Any) -> dict[str, Any]:
    return {"name": name, "in": "query", "schema": schema} | ({"description": says} if says else {})


def _placed(name: str, pattern: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string", "pattern": pattern}}


_LANGUAGE: Final = _asked(
    "lang", f"{', '.join(LANGUAGES)}; else the reader's own where the brand offers it.", type="string"
)
_COPY: Final = _asked("copy", "`1` marks it as a copy.", type="string")
_FORMAT: Final = _asked("format", "Else `a4` for an electronic invoice, `roll` for the rest.", enum=["roll", "a4"])
_SIZE: Final = _asked("size", "Pixels.", type="integer", minimum=32, maximum=2048)
_MARGIN: Final = _asked("margin", "Modules.", type="integer", minimum=0, maximum=16)
_VARIANT: Final = _asked("variant", enum=["plain", "logo"], default="plain")
_HTML: Final = {"text/html": {"schema": {"type": "string"}}}
_TOKEN: Final = _placed("token", TOKEN_PATTERN)
_NAME: Final = _placed("name", "^(fiscal|[0-9])$")
_FORMS: Final = {
    "/r/{token}.pdf": (
        "The receipt as PDF",
        "PDF/UA, with the signed document in it. A slip 80 mm wide; a sheet is the Factur-X of a sale to a business.",
        "application/pdf",
        [_FORMAT, _LANGUAGE, _COPY],
    ),
    "/r/{token}.txt": ("The receipt as text", "At most 42 columns wide.", "text/plain", [_LANGUAGE, _COPY]),
    "/r/{token}.json": (
        "The canonical document",
        "What was accepted, without anything personal; what came back later is in `amendments`. `signature` signs it.",
        "application/json",
        [],
    ),
    "/r/{token}.xml": (
        "The electronic invoice",
        "Factur-X, profile EN 16931, of a sale to a business, as its sheet carries it; 404 for any other receipt.",
        "application/xml",
        [],
    ),
    "/r/{token}/qr.svg": (
        "The link as QR code, SVG",
        "With the brand's logo in it by `variant=logo`; it is decoded again before it is served.",
        "image/svg+xml",
        [_SIZE, _MARGIN, _VARIANT, _LANGUAGE],
    ),
    "/r/{token}/qr.png": ("The link as QR code, PNG", "As the SVG.", "image/png", [_SIZE, _MARGIN, _VARIANT]),
    "/r/{token}/codes/{name}.svg": (
        "A further code of the receipt",
        "`fiscal` for the fiscal device's, a number from 0 for the others.",
        "image/svg+xml",
        [],
    ),
}


def paths() -> dict[str, Any]:
    """To be merged into the document's ``paths``."""
    forms = {path: {"get": _operation(path, *form)} for path, form in _FORMS.items()}
    others = (card_paths, offer_paths, scratch_paths, stop_paths, survey_paths, trust_paths, visit_paths, wallet_paths)
    return (
        {"/r/{token}": {"get": _page()}}
        | forms
        | {path: told for each in others for path, told in each.paths().items()}
    )


def _page() -> dict[str, Any]:
    operation = _operation(
        "/r/{token}",
        "The receipt's page",
        "What the QR code opens. A token whose sale has not come yet is answered with 202 and a page that says so.",
        "text/html",
        [_LANGUAGE, _COPY],
    )
    operation["responses"] |= {
        "202": {"description": "On its way: ask again after `Retry-After` seconds.", "content": _HTML},
        "404": operation["responses"]["404"] | {"description": "No such link."},
        "410": {"description": "The receipt was deleted after its time.", "content": _HTML},
    }
    return operation


def _operation(path: str, summary: str, description: str, media_type: str, asked: list[Any]) -> dict[str, Any]:
    problems = {str(status): answer for status, answer in schemas.problems(404, 410, 422, 503).items()}
    # In a browser they are pages.
    for status in ("404", "410"):
        problems[status]["content"] |= _HTML
    schema = {"type": "object"} if media_type == "application/json" else {"type": "string"}
    found = {"description": summary, "content": {media_type: {"schema": schema}}}
    return {
        "tags": ["Links"],
        "summary": summary,
        "description": description,
        "operationId": "link" + "".join(each if each.isalnum() else "_" for each in path[2:]),
        "parameters": [_TOKEN, *([_NAME] if "{name}" in path else []), *asked],
        "responses": {"200": found, "304": {"description": "Not changed."}} | problems,
    }
