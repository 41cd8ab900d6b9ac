"""What the OpenAPI document says of wallets, whose routes FastAPI does not know."""

from typing import Any, Final

from api import schemas
from infra.pkpass import MEDIA_TYPE
from kernel.ids import TOKEN_PATTERN

_HTML: Final = {"text/html": {"schema": {"type": "string"}}}
_UNSET: Final = "Also where this service makes no passes."
_DEVICES: Final = "/wallet/v1/devices/{device}/registrations/{type}"
_AUTHORIZATION: Final = {
    "name": "Authorization",
    "in": "header",
    "schema": {"type": "string"},
    "description": "`ApplePass` and the pass's own token.",
}


def _placed(name: str, **schema: Any) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1} | schema}


_TOKEN: Final = _placed("token", pattern=TOKEN_PATTERN)
_DEVICE: Final = _placed("device", pattern="^[A-Za-z0-9_-]{1,64}$")
_TYPE, _SERIAL = _placed("type"), _placed("serial")
_SINCE: Final = {"name": "passesUpdatedSince", "in": "query", "schema": {"type": "string"}}
_PASS: Final = {
    "200": {"description": "The signed pass.", "content": {MEDIA_TYPE: {"schema": {"type": "string"}}}},
    "304": {"description": "Not changed."},
}


def paths() -> dict[str, Any]:
    """To be merged into the document's ``paths``."""
    return _links() | _service()


def _links() -> dict[str, Any]:
    card = _operation(
        "link_card_pass", "A card for Apple Wallet", "A pass with the photo.", [_TOKEN], _PASS, 404, 410, 503
    )
    receipt = _operation(
        "link_receipt_pass",
        "A receipt for Apple Wallet",
        "Without prices where it is a gift receipt.",
        [_TOKEN],
        _PASS,
        *(404, 410, 503),
    )
    taken = {"303": {"description": "To where Google Wallet takes it."}}
    google = _operation(
        "link_card_google", "A card for Google Wallet", "Makes the object.", [_TOKEN], taken, 403, 404, 410, 503
    )
    return {
        "/c/{token}.pkpass": {"get": card},
        "/c/{token}/google": {"post": google},
        "/r/{token}.pkpass": {"get": receipt},
    }


def _service() -> dict[str, Any]:
    named = [_DEVICE, _TYPE, _SERIAL, _AUTHORIZATION]
    token = {"type": "string", "pattern": "^[A-Za-z0-9+/=_-]{1,200}$"}
    known = {"200": {"description": "It was known, or is known no more."}}
    new = {"201": {"description": "New to this pass."}}
    told = {
        "200": {"description": "`serialNumbers` and the tag `lastUpdated`."},
        "204": {"description": "Nothing has changed."},
    }
    about = "For phones, as Apple's web service for passes has it."
    register = _operation("wallet_register", "Register a pass", about, named, known | new, 400, 401, 404, 415, 429, 503)
    unregister = _operation("wallet_unregister", "Unregister a pass", about, named, known, 400, 401, 404, 503)
    changed = _operation("wallet_changed", "What changed", about, [_DEVICE, _TYPE, _SINCE], told, 400, 404, 503)
    newest = _operation("wallet_pass", "The newest pass", about, named[1:], _PASS, 401, 404, 503)
    noted = {"200": {"description": "Noted."}}
    log = _operation("wallet_log", "What a phone complains of", about, [], noted, 400, 404, 415, 503)
    return {
        f"{_DEVICES}/{{serial}}": {"post": register | _body("pushToken", token), "delete": unregister},
        _DEVICES: {"get": changed},
        "/wallet/v1/passes/{type}/{serial}": {"get": newest},
        "/wallet/v1/log": {"post": log | _body("logs", {"type": "array"})},
    }


def _body(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    """An object with one member."""
    told = {"type": "object", "required": [name], "properties": {name: schema}}
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": told}}}}


def _operation(
    name: str, summary: str, description: str, parameters: list[Any], answers: dict[str, Any], *problems: int
) -> dict[str, Any]:
    refused = {str(status): answer for status, answer in schemas.problems(*problems).items()}
    refused["404"]["description"] += f" {_UNSET}"
    # What no route knows is a page.
    refused["404"]["content"] |= _HTML
    return {
        "tags": ["Wallets"],
        "summary": summary,
        "description": description,
        "operationId": name,
        "parameters": parameters,
        "responses": answers | refused,
    }
