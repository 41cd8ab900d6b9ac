"""A sale earns a scratch card, and takes it along when it goes back."""

from typing import Any

import pytest
from sqlalchemy import Engine

from infra.settings import Settings
from tests.support.campaigns import cards_of, launched, scratched, sold, spending
from tests.support.inside import Person
from tests.support.sales import coffee, refund
from tests.support.shops import Shops


def test_the_same_sale_again_earns_nothing_more(owner: Person, till: Person) -> None:
    launched(owner)
    body = coffee()
    receipts = {till.post("/v1/receipts", body).json()["id"] for _ in range(3)}
    [receipt_id] = receipts
    assert len(cards_of(owner, receipt_id)) == 1


def test_who_is_given_a_gift_receipt_does_not_learn_by_a_card_what_was_spent(owner: Person, till: Person) -> None:
    launched(owner)
    assert cards_of(owner, sold(till, flags=["gift"])) == []


def test_training_and_copies_earn_nothing(owner: Person, till: Person) -> None:
    launched(owner)
    assert cards_of(owner, sold(till, flags=["training"])) == []
    assert cards_of(owner, sold(till, flags=["copy"])) == []


def test_sales_of_long_ago_earn_nothing(owner: Person, till: Person) -> None:
    launched(owner, late_days=3)
    assert cards_of(owner, sold(till, issued_at="2026-02-01T09:00:00+01:00")) == []


@pytest.mark.parametrize("back", ["3.20", "0.01"])
def test_a_refund_below_the_threshold_voids_what_was_earned(
    owner: Person, till: Person, engine: Engine, shops: Shops, settings: Settings, back: str
) -> None:
    launched(owner, eligibility=spending("3.20"))
    receipt_id = sold(till)
    [card] = cards_of(owner, receipt_id)
    code = scratched(engine, settings, shops.linden, card["id"])
    till.post("/v1/receipts", refund(receipt_id, back)).raise_for_status()
    [card] = cards_of(owner, receipt_id)
    assert (card["state"], card["void_reason"]) == ("void", "refunded")
    assert owner.post(f"/v1/rewards/{code}/redeem", {}).status_code == 409


def test_a_refund_that_leaves_enough_changes_nothing(owner: Person, till: Person) -> None:
    launched(owner, eligibility=spending("3.00"))
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
    launched(owner, eligibility=spending("3.00"))
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
DEAR: dict[str, Any] = {"kind": "spend", "at_least": "1000.00", "currency": "EUR"}


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


@pytest.mark.parametrize("kind", ["gift_card", "deposit"])
def test_what_is_exchanged_for_something_that_does_not_count_as_spent_went_back(
    owner: Person, till: Person, kind: str
) -> None:
    """So tills write that it went back for credit at the shop: it is worth as much as a refund."""
    launched(owner, eligibility=spending("3.00"))
    receipt_id = sold(till)
    lines = line("Coffee", "-3.20", original_line="1"), line("Credit", "3.20", type=kind)
    body = exchange(receipt_id, "0.00", *lines) | {"payments": []}
    till.post("/v1/receipts", body).raise_for_status()
    assert [card["void_reason"] for card in cards_of(owner, receipt_id)] == ["refunded"]


def test_a_deposit_that_is_paid_back_in_an_exchange_was_never_spent(owner: Person, till: Person) -> None:
    launched(owner, eligibility=spending("3.20"))
    bought = [line("Coffee", "3.20"), line("Cup", "1.00", type="deposit")]
    body = coffee(lines=bought, total="4.20", taxes=[], payments=[{"method": "cash", "amount": "4.20"}])
    receipt_id = till.post("/v1/receipts", body).raise_for_status().json()["id"]
    lines = line("Cup", "-1.00", original_line="Cup", type="deposit"), line("Tea", "0.50")
    till.post("/v1/receipts", exchange(receipt_id, "-0.50", *lines)).raise_for_status()
    assert [card["state"] for card in cards_of(owner, receipt_id)] == ["issued"]


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
