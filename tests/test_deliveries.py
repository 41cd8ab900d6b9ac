"""Receipts that are sent: asked for with the sale or later, each once, and what became of them."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, func, select
from sqlalchemy.exc import OperationalError

from infra.bounces import Bounce
from infra.jobs import tally
from infra.mail import Deferred, Letter, Refused
from infra.settings import Data, Mail, Server, Settings
from notify import sending, stopping
from notify.tables import Message
from receipts.tables import Receipt
from tests.support.inside import Person, on_sqlite
from tests.support.sales import Body, coffee, refund
from tests.support.workshop import Clock, Postman, workshop
from worker import chores
from worker.deliver import deliver, lease_for
from worker.workshop import Workshop

ANNA = "anna@example.com"
LEASE = timedelta(minutes=10)


@pytest.fixture
def postman() -> Postman:
    return Postman()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def shop(settings: Settings, postman: Postman, clock: Clock) -> Iterator[Workshop]:
    with workshop(settings, postman, clock) as opened:
        yield opened


def for_anna(**changes: Any) -> Body:
    return coffee(shopper={"email": ANNA, "language": "de"}, deliver=["email"], **changes)


def work(shop: Workshop, clock: Clock, job_id: str = "job") -> None:
    """What the job does that a worker was given; what the application wrote a moment ago is due by then."""
    clock.pass_by(seconds=1)
    deliver(shop, job_id, {})


def waiting_jobs(engine: Engine) -> int:
    with engine.connect() as conn:
        found = tally(conn).get("deliver")
    return found.waiting + found.delayed if found else 0


def opened(letter: Letter) -> EmailMessage:
    message = message_from_bytes(letter.data, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


def deliveries(person: Person, receipt: Body) -> list[Body]:
    found: list[Body] = person.get(f"/v1/receipts/{receipt['id']}/deliveries").json()["deliveries"]
    return found


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


# Trouble


def test_a_refusal_is_final_and_said(
    till: Person, owner: Person, shop: Workshop, clock: Clock, postman: Postman
) -> None:
    receipt = till.post("/v1/receipts", for_anna()).json()
    postman.words[ANNA] = Refused("no such mailbox", code=550)
    work(shop, clock)
    clock.pass_by(days=1)
    work(shop, clock)
    [told] = deliveries(owner, receipt)
    assert (told["state"], told["detail"], postman.asked) == ("refused", "no such mailbox", 1)


def test_one_who_is_refused_does_not_keep_the_others(
    till: Person, shop: Workshop, clock: Clock, postman: Postman
) -> None:
    postman.words[ANNA] = Deferred("greylisted", code=451)
    sales = [for_anna(), coffee(shopper={"email": "ben@example.com"}, deliver=["email"])]
    till.post("/v1/receipts/batch", {"receipts": sales})
    work(shop, clock)
    assert [letter.recipient for letter in postman.taken] == ["ben@example.com"]


def test_a_mail_server_that_is_away_is_asked_once_a_round(
    till: Person, engine: Engine, shop: Workshop, clock: Clock, postman: Postman
) -> None:
    till.post("/v1/receipts/batch", {"receipts": [for_anna() for _ in range(10)]})
    postman.words["*"] = Deferred("connection refused")
    work(shop, clock)
    assert postman.asked == 1
    del postman.words["*"]
    clock.pass_by(seconds=6)
    work(shop, clock, "the next")
    assert len(postman.taken) == 10
    # The first job, which was not run here, and the one for those that were put back.
    assert waiting_jobs(engine) == 2


def test_it_is_tried_for_two_days_and_then_given_up(
    till: Person, owner: Person, shop: Workshop, clock: Clock, postman: Postman
) -> None:
    receipt = till.post("/v1/receipts", for_anna()).json()
    postman.words[ANNA] = Deferred("mailbox full", code=452)
    for _ in range(100):
        clock.pass_by(hours=1)
        work(shop, clock)
    [told] = deliveries(owner, receipt)
    assert (told["state"], told["detail"]) == ("failed", "given up; mailbox full")
    assert 40 < told["attempts"] < 60


def test_a_message_that_cannot_be_made_does_not_keep_the_others(
    till: Person, engine: Engine, shop: Workshop, clock: Clock, postman: Postman
) -> None:
    broken = till.post("/v1/receipts", for_anna()).json()
    till.post("/v1/receipts", coffee(shopper={"email": "ben@example.com"}, deliver=["email"]))
    with engine.begin() as conn:
        conn.execute(Receipt.__table__.update().where(Receipt.id == broken["id"]).values(content="{}"))  # type: ignore[attr-defined]
    work(shop, clock)
    assert [letter.recipient for letter in postman.taken] == ["ben@example.com"]


# Who sends


def test_what_one_job_has_claimed_another_leaves_alone(till: Person, shop: Workshop, clock: Clock) -> None:
    till.post("/v1/receipts", for_anna())
    clock.pass_by(seconds=1)
    mine = shop.write(lambda conn: sending.claim(conn, "mine", now=clock(), lease=LEASE, at_most=50))
    others = shop.write(lambda conn: sending.claim(conn, "another", now=clock(), lease=LEASE, at_most=50))
    assert (len(mine), others) == (1, [])


def test_a_job_that_is_taken_up_has_its_claims_at_once(till: Person, shop: Workshop, clock: Clock) -> None:
    till.post("/v1/receipts", for_anna())
    clock.pass_by(seconds=1)
    for _ in range(2):
        assert len(shop.write(lambda conn: sending.claim(conn, "mine", now=clock(), lease=LEASE, at_most=50))) == 1


def test_a_claim_that_nobody_takes_up_lapses(till: Person, shop: Workshop, clock: Clock) -> None:
    till.post("/v1/receipts", for_anna())
    clock.pass_by(seconds=1)
    shop.write(lambda conn: sending.claim(conn, "mine", now=clock(), lease=LEASE, at_most=50))
    clock.now += LEASE
    assert len(shop.write(lambda conn: sending.claim(conn, "another", now=clock(), lease=LEASE, at_most=50))) == 1


def test_who_comes_late_leaves_the_claim_of_another_alone(till: Person, shop: Workshop, clock: Clock) -> None:
    till.post("/v1/receipts", for_anna())
    clock.pass_by(seconds=1)
    [late] = shop.write(lambda conn: sending.claim(conn, "late", now=clock(), lease=LEASE, at_most=50))
    clock.now += LEASE
    shop.write(lambda conn: sending.claim(conn, "mine", now=clock(), lease=LEASE, at_most=50))
    shop.write(lambda conn: sending.put_back(conn, late, "busy", due_at=clock()))
    shop.write(lambda conn: sending.give_up_claims(conn, [late], now=clock()))
    assert shop.write(lambda conn: sending.claim(conn, "third", now=clock(), lease=LEASE, at_most=50)) == []


def test_a_word_is_noted_although_the_database_was_away(
    till: Person, owner: Person, shop: Workshop, clock: Clock, postman: Postman, monkeypatch: pytest.MonkeyPatch
) -> None:
    receipt = till.post("/v1/receipts", for_anna()).json()
    note, failures = sending.settle, iter([OperationalError("UPDATE messages", {}, Exception("locked"))])

    def settle(*args: Any, **options: Any) -> bool:
        for failure in failures:
            raise failure
        return note(*args, **options)

    monkeypatch.setattr(sending, "settle", settle)
    work(shop, clock)
    work(shop, clock)
    assert (len(postman.taken), deliveries(owner, receipt)[0]["state"]) == (1, "sent")


def test_a_claim_outlasts_the_slowest_mail_server(settings: Settings) -> None:
    slow = Mail(smtp_url=SecretStr("smtp://127.0.0.1?tls=none"), mail_from="a@b.example", smtp_timeout=300)
    assert lease_for(slow) > timedelta(seconds=14 * 300 + 240)
    assert lease_for(settings.mail) < timedelta(minutes=15)


def test_what_waits_without_a_job_is_seen_to(till: Person, engine: Engine, shop: Workshop, clock: Clock) -> None:
    """As after a restore, which brings the messages and not the jobs."""
    till.post("/v1/receipts", for_anna())
    before = waiting_jobs(engine)
    chores.sweep(shop, "sweep", {})
    assert waiting_jobs(engine) == before
    clock.pass_by(minutes=2)
    chores.sweep(shop, "sweep", {})
    assert waiting_jobs(engine) == before + 1


# Who wants none


def test_an_address_that_bounced_is_written_to_no_more(
    till: Person, owner: Person, shop: Workshop, clock: Clock, postman: Postman
) -> None:
    receipt = till.post("/v1/receipts", for_anna()).json()
    work(shop, clock)
    [told] = deliveries(owner, receipt)
    bounce = Bounce(None, told["id"], ANNA, is_permanent=True, status="5.1.1", detail="user unknown")
    shop.write(lambda conn: stopping.bounced(conn, told["id"], bounce, now=clock()))
    [told] = deliveries(owner, receipt)
    assert (told["state"], told["detail"]) == ("bounced", "user unknown")

    later = till.post("/v1/receipts", for_anna()).json()
    [told] = deliveries(owner, later)
    assert (told["state"], told["detail"]) == ("stopped", f"the address bounced on {clock():%Y-%m-%d}")
    asked = owner.post(f"/v1/receipts/{later['id']}/deliveries", {"to": ANNA})
    assert (asked.status_code, asked.json()["type"]) == (409, "urn:counterfoil:problem:address-stopped")


def test_what_still_waits_for_an_address_that_is_stopped_is_not_sent(
    till: Person, owner: Person, shop: Workshop, clock: Clock, postman: Postman
) -> None:
    first = till.post("/v1/receipts", for_anna()).json()
    [told] = deliveries(owner, first)
    shop.write(lambda conn: stopping.stop(conn, told["id"], "unsubscribed", now=clock()))
    work(shop, clock)
    assert (postman.taken, deliveries(owner, first)[0]["state"]) == ([], "stopped")


def test_what_one_merchant_stopped_another_sends(
    till: Person, owner: Person, outsider: Person, shop: Workshop, clock: Clock, postman: Postman
) -> None:
    [told] = deliveries(owner, till.post("/v1/receipts", for_anna()).json())
    shop.write(lambda conn: stopping.stop(conn, told["id"], "unsubscribed", now=clock()))
    outsider.post("/v1/receipts", for_anna())
    work(shop, clock)
    assert [letter.recipient for letter in postman.taken] == [ANNA]


@on_sqlite
def test_a_stop_link_is_ours_and_for_one_message(shop: Workshop) -> None:
    token = stopping.link_token(shop.stop_key, "msg_1")
    assert stopping.message_of(shop.stop_key, token) == "msg_1"
    for forged in (token.replace("1", "2", 1), token[:-1], "msg_1", "msg_1.", "", ".", "msg_1.ä"):
        assert stopping.message_of(shop.stop_key, forged) is None
