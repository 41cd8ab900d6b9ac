"""SQLite has no statistics of its own accord: no question that is asked often may read all receipts of a merchant."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from sqlalchemy import Connection, Engine, event

from accounts.places import directories
from kernel.errors import Invalid
from pos.intake import arrive, take
from receipts import amend, find, listing
from receipts.reading import read_sale
from receipts.sale import Original
from tests.support.inside import on_sqlite
from tests.support.sales import coffee
from tests.support.shops import Shops

NOW = datetime(2026, 11, 21, 18, tzinfo=UTC)
ON_THE_MERCHANT_ALONE = "(merchant_id=?)"
Asked = Callable[[Connection, str], object]


def wanted(original: Original) -> Asked:
    def ask(conn: Connection, merchant_id: str) -> None:
        with pytest.raises(Invalid):
            amend.find_original(conn, merchant_id, "api", original)

    return ask


def listed(by: listing.Wanted) -> Asked:
    return lambda conn, merchant_id: listing.list_receipts(conn, merchant_id, by, limit=5, cursor=None)


def repeated(conn: Connection, merchant_id: str) -> None:
    arrival = arrive(merchant_id, read_sale(coffee(external_id="x")), now=NOW, idempotency_key="k")
    for _ in range(2):
        take(conn, [arrival], directories=directories(conn, [merchant_id]), now=NOW)


QUESTIONS: dict[str, Asked] = {
    "a page": lambda conn, _: find.by_token(conn, "t"),
    "what stands beside a receipt": lambda conn, merchant_id: conn.execute(
        find._BESIDE, {"merchant_id": merchant_id, "id": "a", "original_id": "b"}
    ).all(),
    "an original by its id": wanted(Original(id="a")),
    "an original by its number": wanted(Original(number="1")),
    "a repetition": repeated,
    "a list by store": listed(listing.Wanted(store_id="s")),
    "a list by till": listed(listing.Wanted(till_id="t")),
    "a list by kind": listed(listing.Wanted(kind="refund")),
    "a list by number": listed(listing.Wanted(number="1")),
    "a list by external id": listed(listing.Wanted(external_id="x")),
    "a list by shopper": listed(listing.Wanted(email="a@example.com")),
}


@on_sqlite
@pytest.mark.parametrize("question", QUESTIONS)
def test_a_question_is_answered_through_an_index_of_its_own(question: str, engine: Engine, shops: Shops) -> None:
    asked: list[tuple[str, object]] = []
    with engine.connect() as conn:
        event.listen(conn, "before_cursor_execute", lambda _c, _u, sql, values, *_: asked.append((sql, values)))
        QUESTIONS[question](conn, shops.linden)
    about_receipts = [(sql, values) for sql, values in asked if "FROM receipts" in sql]
    assert about_receipts
    with engine.connect() as conn:
        plans = [conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", values).all() for sql, values in about_receipts]  # type: ignore[arg-type]
    steps = [step[3] for plan in plans for step in plan]
    assert [step for step in steps if ON_THE_MERCHANT_ALONE in step or step.startswith("SCAN receipts")] == []
