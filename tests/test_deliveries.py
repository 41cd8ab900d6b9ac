"""Receipts that are sent: asked for with the sale or later, each once, and what became of them."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import Engine, func, select

from infra.jobs import tally
from infra.settings import Data, Mail, Server, Settings
from notify.tables import Message
from tests.support.inside import Person, on_sqlite
from tests.support.sales import Body, coffee, refund
from tests.support.workshop import ANNA, Clock, Postman, deliveries, for_anna, opened, waiting_jobs, work
from worker.workshop import Workshop

# With the sale


def test_a_sale_that_asks_for_an_email_gets_one(
    till: Person, owner: Person, shop: Workshop, clock: Clock, postman: Postman
) -> None:
    receipt = till.post("/v1/receipts", for_anna()).json()
    work(shop, clock)
    [letter] = postman.taken
    message = opened(letter)
    assert (letter.recipient, message["From"].addresses[0].addr_spec) == (ANNA, "receipts@receipts.test")
    assert receipt["url"] in message.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    [told] = deliveries(owner, receipt)
    assert (told["state"], told["detail"], told["attempts"]) == ("sent", "queued as 1", 1)


def test_a_sale_without_a_wish_enqueues_nothing(till: Person, engine: Engine) -> None:
    till.post("/v1/receipts", coffee(shopper={"email": ANNA}))
    with engine.connect() as conn:
        assert (conn.scalar(select(func.count()).select_from(Message)), tally(conn)) == (0, {})


def test_the_same_sale_again_sends_nothing_more(till: Person, shop: Workshop, clock: Clock, postman: Postman) -> None:
    sale = for_anna()
    till.post("/v1/receipts", sale)
    till.post("/v1/receipts", sale)
    work(shop, clock)
    till.post("/v1/receipts", sale)
    work(shop, clock)
    assert len(postman.taken) == 1


def test_a_sale_that_is_refused_sends_nothing(till: Person, engine: Engine) -> None:
    assert till.post("/v1/receipts", for_anna(total="99.00")).status_code == 422
    with engine.connect() as conn:
        assert conn.scalar(select(func.count()).select_from(Message)) == 0


@on_sqlite
def test_a_wish_without_an_address_is_refused_with_the_field(till: Person) -> None:
    answer = till.post("/v1/receipts", coffee(deliver=["email"]))
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/shopper/email")


@on_sqlite
def test_what_was_rung_up_for_training_goes_to_nobody(till: Person, engine: Engine) -> None:
    till.post("/v1/receipts", for_anna(flags=["training"]))
    with engine.connect() as conn:
        assert conn.scalar(select(func.count()).select_from(Message)) == 0


def test_a_refund_is_sent_too(till: Person, shop: Workshop, clock: Clock, postman: Postman) -> None:
    sold = till.post("/v1/receipts", coffee()).json()
    till.post("/v1/receipts", refund(sold["id"], shopper={"email": ANNA}, deliver=["email"]))
    work(shop, clock)
    assert [letter.recipient for letter in postman.taken] == [ANNA]


@on_sqlite
def test_the_receipt_hangs_on_the_message_where_the_till_says_so(
    till: Person, shop: Workshop, clock: Clock, postman: Postman
) -> None:
    till.post("/v1/receipts", for_anna(deliver_pdf=True))
    work(shop, clock)
    [pdf] = opened(postman.taken[0]).iter_attachments()
    assert (pdf.get_content_type(), pdf.get_filename()) == ("application/pdf", "receipt.pdf")
    assert pdf.get_content().startswith(b"%PDF-")


def test_one_job_serves_all_sales_of_a_batch(
    till: Person, engine: Engine, shop: Workshop, clock: Clock, postman: Postman
) -> None:
    till.post("/v1/receipts/batch", {"receipts": [for_anna() for _ in range(20)]})
    assert waiting_jobs(engine) == 1
    work(shop, clock)
    assert len(postman.taken) == 20


# Where no mail is set up


@pytest.fixture
def without_mail(database_url: str, tmp_path: Any) -> Settings:
    return Settings(Data(data_dir=tmp_path, database_url=database_url), Server(base_url="https://a.test"), mail=Mail())


class TestWithoutMail:
    @pytest.fixture
    def settings(self, without_mail: Settings) -> Settings:
        return without_mail

    @on_sqlite
    def test_the_sale_is_taken_and_the_reason_is_kept(self, till: Person, owner: Person, engine: Engine) -> None:
        receipt = till.post("/v1/receipts", for_anna()).json()
        [told] = deliveries(owner, receipt)
        assert (told["state"], told["detail"], waiting_jobs(engine)) == ("failed", "email was not set up", 0)

    @on_sqlite
    def test_a_delivery_is_refused_in_clear_words(self, owner: Person) -> None:
        receipt = owner.post("/v1/receipts", coffee()).json()
        answer = owner.post(f"/v1/receipts/{receipt['id']}/deliveries", {"to": ANNA})
        assert (answer.status_code, answer.json()["type"]) == (409, "urn:counterfoil:problem:channel-not-set-up")


# Later, over the API


def test_a_receipt_can_be_sent_later(owner: Person, shop: Workshop, clock: Clock, postman: Postman) -> None:
    receipt = owner.post("/v1/receipts", coffee()).json()
    answer = owner.post(f"/v1/receipts/{receipt['id']}/deliveries", {"to": "Ben@Example.com"})
    assert (answer.status_code, answer.json()["to"], answer.json()["state"]) == (202, "ben@example.com", "waiting")
    work(shop, clock)
    assert [letter.recipient for letter in postman.taken] == ["ben@example.com"]


def test_asked_for_twice_it_is_sent_once(owner: Person, shop: Workshop, clock: Clock, postman: Postman) -> None:
    receipt = owner.post("/v1/receipts", for_anna()).json()
    first = owner.post(f"/v1/receipts/{receipt['id']}/deliveries", {})
    work(shop, clock)
    again = owner.ask("POST", f"/v1/receipts/{receipt['id']}/deliveries")
    work(shop, clock)
    assert (first.status_code, again.status_code, first.json()["id"]) == (200, 200, again.json()["id"])
    assert len(postman.taken) == 1


def test_it_is_sent_again_where_that_is_said(owner: Person, shop: Workshop, clock: Clock, postman: Postman) -> None:
    receipt = owner.post("/v1/receipts", for_anna()).json()
    work(shop, clock)
    answer = owner.post(f"/v1/receipts/{receipt['id']}/deliveries", {"resend": True})
    work(shop, clock)
    assert (answer.status_code, len(postman.taken)) == (202, 2)
    assert len({opened(letter)["Message-ID"] for letter in postman.taken}) == 2


def test_many_who_ask_at_once_send_it_once(owner: Person, shop: Workshop, clock: Clock, postman: Postman) -> None:
    receipt = owner.post("/v1/receipts", coffee()).json()
    with ThreadPoolExecutor(8) as pool:
        path = f"/v1/receipts/{receipt['id']}/deliveries"
        answers = list(pool.map(lambda _: owner.post(path, {"to": ANNA}), range(16)))
    work(shop, clock)
    assert {answer.status_code for answer in answers} <= {200, 202}
    assert (len({answer.json()["id"] for answer in answers}), len(postman.taken)) == (1, 1)


@on_sqlite
def test_ten_messages_a_day_leave_for_one_receipt(owner: Person) -> None:
    receipt = owner.post("/v1/receipts", coffee()).json()
    path = f"/v1/receipts/{receipt['id']}/deliveries"
    answers = [owner.post(path, {"to": ANNA, "resend": True}) for _ in range(11)]
    assert [answer.status_code for answer in answers] == [202] * 10 + [429]
    assert answers[-1].headers["retry-after"] == "3600"


@on_sqlite
@pytest.mark.parametrize(
    "body, pointer",
    [
        ({}, "/to"),
        ({"to": "anna"}, "/to"),
        ({"to": "a b@c.de"}, "/to"),
        ({"channel": "fax"}, "/channel"),
        ({"at": 1}, "/at"),
    ],
)
def test_a_delivery_that_leads_nowhere_is_refused_with_the_field(owner: Person, body: Body, pointer: str) -> None:
    receipt = owner.post("/v1/receipts", coffee()).json()
    answer = owner.post(f"/v1/receipts/{receipt['id']}/deliveries", body)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)


def test_the_list_goes_on_where_it_stopped(owner: Person) -> None:
    for _ in range(5):
        owner.post("/v1/receipts", for_anna())
    first = owner.get("/v1/deliveries", limit=3).json()
    second = owner.get("/v1/deliveries", limit=3, cursor=first["next_cursor"]).json()
    ids = [each["id"] for each in first["deliveries"] + second["deliveries"]]
    assert (len(set(ids)), ids, second["next_cursor"]) == (5, sorted(ids, reverse=True), None)
    assert owner.get("/v1/deliveries", state="sent").json()["deliveries"] == []
