"""Whatever an order is turned into, reading it ends in a sale or in a Problem."""

import json
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernel.errors import Problem
from pos.intake import arrive
from pos.shopify import parse
from receipts.reading import read_sale
from receipts.sale import Content
from tests.support.shopify import Json, bag, line, order, refund

NOW: Final = datetime(2026, 11, 21, tzinfo=UTC)
ORIGINAL: Final[Content] = read_sale({"issued_at": "2026-11-20T10:00:00Z", "currency": "EUR", "total": "37.57"})
FULL: Final = order(
    presentment_currency="USD",
    total_price_set=bag("37.57", "40.00", ("EUR", "USD")),
    original_total_duties_set=bag("1.00", "1.10", ("EUR", "USD")),
    payment_details={"credit_card_company": "Visa", "credit_card_number": "•••• 4242"},
    transactions=[{"id": 1, "kind": "sale", "status": "success", "amount": "37.57", "gateway": "cash"}],
    billing_address={"name": "Lena Vogt", "country_code": "DE", "phone": "+49 30 1"},
    note_attributes=[{"name": "a", "value": "b"}],
    refunds=[refund(order_adjustments=[{"kind": "shipping_refund", "amount": "-1.00", "tax_amount": "-0.19"}])],
    discount_codes=[{"code": "SHIP", "amount": "1.00", "type": "shipping"}],
    line_items=[*order()["line_items"], line("1.00", tip=True), line("1.00", duties=[{"tax_lines": []}])],
)
ODD_TEXTS: Final = (
    "\ud800",
    "\x00",
    "9" * 60,
    "NaN",
    "1e9999",
    "-0",
    "²",
    "4242424242424242",
    "0001-01-01T00:00:00+23:59",
)
ODD_NUMBERS: Final = (True, -1, 10**40, 1e300, -0.0, 0.1 + 0.2)
SCALARS = st.none() | st.sampled_from(ODD_TEXTS) | st.sampled_from(ODD_NUMBERS) | st.text(max_size=12) | st.integers()
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["amount", "shop_money", "currency_code", "id", "price"]), inner, max_size=3)
    ),
    max_leaves=6,
)


def places(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, each in inside:
        yield (*path, name)
        yield from places(each, (*path, name))


def put(body: Any, path: tuple[str | int, ...], value: Any) -> None:
    """Where an earlier change has taken the place away, nothing is put."""
    *way, last = path
    with suppress(KeyError, IndexError, TypeError):
        for name in way:
            body = body[name]
        body[last] = value


def mutated(body: Json, changes: list[tuple[tuple[str | int, ...], Any]]) -> bytes:
    copy = json.loads(json.dumps(body))
    for path, value in changes:
        put(copy, path, value)
    return json.dumps(copy).encode()


def read(topic: str, body: bytes) -> int:
    """As far as the database: what the canonical sale takes must also be storable. How many sales it is; none where it
    is refused, and then it is the sender's fault."""
    count, status = 0, None
    try:
        for each in parse.read_event(topic, body, lambda _: ORIGINAL).sales:
            arrived = arrive("merchant", read_sale(each), now=NOW, source="shopify", only_flag=True)
            arrived.content.encode()
            arrived.private.encode()
            count += 1
    except Problem as refused:
        count, status = 0, refused.status
    assert status is None or 400 <= status < 500
    return count


def test_what_nobody_has_changed_is_read() -> None:
    # The order, and the refund that it names.
    assert read("orders/paid", mutated(FULL, [])) == 2
    assert read("refunds/create", mutated(refund(), [])) == 1


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(list(places(FULL))), VALUES), min_size=1, max_size=8))
def test_a_mutated_order_is_read_or_refused(changes: list[tuple[tuple[str | int, ...], Any]]) -> None:
    read("orders/paid", mutated(FULL, changes))


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(list(places(refund()))), VALUES), min_size=1, max_size=8))
def test_a_mutated_refund_is_read_or_refused(changes: list[tuple[tuple[str | int, ...], Any]]) -> None:
    read("refunds/create", mutated(refund(), changes))


@given(
    st.sampled_from(["orders/paid", "refunds/create"]),
    st.binary(max_size=60) | VALUES.map(lambda v: json.dumps(v).encode()),
)
def test_any_body_is_read_or_refused(topic: str, body: bytes) -> None:
    read(topic, body)


def test_nesting_without_end_is_refused() -> None:
    with pytest.raises(Problem):
        parse.read_event("orders/paid", b"[" * 100_000, lambda _: ORIGINAL)
