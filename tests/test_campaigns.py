"""Campaigns are drawn up, launched, paused and ended; and give what they may, when they may."""

from datetime import timedelta
from typing import Any

import orjson
import pytest
from sqlalchemy import Engine, func, select, update

from engagement.rewards.tables import CampaignTally, PoolCode, PrizeSlot, Reward
from engagement.scratch import drawn, entry_digest, seed_digest, shuffled, table_digest
from infra.settings import Settings
from kernel.clock import utc_now
from tests.support.campaigns import campaign, cards_of, drawn_up, launched, prize, scratched, sold, spending
from tests.support.inside import Person, on_sqlite
from tests.support.sales import coffee, refund
from tests.support.shops import Shops

_STORES = {"kind": "store", "any_of": ["mitte", "lost"]}
ANNA: dict[str, Any] = {"shopper": {"email": "anna@example.com"}}


def put_state(owner: Person, campaign_id: str, state: str) -> dict[str, Any]:
    answer = owner.put(f"/v1/campaigns/{campaign_id}/state", {"state": state})
    return dict(answer.raise_for_status().json())


def lacking(owner: Person, **changes: Any) -> list[str]:
    """What keeps such a draft from its launch: the fields at fault."""
    answer = owner.put(f"/v1/campaigns/{drawn_up(owner, **changes)}/state", {"state": "live"})
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:counterfoil:problem:campaign-not-ready")
    return [each["pointer"] for each in answer.json()["errors"]]


def earned(owner: Person, till: Person, total: str = "3.20", **changes: Any) -> int:
    return len(cards_of(owner, sold(till, total, **changes)))


def test_a_draft_is_written_read_changed_and_thrown_away(owner: Person) -> None:
    campaign_id = drawn_up(owner)
    told = owner.get(f"/v1/campaigns/{campaign_id}").json()
    assert (told["state"], told["always_win"], told["prizes"][0]["slug"]) == ("draft", True, "coffee")
    first = told["prizes"][0]["id"]
    changed = campaign(nothing=3, prizes=[prize(stock=7), prize(slug="cake")])
    told = owner.put(f"/v1/campaigns/{campaign_id}", changed).raise_for_status().json()
    assert (told["always_win"], [each["slug"] for each in told["prizes"]]) == (False, ["coffee", "cake"])
    assert (told["prizes"][0]["id"], told["prizes"][0]["stock"]) == (first, 7)
    assert [each["id"] for each in owner.get("/v1/campaigns", state="draft").json()["campaigns"]] == [campaign_id]
    owner.delete(f"/v1/campaigns/{campaign_id}").raise_for_status()
    assert owner.get(f"/v1/campaigns/{campaign_id}").status_code == 404


def test_lists_are_read_page_by_page(owner: Person) -> None:
    ids = [drawn_up(owner) for _ in range(3)]
    first = owner.get("/v1/campaigns", limit=2).json()
    second = owner.get("/v1/campaigns", limit=2, cursor=first["next_cursor"]).json()
    assert [each["id"] for each in first["campaigns"] + second["campaigns"]] == ids
    assert second["next_cursor"] is None


@on_sqlite
@pytest.mark.parametrize(
    "changes, pointers",
    [
        ({"rules": {}}, ["/rules/en"]),
        ({"ends_at": "2026-01-02T00:00"}, ["/ends_at"]),
        ({"ends_at": "2025-01-02T00:00"}, ["/ends_at"]),
        ({"countries": ["DE", "UK", "ZZ"]}, ["/countries/1", "/countries/2"]),
        ({"prizes": []}, ["/prizes"]),
        ({"prizes": [prize(weight=None)]}, ["/prizes/0/weight"]),
        ({"mode": "deck"}, ["/prizes/0/weight"]),
        ({"prizes": [prize(stock=None)]}, ["/prizes/0/stock"]),
        ({"prizes": [prize(codes="pool", stock=None)]}, ["/prizes/0/codes"]),
        ({"prizes": [prize(kind="percent_off")]}, ["/prizes/0/percent"]),
        ({"prizes": [prize(kind="free_product")]}, ["/prizes/0/product"]),
        ({"prizes": [prize(kind="points")]}, ["/prizes/0/points"]),
        ({"prizes": [prize(percent=5, points=3)]}, ["/prizes/0/percent", "/prizes/0/points"]),
        ({"prizes": [prize(face_value="0")]}, ["/prizes/0/face_value"]),
        ({"prizes": [prize(valid_days=None)]}, ["/prizes/0/valid_days"]),
        ({"prizes": [prize(valid_days=None, valid_until="2027-01-01T00:00")]}, ["/prizes/0/valid_until"]),
        ({"prizes": [prize(valid_days=None, valid_until="2109-01-20T00:00")]}, ["/prizes/0/valid_until"]),
        ({"budget": {"amount": "3.19"}}, ["/prizes/0/face_value"]),
        ({"budget": {"amount": "99.99"}, "prizes": [prize(currency="INR")]}, ["/prizes/0/currency"]),
        ({"mode": "deck", "budget": {"amount": "9.99"}, "prizes": [prize(weight=None)]}, ["/budget/amount"]),
        ({"caps": {"per_receipt": 2}}, ["/for_each"]),
        ({"eligibility": {"rule": {"kind": "not", "of": _STORES}}}, ["/eligibility/rule/of/any_of/1"]),
        ({"prizes": [prize(stock=200_000), prize(slug="b")]}, ["/prizes"]),
    ],
)  # fmt: skip
def test_a_launch_says_of_each_field_what_lacks(owner: Person, changes: dict[str, Any], pointers: list[str]) -> None:
    assert lacking(owner, **changes) == pointers


@on_sqlite
@pytest.mark.parametrize(
    "changes, pointer, right",
    [
        ({"starts_at": "2026-12-01T00:00Z"}, "/starts_at", "2026-12-24T18:00"),
        ({"ends_at": "tomorrow"}, "/ends_at", "2026-12-24T18:00"),
    ],
)
def test_a_time_by_no_clock_is_refused_with_what_would_be_right(
    owner: Person, changes: dict[str, Any], pointer: str, right: str
) -> None:
    answer = owner.post("/v1/campaigns", campaign(**changes))
    [error] = answer.json()["errors"]
    assert (answer.status_code, error["pointer"]) == (422, pointer)
    assert right in error["detail"]


@on_sqlite
def test_a_wrong_rule_is_pointed_at_where_it_stands(owner: Person) -> None:
    tree = {
        "kind": "all",
        "of": [{"kind": "known_shopper"}, {"kind": "not", "of": {"kind": "hours", "any_of": ["9-5"]}}],
    }
    answer = owner.post("/v1/campaigns", campaign(eligibility={"rule": tree}))
    assert [each["pointer"] for each in answer.json()["errors"]] == ["/eligibility/rule/of/1/of/any_of/0"]


def test_what_was_launched_stands(owner: Person) -> None:
    campaign_id = launched(owner)
    refused = owner.put(f"/v1/campaigns/{campaign_id}", campaign(nothing=9))
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:counterfoil:problem:campaign-started")
    assert owner.delete(f"/v1/campaigns/{campaign_id}").status_code == 409


def test_a_paused_campaign_gives_nothing_and_goes_on(owner: Person, till: Person) -> None:
    campaign_id = launched(owner)
    assert earned(owner, till) == 1
    put_state(owner, campaign_id, "paused")
    assert earned(owner, till) == 0
    put_state(owner, campaign_id, "live")
    assert earned(owner, till) == 1
    put_state(owner, campaign_id, "ended")
    assert earned(owner, till) == 0
    assert owner.put(f"/v1/campaigns/{campaign_id}/state", {"state": "live"}).status_code == 409


# --- fairness


def test_what_was_promised_before_can_be_checked_afterwards(owner: Person, till: Person, engine: Engine) -> None:
    campaign_id = launched(owner, nothing=3, prizes=[prize(weight=2, stock=3), prize(slug="cake", weight=1, stock=2)])
    told = owner.get(f"/v1/campaigns/{campaign_id}").json()
    assert told["seed"] is None
    for _ in range(25):
        sold(till)
    told_later = put_state(owner, campaign_id, "ended")
    seed = bytes.fromhex(told_later["seed"])
    assert (told["seed_digest"], told["table_digest"]) == (seed_digest(seed), table_digest(told_later["table"]))
    with engine.connect() as conn:
        rows = conn.execute(select(Reward).order_by(Reward.id).with_only_columns(*Reward.__table__.c)).all()
    positions = {each["id"]: at for at, each in enumerate(told["prizes"])}
    for row in rows:
        weights, gone = [2, 1, 3], orjson.loads(row.gone)
        for nonce, index in enumerate([*gone, positions.get(row.prize_id, 2)]):
            assert (
                drawn(seed, campaign=campaign_id, receipt=entry_digest(row.entry), nonce=nonce, weights=weights)
                == index
            )
            weights[index] = 0
        assert row.nonce == len(gone)
    assert sum(row.prize_id is not None for row in rows) <= 5


def test_a_deck_is_dealt_as_its_seed_has_shuffled_it(owner: Person, till: Person, engine: Engine) -> None:
    campaign_id = launched(owner, mode="deck", nothing=4, prizes=[prize(weight=None, stock=6)])
    for _ in range(12):
        sold(till)
    seed = bytes.fromhex(put_state(owner, campaign_id, "ended")["seed"])
    with engine.connect() as conn:
        rows = conn.execute(select(Reward.position, Reward.prize_id).order_by(Reward.position)).all()
    deck = shuffled(seed, campaign=campaign_id, counts=[6, 4])
    assert [int(row.prize_id is None) for row in rows] == deck


def test_a_prize_that_is_gone_is_drawn_no_more(owner: Person, till: Person) -> None:
    launched(owner, prizes=[prize(stock=1, weight=1_000_000), prize(slug="cake", stock=3, weight=1)])
    assert [earned(owner, till) for _ in range(5)] == [1, 1, 1, 1, 0]


# --- caps


def test_a_shopper_gets_no_more_than_their_share(owner: Person, till: Person) -> None:
    launched(owner, caps={"per_shopper": 2})
    assert [earned(owner, till, **ANNA) for _ in range(3)] == [1, 1, 0]
    assert earned(owner, till, shopper={"email": "ben@example.com"}) == 1
    assert [earned(owner, till) for _ in range(3)] == [1, 1, 1]


def test_a_shopper_gets_no_more_than_their_share_of_a_day(owner: Person, till: Person) -> None:
    launched(owner, caps={"per_shopper_per_day": 1})
    assert [earned(owner, till, **ANNA) for _ in range(2)] == [1, 0]


def test_the_next_day_there_is_another_share(owner: Person, till: Person, engine: Engine) -> None:
    launched(owner, caps={"per_shopper_per_day": 1, "per_day": 2})
    assert [earned(owner, till, **ANNA), earned(owner, till), earned(owner, till)] == [1, 1, 0]
    with engine.begin() as conn:
        conn.execute(update(Reward).values(issued_at=utc_now() - timedelta(days=1)))
        conn.execute(update(CampaignTally).values(day="2026-01-01"))
    assert [earned(owner, till, **ANNA), earned(owner, till, **ANNA)] == [1, 0]


def test_in_one_batch_too(owner: Person, till: Person) -> None:
    launched(owner, caps={"per_shopper": 2})
    results = till.post("/v1/receipts/batch", {"receipts": [coffee(**ANNA) for _ in range(6)]}).json()["results"]
    assert sum(len(cards_of(owner, each["receipt"]["id"])) for each in results) == 2


def test_there_is_a_card_for_each_so_much_of_spend(owner: Person, till: Person) -> None:
    launched(owner, for_each="5.00", caps={"per_receipt": 3})
    assert [earned(owner, till, total) for total in ("4.99", "5.00", "14.99", "99.00")] == [0, 1, 2, 3]


def test_a_refund_takes_back_the_cards_that_it_undoes_and_no_others(owner: Person, till: Person) -> None:
    launched(owner, for_each="5.00", caps={"per_receipt": 3})
    receipt_id = sold(till, "15.00")
    till.post("/v1/receipts", refund(receipt_id, "6.00")).raise_for_status()
    assert sorted(card["state"] for card in cards_of(owner, receipt_id)) == ["issued", "void", "void"]


def test_a_budget_is_kept(owner: Person, till: Person) -> None:
    launched(owner, budget={"amount": "10.00", "prizes": 5})
    assert [earned(owner, till) for _ in range(4)] == [1, 1, 1, 0]


# --- who and where


@pytest.mark.parametrize(
    "changes, count",
    [
        ({"brands": ["linden-rye"]}, 1),
        ({"countries": ["DE"]}, 1),
        ({"countries": ["IN"]}, 0),
        ({"eligibility": spending("3.21")}, 0),
        ({"starts_at": "2098-01-01T00:00"}, 0),
        ({"eligibility": {"rule": {"kind": "category", "any_of": ["Drinks"]}}}, 0),
    ],
)
def test_a_sale_earns_where_all_of_it_holds(owner: Person, till: Person, changes: dict[str, Any], count: int) -> None:
    launched(owner, **changes)
    assert earned(owner, till) == count


# --- imported codes


def pooled(owner: Person, codes: bytes, **changes: Any) -> Any:
    campaign_id = drawn_up(owner, prizes=[prize(codes="pool", stock=None)], **changes)
    path = f"/v1/campaigns/{campaign_id}/prizes/coffee/codes"
    return campaign_id, owner.ask("PUT", path, content=codes, headers={"Content-Type": "text/csv"})


def test_imported_codes_are_the_stock_and_are_handed_out_each_once(
    owner: Person, till: Person, engine: Engine, shops: Shops, settings: Settings
) -> None:
    campaign_id, answer = pooled(owner, b"code;note\r\nLIN-001;a\r\n\r\nlin-002;b\r\n")
    assert answer.json() == {"codes": 2}
    put_state(owner, campaign_id, "live")
    cards = [cards_of(owner, sold(till)) for _ in range(3)]
    codes = [scratched(engine, settings, shops.linden, card["id"]) for found in cards for card in found]
    # As they were written: others' tills may tell capitals apart.
    assert sorted(codes) == ["LIN-001", "lin-002"]
    assert owner.post("/v1/rewards/lin-002/redeem", {}).status_code == 200
    with engine.connect() as conn:
        assert b"LIN-001" not in b"".join(conn.scalars(select(PoolCode.sealed)))
        assert conn.scalar(select(func.count()).select_from(PrizeSlot)) == 2


def test_codes_that_are_there_twice_are_refused_with_their_lines(owner: Person) -> None:
    _, answer = pooled(owner, b"A-1\nB-2\na-1\n")
    assert (answer.status_code, [each["pointer"] for each in answer.json()["errors"]]) == (422, ["/3"])
    assert pooled(owner, b"A-1\n")[1].status_code == 200
    _, answer = pooled(owner, b"X-9\nA-1\n")
    assert [each["pointer"] for each in answer.json()["errors"]] == ["/2"]
    assert "A-1" not in answer.text


@pytest.mark.parametrize(
    "table, pointer, wrong",
    [
        (b"sku,number\nS1,A-1\nS2,B-2\n", "/1", "has several columns"),
        (b"A-1\nB-2,for Anna\n", "/2", "has several columns"),
        (b"code,note\n\nA-1,x\na-1,y\n", "/4", "is the code of line 3 again"),
        (b"", "", "must hold a code at least"),
        (b"code\n", "", "must hold a code at least"),
        (b"coupon,voucher\nSPRING,A-1\n", "/1", "has several columns"),
        (b"sku;code\nS1;A-1\nS2;\n", "/3", "has no code"),
    ],
)
def test_a_table_in_which_codes_cannot_be_told_is_refused(
    owner: Person, table: bytes, pointer: str, wrong: str
) -> None:
    _, answer = pooled(owner, table)
    [error] = answer.json()["errors"]
    assert (answer.status_code, error["pointer"]) == (422, pointer)
    assert wrong in error["detail"]


@pytest.mark.parametrize("table", [b"coupon;Code\nSPRING;A-1\nSPRING;B-2\n", b"A-1,\nB-2,\n", b"voucher\nA-1\nB-2"])
def test_codes_are_found_in_the_column_that_is_called_so(owner: Person, table: bytes) -> None:
    assert pooled(owner, table)[1].json() == {"codes": 2}


@pytest.mark.parametrize("code", ["A/1", "..", "x" * 65, "a\tb"])
def test_a_code_that_nobody_could_look_up_is_refused(owner: Person, code: str) -> None:
    _, answer = pooled(owner, f'OK-1\n"{code}"\n'.encode())
    assert (answer.status_code, [each["pointer"] for each in answer.json()["errors"]]) == (422, ["/2"])


@pytest.mark.parametrize("code, hint", [("SPA-2", None), ("SPA-20X", None), ("SPA-20XY", "20XY")])
def test_a_hint_never_tells_more_than_half_of_a_code(
    owner: Person, till: Person, engine: Engine, shops: Shops, settings: Settings, code: str, hint: str | None
) -> None:
    campaign_id, _ = pooled(owner, code.encode())
    put_state(owner, campaign_id, "live")
    receipt = sold(till)
    assert scratched(engine, settings, shops.linden, cards_of(owner, receipt)[0]["id"]) == code
    assert cards_of(owner, receipt)[0]["hint"] == hint


def test_codes_imported_again_take_the_place_of_those_before(owner: Person, engine: Engine) -> None:
    campaign_id, _ = pooled(owner, b"A-1\nB-2\n")
    path = f"/v1/campaigns/{campaign_id}/prizes/coffee/codes"
    assert owner.ask("PUT", path, content=b"B-2\nC-3\nD-4").json() == {"codes": 3}
    assert owner.get(f"/v1/campaigns/{campaign_id}").json()["prizes"][0]["imported"] == 3
    assert owner.ask("PUT", path, content=b"\xff\xfe\x00").status_code == 400
