"""What scratch cards cost, who owes whom for them, what becomes of them, and whether they bring shoppers back."""

import csv
import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Engine, insert, select, update

from engagement.offers.tables import Basket
from engagement.rewards.tables import Prize, Redemption, Reward, WithheldCard
from engagement.rewards.uplift import Group, differences
from infra.settings import Settings
from receipts.tables import Receipt
from tests.support.campaigns import allied, cards_of, consented, drawn_up, launched, prize, scratched, sold
from tests.support.inside import Person
from tests.support.sales import Body, coffee
from tests.support.shops import Shops

_RUPEES: Body = {
    "currency": "INR",
    "eligibility": {"rule": {"kind": "spend", "at_least": "15000.00", "currency": "INR"}},
}


@pytest.fixture
def ally(outsider: Person) -> Person:
    return outsider


def give_at_the_ally(owner: Person, ally: Person, **changes: Any) -> str:
    """A live campaign: ₹15,000 earns ₹2,500 off at Moor's."""
    allied(owner, ally)
    prizes = [prize(slug="moor-2500", face_value="2500.00", supplier="moor", **changes)]
    draft = drawn_up(owner, prizes=prizes, **_RUPEES)
    consented(ally)
    owner.put(f"/v1/campaigns/{draft}/state", {"state": "live"}).raise_for_status()
    return draft


@pytest.fixture
def scratch(engine: Engine, settings: Settings, shops: Shops, owner: Person) -> Any:
    """The code of the card of a receipt."""
    return lambda receipt: scratched(engine, settings, shops.linden, cards_of(owner, receipt)[0]["id"])


def redeem(person: Person, code: str, **body: Any) -> Body:
    return dict(person.post(f"/v1/rewards/{code}/redeem", body).raise_for_status().json())


def report(person: Person, name: str, **query: Any) -> Body:
    return dict(person.get(f"/v1/reward-reports/{name}", **query).raise_for_status().json())


def tabulated(person: Person, name: str, **query: Any) -> list[dict[str, str]]:
    """The same report's table."""
    found = person.get(f"/v1/reward-reports/{name}.csv", **query).raise_for_status().content
    return list(csv.DictReader(found.decode("utf-8-sig").splitlines()))


def test_fifteen_thousand_rupees_earn_a_prize_at_the_ally_and_both_see_who_owes_it(
    owner: Person, till: Person, ally: Person, scratch: Any
) -> None:
    give_at_the_ally(owner, ally)
    assert cards_of(owner, sold(till, "14999.00", currency="INR")) == []
    code = scratch(sold(till, "15000.00", currency="INR"))
    assert owner.post(f"/v1/rewards/{code}/redeem", {}).status_code == 403
    redeem(ally, code)
    [ours], [theirs] = report(owner, "settlement")["allies"], report(ally, "settlement")["allies"]
    assert ours == {"ally": "moor", "currency": "INR", "owed_to_us": "0.00", "owed_by_us": "2500.00"} | {
        "balance": "-2500.00"
    }
    assert theirs == {
        "ally": "linden-rye",
        "currency": "INR",
        "owed_to_us": "2500.00",
        "owed_by_us": "0.00",
        "balance": "2500.00",
    }


def test_what_the_ally_bears_nobody_owes(owner: Person, till: Person, ally: Person, scratch: Any) -> None:
    give_at_the_ally(owner, ally, bearer="ally")
    redeem(ally, scratch(sold(till, "15000.00", currency="INR")))
    for person in (owner, ally):
        [balance] = report(person, "settlement")["allies"]
        assert (balance["owed_to_us"], balance["owed_by_us"]) == ("0.00", "0.00")
    [total] = report(owner, "liability")["total"]
    assert (total["borne_by"], total["redeemed"]) == ("moor", {"cards": 1, "face_value": "2500.00"})


def test_a_roll_back_leaves_a_settled_period_as_it_was_and_counts_in_its_own(
    owner: Person, till: Person, ally: Person, scratch: Any, engine: Engine
) -> None:
    give_at_the_ally(owner, ally)
    code = scratch(sold(till, "15000.00", currency="INR"))
    used = redeem(ally, code)
    with engine.begin() as conn:
        conn.execute(update(Redemption).values(redeemed_at=datetime(2026, 10, 5, 12, tzinfo=UTC)))
    october = {"from": "2026-10-01", "to": "2026-10-31"}
    before = report(owner, "settlement", **october)
    assert before["allies"][0]["owed_by_us"] == "2500.00"
    ally.post(f"/v1/rewards/{code}/rollback", {"redemption": used["id"]}).raise_for_status()
    assert report(owner, "settlement", **october) == before
    [now] = report(owner, "settlement")["rows"]
    assert (now["redeemed"], now["rolled_back"]) == (0, 1)
    assert (now["amount_back"], now["owed_by_us"]) == ("2500.00", "-2500.00")
    for person, owed in ((owner, "owed_by_us"), (ally, "owed_to_us")):
        [row] = tabulated(person, "settlement")
        assert Decimal(row[owed]) == Decimal("-2500.00")


def test_an_ally_sees_its_own_prizes_and_nothing_else_of_a_campaign(
    owner: Person, till: Person, ally: Person, scratch: Any
) -> None:
    allied(owner, ally)
    prizes = [prize(slug="ours", weight=1), prize(slug="theirs", supplier="moor", weight=1)]
    draft = drawn_up(owner, prizes=prizes)
    consented(ally)
    owner.put(f"/v1/campaigns/{draft}/state", {"state": "live"}).raise_for_status()
    receipts = [sold(till) for _ in range(8)]
    ours, theirs = report(owner, "liability"), report(ally, "liability")
    assert (ours["unscratched"], theirs["unscratched"]) == (8, 0)
    assert [each["unscratched"]["cards"] for each in ours["prizes"]] == ["4.0", "4.0"]
    for each in receipts:
        scratch(each)
    ours, theirs = report(owner, "liability")["prizes"], report(ally, "liability")["prizes"]
    assert {each["prize"] for each in ours} == {"ours", "theirs"}
    assert {each["prize"] for each in theirs} == {"theirs"}
    assert [each for each in ours if each["prize"] == "theirs"] == theirs
    assert sum(each["open"]["cards"] for each in ours) == 8
    assert report(ally, "redemption")["rows"] == []
    assert ally.get("/v1/reward-reports/uplift", campaign=draft).status_code == 404


def test_liability_tells_what_may_still_be_asked_for(owner: Person, till: Person, scratch: Any, engine: Engine) -> None:
    launched(owner, nothing=0)
    receipts = [sold(till) for _ in range(5)]
    codes = [scratch(each) for each in receipts[:3]]
    redeem(owner, codes[0])
    long_ago = datetime(2026, 1, 1, tzinfo=UTC)
    with engine.begin() as conn:
        # The clock has not noted it yet.
        conn.execute(update(Reward).where(Reward.receipt_id == receipts[3]).values(expires_at=long_ago))
    found = report(owner, "liability")
    [row] = found["prizes"]
    counts = {name: row[name]["cards"] for name in ("unscratched", "open", "redeemed", "expired", "void")}
    assert counts == {"unscratched": "1.0", "open": 2, "redeemed": 1, "expired": 1, "void": 0}
    assert (found["unscratched"], row["due"], row["taken_off"]) == (1, "9.60", "3.20")
    assert (row["issuer"], row["supplier"], row["bearer"], row["currency"]) == (
        "linden-rye",
        "linden-rye",
        "issuer",
        "EUR",
    )


def test_liability_says_the_same_whatever_the_cards_under_their_foil_hold(
    owner: Person, till: Person, scratch: Any, engine: Engine
) -> None:
    """So nobody can tell what is in one by looking before a sale and after it, or before another card is scratched."""
    launched(owner, prizes=[prize(), prize(slug="tea", face_value="1.90")], nothing=2)
    receipts = [sold(till) for _ in range(8)]
    for each in receipts[:2]:
        scratch(each)
    before = report(owner, "liability")
    assert before["unscratched"] == 6
    assert sum(Decimal(each["unscratched"]["cards"]) for each in before["prizes"]) == 3
    with engine.connect() as conn:
        prizes = list(conn.scalars(select(Prize.id)))
    for held in (*prizes, None):
        with engine.begin() as conn:
            conn.execute(update(Reward).where(Reward.state == "issued").values(prize_id=held))
        assert report(owner, "liability") | {"as_of": ""} == before | {"as_of": ""}


def test_of_a_campaign_that_is_over_liability_tells_by_name(owner: Person, till: Person, scratch: Any) -> None:
    campaign_id = launched(owner)
    code = scratch(sold(till))
    owner.put(f"/v1/campaigns/{campaign_id}/state", {"state": "ended"}).raise_for_status()
    [row] = report(owner, "liability")["prizes"]
    assert (row["open"]["cards"], row["due"]) == (1, "3.20")
    redeem(owner, code)
    assert report(owner, "liability")["prizes"] == []
    [row] = report(owner, "liability", campaign=campaign_id)["prizes"]
    assert (row["redeemed"]["cards"], row["taken_off"], row["due"]) == (1, "3.20", "0.00")


def test_what_was_taken_off_may_be_less_than_the_face_value(owner: Person, till: Person, scratch: Any) -> None:
    launched(owner, prizes=[prize(partial=True)])
    redeem(owner, scratch(sold(till)), amount="1.20")
    [row] = report(owner, "liability")["prizes"]
    assert (row["redeemed"]["face_value"], row["taken_off"], row["due"]) == ("3.20", "1.20", "0.00")


def test_blanks_cost_nothing_and_are_no_liability(owner: Person, till: Person, scratch: Any) -> None:
    launched(owner, nothing=1_000_000)
    receipt = sold(till)
    [row] = report(owner, "liability")["prizes"]
    assert (row["unscratched"], row["due"]) == ({"cards": "0.0", "face_value": "0.00"}, "0.00")
    assert report(owner, "redemption", by="prize")["rows"] == []
    scratch(receipt)
    [row] = report(owner, "redemption", by="prize")["rows"]
    assert (row["prize"], row["issued"], row["won"], row["used_percent"]) == (None, 1, 0, None)


def test_redemption_tells_rates_times_and_stores(owner: Person, till: Person, scratch: Any, engine: Engine) -> None:
    launched(owner)
    codes = [scratch(sold(till)) for _ in range(4)]
    sold(till)
    for code in codes[:3]:
        redeem(owner, code)
    with engine.begin() as conn:
        for hours, (card,) in enumerate(conn.execute(select(Reward.id).where(Reward.state == "redeemed")).all(), 1):
            mine = update(Reward).where(Reward.id == card)
            revealed = conn.scalar(select(Reward.revealed_at).where(Reward.id == card))
            assert revealed
            conn.execute(mine.values(redeemed_at=revealed + timedelta(hours=hours)))
    found = report(owner, "redemption")
    [row] = found["rows"]
    assert (row["issued"], row["scratched"], row["won"], row["used"]) == (5, 4, 4, 3)
    assert (row["scratched_percent"], row["used_percent"]) == ("80.0", "75.0")
    assert (row["seconds_to_use_median"], row["seconds_to_use_90_percent"]) == (7_200, 10_800)
    assert found["stores"] == [{"store": None, "currency": "EUR", "used": 3, "amount": "9.60"}]
    [day] = report(owner, "redemption", by="day")["rows"]
    assert (day["day"], day["issued"]) == (datetime.now(UTC).date().isoformat(), 5)


@pytest.mark.parametrize("name", ["liability", "settlement", "redemption"])
def test_each_report_comes_as_a_table_too(owner: Person, till: Person, ally: Person, scratch: Any, name: str) -> None:
    give_at_the_ally(owner, ally)
    redeem(ally, scratch(sold(till, "15000.00", currency="INR")))
    answer = owner.get(f"/v1/reward-reports/{name}.csv").raise_for_status()
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    head, row, *rest = answer.content.decode("utf-8-sig").splitlines()
    assert rest == []
    assert len(head.split(",")) == len(row.split(","))
    if name == "settlement":
        assert dict(zip(head.split(","), row.split(","), strict=True))["owed_by_us"] == "2500.00"


@pytest.mark.parametrize(
    "query",
    [{"from": "2026-02-01", "to": "2026-01-01"}, {"from": "2020-01-01"}, {"from": "soon"}, {"to": "9999-12-31"}],
)
def test_a_period_that_is_none_is_refused(owner: Person, query: dict[str, str]) -> None:
    for name in ("settlement", "redemption"):
        assert owner.get(f"/v1/reward-reports/{name}", **query).status_code == 422


def test_shoppers_who_are_held_out_get_no_card_and_are_always_the_same(
    owner: Person, till: Person, engine: Engine
) -> None:
    launched(owner, holdout=50)
    for _ in range(2):
        for number in range(20):
            sold(till, shopper={"customer_id": f"C-{number}"})
        sold(till)
    with engine.connect() as conn:
        withheld = list(conn.scalars(select(WithheldCard.shopper)))
        given = list(conn.scalars(select(Reward.shopper)))
    assert len(withheld) + len(given) == 42
    assert given.count(None) == 2
    assert set(withheld) & set(given) == set()
    assert {withheld.count(each) for each in withheld} == {2}
    assert 3 <= len(set(withheld)) <= 17


def test_uplift_compares_those_with_cards_to_those_held_out(
    owner: Person, till: Person, engine: Engine, shops: Shops
) -> None:
    campaign_id = launched(owner, holdout=50, prizes=[prize(stock=1_000)])
    people = [f"C-{number}" for number in range(100)]
    earn(till, people)
    with engine.begin() as conn:
        first = datetime.now(UTC) - timedelta(days=40)
        conn.execute(update(Reward).values(issued_at=first))
        conn.execute(update(WithheldCard).values(withheld_at=first))
        with_cards = set(conn.scalars(select(Reward.shopper)))
        without = set(conn.scalars(select(WithheldCard.shopper)))
    assert min(len(with_cards), len(without)) >= 30
    # Of those with cards three in four come back, of the others one in four; each spends 3.20 again.
    back = [*sorted(map(str, with_cards))[: len(with_cards) * 3 // 4], *sorted(without)[: len(without) // 4]]
    earn(till, [None] * len(back))
    later(engine, shops.linden, back)
    found = report(owner, "uplift", campaign=campaign_id)
    assert (found["with_cards"]["shoppers"], found["held_out"]["shoppers"]) == (len(with_cards), len(without))
    assert found["with_cards"]["came_back"] == len(with_cards) * 3 // 4
    assert Decimal(found["held_out"]["spent"]) == len(without) // 4 * Decimal("3.20")
    assert Decimal(found["spend"]["low"]) > 0
    assert Decimal(found["came_back"]["low"]) > 0
    assert report(owner, "uplift", campaign=campaign_id, days=50)["with_cards"]["shoppers"] == 0
    given, kept, apart = tabulated(owner, "uplift", campaign=campaign_id)
    assert {name: given[name] for name in found["with_cards"]} == {
        name: str(value) for name, value in found["with_cards"].items()
    }
    assert kept["shoppers"] == str(found["held_out"]["shoppers"])
    assert apart["spend_difference_low"] == found["spend"]["low"]
    assert apart["came_back_difference"] == found["came_back"]["value"]


def earn(till: Person, shoppers: Sequence[str | None]) -> None:
    bodies = [coffee(**({"shopper": {"customer_id": each}} if each else {})) for each in shoppers]
    for at in range(0, len(bodies), 50):
        till.post("/v1/receipts/batch", {"receipts": bodies[at : at + 50]}).raise_for_status()


def later(engine: Engine, merchant_id: str, shoppers: list[str]) -> None:
    """The newest receipts are those of these shoppers, twenty days ago: what the ledger would have written."""
    at = datetime.now(UTC) - timedelta(days=20)
    with engine.begin() as conn:
        newest = conn.execute(select(Receipt.id, Receipt.store_id).order_by(Receipt.id.desc()).limit(len(shoppers)))
        rows = [
            {
                "receipt_id": row.id,
                "merchant_id": merchant_id,
                "store_id": row.store_id,
                "shopper": shopper,
                "at": at,
                "items": "[]",
                "returned": "[]",
            }
            for row, shopper in zip(newest.all(), shoppers, strict=True)
        ]
        conn.execute(insert(Basket), rows)


def test_without_a_holdout_nothing_is_said(owner: Person, till: Person) -> None:
    campaign_id = launched(owner)
    sold(till, shopper={"customer_id": "C-1"})
    found = report(owner, "uplift", campaign=campaign_id)
    assert (found["holdout"], found["spend"], found["came_back"]) == (0, None, None)


def group(spends: list[int]) -> Group:
    return Group(len(spends), sum(each > 0 for each in spends), sum(spends), sum(each * each for each in spends))


def test_the_interval_holds_the_truth_as_often_as_it_says() -> None:
    """Two groups between whom there is no difference, two thousand times: the interval must hold zero in 95 of 100."""
    chance = random.Random(20261128)
    held = {"spend": 0, "back": 0}
    for _ in range(2_000):
        groups = [
            group([chance.randint(200, 5_000) if chance.random() < 0.3 else 0 for _ in range(60)]) for _ in range(2)
        ]
        spend, back = differences(*groups)
        assert spend
        assert back
        held["spend"] += spend.low <= 0 <= spend.high
        held["back"] += back.low <= 0 <= back.high
    assert 0.93 <= held["spend"] / 2_000 <= 0.97
    assert 0.93 <= held["back"] / 2_000 <= 0.975


def test_of_few_shoppers_nothing_is_said() -> None:
    assert differences(group([1] * 29), group([2] * 100)) == (None, None)
    assert differences(group([0] * 30), group([0] * 30))[0] is not None
