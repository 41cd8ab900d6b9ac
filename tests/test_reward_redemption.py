"""The code of a scratched card is looked up, held, redeemed, let go and taken back."""

import json
from typing import Any

import pytest
from sqlalchemy import Engine, func, select

from engagement import scratch
from engagement.rewards.keys import RewardKeys
from engagement.rewards.tables import Redemption, Reward
from engagement.tables import Event
from infra import secrets
from infra.settings import Settings
from tests.support.campaigns import cards_of, launched, prize, scratched, sold
from tests.support.inside import Person
from tests.support.shops import Shops


@pytest.fixture
def code(owner: Person, till: Person, engine: Engine, shops: Shops, settings: Settings) -> str:
    """Of a coffee at Linden & Rye's own expense."""
    launched(owner)
    [card] = cards_of(owner, sold(till))
    return scratched(engine, settings, shops.linden, card["id"])


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


@pytest.mark.parametrize(
    "kind, sent, taken",
    [
        ({}, None, "3.20"),
        ({}, "3.2", "3.20"),
        ({}, "1.00", None),
        ({"partial": True}, "1", "1.00"),
        ({"partial": True}, "0.00", None),
        ({"kind": "percent_off", "percent": 20}, None, None),
        ({"kind": "percent_off", "percent": 20}, "0.64", "0.64"),
        ({"kind": "percent_off", "percent": 20}, "3.21", None),
        ({"partial": True}, "1.005", None),
        ({"partial": True}, "-1.00", None),
        ({"partial": True}, 100, None),
    ],
)
def test_no_more_and_no_less_is_taken_off_than_the_prize_allows(
    owner: Person,
    till: Person,
    engine: Engine,
    shops: Shops,
    settings: Settings,
    kind: dict[str, Any],
    sent: str | int | None,
    taken: str | None,
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
    used = json.loads(rows[-1].data)
    assert (used["amount"], used["currency"]) == ("3.20", "EUR")
