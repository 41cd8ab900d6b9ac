"""A sale earns a scratch card; its code is looked up, held, redeemed and taken back by who supplies the prize."""

from typing import Any

import pytest
from sqlalchemy import Engine, func, select

from engagement import alliances, scratch
from engagement.rewards import granting
from engagement.rewards.keys import RewardKeys
from engagement.rewards.tables import Redemption, Reward
from engagement.tables import Event
from infra import secrets
from infra.settings import Settings
from kernel.clock import utc_now
from kernel.errors import NotFound
from tests.support.campaigns import (
    allied,
    campaign,
    cards_of,
    consented,
    drawn_up,
    launched,
    prize,
    scratched,
    sold,
    spending,
)
from tests.support.inside import Person
from tests.support.sales import coffee, refund
from tests.support.shops import Shops

RUPEES: dict[str, Any] = {
    "currency": "INR",
    "eligibility": spending(1_500_000, "INR"),
    "prizes": [prize(slug="silk", name={"en": "₹2,500 off"}, face_value=250_000, supplier="moor", valid_days=60)],
}


@pytest.fixture
def code(owner: Person, till: Person, engine: Engine, shops: Shops, settings: Settings) -> str:
    """Of a coffee at Linden & Rye's own expense."""
    launched(owner)
    [card] = cards_of(owner, sold(till))
    return scratched(engine, settings, shops.linden, card["id"])


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
    assert (used["amount"], used["currency"], used["external_id"]) == (250_000, "INR", "K-1")
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
    dearer = [RUPEES["prizes"][0] | {"face_value": 900_000}]
    owner.put(f"/v1/campaigns/{campaign_id}", campaign(**RUPEES | {"prizes": dearer})).raise_for_status()
    path = f"/v1/prizes-to-supply/{asked['id']}/consent"
    assert outsider.post(path, {"terms": asked["terms"]}).status_code == 409
    consented(outsider)
    [told] = owner.get(f"/v1/campaigns/{campaign_id}").json()["prizes"]
    assert told["consented_at"]
    owner.put(f"/v1/campaigns/{campaign_id}", campaign(**RUPEES)).raise_for_status()
    [told] = owner.get(f"/v1/campaigns/{campaign_id}").json()["prizes"]
    assert told["consented_at"] is None


def test_another_weight_needs_no_other_consent(owner: Person, outsider: Person) -> None:
    allied(owner, outsider)
    campaign_id = drawn_up(owner, **RUPEES)
    consented(outsider)
    heavier = [RUPEES["prizes"][0] | {"weight": 7}]
    owner.put(f"/v1/campaigns/{campaign_id}", campaign(**RUPEES | {"prizes": heavier})).raise_for_status()
    assert owner.get(f"/v1/campaigns/{campaign_id}").json()["prizes"][0]["consented_at"]


def test_an_ally_with_whom_it_is_over_gives_no_more(owner: Person, outsider: Person, till: Person) -> None:
    allied(owner, outsider)
    campaign_id = drawn_up(owner, **RUPEES)
    consented(outsider)
    owner.put(f"/v1/campaigns/{campaign_id}/state", {"state": "live"}).raise_for_status()
    [alliance] = owner.get("/v1/alliances").json()["alliances"]
    owner.delete(f"/v1/alliances/{alliance['id']}").raise_for_status()
    assert cards_of(owner, sold(till, "15000.00", currency="INR")) == []


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


def test_the_same_sale_again_earns_nothing_more(owner: Person, till: Person) -> None:
    launched(owner)
    body = coffee()
    receipts = {till.post("/v1/receipts", body).json()["id"] for _ in range(3)}
    [receipt_id] = receipts
    assert len(cards_of(owner, receipt_id)) == 1


def test_training_and_copies_earn_nothing(owner: Person, till: Person) -> None:
    launched(owner)
    assert cards_of(owner, sold(till, flags=["training"])) == []
    assert cards_of(owner, sold(till, flags=["copy"])) == []


def test_sales_of_long_ago_earn_nothing(owner: Person, till: Person) -> None:
    launched(owner, late_days=3)
    assert cards_of(owner, sold(till, issued_at="2026-02-01T09:00:00+01:00")) == []


def test_no_list_tells_what_is_under_the_foil_or_a_code(
    owner: Person, till: Person, engine: Engine, shops: Shops, settings: Settings
) -> None:
    launched(owner)
    [card] = cards_of(owner, sold(till))
    assert (card["state"], card["prize"], card["hint"]) == ("issued", None, None)
    code = scratched(engine, settings, shops.linden, card["id"])
    answer = owner.get("/v1/rewards")
    assert code not in answer.text
    assert answer.json()["rewards"][0]["hint"] == code[-4:]
    with engine.connect() as conn:
        assert code not in str(conn.execute(select(Reward.__table__)).all())


def test_a_code_that_nobody_has_scratched_is_no_code(
    owner: Person, till: Person, engine: Engine, shops: Shops, settings: Settings
) -> None:
    launched(owner)
    [card] = cards_of(owner, sold(till))
    keys = RewardKeys.of(settings.data, secrets.box(settings.data))
    assert owner.get(f"/v1/rewards/{scratch.code_of(keys.code, card['id'])}").status_code == 404


def test_a_code_is_read_as_people_type_it(owner: Person, code: str) -> None:
    typed = "-".join(code[at : at + 4] for at in (0, 4, 8)).lower()
    assert owner.get(f"/v1/rewards/{typed}").json()["redeemable"] is True


def test_a_code_is_used_once(owner: Person, code: str, engine: Engine) -> None:
    assert owner.ask("POST", f"/v1/rewards/{code}/redeem").status_code == 200
    again = owner.post(f"/v1/rewards/{code}/redeem", {})
    assert (again.status_code, again.json()["type"]) == (409, "urn:counterfoil:problem:already-redeemed")
    with engine.connect() as conn:
        assert conn.scalar(select(func.count()).select_from(Redemption)) == 1


def test_the_same_key_again_is_answered_as_before(owner: Person, code: str) -> None:
    path = f"/v1/rewards/{code}/redeem"
    first = owner.post(path, {"external_id": "S-1"}, Idempotency_Key="use-1")
    assert owner.post(path, {"external_id": "S-1"}, Idempotency_Key="use-1").json() == first.json()
    assert owner.post(path, {"external_id": "S-2"}, Idempotency_Key="use-1").status_code == 409


def test_a_till_that_holds_a_code_keeps_the_others_off(owner: Person, code: str) -> None:
    path = f"/v1/rewards/{code}"
    held = owner.post(f"{path}/reserve", {"holder": "till-1", "seconds": 600}).json()
    assert held["state"] == "reserved"
    refused = owner.post(f"{path}/redeem", {"holder": "till-2"})
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:counterfoil:problem:reserved-elsewhere")
    assert 0 < int(refused.headers["retry-after"]) <= 601
    assert owner.post(f"{path}/reserve", {"holder": "till-2"}).status_code == 409
    assert owner.post(f"{path}/reserve", {"holder": "till-1"}).status_code == 200
    assert owner.post(f"{path}/redeem", {"holder": "till-1"}).status_code == 200


def test_a_code_that_is_let_go_is_free_for_others(owner: Person, code: str) -> None:
    path = f"/v1/rewards/{code}"
    owner.post(f"{path}/reserve", {"holder": "till-1"})
    assert owner.post(f"{path}/rollback", {"holder": "till-2"}).json()["state"] == "reserved"
    assert owner.post(f"{path}/rollback", {"holder": "till-1"}).json()["state"] == "revealed"
    assert owner.post(f"{path}/redeem", {"holder": "till-2"}).status_code == 200


def test_a_use_that_is_taken_back_leaves_the_code_as_good_as_before(owner: Person, code: str) -> None:
    path = f"/v1/rewards/{code}"
    used = owner.post(f"{path}/redeem", {}).json()
    for _ in range(2):
        assert owner.post(f"{path}/rollback", {"redemption": used["id"]}).json()["state"] == "revealed"
    assert owner.post(f"{path}/redeem", {}).json()["id"] != used["id"]
    assert owner.post(f"{path}/rollback", {"redemption": used["id"]}).json()["state"] == "redeemed"


def test_the_key_of_a_use_that_was_taken_back_uses_nothing_and_says_so(owner: Person, code: str) -> None:
    used = owner.post(f"/v1/rewards/{code}/redeem", {}, Idempotency_Key="once").raise_for_status().json()
    owner.post(f"/v1/rewards/{code}/rollback", {"redemption": used["id"]}).raise_for_status()
    again = owner.post(f"/v1/rewards/{code}/redeem", {}, Idempotency_Key="once")
    assert (again.status_code, again.json()["errors"][0]["pointer"]) == (409, "header:Idempotency-Key")
    assert owner.post(f"/v1/rewards/{code}/redeem", {}, Idempotency_Key="twice").status_code == 200


@pytest.mark.parametrize("back", ["3.20", "0.01"])
def test_a_refund_below_the_threshold_voids_what_was_earned(
    owner: Person, till: Person, engine: Engine, shops: Shops, settings: Settings, back: str
) -> None:
    launched(owner, eligibility=spending(320))
    receipt_id = sold(till)
    [card] = cards_of(owner, receipt_id)
    code = scratched(engine, settings, shops.linden, card["id"])
    till.post("/v1/receipts", refund(receipt_id, back)).raise_for_status()
    [card] = cards_of(owner, receipt_id)
    assert (card["state"], card["void_reason"]) == ("void", "refunded")
    assert owner.post(f"/v1/rewards/{code}/redeem", {}).status_code == 409


def test_a_refund_that_leaves_enough_changes_nothing(owner: Person, till: Person) -> None:
    launched(owner, eligibility=spending(300))
    receipt_id = sold(till)
    till.post("/v1/receipts", refund(receipt_id, "0.20")).raise_for_status()
    assert [card["state"] for card in cards_of(owner, receipt_id)] == ["issued"]
    till.post("/v1/receipts", refund(receipt_id, "0.01")).raise_for_status()
    assert [card["state"] for card in cards_of(owner, receipt_id)] == ["void"]


def line(name: str, total: str, **more: Any) -> dict[str, Any]:
    quantity = "-1" if total.startswith("-") else "1"
    return {"id": name, "name": name, "quantity": quantity, "total": total, "unit_price": total.lstrip("-")} | more


def exchange(original: str, total: str, *lines: dict[str, Any]) -> dict[str, Any]:
    return refund(original, total, kind="exchange", lines=list(lines))


def test_what_was_taken_in_exchange_and_goes_back_is_no_longer_spent(owner: Person, till: Person) -> None:
    launched(owner, eligibility=spending(300))
    receipt_id = sold(till)
    first, second = line("Coffee", "-3.20", original_line="1"), line("Cocoa", "-3.10", original_line="Tea")
    body = exchange(receipt_id, "-0.10", first, line("Tea", "3.10"))
    swapped = till.post("/v1/receipts", body).raise_for_status().json()["id"]
    body = exchange(swapped, "0.00", second | {"id": "old"}, line("Cocoa", "3.10"))
    again = till.post("/v1/receipts", body | {"payments": []}).raise_for_status().json()["id"]
    assert [card["state"] for card in cards_of(owner, receipt_id)] == ["issued"]
    till.post("/v1/receipts", refund(again, "3.10")).raise_for_status()
    assert [card["void_reason"] for card in cards_of(owner, receipt_id)] == ["refunded"]


SARI: dict[str, Any] = {"kind": "sku", "any_of": ["SARI", "SILK"]}
DEAR: dict[str, Any] = {"kind": "spend", "at_least": 100_000, "currency": "EUR"}


@pytest.mark.parametrize(
    "rule, back, state",
    [
        (SARI, {"sku": "SARI"}, "void"),
        (SARI, {"original_line": "Sari"}, "void"),
        (SARI, {"original_line": "Bread", "total": "3.00"}, "issued"),
        ({"kind": "category", "any_of": ["Silk"]}, {"original_line": "Sari"}, "void"),
        ({"kind": "any", "of": [DEAR, SARI]}, {"original_line": "Sari"}, "void"),
        ({"kind": "all", "of": [{"kind": "not", "of": {"kind": "known_shopper"}}, SARI]}, {"sku": "SARI"}, "void"),
        ({"kind": "any", "of": [{"kind": "store", "any_of": ["mitte"]}, SARI]}, {"sku": "SARI"}, "issued"),
    ],
)
def test_what_earned_a_card_takes_it_along_when_it_goes_back(
    owner: Person, till: Person, rule: dict[str, Any], back: dict[str, Any], state: str
) -> None:
    launched(owner, eligibility={"rule": rule})
    bought = [line("Sari", "80.00", sku="SARI", category="Silk"), line("Bread", "3.00", sku="BREAD")]
    body = coffee(lines=bought, total="83.00", taxes=[], payments=[{"method": "cash", "amount": "83.00"}])
    receipt_id = till.post("/v1/receipts", body).raise_for_status().json()["id"]
    assert [card["state"] for card in cards_of(owner, receipt_id)] == ["issued"]
    returned = line("Back", back.get("total", "80.00")) | back
    till.post("/v1/receipts", refund(receipt_id, returned["total"], lines=[returned])).raise_for_status()
    assert [card["state"] for card in cards_of(owner, receipt_id)] == [state]


def test_a_sari_that_is_exchanged_for_another_still_earns_its_card(owner: Person, till: Person) -> None:
    launched(owner, eligibility={"rule": SARI})
    body = coffee(lines=[line("Sari", "80.00", sku="SARI")], total="80.00", taxes=[])
    body["payments"] = [{"method": "cash", "amount": "80.00"}]
    receipt_id = till.post("/v1/receipts", body).raise_for_status().json()["id"]
    lines = line("Sari", "-80.00", original_line="Sari"), line("Silk", "90.00", sku="SILK")
    swapped = till.post("/v1/receipts", exchange(receipt_id, "10.00", lines[0] | {"id": "old"}, lines[1]))
    assert [card["state"] for card in cards_of(owner, receipt_id)] == ["issued"]
    body = refund(swapped.raise_for_status().json()["id"], "90.00", kind="void")
    till.post("/v1/receipts", body).raise_for_status()
    assert [card["state"] for card in cards_of(owner, receipt_id)] == ["void"]


def test_a_void_voids_what_any_sale_earns(owner: Person, till: Person) -> None:
    launched(owner)
    receipt_id = sold(till)
    till.post("/v1/receipts", refund(receipt_id, kind="void")).raise_for_status()
    assert [card["void_reason"] for card in cards_of(owner, receipt_id)] == ["voided"]


def test_a_sale_and_its_void_in_one_batch_earn_nothing(owner: Person, till: Person) -> None:
    launched(owner)
    first = coffee()
    void = refund({"external_id": first["external_id"]}, kind="void")
    results = till.post("/v1/receipts/batch", {"receipts": [void, first]}).json()["results"]
    assert [each["status"] for each in results] == [201, 201]
    assert [card["state"] for card in cards_of(owner, results[1]["receipt"]["id"])] == ["void"]


def test_what_was_used_and_then_refunded_is_flagged_once(
    owner: Person, till: Person, engine: Engine, shops: Shops, settings: Settings
) -> None:
    launched(owner)
    receipt_id = sold(till)
    [card] = cards_of(owner, receipt_id)
    code = scratched(engine, settings, shops.linden, card["id"])
    used = owner.post(f"/v1/rewards/{code}/redeem", {}).json()
    for back in ("3.00", "0.20"):
        till.post("/v1/receipts", refund(receipt_id, back)).raise_for_status()
    assert [card["state"] for card in cards_of(owner, receipt_id)] == ["redeemed"]
    [flag] = owner.get("/v1/reward-flags").json()["flags"]
    assert (flag["kind"], flag["reward_id"]) == ("refunded_after_use", card["id"])
    # And once that use is taken back, there is nothing left to use again.
    back_again = owner.post(f"/v1/rewards/{code}/rollback", {"redemption": used["id"]}).json()
    assert (back_again["state"], back_again["redeemable"]) == ("void", False)


@pytest.mark.parametrize(
    "kind, sent, taken",
    [
        ({}, None, 320),
        ({}, 320, 320),
        ({}, 100, None),
        ({"partial": True}, 100, 100),
        ({"partial": True}, 0, None),
        ({"kind": "percent_off", "percent": 20}, None, None),
        ({"kind": "percent_off", "percent": 20}, 64, 64),
        ({"kind": "percent_off", "percent": 20}, 321, None),
    ],
)
def test_no_more_and_no_less_is_taken_off_than_the_prize_allows(
    owner: Person,
    till: Person,
    engine: Engine,
    shops: Shops,
    settings: Settings,
    kind: dict[str, Any],
    sent: int | None,
    taken: int | None,
) -> None:
    launched(owner, prizes=[prize(**kind)])
    [card] = cards_of(owner, sold(till))
    code = scratched(engine, settings, shops.linden, card["id"])
    answer = owner.post(f"/v1/rewards/{code}/redeem", {"amount": sent} if sent is not None else {})
    if taken is None:
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/amount")
    else:
        assert answer.json()["amount"] == taken


def test_the_issuer_can_take_a_card_back(owner: Person, code: str) -> None:
    reward_id = owner.get(f"/v1/rewards/{code}").json()["id"]
    for _ in range(2):
        assert owner.ask("POST", f"/v1/rewards/{reward_id}/void").json()["void_reason"] == "withdrawn"
    assert owner.post(f"/v1/rewards/{code}/redeem", {}).status_code == 409


def test_events_tell_what_happened_without_the_code(owner: Person, code: str, engine: Engine) -> None:
    owner.post(f"/v1/rewards/{code}/redeem", {}).raise_for_status()
    with engine.connect() as conn:
        rows = conn.execute(select(Event.kind, Event.data).order_by(Event.id)).all()
    assert [row.kind for row in rows] == [
        "campaign.launched",
        "reward.issued",
        "reward.revealed",
        "reward.redeemed",
    ]
    assert not any(code in row.data for row in rows)
