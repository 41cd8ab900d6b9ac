"""What goes back on a receipt: never more than was paid, never twice, never on somebody else's."""

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Engine, func, select

from accounts.places import directories
from pos.intake import arrive, take
from receipts.issue import Issued
from receipts.reading import read_sale
from receipts.tables import Receipt, ReturnedSum
from tests.support.inside import Person
from tests.support.sales import Body, coffee, refund
from tests.support.shops import Shops

RECEIPTS = "/v1/receipts"


def sold(person: Person, **changes: Any) -> Body:
    answer = person.post(RECEIPTS, coffee(**changes))
    assert answer.status_code == 201, answer.text
    return {**answer.json()}


def returned(engine: Engine, receipt_id: str) -> int | None:
    with engine.connect() as conn:
        return conn.scalar(select(ReturnedSum.returned).where(ReturnedSum.receipt_id == receipt_id))


def receipts(engine: Engine) -> int:
    with engine.connect() as conn:
        return conn.scalar(select(func.count()).select_from(Receipt)) or 0


def exchange(original: Any, **changes: Any) -> Body:
    """A coffee for 3.20 comes back, a tea for 2.70 leaves the shop."""
    lines = [
        {"id": "new", "name": "Tea", "unit_price": "2.70", "total": "2.70"},
        {"id": "old", "name": "Coffee", "quantity": "-1", "unit_price": "3.20", "total": "-3.20", "original_line": "1"},
    ]
    return refund(original, "-0.50", kind="exchange", lines=lines) | changes


@pytest.mark.parametrize("total", ["3.20", "-3.20"])
def test_all_that_was_paid_may_go_back(till: Person, engine: Engine, total: str) -> None:
    receipt = sold(till)
    assert till.post(RECEIPTS, refund(receipt["id"], total)).status_code == 201
    assert returned(engine, receipt["id"]) == 320


def test_more_than_was_paid_may_not_go_back(till: Person, engine: Engine) -> None:
    receipt = sold(till)
    answer = till.post(RECEIPTS, refund(receipt["id"], "3.21"))
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:counterfoil:problem:exceeds-original")
    assert answer.json()["detail"] == "Of the original 3.20 EUR can still go back; this would be 3.21"
    assert answer.json()["errors"] == [{"pointer": "/total", "detail": "must be at most 3.20"}]
    assert receipts(engine) == 1


def test_parts_go_back_until_nothing_is_left(till: Person, engine: Engine) -> None:
    receipt = sold(till)
    parts = ["1.00", "-1.20", "1.00", "0.01"]
    statuses = [till.post(RECEIPTS, refund(receipt["id"], part)).status_code for part in parts]
    assert statuses == [201, 201, 201, 409]
    assert returned(engine, receipt["id"]) == 320
    assert len(till.get(f"{RECEIPTS}/{receipt['id']}").json()["amendments"]) == 3


def test_after_a_refusal_a_smaller_sum_may_go_back(till: Person) -> None:
    receipt = sold(till)
    assert till.post(RECEIPTS, refund(receipt["id"], "9.00", external_id="back")).status_code == 409
    assert till.post(RECEIPTS, refund(receipt["id"], "3.00", external_id="back")).status_code == 201


def test_a_repeated_refund_takes_nothing_twice(till: Person, engine: Engine) -> None:
    receipt = sold(till)
    back = refund(receipt["id"], "2.00")
    first, again = till.post(RECEIPTS, back, Idempotency_Key="back"), till.post(RECEIPTS, back, Idempotency_Key="back")
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.content == first.content
    assert returned(engine, receipt["id"]) == 200


def test_a_repeated_refund_of_everything_is_no_second_one(till: Person, engine: Engine) -> None:
    receipt = sold(till)
    back = refund(receipt["id"])
    assert [till.post(RECEIPTS, back).status_code for _ in range(2)] == [201, 200]
    assert returned(engine, receipt["id"]) == 320


def test_a_different_refund_under_the_same_id_is_a_conflict(till: Person, engine: Engine) -> None:
    receipt = sold(till)
    back = refund(receipt["id"], "1.00")
    till.post(RECEIPTS, back)
    assert till.post(RECEIPTS, back | {"total": "2.00"}).status_code == 409
    assert returned(engine, receipt["id"]) == 100


# --- naming the original


@pytest.mark.parametrize("name", ["id", "token", "external_id", "number"])
def test_an_original_has_four_names(till: Person, name: str) -> None:
    receipt = sold(till, external_id="T3-1", number="000417") | {"external_id": "T3-1"}
    answer = till.post(RECEIPTS, refund({name: receipt[name]}))
    assert answer.status_code == 201
    assert till.get(f"{RECEIPTS}/{answer.json()['id']}").json()["receipt"]["original"]["id"] == receipt["id"]


@pytest.mark.parametrize("name", ["id", "token", "external_id"])
def test_a_plain_string_may_be_any_sure_name(till: Person, name: str) -> None:
    receipt = sold(till, external_id="T3-1") | {"external_id": "T3-1"}
    assert till.post(RECEIPTS, refund(receipt[name])).status_code == 201


def test_names_must_agree(till: Person) -> None:
    one, other = sold(till), sold(till)
    assert till.post(RECEIPTS, refund({"id": one["id"], "number": other["number"]})).status_code == 422
    assert till.post(RECEIPTS, refund({"id": one["id"], "number": one["number"]})).status_code == 201


@pytest.mark.parametrize("kind", ["refund", "void"])
def test_what_goes_back_names_where_it_came_from(till: Person, engine: Engine, kind: str) -> None:
    answer = till.post(RECEIPTS, refund(None, kind=kind))
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/original"
    assert receipts(engine) == 0


@pytest.mark.parametrize(
    "original", ["rct_01m8007egt1ty3rnmy25kt432s", {"number": "1"}, {"external_id": "a", "token": "b"}, {}]
)
def test_an_original_that_is_not_there_is_named(till: Person, engine: Engine, original: Any) -> None:
    answer = till.post(RECEIPTS, refund(original))
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/original"
    assert receipts(engine) == 0


def test_the_receipt_of_another_merchant_is_not_there(till: Person, outsider: Person, engine: Engine) -> None:
    receipt = sold(till, external_id="T3-1", number="417")
    for original in (receipt["id"], receipt["token"], "T3-1", {"number": "417"}):
        answer = outsider.post(RECEIPTS, refund(original))
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["detail"] == "names no receipt; the original must be accepted first"
    assert returned(engine, receipt["id"]) is None


def test_a_number_that_was_given_twice_names_nothing(till: Person) -> None:
    for _ in range(2):
        sold(till, number="000001")
    answer = till.post(RECEIPTS, refund({"number": "000001"}))
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["detail"] == "names several receipts; give its id or external_id"


def test_a_refund_is_repeated_though_its_number_was_given_again_since(till: Person) -> None:
    sold(till, number="000001")
    back = refund({"number": "000001"})
    first = till.post(RECEIPTS, back)
    sold(till, number="000001")
    again = till.post(RECEIPTS, back)
    assert (again.status_code, again.content) == (200, first.content)


# --- what may be amended


def test_a_refund_is_in_the_currency_of_its_original(till: Person) -> None:
    receipt = sold(till)
    answer = till.post(RECEIPTS, refund(receipt["id"], "1.00", currency="CHF"))
    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"pointer": "/currency", "detail": "must be that of the original, EUR"}]


@pytest.mark.parametrize("kind", ["refund", "void"])
def test_a_refund_is_not_refunded(till: Person, kind: str) -> None:
    back = till.post(RECEIPTS, refund(sold(till)["id"], kind=kind)).json()
    answer = till.post(RECEIPTS, refund(back["id"]))
    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"pointer": "/original", "detail": f"is itself a {kind}; name the sale"}]


@pytest.mark.parametrize("total", ["3.20", "0.00", "-3.20"])
def test_a_void_takes_everything_back(till: Person, engine: Engine, total: str) -> None:
    receipt = sold(till)
    assert till.post(RECEIPTS, refund(receipt["id"], total, kind="void")).status_code == 201
    assert returned(engine, receipt["id"]) == 320
    assert till.post(RECEIPTS, refund(receipt["id"], "0.01")).status_code == 409


def test_what_was_refunded_in_part_is_not_voided(till: Person, engine: Engine) -> None:
    receipt = sold(till)
    till.post(RECEIPTS, refund(receipt["id"], "0.01"))
    assert till.post(RECEIPTS, refund(receipt["id"], kind="void")).status_code == 409
    assert returned(engine, receipt["id"]) == 1


def test_a_receipt_is_voided_once(till: Person) -> None:
    receipt = sold(till)
    statuses = [till.post(RECEIPTS, refund(receipt["id"], kind="void")).status_code for _ in range(2)]
    assert statuses == [201, 409]


# --- exchanges


def test_an_exchange_takes_back_what_comes_back(till: Person, engine: Engine) -> None:
    receipt = sold(till)
    assert till.post(RECEIPTS, exchange(receipt["id"])).status_code == 201
    assert returned(engine, receipt["id"]) == 320
    assert till.post(RECEIPTS, refund(receipt["id"], "0.01")).status_code == 409


def test_an_exchange_takes_back_no_more_than_was_paid(till: Person, engine: Engine) -> None:
    receipt = sold(till)
    till.post(RECEIPTS, refund(receipt["id"], "1.00"))
    assert till.post(RECEIPTS, exchange(receipt["id"])).status_code == 409
    assert returned(engine, receipt["id"]) == 100


def test_an_exchange_without_a_receipt_stands_for_itself(till: Person) -> None:
    assert till.post(RECEIPTS, exchange(None)).status_code == 201


def test_the_new_goods_of_an_exchange_may_come_back_too(till: Person, engine: Engine) -> None:
    swapped = till.post(RECEIPTS, exchange(None)).json()
    assert till.post(RECEIPTS, refund(swapped["id"], "2.71")).status_code == 409
    assert till.post(RECEIPTS, refund(swapped["id"], "2.70")).status_code == 201
    assert returned(engine, swapped["id"]) == 270


# --- in a batch


def batch(person: Person, *sales: Body) -> list[int]:
    answer = person.post(f"{RECEIPTS}/batch", {"receipts": list(sales)})
    return [result["status"] for result in answer.json()["results"]]


def test_a_batch_may_hold_a_sale_and_its_refund(till: Person) -> None:
    sale = coffee()
    assert batch(till, refund(sale["external_id"]), sale) == [201, 201]


def test_a_batch_may_hold_a_sale_and_its_refund_far_apart(till: Person) -> None:
    first, last = coffee(), coffee()
    statuses = batch(till, first, *(coffee() for _ in range(400)), last, refund(first["external_id"]))
    assert set(statuses) == {201}


def test_a_refused_refund_leaves_the_rest_of_its_batch_alone(till: Person, engine: Engine) -> None:
    sale = coffee()
    back = [refund(sale["external_id"], total) for total in ("2.00", "2.00", "1.20")]
    assert batch(till, sale, *back, refund("nothing"), coffee()) == [201, 201, 409, 201, 422, 201]
    assert receipts(engine) == 4


def test_a_batch_with_refunds_may_be_sent_again(till: Person, engine: Engine) -> None:
    sale = coffee()
    sales = [sale, refund(sale["external_id"], "2.00"), refund(sale["external_id"], "1.20")]
    assert [batch(till, *sales) for _ in range(2)] == [[201] * 3, [200] * 3]
    assert receipts(engine) == 3


# --- what goods were paid for


def net_sale(**changes: Any) -> Body:
    """A jacket for 100.00 and 8.5 % of tax on top."""
    line = {"id": "1", "name": "Jacket", "unit_price": "100.00", "total": "100.00", "tax_rate": "8.5"}
    taxes = [{"rate": "8.5", "net": "100.00", "tax": "8.50"}]
    sums = {"prices_include_tax": False, "total": "108.50", "lines": [line], "taxes": taxes}
    return coffee(**sums, external_id=None, payments=[]) | changes


def swap(original: Any, price: str, **changes: Any) -> Body:
    """Something comes back, and another thing for the same price leaves the shop."""
    lines = [
        {"id": "old", "name": "Back", "quantity": "-1", "unit_price": price, "total": f"-{price}", **changes},
        {"id": "new", "name": "Out", "unit_price": price, "total": price, **changes},
    ]
    return refund(original, "0.00", kind="exchange", lines=lines, payments=[])


def test_an_exchange_at_net_prices_takes_back_the_tax_as_well(till: Person, engine: Engine) -> None:
    receipt = sold(till, **net_sale())
    swapped = swap(receipt["id"], "100.00", tax_rate="8.5") | {"prices_include_tax": False}
    assert till.post(RECEIPTS, swapped | {"taxes": [{"rate": "8.5", "tax": "0.00"}]}).status_code == 201
    assert returned(engine, receipt["id"]) == 10850
    assert till.post(RECEIPTS, refund(receipt["id"], "8.50")).status_code == 409


def test_goods_bought_with_a_discount_are_exchanged_for_what_was_paid(till: Person, engine: Engine) -> None:
    discount = {"name": "Sale", "amount": "20.00", "allocations": [{"line": "1", "amount": "20.00"}]}
    lines = [{"id": "1", "name": "Coat", "unit_price": "100.00", "total": "100.00"}]
    receipt = sold(till, lines=lines, discounts=[discount], total="80.00", payments=[], taxes=[])
    assert till.post(RECEIPTS, swap(receipt["id"], "100.00")).status_code == 201
    assert returned(engine, receipt["id"]) == 8000


def test_one_of_two_discounted_goods_is_exchanged_for_its_share(till: Person, engine: Engine) -> None:
    lines = [{"id": str(n), "name": "Coat", "unit_price": "100.00", "total": "100.00"} for n in (1, 2)]
    whole = {"name": "Sale", "amount": "40.00"}
    receipt = sold(till, lines=lines, discounts=[whole], total="160.00", payments=[], taxes=[])
    assert till.post(RECEIPTS, swap(receipt["id"], "100.00") | {}).status_code == 201
    named = swap(receipt["id"], "100.00")
    named["lines"][0]["original_line"] = "2"
    assert till.post(RECEIPTS, named).status_code == 409
    assert returned(engine, receipt["id"]) == 10000


def test_a_line_that_names_the_one_it_was_bought_with_counts_no_more_than_that(till: Person, engine: Engine) -> None:
    lines = [{"id": str(n), "name": "Coat", "unit_price": "100.00", "total": "100.00"} for n in (1, 2)]
    receipt = sold(
        till, lines=lines, discounts=[{"name": "Sale", "amount": "40.00"}], total="160.00", payments=[], taxes=[]
    )
    for line in ("1", "2"):
        swapped = swap(receipt["id"], "100.00")
        swapped["lines"][0]["original_line"] = line
        assert till.post(RECEIPTS, swapped).status_code == 201
    assert returned(engine, receipt["id"]) == 16000


def test_a_refund_that_is_only_practised_takes_nothing_from_a_real_receipt(till: Person, engine: Engine) -> None:
    receipt = sold(till)
    answer = till.post(RECEIPTS, refund(receipt["id"], flags=["training"]))
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/flags"]
    assert returned(engine, receipt["id"]) is None


def test_an_adapter_takes_what_is_left_and_flags_the_rest(engine: Engine, shops: Shops) -> None:
    now = datetime(2026, 11, 21, 18, tzinfo=UTC)

    def accepted(body: Body) -> Issued:
        arrival = arrive(shops.linden, read_sale(body), now=now, only_flag=True)
        with engine.begin() as conn:
            [answer] = take(conn, [arrival], directories=directories(conn, [shops.linden]), now=now)
        assert isinstance(answer, Issued)
        return answer

    receipt = accepted(coffee())
    beyond = accepted(refund(receipt.id, "5.00", external_id="r1"))
    assert "1.80 more than could still go back" in beyond.warnings
    assert returned(engine, receipt.id) == 320


def test_an_exchange_that_credits_more_than_was_paid_is_flagged(till: Person) -> None:
    receipt = sold(till)
    answer = till.post(RECEIPTS, swap(receipt["id"], "1000.00"))
    assert answer.status_code == 201
    assert [warning["detail"] for warning in answer.json()["warnings"]] == ["is 996.80 more than could still go back"]
