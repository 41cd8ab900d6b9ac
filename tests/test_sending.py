"""Sending: what trouble does, who sends, and who wants nothing."""

from datetime import timedelta
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from infra.bounces import Bounce
from infra.mail import Deferred, Refused
from infra.settings import Mail, Settings
from notify import sending, stopping
from receipts.tables import Receipt
from tests.support.inside import Person, on_sqlite
from tests.support.sales import coffee
from tests.support.workshop import ANNA, Clock, Postman, deliveries, for_anna, waiting_jobs, work
from worker import chores
from worker.deliver import lease_for
from worker.workshop import Workshop

LEASE = timedelta(minutes=10)


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
    clock.ahead += LEASE
    assert len(shop.write(lambda conn: sending.claim(conn, "another", now=clock(), lease=LEASE, at_most=50))) == 1


def test_who_comes_late_leaves_the_claim_of_another_alone(till: Person, shop: Workshop, clock: Clock) -> None:
    till.post("/v1/receipts", for_anna())
    clock.pass_by(seconds=1)
    [late] = shop.write(lambda conn: sending.claim(conn, "late", now=clock(), lease=LEASE, at_most=50))
    clock.ahead += LEASE
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
