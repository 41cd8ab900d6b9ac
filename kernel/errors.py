"""Every refusal that a caller sees is a :class:`Problem` (RFC 9457, ``application/problem+json``).

::

    Problem                     status  slug
    ├── BadRequest                 400  bad-request
    ├── Unauthorized               401  unauthorized
    ├── Forbidden                  403  forbidden
    ├── NotFound                   404  not-found
    ├── Conflict                   409  conflict
    ├── Gone                       410  gone
    ├── TooLarge                   413  too-large
    ├── Invalid                    422  invalid
    ├── TooMany                    429  too-many
    └── Unavailable                503  unavailable

A package adds a subclass where a caller should tell the case from its neighbours by the slug.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing that is wrong with a request.

    ``pointer`` is a JSON pointer into the body (RFC 6901, ``/lines/0/total``), or ``header:Name`` / ``query:name``.
    ``detail`` says what is wrong and what would be right. It never repeats the value that was sent.
    """

    pointer: str
    detail: str

    def as_json(self) -> dict[str, str]:
        return {"pointer": self.pointer, "detail": self.detail}


def pointer_part(name: str) -> str:
    """A member's name within a JSON pointer (RFC 6901 section 3)."""
    return name.replace("~", "~0").replace("/", "~1")


class Problem(Exception):
    """A refusal with its HTTP status. ``detail`` is one sentence for the person who reads the answer."""

    status: ClassVar[int] = 500
    slug: ClassVar[str] = "internal"
    title: ClassVar[str] = "Something went wrong on our side"

    def __init__(self, detail: str = "", *, errors: Sequence[FieldError] = (), retry_after: int | None = None) -> None:
        super().__init__(detail or self.title)
        self.detail = detail
        self.errors = tuple(errors)
        self.retry_after = retry_after

    def as_json(self) -> dict[str, Any]:
        """The members of RFC 9457 section 3.1, and ``errors`` where fields are to blame."""
        body: dict[str, Any] = {"type": f"urn:counterfoil:problem:{self.slug}", "title": self.title}
        body["status"] = self.status
        if self.detail:
            body["detail"] = self.detail
        if self.errors:
            body["errors"] = [error.as_json() for error in self.errors]
        return body


def in_words(problem: Problem) -> list[str]:
    """A refusal for somebody at a terminal or a log: what it is, then each field that is to blame."""
    return [problem.detail or problem.title, *(f"{each.pointer} {each.detail}" for each in problem.errors)]


class BadRequest(Problem):
    status, slug, title = 400, "bad-request", "The request could not be read"


class Unauthorized(Problem):
    status, slug, title = 401, "unauthorized", "A valid key is needed"


class Forbidden(Problem):
    status, slug, title = 403, "forbidden", "This key may not do that"


class NotFound(Problem):
    status, slug, title = 404, "not-found", "There is nothing here"


class Conflict(Problem):
    status, slug, title = 409, "conflict", "This contradicts what is already there"


class Gone(Problem):
    status, slug, title = 410, "gone", "This was deleted for good"


class TooLarge(Problem):
    status, slug, title = 413, "too-large", "The request is too large"


class Invalid(Problem):
    status, slug, title = 422, "invalid", "The request is not valid"


class TooMany(Problem):
    status, slug, title = 429, "too-many", "This was asked for too often"


class Unavailable(Problem):
    status, slug, title = 503, "unavailable", "This is not available just now"
