"""Posting a sale: where it happened, and the same sale twice."""

from typing import Any

import pytest
from sqlalchemy import Engine, func, select

from kernel.ids import new_token
from receipts.tables import IdempotencyKey, Receipt
from tests.support.inside import Person, on_sqlite
from tests.support.sales import Body, coffee, example

RECEIPTS = "/v1/receipts"


def receipts(engine: Engine) -> int:
    with engine.connect() as conn:
        return conn.scalar(select(func.count()).select_from(Receipt)) or 0


def flag_mismatches(owner: Person) -> None:
    assert owner.put("/v1/merchant", {"name": "Linden & Rye", "on_mismatch": "flag"}).status_code == 204


def test_the_example_becomes_a_receipt(till: Person) -> None:
    answer = till.post(RECEIPTS, example())
    receipt = answer.json()
    url = f"https://receipts.test/r/{receipt['token']}"
    assert answer.status_code == 201
    assert answer.headers["Location"] == f"/v1/receipts/{receipt['id']}"
    assert receipt == {
        "id": receipt["id"],
        "token": receipt["token"],
        "number": "000417",
        "url": url,
        "pdf_url": f"{url}.pdf",
        "text_url": f"{url}.txt",
        "json_url": f"{url}.json",
        "qr": {"svg_url": f"{url}/qr.svg", "png_url": f"{url}/qr.png"},
        "warnings": [],
    }


def test_a_sale_without_a_number_gets_one(till: Person) -> None:
    body = coffee()
    del body["number"]
    assert len(till.post(RECEIPTS, body).json()["number"]) == 10


# --- the same twice


@pytest.mark.parametrize("headers", [{}, {"Idempotency_Key": "try-1"}], ids=["external id", "external id and key"])
def test_the_same_sale_again_gets_the_same_answer(till: Person, engine: Engine, headers: dict[str, str]) -> None:
    sale = coffee()
    first, again = till.post(RECEIPTS, sale, **headers), till.post(RECEIPTS, sale, **headers)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.content == first.content
    assert again.headers["Location"] == first.headers["Location"]
    assert receipts(engine) == 1


def test_a_key_alone_makes_a_sale_one_receipt(till: Person, engine: Engine) -> None:
    sale = coffee(external_id=None)
    first, again = (till.post(RECEIPTS, sale, Idempotency_Key="only-key") for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.content == first.content
    assert receipts(engine) == 1


def test_without_a_key_and_an_id_each_post_is_a_sale(till: Person, engine: Engine) -> None:
    sale = coffee(external_id=None)
    assert [till.post(RECEIPTS, sale).status_code for _ in range(2)] == [201, 201]
    assert receipts(engine) == 2


def test_the_order_and_the_blanks_of_the_members_do_not_matter(till: Person) -> None:
    sale = coffee()
    till.post(RECEIPTS, sale)
    assert till.post(RECEIPTS, dict(reversed(sale.items()))).status_code == 200
    assert till.post(RECEIPTS, sale | {"total": "3.2", "tip": "0.00"}).status_code == 200


@pytest.mark.parametrize("change", [{"notes": ["Other"]}, {"shopper": {"name": "Ada"}}, {"metadata": {"a": 1}}])
def test_another_sale_under_the_same_external_id_is_a_conflict(till: Person, engine: Engine, change: Body) -> None:
    sale = coffee()
    till.post(RECEIPTS, sale)
    answer = till.post(RECEIPTS, sale | change)
    assert answer.status_code == 409
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/external_id"]
    assert receipts(engine) == 1


def test_another_sale_under_the_same_key_is_a_conflict(till: Person, engine: Engine) -> None:
    till.post(RECEIPTS, coffee(), Idempotency_Key="one")
    answer = till.post(RECEIPTS, coffee(), Idempotency_Key="one")
    assert answer.status_code == 409
    assert [error["pointer"] for error in answer.json()["errors"]] == ["header:Idempotency-Key"]
    assert receipts(engine) == 1


def test_a_key_that_led_to_a_conflict_is_free_again(till: Person) -> None:
    sale = coffee()
    till.post(RECEIPTS, sale)
    assert till.post(RECEIPTS, sale | {"notes": ["Other"]}, Idempotency_Key="wrong").status_code == 409
    assert till.post(RECEIPTS, coffee(), Idempotency_Key="wrong").status_code == 201


def test_a_key_that_came_with_a_refused_sale_is_free_for_the_right_one(till: Person) -> None:
    assert till.post(RECEIPTS, coffee(total="9.99"), Idempotency_Key="again").status_code == 422
    assert till.post(RECEIPTS, coffee(), Idempotency_Key="again").status_code == 201


def test_a_key_of_a_repetition_leads_to_the_receipt_that_was_there(till: Person) -> None:
    sale = coffee()
    first = till.post(RECEIPTS, sale)
    assert till.post(RECEIPTS, sale, Idempotency_Key="late").content == first.content
    assert till.post(RECEIPTS, coffee(), Idempotency_Key="late").status_code == 409
    assert till.post(RECEIPTS, sale, Idempotency_Key="late").content == first.content


def test_two_merchants_may_use_the_same_ids_and_keys(till: Person, outsider: Person, engine: Engine) -> None:
    sale = coffee()
    assert till.post(RECEIPTS, sale, Idempotency_Key="same").status_code == 201
    assert outsider.post(RECEIPTS, sale, Idempotency_Key="same").status_code == 201
    assert receipts(engine) == 2


@on_sqlite
@pytest.mark.parametrize("key", ["", "with blank", "x" * 201, "tab\t"])
def test_a_key_is_printable_and_short(till: Person, key: str) -> None:
    answer = till.post(RECEIPTS, coffee(), Idempotency_Key=key)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "header:Idempotency-Key"


def test_a_repetition_is_answered_even_where_the_sale_would_now_be_refused(owner: Person, till: Person) -> None:
    flag_mismatches(owner)
    wrong = coffee(total="3.30", payments=[])
    first = till.post(RECEIPTS, wrong)
    owner.put("/v1/merchant", {"name": "Linden & Rye", "on_mismatch": "refuse"})
    again = till.post(RECEIPTS, wrong)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.content == first.content


# --- tokens


def test_a_till_may_mint_the_token_itself(till: Person) -> None:
    token, sale = new_token(), coffee()
    first, again = till.put(f"{RECEIPTS}/{token}", sale), till.put(f"{RECEIPTS}/{token}", sale)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["token"] == token
    assert again.content == first.content


def test_a_token_may_stand_in_the_body(till: Person) -> None:
    token, sale = new_token(), coffee()
    assert till.post(RECEIPTS, sale | {"token": token}).json()["token"] == token
    assert till.put(f"{RECEIPTS}/{token}", sale | {"token": token}).status_code == 200


def test_a_token_in_the_body_is_the_one_in_the_address(till: Person) -> None:
    answer = till.put(f"{RECEIPTS}/{new_token()}", coffee(token=new_token()))
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/token"


@on_sqlite
@pytest.mark.parametrize(
    "token", ["0000000000000000000417", "aaaaaaaaaaaaaaaaaaaaaaaaaaaa", "0417041704170417041704170417"]
)
def test_a_token_that_can_be_guessed_is_refused(till: Person, engine: Engine, token: str) -> None:
    answer = till.put(f"{RECEIPTS}/{token}", coffee())
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/token"
    assert receipts(engine) == 0


@on_sqlite
@pytest.mark.parametrize(
    "token", ["short", "x" * 65, "with%20blank%20and%20more%20text", "umlaut-%C3%BCmlaut-umlaut-xyz"]
)
def test_what_cannot_be_a_token_is_refused(till: Person, token: str) -> None:
    assert till.put(f"{RECEIPTS}/{token}", coffee()).status_code == 422


def test_a_token_leads_to_one_receipt(till: Person, engine: Engine) -> None:
    token = new_token()
    till.put(f"{RECEIPTS}/{token}", coffee())
    answer = till.put(f"{RECEIPTS}/{token}", coffee())
    assert answer.status_code == 409
    assert answer.json()["errors"][0]["pointer"] == "/token"
    assert receipts(engine) == 1


def test_a_receipt_has_one_token(till: Person) -> None:
    """The second token stands on printed paper, so it is no repetition: it would lead nowhere."""
    sale = coffee()
    till.put(f"{RECEIPTS}/{new_token()}", sale)
    answer = till.put(f"{RECEIPTS}/{new_token()}", sale)
    assert answer.status_code == 409
    assert answer.json()["errors"][0]["pointer"] == "/token"


def test_a_token_of_another_merchant_is_taken_and_tells_nothing(till: Person, outsider: Person, engine: Engine) -> None:
    token, sale = new_token(), coffee()
    till.put(f"{RECEIPTS}/{token}", sale)
    answer = outsider.put(f"{RECEIPTS}/{token}", sale)
    assert answer.status_code == 409
    assert "Linden" not in answer.text
    assert receipts(engine) == 1


# --- places and people


@pytest.mark.parametrize("member, value", [("store", "nowhere"), ("till", "till-9"), ("staff", "nobody")])
def test_a_place_or_person_that_is_not_there_is_named(owner: Person, engine: Engine, member: str, value: str) -> None:
    answer = owner.post(RECEIPTS, example() | {member: value})
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [f"/{member}"]
    assert receipts(engine) == 0


def test_a_person_who_is_not_there_is_flagged_where_that_is_wished(owner: Person) -> None:
    flag_mismatches(owner)
    answer = owner.post(RECEIPTS, example(staff="nobody"))
    assert answer.status_code == 201
    assert [warning["pointer"] for warning in answer.json()["warnings"]] == ["/staff"]


@pytest.mark.parametrize("member, value", [("store", "nowhere"), ("till", "till-9")])
def test_a_place_that_is_not_there_cannot_be_flagged(owner: Person, member: str, value: str) -> None:
    flag_mismatches(owner)
    assert owner.post(RECEIPTS, example() | {member: value}).status_code == 422


def test_a_till_belongs_to_its_store(owner: Person) -> None:
    owner.put("/v1/stores/kreuzberg/tills/till-7", {"name": "Till 7"})
    assert owner.post(RECEIPTS, coffee(till="till-7")).status_code == 422
    assert owner.post(RECEIPTS, coffee(till="till-7", store="kreuzberg")).status_code == 201


def test_a_new_till_is_known_at_once(owner: Person) -> None:
    assert owner.post(RECEIPTS, coffee(till="till-8")).status_code == 422
    owner.put("/v1/stores/mitte/tills/till-8", {"name": "Till 8"})
    assert owner.post(RECEIPTS, coffee(till="till-8")).status_code == 201


def test_a_changed_setting_is_known_at_once(owner: Person) -> None:
    wrong = coffee(total="3.30", payments=[])
    assert owner.post(RECEIPTS, wrong).status_code == 422
    flag_mismatches(owner)
    assert owner.post(RECEIPTS, wrong).status_code == 201


def test_a_store_must_be_named_where_there_are_several(owner: Person) -> None:
    sale = coffee()
    del sale["store"]
    answer = owner.post(RECEIPTS, sale)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/store"


def test_the_only_store_need_not_be_named(outsider: Person) -> None:
    sale = coffee()
    del sale["store"]
    assert outsider.post(RECEIPTS, sale).status_code == 201


def test_a_key_of_a_till_says_where_it_happened(till: Person, engine: Engine) -> None:
    sale = coffee()
    del sale["store"]
    receipt = till.post(RECEIPTS, sale).json()
    issuer = till.get(f"{RECEIPTS}/{receipt['id']}").json()["receipt"]["issuer"]
    assert (issuer["store"], issuer["till"]) == ("Linden & Rye Mitte", "Till-3")


@pytest.mark.parametrize(
    "elsewhere", [{"store": "kreuzberg"}, {"till": "till-1"}, {"store": "kreuzberg", "till": "till-3"}]
)
def test_a_key_of_a_till_posts_for_no_other(till: Person, engine: Engine, elsewhere: Body) -> None:
    assert till.post(RECEIPTS, coffee(**elsewhere)).status_code == 403
    assert receipts(engine) == 0


def test_a_reader_posts_nothing(reader: Person, engine: Engine) -> None:
    for answer in (
        reader.post(RECEIPTS, coffee()),
        reader.put(f"{RECEIPTS}/{new_token()}", coffee()),
        reader.post(f"{RECEIPTS}/batch", {"receipts": [coffee()]}),
    ):
        assert answer.status_code == 403
    assert receipts(engine) == 0


def test_a_receipt_keeps_the_store_as_it_was(owner: Person) -> None:
    receipt = owner.post(RECEIPTS, coffee()).json()
    owner.put("/v1/stores/mitte", {"name": "Linden & Rye am Rosenthaler Platz", "brand": "linden-rye"})
    later = owner.post(RECEIPTS, coffee()).json()
    names = [owner.get(f"{RECEIPTS}/{each['id']}").json()["receipt"]["issuer"]["store"] for each in (receipt, later)]
    assert names == ["Linden & Rye Mitte", "Linden & Rye am Rosenthaler Platz"]


# --- what does not add up


def test_a_sale_that_does_not_add_up_is_refused(till: Person, engine: Engine) -> None:
    answer = till.post(RECEIPTS, coffee(total="3.30"))
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:counterfoil:problem:does-not-add-up")
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/total", "/payments"]
    assert receipts(engine) == 0


def test_a_sale_that_does_not_add_up_is_flagged_where_that_is_wished(owner: Person, till: Person) -> None:
    flag_mismatches(owner)
    answer = till.post(RECEIPTS, coffee(total="3.30"))
    assert answer.status_code == 201
    assert [warning["pointer"] for warning in answer.json()["warnings"]] == ["/total", "/payments"]
    kept = till.get(f"{RECEIPTS}/{answer.json()['id']}").json()
    assert kept["receipt"]["total"] == "3.30"
    assert kept["warnings"] == answer.json()["warnings"]


# --- batches


def batch(person: Person, sales: list[Any], **headers: str) -> list[dict[str, Any]]:
    answer = person.post(f"{RECEIPTS}/batch", {"receipts": sales}, **headers)
    assert answer.status_code == 200, answer.text
    results: list[dict[str, Any]] = answer.json()["results"]
    return results


def test_each_sale_of_a_batch_stands_by_itself(till: Person, engine: Engine) -> None:
    token = new_token()
    wrong = [coffee(total="9.99"), "no sale", coffee(till="till-1"), {"total": 1}]
    results = batch(till, [coffee(), *wrong, coffee(token=token)])
    assert [result["status"] for result in results] == [201, 422, 422, 403, 422, 201]
    assert results[1]["problem"]["errors"][0]["pointer"] == "/total"
    assert results[5]["receipt"]["token"] == token
    assert receipts(engine) == 2


def test_a_batch_may_be_sent_again_as_it_was(till: Person, engine: Engine) -> None:
    sales = [coffee(external_id=None) for _ in range(3)]
    first, again = (batch(till, sales, Idempotency_Key="evening") for _ in range(2))
    assert [result["status"] for result in first] == [201] * 3
    assert [result["status"] for result in again] == [200] * 3
    assert [result["receipt"] for result in again] == [result["receipt"] for result in first]
    assert receipts(engine) == 3


def test_a_sale_that_is_twice_in_a_batch_is_one_receipt(till: Person, engine: Engine) -> None:
    sale = coffee()
    results = batch(till, [sale, sale, sale | {"notes": ["Other"]}])
    assert [result["status"] for result in results] == [201, 200, 409]
    assert results[0]["receipt"] == results[1]["receipt"]
    assert receipts(engine) == 1


def test_a_batch_holds_five_hundred_sales(till: Person, engine: Engine) -> None:
    results = batch(till, [coffee() for _ in range(500)])
    assert {result["status"] for result in results} == {201}
    assert receipts(engine) == 500


@on_sqlite
@pytest.mark.parametrize(
    "body", [{}, {"receipts": []}, {"receipts": {}}, [], {"receipts": [{}] * 501}, {"receipts": None}]
)
def test_what_is_no_batch_is_refused(till: Person, body: Any) -> None:
    answer = till.post(f"{RECEIPTS}/batch", body)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/receipts"


def test_nothing_of_a_refused_sale_is_left(till: Person, engine: Engine) -> None:
    till.post(RECEIPTS, coffee(total="9.99"), Idempotency_Key="gone")
    batch(till, [coffee(total="9.99")], Idempotency_Key="gone")
    with engine.connect() as conn:
        assert conn.execute(select(IdempotencyKey)).all() == []
