"""Ten thousand broken sales: each is taken or refused in words, none breaks anything, and none is half written."""

import asyncio
import json
from random import Random
from typing import Any

from sqlalchemy import Engine, select

from receipts.tables import IdempotencyKey, Receipt, ReceiptShopper, ReturnedSum
from tests.support.asgi import Answer, ask
from tests.support.inside import Inside, Person
from tests.support.mutations import mutated
from tests.support.sales import Body, coffee, example, refund, superset
from tests.support.shops import Shops

# Most is decided before any database is asked; fewer tell how the second one keeps what is accepted.
COUNTS = {"sqlite": 10_000, "postgresql": 2_500}
AT_ONCE = 50
REFUSALS = {400, 403, 409, 422}


def whole_sale(random: Random, original: str) -> Body:
    """One that would be accepted."""
    exchanged = [{"id": "1", "name": "Coffee", "total": "-0.01"}, {"id": "2", "name": "Tea", "total": "0.01"}]
    match random.randrange(6):
        case 0:
            return example(external_id=None)
        case 1:
            return coffee()
        case 2:
            return refund(original, "0.01")
        case 3:
            return refund(original, "0.00", kind="exchange", lines=exchanged)
        case 4:
            return refund(original, kind="void")
    return superset()


def broken_sales(random: Random, originals: list[Body], count: int) -> list[bytes]:
    return [mutated(random, whole_sale(random, random.choice(originals)["id"])) for _ in range(count)]


async def post_all(inside: Inside, key: str, bodies: list[bytes]) -> list[Answer]:
    async def post(number: int) -> Answer:
        headers = {"authorization": f"Bearer {key}", "content_type": "application/json"}
        if number % 2:
            headers["idempotency_key"] = f"broken-{number}"
        return await ask(inside.app, "POST", "/v1/receipts", bodies[number], **headers)

    answers: list[Answer] = []
    for start in range(0, len(bodies), AT_ONCE):
        answers += await asyncio.gather(*(post(number) for number in range(start, min(start + AT_ONCE, len(bodies)))))
    return answers


def check_refusal(answer: Answer) -> None:
    """As RFC 9457 wants it."""
    problem = json.loads(answer.body)
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem.keys() <= {"type", "title", "status", "detail", "errors"}
    assert problem["status"] == answer.status
    assert problem["type"].startswith("urn:counterfoil:problem:")
    for error in problem.get("errors", []):
        assert error.keys() == {"pointer", "detail"}
        assert error["detail"]
        assert len(error["pointer"]) < 1000
    assert b"4111111111111111" not in answer.body


async def open_all(inside: Inside, key: str, receipts: list[Body]) -> set[int]:
    """The statuses of all that can be read of receipts, but for the PDF: it takes a second."""
    statuses = set()
    for receipt in receipts:
        for form in ("", ".json", ".txt"):
            statuses.add((await ask(inside.app, "GET", f"/r/{receipt['token']}{form}")).status)
        path = f"/v1/receipts/{receipt['id']}"
        statuses.add((await ask(inside.app, "GET", path, authorization=f"Bearer {key}")).status)
    return statuses


def test_ten_thousand_broken_sales_break_nothing(inside: Inside, owner: Person, shops: Shops, engine: Engine) -> None:
    owner.put("/v1/merchant", {"name": "Linden & Rye", "on_mismatch": "flag"})
    originals = [owner.post("/v1/receipts", coffee()).json() for _ in range(20)]
    count = COUNTS[engine.dialect.name]
    answers = inside.run(post_all(inside, shops.owner, broken_sales(Random(4711), originals, count)))

    refused = [answer for answer in answers if answer.status >= 300]
    assert {answer.status for answer in refused} <= REFUSALS
    for answer in refused:
        check_refusal(answer)
    new = [json.loads(answer.body) for answer in answers if answer.status == 201]
    assert len(new) > count / 20, "too few are accepted to try what comes after"
    check_rows(engine, {receipt["id"] for receipt in originals + new})
    assert inside.run(open_all(inside, shops.owner, new[::4])) == {200}
    assert listed(owner) == {receipt["id"] for receipt in originals + new}


def check_rows(engine: Engine, accepted: set[str]) -> None:
    """Exactly what was acknowledged is there, and nothing beside it hangs in the air."""
    with engine.connect() as conn:
        kept = set(conn.scalars(select(Receipt.id)))
        shoppers = set(conn.scalars(select(ReceiptShopper.receipt_id)))
        keys = set(conn.scalars(select(IdempotencyKey.receipt_id)))
        sums = conn.execute(select(ReturnedSum.limit, ReturnedSum.returned)).all()
    assert kept == accepted
    assert shoppers | keys <= kept
    assert all(0 <= returned <= limit for limit, returned in sums)


def listed(owner: Person) -> set[str]:
    found: set[str] = set()
    query: dict[str, Any] = {"limit": 100}
    while True:
        page = owner.get("/v1/receipts", **query).json()
        found |= {receipt["id"] for receipt in page["receipts"]}
        if page["next_cursor"] is None:
            return found
        query["cursor"] = page["next_cursor"]
