"""Webhooks end to end: verified, answered, worked on once, and swept up after a crash."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from cryptography.fernet import Fernet
from sqlalchemy import Engine, event, select, text

from accounts import find
from api import hook_work
from infra import secrets
from infra.settings import Settings
from pos import endpoints, inbox
from pos.event import Delivery
from pos.masking import kept
from pos.tables import InboundEvent
from receipts.tables import Receipt, ReceiptShopper
from tests.support.campaigns import launched
from tests.support.inside import Inside, Person
from tests.support.shopify import SECRET, as_bytes, headers, order, refund, small
from tests.support.shops import Shops


@dataclass(frozen=True)
class Shop:
    """Shopify, as far as it posts to the address of the store mitte."""

    inside: Inside
    engine: Engine
    path: str
    sealer: Fernet

    def post(self, body: Any, topic: str = "orders/paid", *, delivery: str = "d-1", **how: str) -> httpx.Response:
        raw = body if isinstance(body, bytes) else as_bytes(body)
        return self.send(raw, headers(raw, topic, delivery=delivery, **how))

    def send(self, raw: bytes, named: dict[str, str], path: str | None = None) -> httpx.Response:
        return self.inside.request("POST", path or self.path, content=raw, headers=named)

    def receipts(self) -> list[tuple[str, str, int]]:
        """Orders before refunds."""
        columns = select(Receipt.external_id, Receipt.kind, Receipt.total).order_by(Receipt.external_id)
        with self.engine.connect() as conn:
            return [(row.external_id, row.kind, row.total) for row in conn.execute(columns)]

    def events(self) -> list[tuple[str, str]]:
        """By delivery, each with what became of it."""
        columns = select(InboundEvent.state, InboundEvent.outcome).order_by(InboundEvent.external_id)
        with self.engine.connect() as conn:
            return [(row.state, row.outcome or "") for row in conn.execute(columns)]

    def leave(self, body: Any, topic: str = "orders/paid", *, delivery: str = "d-1") -> None:
        """As after a crash between the answer and the work."""
        *_, source, slug = self.path.split("/")
        with self.engine.begin() as conn:
            door = endpoints.door(conn, source, slug, sealer=self.sealer)
            assert door is not None
            inbox.put(conn, door, Delivery(delivery, topic), kept(as_bytes(body)), now=datetime.now(UTC))

    def bodies(self) -> list[str]:
        with self.engine.connect() as conn:
            return list(conn.scalars(select(InboundEvent.body).order_by(InboundEvent.external_id)))

    def due(self, now: datetime) -> list[tuple[str, str]]:
        with self.engine.connect() as conn:
            return inbox.due(conn, "waiting", now=now)

    def sweep(self, **later: float) -> None:
        hook_work.sweep(self.engine, now=datetime.now(UTC) + timedelta(**later))


@pytest.fixture
def shop(inside: Inside, engine: Engine, shops: Shops, settings: Settings) -> Shop:
    sealer = secrets.box(settings.data)
    with engine.begin() as conn:
        endpoint = endpoints.create(
            conn,
            shops.linden,
            source="shopify",
            store_id=find.store_id(conn, shops.linden, "mitte"),
            secret=SECRET,
            sealer=sealer,
            now=datetime(2026, 11, 1, tzinfo=UTC),
        )
    return Shop(inside, engine, endpoint.path, sealer)


SALE = ("order:9001", "sale", 3757)
BACK = ("refund:601", "refund", 1341)


def test_a_paid_order_becomes_a_receipt(shop: Shop) -> None:
    answer = shop.post(order())
    assert (answer.status_code, answer.content) == (200, b"")
    assert shop.receipts() == [SALE]
    assert [state for state, _ in shop.events()] == ["done"]


@pytest.mark.parametrize("prefix", ["X-", ""])
def test_both_header_names_are_taken(shop: Shop, prefix: str) -> None:
    assert shop.post(order(), prefix=prefix).status_code == 200
    assert shop.receipts() == [SALE]


def test_the_same_delivery_twice_is_one_event(shop: Shop) -> None:
    assert [shop.post(order()).status_code for _ in range(2)] == [200, 200]
    assert (shop.receipts(), len(shop.events())) == ([SALE], 1)


def test_the_same_order_in_another_delivery_is_one_receipt(shop: Shop) -> None:
    shop.post(order())
    shop.post(order(), delivery="d-2")
    assert shop.receipts() == [SALE]
    assert shop.events()[1][1].endswith("there already")


def test_an_order_that_changed_stays_as_it_was_first_told(shop: Shop) -> None:
    shop.post(order())
    shop.post(order(note="changed since"), delivery="d-2")
    assert shop.receipts() == [SALE]
    assert shop.events()[1] == ("done", shop.events()[0][1].replace("new", "there already, told otherwise"))


def test_a_changed_body_is_refused_without_saying_more(shop: Shop) -> None:
    raw = as_bytes(order())
    answer = shop.send(raw.replace(b"37.57", b"99.99"), headers(raw))
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert (shop.receipts(), shop.events()) == ([], [])


@pytest.mark.parametrize("path", ["/hooks/shopify/nobody-knows-this", "/hooks/elsewhere/x", "/hooks/shopify/%00"])
def test_an_unknown_address_answers_as_a_wrong_signature_does(shop: Shop, path: str) -> None:
    raw = as_bytes(order())
    unknown = shop.send(raw, headers(raw), path)
    unsigned = shop.send(raw, headers(raw, secret="someone else's"))
    assert (unknown.status_code, unknown.json()) == (401, unsigned.json())


def test_a_body_beyond_five_megabytes_is_too_large(shop: Shop) -> None:
    assert shop.post(b" " * 5_000_001).status_code == 413


def test_what_is_signed_but_no_json_is_answered_and_kept_as_failed(shop: Shop) -> None:
    assert shop.post(b"\x00\xff{").status_code == 200
    ((state, outcome),) = shop.events()
    assert (state, outcome) == ("failed", "unreadable: The payload is not JSON")


@pytest.mark.parametrize("topic", ["orders/create", "orders/updated", "products/update", ""])
def test_other_topics_make_no_receipt(shop: Shop, topic: str) -> None:
    assert shop.post(order(), topic).status_code == 200
    assert (shop.receipts(), [state for state, _ in shop.events()]) == ([], ["ignored"])


def test_an_order_that_does_not_add_up_is_taken_and_flagged(shop: Shop) -> None:
    shop.post(small("9.00", line_items=[{"id": 1, "title": "Thing", "price": "10.00", "quantity": 1}]))
    ((state, outcome),) = shop.events()
    assert state == "done"
    assert "/total" in outcome
    assert outcome.endswith("1.00 too little")


def test_a_refund_amends_its_receipt(shop: Shop) -> None:
    shop.post(order())
    shop.post(refund(), "refunds/create", delivery="d-2")
    assert shop.receipts() == [SALE, BACK]


def test_a_refund_that_comes_first_waits_for_its_order(shop: Shop) -> None:
    shop.post(refund(), "refunds/create")
    assert shop.events() == [("waiting", "waits for order:9001")]
    shop.post(order(), delivery="d-2")
    assert shop.receipts() == [SALE, BACK]
    assert [state for state, _ in shop.events()] == ["done", "done"]


def test_a_refund_whose_order_never_comes_is_given_up(shop: Shop) -> None:
    shop.post(refund(), "refunds/create")
    shop.sweep(days=4)
    assert shop.events() == [("failed", "waits for order:9001")]


def test_a_refund_inside_its_order_and_by_itself_is_one_receipt(shop: Shop) -> None:
    shop.post(order(refunds=[refund()], financial_status="partially_refunded"))
    shop.post(refund(), "refunds/create", delivery="d-2")
    assert shop.receipts() == [SALE, BACK]


def test_a_refund_beyond_its_receipt_is_taken_and_flagged(shop: Shop) -> None:
    """The order was edited, paid again and refunded: its receipt knows of the first payment only."""
    shop.post(order())
    money = [{"kind": "refund", "status": "success", "gateway": "manual", "amount": "50.00"}]
    shop.post(refund(transactions=money), "refunds/create", delivery="d-2")
    state, outcome = shop.events()[1]
    assert shop.receipts() == [SALE, ("refund:601", "refund", 5000)]
    assert state == "done"
    assert "; /total " in outcome


def test_what_a_crash_left_behind_is_swept_up(shop: Shop) -> None:
    shop.leave(order())
    shop.sweep(days=4)
    assert shop.receipts() == [SALE]
    assert [state for state, _ in shop.events()] == ["done"]


def test_what_has_just_come_is_left_to_whoever_took_it_in(shop: Shop) -> None:
    shop.leave(order())
    shop.sweep(seconds=5)
    assert shop.events()[0][0] == "waiting"


def test_an_event_is_worked_on_once_even_where_four_try(shop: Shop) -> None:
    shop.leave(order())
    soon = datetime.now(UTC) + timedelta(minutes=1)
    ((merchant_id, event_id),) = shop.due(soon)
    with ThreadPoolExecutor(4) as four:
        tries = four.map(lambda _: hook_work.work_on(shop.engine, merchant_id, event_id, now=soon), range(4))
        issued = list(tries)
    assert sorted(map(len, issued)) == [0, 0, 0, 1]


def test_what_is_done_or_ignored_is_emptied(shop: Shop) -> None:
    shop.post(order())
    shop.post(order(), "orders/updated", delivery="d-2")
    assert shop.bodies() == ["", ""]


def test_what_failed_is_kept_for_thirty_days(shop: Shop) -> None:
    shop.post(b"{lena@example.com")
    shop.sweep(days=29)
    assert shop.bodies() == ["{lena@example.com"]
    shop.sweep(days=31)
    assert (shop.bodies(), shop.events()) == ([""], [("failed", "unreadable: The payload is not JSON")])


def test_what_waits_is_looked_at_ever_more_seldom(shop: Shop) -> None:
    shop.post(refund(), "refunds/create")
    looked_at = []
    for hour in range(3 * 24):
        looked_at += shop.due(datetime.now(UTC) + timedelta(hours=hour))
        shop.sweep(hours=hour)
    assert 3 <= len(looked_at) <= 8


def test_what_cannot_be_worked_on_is_postponed(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError

    shop.leave(order())
    with monkeypatch.context() as broke:
        broke.setattr(inbox, "_done", broken)
        shop.sweep(hours=1)
    assert shop.events() == [("waiting", "")]
    assert shop.due(datetime.now(UTC) + timedelta(minutes=119)) == []
    shop.sweep(minutes=121)
    assert shop.receipts() == [SALE]


def test_a_sweep_takes_so_many_and_says_whether_more_may_be_due(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox, "MOST_DUE", 2)
    for number in range(3):
        shop.leave(small("5.00", id=number + 1), delivery=f"d-{number}")
    soon = datetime.now(UTC) + timedelta(minutes=1)
    first, second = (hook_work.sweep(shop.engine, now=soon) for _ in range(2))
    assert [(len(issued), is_more) for issued, is_more in (first, second)] == [(2, True), (1, False)]


def test_what_is_due_is_found_by_its_index(shop: Shop) -> None:
    asked: list[tuple[str, Any]] = []
    event.listen(shop.engine, "before_cursor_execute", lambda _c, _k, said, given, *_: asked.append((said, given)))
    shop.due(datetime.now(UTC))
    with shop.engine.connect() as conn:
        is_sqlite = shop.engine.dialect.name == "sqlite"
        if not is_sqlite:
            conn.execute(text("SET enable_seqscan = off"))
        ((said, given),) = [each for each in asked if "inbound_events" in each[0]]
        plan = conn.exec_driver_sql(("EXPLAIN QUERY PLAN " if is_sqlite else "EXPLAIN ") + said, given).all()
        assert "ix_inbound_events_state_due_at" in " ".join(map(str, plan))


def test_a_card_number_is_not_kept(shop: Shop) -> None:
    shop.leave(order(payment_details={"credit_card_number": 4242424242424242}, note="she said 4242 4242 4242 4242"))
    (body,) = map(json.loads, shop.bodies())
    assert (body["payment_details"]["credit_card_number"], body["note"]) == ("•••• 4242", "she said •••• 4242")
    shop.sweep(minutes=1)
    with shop.engine.connect() as conn:
        kept = [*conn.scalars(select(Receipt.content)), *conn.scalars(select(ReceiptShopper.details))]
    assert len(kept) == 2
    assert not any("4242 4242" in each or "42424242" in each for each in kept)


def test_a_refund_that_no_receipt_can_hold_does_not_keep_its_order_out(shop: Shop) -> None:
    many = [{"kind": "refund", "status": "success", "gateway": "manual", "amount": "0.10"}] * 60
    shop.post(order(refunds=[refund(transactions=many)]))
    assert shop.receipts() == [SALE]
    ((state, outcome),) = shop.events()
    taken, refused = outcome.splitlines()
    assert state == "failed"
    assert taken.startswith("order:9001: rct_")
    assert refused.startswith("refund:601: invalid: ")


def test_the_receipt_shows_what_was_bought(shop: Shop, owner: Person) -> None:
    shop.post(order())
    (receipt,) = owner.get("/v1/receipts").json()["receipts"]
    page = owner.get(f"/v1/receipts/{receipt['id']}").json()
    assert [line["name"] for line in page["receipt"]["lines"]] == ["Beeswax candle", "Soap"]
    assert page["shopper"]["email"] == "lena@example.com"


def test_no_secret_and_no_payload_is_logged(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    shop.post(order())
    shop.post(b"{lena@example.com", delivery="d-2")
    told = "".join(capsys.readouterr())
    assert SECRET not in told
    assert "lena@example.com" not in told


def test_an_order_earns_what_a_sale_at_a_till_does(shop: Shop, owner: Person) -> None:
    launched(owner, eligibility={"rule": {"kind": "channel", "any_of": ["shopify"]}})
    shop.post(order())
    assert len(owner.get("/v1/rewards").json()["rewards"]) == 1
