"""What the OpenAPI document says of verifying: plain routes, which FastAPI does not know."""

from typing import Any, Final

from accounts.fields import SLUG
from api import schemas
from kernel.locale import LANGUAGES

_HTML: Final = {"text/html": {"schema": {"type": "string"}}}
_LANGUAGE: Final = {
    "name": "lang",
    "in": "query",
    "schema": {"type": "string"},
    "description": f"{', '.join(LANGUAGES)}; else the reader's own.",
}
_MERCHANT: Final = {"name": "merchant", "in": "path", "required": True, "schema": {"type": "string", "pattern": SLUG}}
_FORM: Final = {
    "type": "object",
    "properties": {
        "file": {
            "type": "string",
            "format": "binary",
            "description": "A PDF of at most 5 MB, or JSON of at most 1 MB.",
        },
        "text": {"type": "string", "description": "Where there is no file: a receipt's link, or its JSON."},
    },
}
_KEYS: Final = {
    "type": "object",
    "required": ["keys"],
    "properties": {
        "keys": {"type": "array", "items": {"type": "object"}},
        "distrusted": {"type": "array", "items": {"type": "object"}},
    },
}


def paths() -> dict[str, Any]:
    """To be merged into the document's ``paths``."""
    return {
        "/verify": {"get": _page(), "post": _answer()},
        "/.well-known/jwks.json": {"get": _key_set("everybody", "All merchants' public keys", [])},
        "/.well-known/{merchant}/jwks.json": {"get": _key_set("merchant", "A merchant's public keys", [_MERCHANT])},
    }


def _page() -> dict[str, Any]:
    about = "A page with a form. It works without JavaScript."
    return _operation("verifyForm", "Is a receipt genuine?", about, [_LANGUAGE]) | {
        "responses": {"200": {"description": "The form.", "content": _HTML}, "304": {"description": "Not changed."}}
    }


def _answer() -> dict[str, Any]:
    about = (
        "A page that says whether the PDF, document or link is genuine, who issued it, whether it was changed, and "
        "whether it was refunded since. What is sent is neither kept nor followed."
    )
    problems = {str(status): each for status, each in schemas.problems(400, 408, 415, 503).items()}
    too_large = schemas.problems(413)[413]
    too_large["content"] |= _HTML
    return _operation("verify", "Verify a receipt", about, [_LANGUAGE]) | {
        "requestBody": {"required": True, "content": {"multipart/form-data": {"schema": _FORM}}},
        "responses": {"200": {"description": "What was found.", "content": _HTML}, "413": too_large} | problems,
    }


def _key_set(whose: str, summary: str, parameters: list[Any]) -> dict[str, Any]:
    about = (
        "A JSON Web Key Set (RFC 7517): Ed25519 keys (RFC 8037) that verify the `signature` of a receipt's `.json`. A "
        "key that leaked stands in `distrusted` instead of `keys`."
    )
    found = {"description": summary, "content": {"application/json": {"schema": _KEYS}}}
    problems = {str(status): each for status, each in schemas.problems(*([404] if parameters else []), 503).items()}
    return _operation(f"{whose}Keys", summary, about, parameters) | {
        "responses": {"200": found, "304": {"description": "Not changed."}} | problems
    }


def _operation(name: str, summary: str, description: str, parameters: list[Any]) -> dict[str, Any]:
    said = {"tags": ["Trust"], "summary": summary, "description": description, "operationId": name}
    return said | {"parameters": parameters}
