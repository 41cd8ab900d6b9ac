"""Surveys in the outsider's walk."""

from typing import Any, Final

from tests.support.inside import Person
from tests.support.surveys import answer, path_of, sold, survey

Names = dict[str, str]
# Method, route, status, path with {names} of what is ours, body.
DOORS: Final[list[tuple[str, str, int, str, Any]]] = [
    ("GET", "/v1/surveys", 200, "/v1/surveys", None),
    ("POST", "/v1/surveys", 422, "/v1/surveys", {"brand": "linden-rye", "event": "product"}),
    ("GET", "/v1/surveys/{survey_id}", 404, "/v1/surveys/{survey}", None),
    ("PUT", "/v1/surveys/{survey_id}", 404, "/v1/surveys/{survey}", {"active": False}),
    ("DELETE", "/v1/surveys/{survey_id}", 404, "/v1/surveys/{survey}", None),
    (
        "POST",
        "/v1/receipts/{token:receipt}/survey-links",
        404,
        "/v1/receipts/{receipt}/survey-links",
        {"event": "transaction"},
    ),
    ("GET", "/v1/survey-responses", 200, "/v1/survey-responses?survey={survey}", None),
    ("GET", "/v1/survey-responses", 404, "/v1/survey-responses?store=kreuzberg", None),
    ("GET", "/v1/survey-responses", 404, "/v1/survey-responses?brand=linden-rye", None),
    ("GET", "/v1/survey-responses.csv", 200, "/v1/survey-responses.csv", None),
    (
        "POST",
        "/v1/survey-responses",
        422,
        "/v1/survey-responses",
        {"receipt": "{receipt}", "event": "transaction", "score": 0},
    ),
    ("GET", "/v1/survey-responses/{response_id}", 404, "/v1/survey-responses/{response}", None),
    ("POST", "/v1/survey-responses/{response_id}/release", 404, "/v1/survey-responses/{held}/release", None),
    ("DELETE", "/v1/survey-responses/{response_id}", 404, "/v1/survey-responses/{response}", None),
    ("GET", "/v1/survey-numbers", 422, "/v1/survey-numbers?survey={survey}", None),
    ("GET", "/v1/survey-numbers", 200, "/v1/survey-numbers?event=transaction", None),
    ("GET", "/v1/survey-numbers.csv", 200, "/v1/survey-numbers.csv?event=transaction", None),
]
# Whoever has the link of a survey may answer.
LINKS: Final = {"/s/{token}", "/s/{token}/more"}
LEFT_BY_LINK: Final = {("POST", "/s/{token}"), ("POST", "/s/{token}/more"), ("POST", "/s/{token}/seen")}


def ours(owner: Person) -> Names:
    """A survey with an answer that counts and one that is held back."""
    made, stranger = survey(owner), Person(owner.inside)
    path = path_of(stranger, sold(owner))
    answer(stranger, path, 2)
    answer(stranger, path, 10, website="x")
    counted, held = (owner.get("/v1/survey-responses", held=which).json()["responses"][0] for which in (False, True))
    return {"survey": made["id"], "response": counted["id"], "held": held["id"]}
