"""A prize of an ally is won once the ally has consented to its terms, and the ally redeems it."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Thread
from typing import Any

import orjson
import pytest
from sqlalchemy import Engine, select

from engagement import alliances
from engagement.rewards import find, granting, launching, locks, managing, supplying
from engagement.rewards.definition import read_campaign
from engagement.rewards.keys import RewardKeys
from engagement.rewards.tables import Prize
from engagement.tables import Event
from infra import secrets
from infra.settings import Settings
from kernel.clock import utc_now
from kernel.errors import NotFound
from tests.support.campaigns import allied, campaign, cards_of, consented, drawn_up, prize, scratched, sold, spending
from tests.support.inside import Person
from tests.support.sales import refund
from tests.support.shops import Shops
from tests.support.waiting import somebody_waits, wait_until
from tests.support.workshop import Clock
from tests.test_retention_races import on_postgresql
from worker.rewards import expire_rewards
from worker.workshop import Workshop

RUPEES: dict[str, Any] = {
    "currency": "INR",
    "eligibility": spending("15000.00", "INR"),
    "prizes": [prize(slug="silk", name={"en": "₹2,500 off"}, face_value="2500.00", supplier="moor", valid_days=60)],
}


def test_15000_rupees_earn_2500_off_at_the_ally_and_14999_nothing(
    owner: Person, outsider: Person, till: Person, engine: Engine, shops: Shops, settings: Settings
) -> None:
    allied(owner, outsider)
    campaign_id = drawn_up(owner, **RUPEES)
    consented(outsider)
    owner.put(f"/v1/campaigns/{campaign_id}/state", {"state": "live"}).raise_for_status()
    assert cards_of(owner, sold(till, "14999.00", currency="INR")) == []
    [card] = cards_of(owner, sold(till, "15000.00", currency="INR"))
    code = scratched(engine, settings, shops.linden, card["id"])
    assert owner.get(f"/v1/rewards/{code}").json()["redeemable"] is False
    refused = owner.post(f"/v1/rewards/{code}/redeem", {})
    assert (refused.status_code, refused.json()["type"]) == (403, "urn:counterfoil:problem:not-yours-to-redeem")
    assert outsider.get(f"/v1/rewards/{code}").json()["redeemable"] is True
    used = outsider.post(f"/v1/rewards/{code}/redeem", {"external_id": "K-1"}).raise_for_status().json()
    assert (used["amount"], used["currency"], used["external_id"]) == ("2500.00", "INR", "K-1")
    assert owner.get(f"/v1/rewards/{code}").json()["state"] == "redeemed"


def test_a_campaign_is_not_launched_before_the_ally_consents(owner: Person, outsider: Person) -> None:
    allied(owner, outsider)
    campaign_id = drawn_up(owner, **RUPEES)
    answer = owner.put(f"/v1/campaigns/{campaign_id}/state", {"state": "live"})
    assert answer.status_code == 422
    assert [each["pointer"] for each in answer.json()["errors"]] == ["/prizes/0/supplier"]


def test_consent_is_to_the_terms_that_were_read(owner: Person, outsider: Person) -> None:
    allied(owner, outsider)
    campaign_id = drawn_up(owner, **RUPEES)
    [asked] = outsider.get("/v1/prizes-to-supply").json()["prizes"]
    dearer = [RUPEES["prizes"][0] | {"face_value": "9000.00"}]
    owner.put(f"/v1/campaigns/{campaign_id}", campaign(**RUPEES | {"prizes": dearer})).raise_for_status()
    path = f"/v1/prizes-to-supply/{asked['id']}/consent"
    assert outsider.post(path, {"terms": asked["terms"]}).status_code == 409
    consented(outsider)
    [told] = owner.get(f"/v1/campaigns/{campaign_id}").json()["prizes"]
    assert told["consented_at"]
    owner.put(f"/v1/campaigns/{campaign_id}", campaign(**RUPEES)).raise_for_status()
    [told] = owner.get(f"/v1/campaigns/{campaign_id}").json()["prizes"]
    assert told["consented_at"] is None


@pytest.mark.parametrize("terms", ["…", "I agree", "A" * 64, "0" * 63])
def test_who_sends_no_digest_as_terms_is_told_where_it_stands(owner: Person, outsider: Person, terms: str) -> None:
    allied(owner, outsider)
    drawn_up(owner, **RUPEES)
    [asked] = outsider.get("/v1/prizes-to-supply").json()["prizes"]
    answer = outsider.post(f"/v1/prizes-to-supply/{asked['id']}/consent", {"terms": terms})
    right = "must be the prize's `terms` as GET /v1/prizes-to-supply tells them, a SHA-256 in hex"
    assert (answer.status_code, answer.json()["errors"]) == (422, [{"pointer": "/terms", "detail": right}])


@pytest.mark.parametrize("longer", [{"scratch_days": 3650}, {"late_days": 3649}])
def test_how_long_cards_are_given_and_scratched_is_part_of_the_terms(
    owner: Person, outsider: Person, longer: dict[str, int]
) -> None:
    """A prize that is good for 60 days from when it was scratched would be handed out for ten years."""
    allied(owner, outsider)
    campaign_id = drawn_up(owner, **RUPEES)
    [asked] = outsider.get("/v1/prizes-to-supply").json()["prizes"]
    assert (asked["scratch_days"], asked["late_days"]) == (30, 3650)
    consented(outsider)
    owner.put(f"/v1/campaigns/{campaign_id}", campaign(**RUPEES | longer)).raise_for_status()
    [told] = outsider.get("/v1/prizes-to-supply").json()["prizes"]
    assert longer.items() <= told.items()
    assert told["terms"] != asked["terms"]
    answer = owner.put(f"/v1/campaigns/{campaign_id}/state", {"state": "live"})
    assert [each["pointer"] for each in answer.json()["errors"]] == ["/prizes/0/supplier"]


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_nobody_consents_to_terms_that_are_being_changed(
    owner: Person, outsider: Person, engine: Engine, shops: Shops
) -> None:
    allied(owner, outsider)
    campaign_id = drawn_up(owner, **RUPEES)
    [asked] = outsider.get("/v1/prizes-to-supply").json()["prizes"]
    dearer = read_campaign(campaign(**RUPEES | {"prizes": [RUPEES["prizes"][0] | {"face_value": "9000.00"}]}))
    path = f"/v1/prizes-to-supply/{asked['id']}/consent"
    with ThreadPoolExecutor(1) as pool:
        with engine.begin() as conn:
            managing.put(conn, shops.linden, campaign_id, dearer, now=utc_now())
            answer = pool.submit(outsider.post, path, {"terms": asked["terms"]})
            wait_until(lambda: answer.done() or somebody_waits(engine))
            assert not answer.done()
        assert answer.result().status_code == 409
    [told] = owner.get(f"/v1/campaigns/{campaign_id}").json()["prizes"]
    assert (told["face_value"], told["consented_at"]) == ("9000.00", None)


def test_another_weight_needs_no_other_consent(owner: Person, outsider: Person) -> None:
    allied(owner, outsider)
    campaign_id = drawn_up(owner, **RUPEES)
    consented(outsider)
    heavier = [RUPEES["prizes"][0] | {"weight": 7}]
    owner.put(f"/v1/campaigns/{campaign_id}", campaign(**RUPEES | {"prizes": heavier})).raise_for_status()
    assert owner.get(f"/v1/campaigns/{campaign_id}").json()["prizes"][0]["consented_at"]


def test_an_ally_with_whom_it_is_over_gives_no_more_and_the_merchant_hears_of_it(
    owner: Person, outsider: Person, till: Person, engine: Engine, shops: Shops
) -> None:
    allied(owner, outsider)
    campaign_id = drawn_up(owner, **RUPEES)
    consented(outsider)
    owner.put(f"/v1/campaigns/{campaign_id}/state", {"state": "live"}).raise_for_status()
    [alliance] = owner.get("/v1/alliances").json()["alliances"]
    assert owner.get(f"/v1/campaigns/{campaign_id}").json()["missing_allies"] == []
    for _ in range(2):
        outsider.delete(f"/v1/alliances/{alliance['id']}").raise_for_status()
    assert cards_of(owner, sold(till, "15000.00", currency="INR")) == []
    [told] = owner.get("/v1/campaigns").json()["campaigns"]
    assert (told["state"], told["missing_allies"]) == ("live", ["moor"])
    with engine.connect() as conn:
        halted = select(Event.merchant_id, Event.data).where(Event.kind == "campaign.halted")
        [event] = conn.execute(halted).all()
    assert event.merchant_id == shops.linden
    assert orjson.loads(event.data) == {"campaign": campaign_id, "alliance": alliance["id"]}
    allied(owner, outsider)
    assert owner.get(f"/v1/campaigns/{campaign_id}").json()["missing_allies"] == []
    assert len(cards_of(owner, sold(till, "15000.00", currency="INR"))) == 1


def halted_while_it_is_launched(owner: Person, ally: Person, engine: Engine, patch: pytest.MonkeyPatch) -> list[str]:
    """The merchants who hear that a campaign of theirs gives nothing, after the ally ends the alliance just when it has
    been found to be ready."""
    allied(owner, ally)
    campaign_id = drawn_up(owner, **RUPEES)
    consented(ally)
    [alliance] = owner.get("/v1/alliances").json()["alliances"]
    begin, ending = launching._begin, Thread(target=lambda: ally.delete(f"/v1/alliances/{alliance['id']}"))

    def ended(*launch: Any) -> None:
        ending.start()
        if engine.dialect.name == "postgresql":
            wait_until(lambda: somebody_waits(engine) or not ending.is_alive())
        begin(*launch)

    patch.setattr(launching, "_begin", ended)
    owner.put(f"/v1/campaigns/{campaign_id}/state", {"state": "live"}).raise_for_status()
    ending.join()
    assert owner.get(f"/v1/campaigns/{campaign_id}").json()["missing_allies"] == ["moor"]
    with engine.connect() as conn:
        return list(conn.scalars(select(Event.merchant_id).where(Event.kind == "campaign.halted")))


def test_a_merchant_hears_of_an_ally_who_goes_while_the_campaign_is_launched(
    owner: Person, outsider: Person, engine: Engine, shops: Shops, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert halted_while_it_is_launched(owner, outsider, engine, monkeypatch) == [shops.linden]


@on_postgresql
def test_without_the_lock_nobody_would_hear_of_it(
    owner: Person, outsider: Person, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control."""
    monkeypatch.setattr(locks, "alone", lambda *_: None)
    assert halted_while_it_is_launched(owner, outsider, engine, monkeypatch) == []


def test_a_server_that_remembers_the_alliance_gives_no_more_either(
    owner: Person, outsider: Person, till: Person, engine: Engine, shops: Shops, settings: Settings
) -> None:
    allied(owner, outsider)
    campaign_id = drawn_up(owner, **RUPEES | {"free_entry": {"per_shopper": 1}})
    consented(outsider)
    owner.put(f"/v1/campaigns/{campaign_id}/state", {"state": "live"}).raise_for_status()
    assert len(cards_of(owner, sold(till, "15000.00", currency="INR"))) == 1
    [alliance] = owner.get("/v1/alliances").json()["alliances"]
    keys = RewardKeys.of(settings.data, secrets.box(settings.data))
    with engine.begin() as conn:
        # As another server would.
        alliances.end(conn, shops.linden, alliance["id"], now=utc_now())
    assert cards_of(owner, sold(till, "15000.00", currency="INR")) == []
    with engine.begin() as conn, pytest.raises(NotFound):
        granting.grant_free_entry(conn, keys, shops.linden, campaign_id, shopper="0" * 32, now=utc_now())


def test_an_ally_hears_what_becomes_of_its_prizes_and_nothing_of_who_bought(
    owner: Person, outsider: Person, till: Person, engine: Engine, shops: Shops, shop: Workshop, clock: Clock
) -> None:
    allied(owner, outsider)
    campaign_id = drawn_up(owner, **RUPEES)
    consented(outsider)
    owner.put(f"/v1/campaigns/{campaign_id}/state", {"state": "live"}).raise_for_status()
    back, late = (sold(till, "15000.00", currency="INR") for _ in range(2))
    of = [cards_of(owner, each)[0]["id"] for each in (back, late)]
    till.post("/v1/receipts", refund(back, "15000.00", currency="INR")).raise_for_status()
    clock.ahead = timedelta(days=31)
    expire_rewards(shop, "", {})
    with engine.connect() as conn:
        theirs = select(Event.kind, Event.receipt_id, Event.data).where(Event.merchant_id == shops.moor)
        told = {row.kind: (row.receipt_id, orjson.loads(row.data)) for row in conn.execute(theirs)}
        prize_id = conn.scalar(select(Prize.id))
    common = {"campaign": campaign_id, "prize": prize_id}
    assert told == {
        "reward.voided": (None, {"reward": of[0]} | common),
        "reward.expired": (None, {"reward": of[1]} | common),
    }


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_draft_that_is_deleted_while_an_ally_asks_is_left_out(
    owner: Person, outsider: Person, engine: Engine, shops: Shops, monkeypatch: pytest.MonkeyPatch
) -> None:
    allied(owner, outsider)
    campaigns = [drawn_up(owner, **RUPEES) for _ in range(4)]
    real = find.to_supply

    def ask(*given: Any, **named: Any) -> Any:
        found = real(*given, **named)
        owner.delete(f"/v1/campaigns/{campaigns[0]}").raise_for_status()
        return found

    monkeypatch.setattr(find, "to_supply", ask)
    with engine.connect() as conn:
        told, more = supplying.asked(conn, shops.moor, at_most=2)
    assert [campaign.id for campaign, _, _ in told] == [campaigns[1]]
    monkeypatch.setattr(find, "to_supply", real)
    rest = outsider.get("/v1/prizes-to-supply", cursor=more).json()
    assert ([each["campaign_id"] for each in rest["prizes"]], rest["next_cursor"]) == (campaigns[2:], None)


def test_an_ally_reads_neither_when_a_card_was_earned_nor_why_it_is_void(
    owner: Person, outsider: Person, till: Person, engine: Engine, shops: Shops, settings: Settings
) -> None:
    allied(owner, outsider)
    campaign_id = drawn_up(owner, **RUPEES)
    consented(outsider)
    owner.put(f"/v1/campaigns/{campaign_id}/state", {"state": "live"}).raise_for_status()
    receipt_id = sold(till, "15000.00", currency="INR")
    [card] = cards_of(owner, receipt_id)
    code = scratched(engine, settings, shops.linden, card["id"])
    till.post("/v1/receipts", refund(receipt_id, "1.00", currency="INR")).raise_for_status()
    mine, theirs = owner.get(f"/v1/rewards/{code}").json(), outsider.get(f"/v1/rewards/{code}").json()
    names = ("origin", "receipt_id", "issued_at", "void_reason")
    assert [mine[name] for name in names] == ["receipt", receipt_id, card["issued_at"], "refunded"]
    assert [theirs[name] for name in names] == [None] * 4
    assert theirs["state"] == "void"


def test_other_codes_need_another_consent(owner: Person, outsider: Person) -> None:
    allied(owner, outsider)
    of_pool = {name: value for name, value in prize(codes="pool", supplier="moor").items() if name != "stock"}
    campaign_id = drawn_up(owner, prizes=[of_pool])
    path = f"/v1/campaigns/{campaign_id}/prizes/coffee/codes"
    owner.ask("PUT", path, content=b"MOOR-0001").raise_for_status()
    [asked] = outsider.get("/v1/prizes-to-supply").json()["prizes"]
    assert asked["imported"] == 1
    consented(outsider)
    owner.ask("PUT", path, content=b"MOOR-0001\nMOOR-0002").raise_for_status()
    assert owner.put(f"/v1/campaigns/{campaign_id}/state", {"state": "live"}).status_code == 422
    path = f"/v1/prizes-to-supply/{asked['id']}/consent"
    assert outsider.post(path, {"terms": asked["terms"]}).status_code == 409
    consented(outsider)
    assert owner.put(f"/v1/campaigns/{campaign_id}/state", {"state": "live"}).status_code == 200


def test_the_use_of_a_code_that_two_imported_for_one_ally_is_repeated_and_taken_back(
    owner: Person, outsider: Person, till: Person, engine: Engine, shops: Shops, settings: Settings
) -> None:
    allied(owner, outsider)
    of_both = ((owner, shops.linden, till, "moor"), (outsider, shops.moor, outsider, None))
    for issuer, merchant_id, seller, supplier in of_both:
        campaign_id = drawn_up(issuer, prizes=[prize(codes="pool", supplier=supplier, stock=None)])
        path = f"/v1/campaigns/{campaign_id}/prizes/coffee/codes"
        issuer.ask("PUT", path, content=b"MOOR-0001").raise_for_status()
        consented(outsider)
        issuer.put(f"/v1/campaigns/{campaign_id}/state", {"state": "live"}).raise_for_status()
        [card] = cards_of(issuer, sold(seller))
        assert scratched(engine, settings, merchant_id, card["id"]) == "MOOR-0001"
    path = "/v1/rewards/MOOR-0001"
    used = [outsider.post(f"{path}/redeem", {}, Idempotency_Key=key).json() for key in ("sale-1", "sale-2")]
    assert len({each["reward_id"] for each in used}) == 2
    assert [outsider.post(f"{path}/redeem", {}, Idempotency_Key=key).json() for key in ("sale-1", "sale-2")] == used
    for each in used:
        back = outsider.post(f"{path}/rollback", {"redemption": each["id"]}).json()
        assert (back["id"], back["state"]) == (each["reward_id"], "revealed")
