"""What the OpenAPI document says of a survey's link, whose routes FastAPI does not know."""

from typing import Any, Final

from api import schemas
from kernel.locale import LANGUAGES

_HTML: Final = {"text/html": {"schema": {"type": "string"}}}
_TOKEN: Final = {"name": "token", "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
_PARAMETERS: Final = [
    _TOKEN,
    {"name": "lang", "in": "query", "schema": {"type": "string"}, "description": ", ".join(LANGUAGES)},
]
_SCORE: Final = {
    "name": "score",
    "in": "query",
    "schema": {"type": "string"},
    "description": "Chosen on the page, and sent by nobody yet.",
}
_PART: Final = {
    "name": "part",
    "in": "query",
    "schema": {"enum": ["1"]},
    "description": "`1` answers with the stub as it then is, in place of a redirect.",
}
_GIVEN: Final = {"score": {"type": "string", "description": "From 0 to 10, or from 1 to 5."}}
_MORE: Final = {
    "text": {"type": "string", "maxLength": 2000},
    "call": {"type": "string", "description": "The version of the consent: a call is wished."},
    "contact": {"type": "string", "description": "A telephone number or an email address."},
    "no_call": {"enum": ["1"], "description": "No call is wished any more."},
}


def paths() -> dict[str, Any]:
    """To be merged into the document's ``paths``."""
    page = _operation(
        "survey_page",
        ("A survey's page", "What its link opens, at the step at which the shopper is. It writes nothing."),
    )
    page["parameters"] = [*_PARAMETERS, _SCORE]
    page["responses"] = {"200": _told("The page."), "304": {"description": "Not changed."}} | _refused(404, 503)
    seen = _operation(
        "survey_seen", ("Tell that it is seen", "What a page sends while somebody looks at the question.")
    )
    seen["parameters"], seen["responses"] = [_TOKEN], {"204": {"description": "Heard."}} | _refused(503)
    give = _form("survey_answer", ("Answer a survey", "The last score holds, as long as it can be changed."), _GIVEN)
    more = _form("survey_more", ("Say more", "What follows the score; what is left empty stays as it was."), _MORE)
    return {
        "/s/{token}": {"get": page, "post": give},
        "/s/{token}/more": {"get": page | {"operationId": "survey_more_page"}, "post": more},
        "/s/{token}/seen": {"post": seen},
    }


def _form(name: str, says: tuple[str, str], fields: dict[str, Any]) -> dict[str, Any]:
    told = _operation(name, says)
    content = {"application/x-www-form-urlencoded": {"schema": {"type": "object", "properties": fields}}}
    answers = {"200": _told("The stub, where `part` asks for it."), "303": {"description": "To the next step."}}
    told["parameters"] = [*_PARAMETERS, _PART]
    told["responses"] = answers | _refused(400, 403, 404, 413, 415, 422, 503)
    return told | {"requestBody": {"required": True, "content": content}}


def _operation(name: str, says: tuple[str, str]) -> dict[str, Any]:
    summary, description = says
    return {"tags": ["Links"], "summary": summary, "description": description, "operationId": name}


def _told(what: str) -> dict[str, Any]:
    return {"description": what, "content": _HTML}


def _refused(*statuses: int) -> dict[str, Any]:
    """A link that is none of ours is answered with a page."""
    problems = {str(status): answer for status, answer in schemas.problems(*statuses).items()}
    if 404 in statuses:
        page = _told("No link of ours, or its receipt is gone.")
        problems["404"] = page | {"content": problems["404"]["content"] | page["content"]}
    return problems
