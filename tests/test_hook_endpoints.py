"""Addresses for webhooks: a merchant's own, whose secrets are taken and never given."""

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import Engine, select, update

from infra.secrets import seal
from pos.tables import HookEndpoint
from tests.support.inside import Inside, Person
from tests.support.shopify import SECRET, as_bytes, headers, order

NEW = {"source": "shopify", "store": "mitte", "secret": SECRET}


def delivered(inside: Inside, url: str, secret: str, delivery: str = "d-1") -> int:
    raw = as_bytes(order())
    answer = inside.request("POST", url, content=raw, headers=headers(raw, delivery=delivery, secret=secret))
    return answer.status_code


def test_an_address_is_made_and_listed(owner: Person) -> None:
    made = owner.post("/v1/hook-endpoints", NEW)
    assert made.status_code == 201
    assert made.json()["url"].startswith("https://receipts.test/hooks/shopify/")
    assert owner.get("/v1/hook-endpoints").json() == {"hook_endpoints": [made.json()]}


def test_the_secret_is_kept_sealed_and_shown_nowhere(owner: Person, engine: Engine) -> None:
    made = owner.post("/v1/hook-endpoints", NEW)
    with engine.connect() as conn:
        sealed = conn.scalars(select(HookEndpoint.secret)).one()
    assert SECRET not in made.text + owner.get("/v1/hook-endpoints").text + sealed.decode("latin-1")


def test_after_a_rotation_the_new_secret_and_the_one_before_open(owner: Person, inside: Inside) -> None:
    made = owner.post("/v1/hook-endpoints", NEW).json()
    rotated = owner.put(f"/v1/hook-endpoints/{made['id']}/secret", {"secret": "the second one"})
    assert rotated.status_code == 204
    tries = [delivered(inside, made["url"], secret, secret) for secret in (SECRET, "the second one", "a third one")]
    assert tries == [200, 200, 401]


def test_a_second_rotation_shuts_out_the_first_secret(owner: Person, inside: Inside) -> None:
    made = owner.post("/v1/hook-endpoints", NEW).json()
    for secret in ("the second one", "the third one"):
        owner.put(f"/v1/hook-endpoints/{made['id']}/secret", {"secret": secret})
    assert delivered(inside, made["url"], SECRET) == 401


def test_a_removed_address_refuses_and_its_receipts_stay(owner: Person, inside: Inside) -> None:
    made = owner.post("/v1/hook-endpoints", NEW).json()
    assert delivered(inside, made["url"], SECRET) == 200
    assert owner.delete(f"/v1/hook-endpoints/{made['id']}").status_code == 204
    assert delivered(inside, made["url"], SECRET, "d-2") == 401
    assert len(owner.get("/v1/receipts").json()["receipts"]) == 1


@pytest.mark.parametrize(
    "changes, pointer",
    [({"source": "elsewhere"}, "/source"), ({"secret": " short "}, "/secret"), ({"secret": None}, "/secret")],
)
def test_what_is_wrong_with_a_new_address_is_named(owner: Person, changes: dict[str, str], pointer: str) -> None:
    refused = owner.post("/v1/hook-endpoints", NEW | changes)
    assert refused.status_code == 422
    assert [error["pointer"] for error in refused.json()["errors"]] == [pointer]
    assert "short" not in refused.text


def test_an_outsider_finds_nothing(owner: Person, outsider: Person) -> None:
    made = owner.post("/v1/hook-endpoints", NEW).json()
    path = f"/v1/hook-endpoints/{made['id']}"
    assert outsider.get("/v1/hook-endpoints").json() == {"hook_endpoints": []}
    assert outsider.put(f"{path}/secret", {"secret": "the outsider's"}).status_code == 404
    assert outsider.delete(path).status_code == 404
    assert owner.get("/v1/hook-endpoints").json() == {"hook_endpoints": [made]}


def test_who_may_only_read_or_has_no_key_is_refused(till: Person, reader: Person, stranger: Person) -> None:
    answers = [person.post("/v1/hook-endpoints", NEW).status_code for person in (till, reader, stranger)]
    assert answers == [403, 403, 401]


def seal_with_another_key(engine: Engine) -> None:
    with engine.begin() as conn:
        conn.execute(update(HookEndpoint).values(secret=seal(Fernet(Fernet.generate_key()), SECRET)))


def test_with_another_secret_key_the_sender_is_told_to_come_back_and_the_log_says_why(
    owner: Person, inside: Inside, engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    made = owner.post("/v1/hook-endpoints", NEW).json()
    seal_with_another_key(engine)
    assert delivered(inside, made["url"], SECRET) == 503
    told = "".join(capsys.readouterr())
    assert "hook_secret_unsealable" in told
    assert "COUNTERFOIL_SECRET_KEY" in told


def test_a_rotation_mends_what_another_secret_key_shut(owner: Person, inside: Inside, engine: Engine) -> None:
    made = owner.post("/v1/hook-endpoints", NEW).json()
    seal_with_another_key(engine)
    owner.put(f"/v1/hook-endpoints/{made['id']}/secret", {"secret": "the second one"})
    assert delivered(inside, made["url"], "the second one") == 200
