"""Profiles that nobody means well by: whatever they hold, they are taken whole or refused by their field."""

import copy
import json
import random
from typing import Any, Final

import pytest
from sqlalchemy import Engine, select

from cards.profile import Profile
from cards.tables import Card
from tests.support.cards import EMMA
from tests.support.inside import Person, on_sqlite

NESTED: Final = json.loads("[" * 200 + "]" * 200)
HOSTILE: Final[list[Any]] = [
    "a\r\nTEL:1", "\n", "\r", "\x00", "\u2028TEL:1", "\x1b[31m", '"', "'", "';--", "\\", ";,:", "=1+1", "<script>",
    "{{7*7}}", "%00", "%s", "../../x", "\u202e\u2066abc", "\u200f", "👩‍🍳🏳️‍🌈", "e\u0301" * 50, "a" * 10_000,
    "😀" * 10_000, "", " ", "\ufeff", "\uffff", "javascript:alert(1)", "https://", "https://x.example/\r\nx",
    "+" * 40, "a@b", "a@b.c\n", None, 0, -1, 10**30, 1.5, True, [], {}, [None], {"": ""}, NESTED,
    {"a": NESTED}, [[["x"]]], ["a"] * 50, {"__proto__": 1},
]  # fmt: skip
PLACES: Final = [
    *Profile.model_fields, "phones/0/number", "phones/0/kind", "phones/0/label", "emails/0/address", "addresses/0/city",
    "addresses/0/lines/0", "addresses/0/country", "links/0/url", "links/0/label", "socials/0/handle",
    "socials/1/url", "socials/0/network",
    "messengers/0/handle", "messengers/0/app", "translations/de", "translations/de/title", "hobbies/0", "languages/0",
]  # fmt: skip


def hostile(chance: random.Random) -> dict[str, Any]:
    profile: dict[str, Any] = json.loads(json.dumps(EMMA))
    for place in chance.sample(PLACES, chance.randint(1, 3)):
        *way, last = place.split("/")
        here: Any = profile
        for step in way:
            here = _member(here, step)
        if isinstance(here, list) and here:
            here[0] = copy.deepcopy(chance.choice(HOSTILE))
        elif isinstance(here, dict):
            here[last] = copy.deepcopy(chance.choice(HOSTILE))
    if chance.random() < 0.1:
        profile[str(chance.choice(HOSTILE))[:300]] = copy.deepcopy(chance.choice(HOSTILE))
    return profile


def _member(here: Any, step: str) -> Any:
    """None where something hostile is already there."""
    if isinstance(here, list):
        return here[int(step)] if step.isdigit() and len(here) > int(step) else None
    return here.get(step) if isinstance(here, dict) else None


def thrown(owner: Person, engine: Engine, times: int, seed: int) -> tuple[int, int]:
    """How many were taken and how many refused. What is refused changes nothing, and what is taken is taken whole."""
    chance = random.Random(seed)
    card = owner.post("/v1/cards", {"staff": "emma", "store": "mitte", "profile": EMMA}).json()
    taken = refused = 0
    before = _row(engine)
    for _ in range(times):
        profile = hostile(chance)
        answer = owner.ask(
            "PUT",
            f"/v1/cards/{card['id']}",
            content=json.dumps({"store": "mitte", "profile": profile}),
            headers={"Content-Type": "application/json"},
        )
        assert answer.status_code in (200, 422, 400), (profile, answer.text)
        if answer.status_code == 200:
            taken += 1
            shown = answer.json()["profile"]
            assert shown == json.loads(Profile.model_validate(profile).model_dump_json(exclude_none=True))
            before = _row(engine)
            served = [owner.get(f"/c/{card['token']}{form}").status_code for form in ("", ".vcf", ".json")]
            assert served == [200] * 3, profile
            continue
        refused += 1
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.status_code == 400 or all(
            error["pointer"].startswith("/profile") and error["detail"] for error in answer.json()["errors"]
        )
        assert _row(engine) == before
    return taken, refused


def _row(engine: Engine) -> tuple[Any, ...]:
    with engine.connect() as conn:
        return tuple(conn.execute(select(Card.__table__)).one())


def test_hostile_profiles_are_taken_whole_or_refused_by_their_field(owner: Person, engine: Engine) -> None:
    taken, refused = thrown(owner, engine, 300, 417)
    assert min(taken, refused) > 20


@pytest.mark.long
@pytest.mark.parametrize("seed", range(4))
def test_ten_thousand_hostile_profiles_are(owner: Person, engine: Engine, seed: int) -> None:
    taken, refused = thrown(owner, engine, 2_500, seed)
    assert min(taken, refused) > 150


@on_sqlite
@pytest.mark.parametrize(
    "body",
    [b"[" * 100_000, b'{"profile":' * 5_000, b'"\\ud800"', b'{"profile": {"name": "\\ud800"}}', b"\xff", b"", b"null"],
)
def test_a_body_that_is_none_is_refused(owner: Person, body: bytes) -> None:
    answer = owner.ask("POST", "/v1/cards", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 422)
