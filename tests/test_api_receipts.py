"""The edge of the receipts API: bodies of every kind, refusals that help, and reading back."""

import gzip
import json
from typing import Any

import pytest
from sqlalchemy import Engine, func, select

from api.app import create_app
from infra.settings import Settings
from receipts.tables import Receipt
from tests.support.inside import Inside, Person, on_sqlite
from tests.support.sales import coffee, example, refund
from tests.support.shops import Shops

RECEIPTS = "/v1/receipts"
JSON = {"Content-Type": "application/json"}


def post_raw(person: Person, body: bytes, **headers: str) -> Any:
    return person.ask("POST", RECEIPTS, content=body, headers=JSON | headers)


def receipts(engine: Engine) -> int:
    with engine.connect() as conn:
        return conn.scalar(select(func.count()).select_from(Receipt)) or 0


# --- who may come in


@on_sqlite
@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer ", "Basic abc", "cf_live_x", "Bearer cf_live_x"])
def test_without_a_valid_key_nobody_comes_in(stranger: Person, authorization: str) -> None:
    answer = stranger.ask("POST", RECEIPTS, json=coffee(), headers={"Authorization": authorization})
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert answer.json()["type"] == "urn:counterfoil:problem:unauthorized"


def test_a_key_may_come_with_a_lower_case_scheme(stranger: Person, shops: Shops) -> None:
    answer = stranger.ask("GET", RECEIPTS, headers={"Authorization": f"bearer  {shops.reader} "})
    assert answer.status_code == 200


def test_a_missing_scope_is_named(reader: Person) -> None:
    answer = reader.post(RECEIPTS, coffee())
    assert (answer.status_code, answer.json()["detail"]) == (403, "This needs a key with the scope receipts:write")


# --- bodies


@on_sqlite
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"   ",
        b"{",
        b'{"total": 1,}',
        b'{"total": NaN}',
        b'{"total": 1e999}',
        b'{"name": "\xff"}',
        b'{"name": "\\ud800"}',
        b'{"name": "a\x00b"}',
        b"[" * 100_000,
        '{"total": "1"}'.encode("utf-16"),
    ],
)
def test_what_is_no_json_is_refused_with_the_place_where_it_breaks_off(till: Person, body: bytes) -> None:
    answer = post_raw(till, body)
    assert answer.status_code == 400
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["detail"].startswith("The body is not JSON: line ")


@on_sqlite
@pytest.mark.parametrize("body", [b"null", b"[]", b'"sale"', b"3", b"true", b"[" * 1000 + b"]" * 1000])
def test_a_sale_is_an_object(till: Person, body: bytes) -> None:
    answer = post_raw(till, body)
    assert (answer.status_code, answer.json()["errors"]) == (422, [{"pointer": "", "detail": "must be a JSON object"}])


def test_a_byte_order_mark_is_passed_over(till: Person) -> None:
    assert post_raw(till, b"\xef\xbb\xbf" + json.dumps(coffee()).encode()).status_code == 201


def test_of_two_members_of_one_name_the_last_counts(till: Person, reader: Person) -> None:
    body = json.dumps(coffee(number="2")).replace("{", '{"number": "1", ', 1)
    assert post_raw(till, body.encode()).json()["number"] == "2"


def test_a_number_beyond_64_bits_does_no_harm(till: Person) -> None:
    body = json.dumps(coffee(metadata={"huge": 10**40, "small": -(10**40), "exact": 2**63}))
    assert post_raw(till, body.encode()).status_code == 201


@on_sqlite
@pytest.mark.parametrize(
    "media_type", ["application/json; charset=utf-8", "application/vnd.till+json", "APPLICATION/JSON"]
)
def test_json_has_many_names(till: Person, media_type: str) -> None:
    answer = till.ask("POST", RECEIPTS, content=json.dumps(coffee()), headers={"Content-Type": media_type})
    assert answer.status_code == 201


@on_sqlite
@pytest.mark.parametrize(
    "media_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "json"]
)
def test_another_media_type_is_refused(till: Person, media_type: str) -> None:
    answer = till.ask("POST", RECEIPTS, content=json.dumps(coffee()), headers={"Content-Type": media_type})
    assert answer.status_code == 415


@on_sqlite
def test_a_compressed_body_is_refused(till: Person) -> None:
    answer = post_raw(till, gzip.compress(json.dumps(coffee()).encode()), **{"Content-Encoding": "gzip"})
    assert (answer.status_code, answer.json()["detail"]) == (415, "Send the body as it is, without Content-Encoding")


def test_a_body_beyond_the_limit_is_refused_while_it_is_read(till: Person, engine: Engine) -> None:
    answer = post_raw(till, json.dumps(coffee(notes=["x" * 25_000_000])).encode())
    assert answer.status_code == 413
    assert answer.json()["type"] == "urn:counterfoil:problem:too-large"
    assert receipts(engine) == 0


def test_every_answer_is_private(till: Person) -> None:
    for answer in (till.post(RECEIPTS, coffee()), till.get(RECEIPTS), till.post(RECEIPTS, {})):
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["X-Robots-Tag"] == "noindex, nofollow"


@on_sqlite
def test_an_answer_carries_the_id_of_its_request(till: Person) -> None:
    given = till.ask("GET", RECEIPTS, headers={"X-Request-Id": "till-3.000417"})
    assert given.headers["X-Request-Id"] == "till-3.000417"
    odd = till.ask("GET", RECEIPTS, headers={"X-Request-Id": "line\tbreak"})
    assert len(odd.headers["X-Request-Id"]) == 16


@on_sqlite
@pytest.mark.parametrize(
    "method, path, status", [("GET", "/nowhere", 404), ("DELETE", RECEIPTS, 405), ("PATCH", RECEIPTS, 405)]
)
def test_what_is_not_there_is_a_problem_too(owner: Person, method: str, path: str, status: int) -> None:
    answer = owner.ask(method, path)
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["status"] == status


# --- reading back


def test_a_receipt_is_read_back_as_it_was_sold(till: Person) -> None:
    accepted = till.post(RECEIPTS, example(metadata={"order": 7})).json()
    found = till.get(f"{RECEIPTS}/{accepted['id']}").json()
    sold = example()
    assert found["shopper"] == sold["shopper"]
    assert (found["metadata"], found["deliver"], found["amendments"], found["warnings"]) == (
        {"order": 7},
        ["email"],
        [],
        [],
    )
    document = found["receipt"]
    assert (document["id"], document["number"], document["format"]) == (
        accepted["id"],
        "000417",
        "counterfoil-receipt/1",
    )
    for member in (
        "issued_at",
        "currency",
        "total",
        "lines",
        "discounts",
        "charges",
        "taxes",
        "payments",
        "fiscal",
        "notes",
    ):
        assert without_defaults(document[member]) == without_defaults(sold[member]), member


def without_defaults(part: Any) -> Any:
    """What a sale says beyond what goes without saying."""
    if isinstance(part, list):
        return [without_defaults(item) for item in part]
    if isinstance(part, dict):
        defaults = {"quantity": "1", "unit": "ea"}
        return {name: without_defaults(value) for name, value in part.items() if defaults.get(name) != value}
    return part


def test_the_shopper_is_not_in_the_document(till: Person) -> None:
    accepted = till.post(RECEIPTS, example()).json()
    document = till.get(f"{RECEIPTS}/{accepted['id']}").json()["receipt"]
    assert "shopper@example.com" not in json.dumps(document)
    assert not {"shopper", "metadata", "deliver", "external_id"} & document.keys()


def test_what_came_back_stands_beside_the_receipt(till: Person) -> None:
    accepted = till.post(RECEIPTS, coffee()).json()
    back = till.post(RECEIPTS, refund(accepted["id"], "1.00", number="R1")).json()
    (amendment,) = till.get(f"{RECEIPTS}/{accepted['id']}").json()["amendments"]
    assert amendment == {
        "id": back["id"],
        "kind": "refund",
        "number": "R1",
        "total": "1.00",
        "issued_at": "2026-11-22T08:00:00Z",
        "url": back["url"],
    }
    original = till.get(f"{RECEIPTS}/{back['id']}").json()["receipt"]["original"]
    assert original == {"id": accepted["id"], "number": accepted["number"]}


@pytest.mark.parametrize("receipt_id", ["rct_01m8007egt1ty3rnmy25kt432s", "nothing", "0"])
def test_a_receipt_that_is_not_there_is_not_found(owner: Person, receipt_id: str) -> None:
    assert owner.get(f"{RECEIPTS}/{receipt_id}").status_code == 404


@on_sqlite
@pytest.mark.parametrize("receipt_id", ["%00", "a%00b", "x" * 65, "%F0%9F%A5%96", "a%20b"])
def test_what_cannot_be_an_id_is_refused(owner: Person, receipt_id: str) -> None:
    answer = owner.get(f"{RECEIPTS}/{receipt_id}")
    assert answer.status_code in (404, 422)
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_a_till_reads_its_own_receipts_only(owner: Person, till: Person) -> None:
    mine = owner.post(RECEIPTS, coffee(till="till-3")).json()
    others = [
        owner.post(RECEIPTS, coffee(**place)).json() for place in ({"till": "till-1"}, {"store": "kreuzberg"}, {})
    ]
    assert till.get(f"{RECEIPTS}/{mine['id']}").status_code == 200
    assert [till.get(f"{RECEIPTS}/{each['id']}").status_code for each in others] == [404] * 3
    assert [each["id"] for each in till.get(RECEIPTS).json()["receipts"]] == [mine["id"]]


def test_without_the_scope_nothing_is_read(owner: Person, inside: Inside) -> None:
    key = owner.post("/v1/keys", {"name": "writer", "scopes": ["receipts:write"]}).json()["key"]
    writer = Person(inside, key)
    accepted = writer.post(RECEIPTS, coffee())
    assert accepted.status_code == 201
    assert writer.get(RECEIPTS).status_code == 403
    assert writer.get(f"{RECEIPTS}/{accepted.json()['id']}").status_code == 403


# --- what is told to nobody


VISA = "4111111111111111"


def test_a_card_number_is_neither_echoed_nor_kept(till: Person, engine: Engine) -> None:
    card = [{"method": "card", "amount": "3.20", "reference": "4111 1111 1111 1111"}]
    answer = till.post(RECEIPTS, coffee(payments=card))
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:counterfoil:problem:card-number")
    assert answer.json()["errors"][0]["pointer"] == "/payments/0/reference"
    assert "4111" not in answer.text
    assert receipts(engine) == 0


def test_nothing_secret_is_logged(
    owner: Person, till: Person, shops: Shops, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    token = "Zm9yZ2V0LW1lLW5vdC0wMQ"
    card = [{"method": "card", "amount": "3.20", "text": [f"PAN {VISA}"]}]
    till.post(RECEIPTS, coffee(payments=card))
    till.put(f"{RECEIPTS}/{token}", example(total="1.00"))
    till.put(f"{RECEIPTS}/{token}", example())
    for form in ("", ".json", ".txt", "/qr.svg"):
        Person(till.inside).get(f"/r/{token}{form}")
    made = owner.post("/v1/keys", {"name": "Short", "scopes": ["receipts:read"]}).json()["key"]
    Person(till.inside, made).get(RECEIPTS, email="shopper@example.com")
    Person(till.inside, "cf_live_guessed").get(RECEIPTS)
    written = "".join(capfd.readouterr()) + caplog.text
    assert "path=/v1/receipts" in written
    for secret in (VISA, token, made, shops.till, shops.owner, "cf_live_guessed", "shopper@example.com", "Sourdough"):
        assert secret not in written


# --- when the database does not answer


def test_a_database_that_is_gone_is_a_503_and_tells_nothing(
    settings: Settings, shops: Shops, engine: Engine, capfd: pytest.CaptureFixture[str]
) -> None:
    with Inside(create_app(settings)) as running:
        owner = Person(running, shops.owner)
        assert owner.get(RECEIPTS).status_code == 200
        with engine.begin() as conn:
            conn.exec_driver_sql("ALTER TABLE receipts RENAME TO lost")
        for answer in (owner.post(RECEIPTS, example()), owner.get(RECEIPTS), owner.get(f"{RECEIPTS}/rct_1")):
            assert answer.status_code == 503
            assert int(answer.headers["Retry-After"]) > 0
            assert "receipts" not in answer.json()["detail"]
        with engine.begin() as conn:
            conn.exec_driver_sql("ALTER TABLE lost RENAME TO receipts")
        assert owner.post(RECEIPTS, example()).status_code == 201
    assert "Sourdough" not in "".join(capfd.readouterr())
