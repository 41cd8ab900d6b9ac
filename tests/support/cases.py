"""Cases to test with: a shopper who was let down, and what becomes of it."""

from typing import Any

from sqlalchemy import Engine, select

from engagement.tables import Event
from tests.support.inside import Person
from tests.support.sales import Body
from tests.support.surveys import answer, path_of, sold, survey


def asked(owner: Person, till: Person, stranger: Person) -> str:
    """Where Anna answers what the receipt of her coffee asks."""
    survey(owner)
    return path_of(stranger, sold(till, staff="emma", shopper={"email": "anna@example.com"}))


def let_down(owner: Person, stranger: Person, path: str) -> Body:
    """The case that her low score opens."""
    answer(stranger, path, 2)
    return the_case(owner)


def the_case(owner: Person) -> Body:
    [found] = owner.get("/v1/cases").raise_for_status().json()["cases"]
    return dict(owner.get(f"/v1/cases/{found['id']}").raise_for_status().json())


def patch(person: Person, case: Body, body: Body, **headers: str) -> Any:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return person.ask("PATCH", f"/v1/cases/{case['id']}", json=body, headers=named)


def told(engine: Engine, prefix: str = "case.") -> list[str]:
    with engine.connect() as conn:
        kinds = conn.scalars(select(Event.kind).where(Event.kind.startswith(prefix)).order_by(Event.id))
        return list(kinds)
