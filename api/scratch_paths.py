"""What the OpenAPI document says of scratch cards behind links, and of a campaign's own pages."""

from typing import Any, Final

from api import schemas
from kernel.ids import TOKEN_PATTERN


def _named(name: str, pattern: str, told: str = "") -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string", "pattern": pattern}} | (
        {"description": told} if told else {}
    )


_TOKEN: Final = _named("token", TOKEN_PATTERN)
_CARD: Final = _named("card", schemas.ID_PATTERN, "The card's id.")
_LINK: Final = _named("card", schemas.ID_PATTERN, "The card's id with its mark, as the link has it.")
_CAMPAIGN: Final = _named("campaign", schemas.ID_PATTERN)
_LANGUAGE: Final = {"name": "lang", "in": "query", "schema": {"type": "string"}}
_PART: Final = {
    "name": "part",
    "in": "query",
    "schema": {"type": "string"},
    "description": "1: the card alone, as a script puts it into the page.",
}
_ASKED: Final = {
    "name": "card",
    "in": "query",
    "schema": {"type": "string", "maxLength": 300},
    "description": "A card's id, or the link of its receipt.",
}
_TEXT: Final = {"type": "string"}
_HTML: Final = {"text/html": {"schema": _TEXT}}
_PASS: Final = {"application/vnd.apple.pkpass": {"schema": {"type": "string", "format": "binary"}}}
_FORM: Final = "application/x-www-form-urlencoded"
_OF_AGE: Final = {
    "type": "object",
    "properties": {"of_age": _TEXT | {"description": "1, where the campaign asks for an age."}},
}
_ENTRY: Final = {
    "type": "object",
    "required": ["agreed"],
    "properties": {
        "agreed": _TEXT | {"description": "1: the rules were read."},
        "email": _TEXT,
        "phone": _TEXT | {"description": "Instead of an email address."},
    },
}


def paths() -> dict[str, Any]:
    """To be merged into the document's ``paths``."""
    of_receipt, free, campaign = "/r/{token}/scratch/{card}", "/x/{card}", "/campaigns/{campaign}"
    own = [_TOKEN, _CARD]
    return {
        of_receipt: {"get": _back(own), "post": _reveal("receipt_card_reveal", own)},
        f"{of_receipt}/taken": {"post": _taken("receipt_card_taken", own)},
        f"{of_receipt}.pkpass": {"get": _pass("receipt_card_pass", own)},
        f"{of_receipt}/google": {"post": _google("receipt_card_google", own)},
        free: {"get": _page(), "post": _reveal("free_card_reveal", [_LINK])},
        f"{free}/taken": {"post": _taken("free_card_taken", [_LINK])},
        f"{free}.pkpass": {"get": _pass("free_card_pass", [_LINK])},
        f"{free}/google": {"post": _google("free_card_google", [_LINK])},
        campaign: {"get": _public("campaign_rules", "Rules and odds", "Of a campaign that was launched.")},
        f"{campaign}/fair": {"get": _fair()},
        f"{campaign}/entry": {"get": _entry_form(), "post": _enter()},
    }


def _back(own: list[Any]) -> dict[str, Any]:
    said = ("Back to the receipt", "It reveals nothing, however often it is asked.")
    answers = {"303": {"description": "To the receipt."}} | _gone("No such link.")
    return _operation("receipt_card_back", said, own, answers)


def _reveal(name: str, own: list[Any]) -> dict[str, Any]:
    said = (
        "Scratch a card",
        "Once and for all: scratched again, it is what it is. 303 to where it is shown, or with `part` the card alone.",
    )
    answers = {
        "200": {"description": "The card.", "content": _HTML},
        "303": {"description": "To the page with the card."},
        **_problems(400, 403, 404, 413, 415, 422, 503),
    }
    body = {"requestBody": {"required": True, "content": {_FORM: {"schema": _OF_AGE}}}}
    return _operation(name, said, [*own, _LANGUAGE, _PART], answers) | body


def _taken(name: str, own: list[Any]) -> dict[str, Any]:
    said = (
        "Tell that a code was taken along",
        "What the page sends when its reader copies it or puts it into a wallet.",
    )
    return _operation(name, said, own, {"204": {"description": "Heard."}} | _problems(403, 404, 503))


def _pass(name: str, own: list[Any]) -> dict[str, Any]:
    said = ("A prize for Apple Wallet", "Of a card that was scratched, as long as its code can be used.")
    answers = {"200": {"description": "The pass.", "content": _PASS}} | _problems(404, 503)
    return _operation(name, said, [*own, _LANGUAGE], answers)


def _google(name: str, own: list[Any]) -> dict[str, Any]:
    said = (
        "A prize for Google Wallet",
        "Of a card that was scratched, as long as its code can be used. Makes the object, and notes that it was taken.",
    )
    answers = {"303": {"description": "To where Google Wallet takes it."}} | _problems(403, 404, 503)
    return _operation(name, said, own, answers)


def _page() -> dict[str, Any]:
    said = ("A scratch card without a purchase", "Its own page. Only a POST scratches it.")
    answers = {"200": {"description": "The page.", "content": _HTML}} | _gone("No such link.")
    return _operation("free_card", said, [_LINK, _LANGUAGE], answers)


def _public(name: str, summary: str, description: str, *more: Any) -> dict[str, Any]:
    answers = {"200": {"description": "The page.", "content": _HTML}} | _gone("No such campaign, or not launched yet.")
    return _operation(name, (summary, description), [_CAMPAIGN, _LANGUAGE, *more], answers)


def _fair() -> dict[str, Any]:
    said = "What was promised before the first card; once the campaign has ended, how any card was drawn."
    return _public("campaign_fair", "The proof of a campaign", said, _ASKED)


def _entry_form() -> dict[str, Any]:
    return _public("campaign_entry", "The form for a card without a purchase", "While the campaign runs and has such.")


def _enter() -> dict[str, Any]:
    said = ("Ask for a card without a purchase", "303 to the card; else the form again, with what is to be put right.")
    again = _problems(400, 403, 409, 413, 415, 422, 429, 503) | _gone("No such campaign, or no free entries.")
    for status in ("409", "422", "429"):
        again[status]["content"] = again[status]["content"] | _HTML
    body = {"requestBody": {"required": True, "content": {_FORM: {"schema": _ENTRY}}}}
    answers = {"303": {"description": "To the card."}} | again
    return _operation("campaign_enter", said, [_CAMPAIGN, _LANGUAGE], answers) | body


def _gone(why: str) -> dict[str, Any]:
    missing = _problems(404, 503)
    missing["404"] = missing["404"] | {"description": why}
    missing["404"]["content"] = missing["404"]["content"] | _HTML
    return missing


def _operation(name: str, says: tuple[str, str], parameters: list[Any], answers: dict[str, Any]) -> dict[str, Any]:
    summary, description = says
    told = {"tags": ["Links"], "summary": summary, "description": description, "operationId": name}
    return told | {"parameters": parameters, "responses": answers}


def _problems(*statuses: int) -> dict[str, Any]:
    return {str(status): dict(answer) for status, answer in schemas.problems(*statuses).items()}
