"""What the OpenAPI document says of the link that stops emails, whose routes FastAPI does not know."""

from typing import Any, Final

from api import schemas
from kernel.locale import LANGUAGES

_HTML: Final = {"text/html": {"schema": {"type": "string"}}}
_PARAMETERS: Final = [
    {"name": "token", "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}},
    {"name": "lang", "in": "query", "schema": {"type": "string"}, "description": ", ".join(LANGUAGES)},
]


def paths() -> dict[str, Any]:
    """To be merged into the document's ``paths``."""
    page = _operation(
        "link_stop_page", "Whether to stop emails", "What the link below an email opens. It changes nothing."
    )
    stop = _operation(
        "link_stop",
        "Stop emails",
        "One click of a mail program (RFC 8058), or the page's button: the merchant writes to the address no more. "
        "The body may be anything. Once more changes nothing.",
    )
    page["responses"] |= {"304": {"description": "Not changed."}}
    return {"/u/{token}": {"get": page, "post": stop}}


def _operation(name: str, summary: str, description: str) -> dict[str, Any]:
    answers = {
        "200": {"description": "The page.", "content": _HTML},
        "404": {"description": "No link of ours, or its message is kept no more.", "content": _HTML},
        "503": schemas.problems(503)[503],
    }
    told = {"tags": ["Links"], "summary": summary, "description": description, "operationId": name}
    return told | {"parameters": _PARAMETERS, "responses": answers}
