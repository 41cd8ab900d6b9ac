"""Which sales earn a card: rules, spend and time, without a database."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from engagement.rewards.definition import instant, read_campaign, terms_digest
from engagement.rewards.rules import Eligibility, Facts, Rule, holds, least_spend, still_holds, store_clock, truths
from engagement.rewards.sold import Sold, facts_of
from engagement.rewards.spend import net_spend
from kernel import money
from receipts.reading import read_sale
from tests.support.campaigns import campaign, prize
from tests.support.sales import coffee

# A Saturday, at ten past five by the store's clock.
FACTS = Facts(
    spend=1500,
    currency="EUR",
    store="mitte",
    brand="linden-rye",
    sold_at=datetime(2026, 11, 28, 17, 10, tzinfo=UTC),
    skus=frozenset({"BREAD"}),
    categories=frozenset({"Bakery"}),
    segments=frozenset({"vip"}),
    channels=frozenset({"in_store", "api"}),
    is_known=True,
)


def rule(body: dict[str, Any]) -> Rule:
    return Eligibility.model_validate({"rule": body}).rule


def spend(cents: int, currency: str = "EUR") -> dict[str, Any]:
    return {"kind": "spend", "at_least": money.plain(cents, 2), "currency": currency}


@pytest.mark.parametrize(
    "body, expected",
    [
        (spend(1500), True),
        (spend(1501), False),
        (spend(1, "INR"), False),
        ({"kind": "store", "any_of": ["kreuzberg", "mitte"]}, True),
        ({"kind": "store", "any_of": ["kreuzberg"]}, False),
        ({"kind": "brand", "any_of": ["linden-rye"]}, True),
        ({"kind": "sku", "any_of": ["KNIFE", "BREAD"]}, True),
        ({"kind": "sku", "any_of": ["KNIFE"]}, False),
        ({"kind": "category", "any_of": ["Bakery"]}, True),
        ({"kind": "segment", "any_of": ["vip"]}, True),
        ({"kind": "segment", "any_of": ["staff"]}, False),
        ({"kind": "known_shopper"}, True),
        ({"kind": "first_purchase"}, False),
        ({"kind": "weekday", "any_of": ["sat", "sun"]}, True),
        ({"kind": "weekday", "any_of": ["mon"]}, False),
        ({"kind": "hours", "any_of": ["17:00-19:00"]}, True),
        ({"kind": "hours", "any_of": ["16:00-17:10"]}, False),
        ({"kind": "hours", "any_of": ["17:10-17:11"]}, True),
        ({"kind": "hours", "any_of": ["22:00-06:00"]}, False),
        ({"kind": "hours", "any_of": ["15:00-06:00"]}, True),
        ({"kind": "channel", "any_of": ["in_store"]}, True),
        ({"kind": "channel", "any_of": ["online"]}, False),
        ({"kind": "not", "of": spend(2000)}, True),
        ({"kind": "any", "of": [spend(2000), {"kind": "known_shopper"}]}, True),
        ({"kind": "all", "of": [spend(1000), {"kind": "first_purchase"}]}, False),
    ],
)
def test_a_rule_holds_or_does_not(body: dict[str, Any], expected: bool) -> None:
    assert holds(rule(body), FACTS) is expected


def test_without_a_rule_every_sale_earns() -> None:
    assert holds(None, FACTS)
    assert least_spend(None, FACTS) == 0


def test_a_rule_that_does_not_exist_is_refused_where_it_stands() -> None:
    for wrong in ({"kind": "all", "of": []}, {"kind": "moon"}, {"kind": "hours", "any_of": ["25:00-26:00"]}):
        with pytest.raises(ValidationError):
            rule(wrong)


def test_a_tree_may_not_be_too_deep() -> None:
    deep = spend(1)
    for _ in range(8):
        deep = {"kind": "not", "of": deep}
    with pytest.raises(ValidationError, match="8 deep"):
        rule(deep)


_LEAVES = st.one_of(
    st.integers(0, 30).map(spend),
    st.sampled_from([{"kind": "known_shopper"}, {"kind": "first_purchase"}]),
)
_TREES = st.recursive(
    _LEAVES,
    lambda below: st.one_of(
        st.builds(lambda of: {"kind": "not", "of": of}, below),
        st.builds(
            lambda kind, of: {"kind": kind, "of": of},
            st.sampled_from(["all", "any"]),
            st.lists(below, min_size=1, max_size=3),
        ),
    ),
    max_leaves=6,
)


@given(_TREES.filter(lambda tree: len(str(tree)) < 600), st.integers(0, 40))
def test_what_is_needed_is_the_least_spend_down_to_which_the_rule_holds_throughout(
    body: dict[str, Any], cents: int
) -> None:
    try:
        tree = rule(body)
    except ValidationError:
        return
    facts = replace(FACTS, spend=cents)
    if not tree.holds(facts):
        return
    least = least_spend(tree, facts)
    assert all(tree.holds(replace(facts, spend=each)) for each in range(least, cents + 1))
    assert least == 0 or not tree.holds(replace(facts, spend=least - 1))


@given(_TREES.filter(lambda tree: len(str(tree)) < 600), st.integers(0, 40), st.integers(0, 40), st.booleans())
def test_a_rule_that_is_asked_again_says_what_it_would_say_of_what_is_left(
    body: dict[str, Any], cents: int, left: int, is_kept: bool
) -> None:
    bread = {"kind": "sku", "any_of": ["BREAD"]}
    try:
        tree = rule({"kind": "any", "of": [{"kind": "all", "of": [body, bread]}, {"kind": "not", "of": body}]})
    except ValidationError:
        return
    before = replace(FACTS, spend=cents)
    after = replace(before, spend=left, skus=frozenset({"BREAD"} if is_kept else ()))
    told = truths(tree, before)
    assert told is not None
    # Who they are is not looked up anew.
    assert still_holds(tree, told, replace(after, is_known=False, is_first=True)) is tree.holds(after)


def test_a_rule_that_asks_for_no_goods_is_not_asked_again() -> None:
    assert truths(rule({"kind": "all", "of": [spend(5), {"kind": "known_shopper"}]}), FACTS) is None


# --- what was spent


def lines(*totals: tuple[str, str]) -> list[dict[str, Any]]:
    return [{"id": str(at), "name": kind, "type": kind, "total": total} for at, (kind, total) in enumerate(totals)]


@pytest.mark.parametrize(
    "changes, expected",
    [
        ({}, 320),
        ({"tip": "1.00", "total": "4.20"}, 320),
        ({"rounding": "0.05", "total": "3.25"}, 320),
        ({"lines": lines(("product", "3.20"), ("deposit", "0.50")), "total": "3.70"}, 320),
        ({"lines": lines(("product", "3.20"), ("gift_card", "50.00")), "total": "53.20"}, 320),
        ({"lines": lines(("donation", "5.00")), "total": "5.00"}, 0),
        ({"kind": "refund", "total": "-3.20"}, 320),
    ],
)
def test_net_spend_is_what_goods_cost(changes: dict[str, Any], expected: int) -> None:
    assert net_spend(read_sale(coffee(**changes))) == expected


def test_a_sale_is_looked_at_by_the_clock_of_its_store() -> None:
    sale = read_sale(
        coffee(issued_at="2026-11-28T23:30:00Z", service="takeaway", metadata={"segments": ["vip", 3, "club"]})
    )
    sold = Sold("mer", "rct", sale, "shopify", None, "sto", "mitte", "linden-rye", "DE", "Europe/Berlin", None)
    facts = facts_of(sold, is_first=False)
    assert (facts.sold_at.hour, facts.sold_at.weekday()) == (0, 6)
    assert (sorted(facts.segments), sorted(facts.channels)) == (["club", "vip"], ["shopify", "takeaway"])
    assert store_clock(sale.issued_at, "Asia/Kolkata").strftime("%a %H:%M") == "Sun 05:00"


# --- dates


@pytest.mark.parametrize(
    "told, is_end, expected",
    [
        ("2026-07-01T00:00", False, datetime(2026, 6, 30, 22, tzinfo=UTC)),
        ("2026-12-01T00:00", False, datetime(2026, 11, 30, 23, tzinfo=UTC)),
        # Twice on the night on which the clock is put back.
        ("2026-10-25T02:30", False, datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
        ("2026-10-25T02:30", True, datetime(2026, 10, 25, 1, 30, tzinfo=UTC)),
        # And never on the one on which it is put forward.
        ("2026-03-29T02:30", False, datetime(2026, 3, 29, 1, 30, tzinfo=UTC)),
        ("2026-03-29T02:30", True, datetime(2026, 3, 29, 1, 30, tzinfo=UTC)),
    ],
)
def test_a_campaign_begins_and_ends_by_the_clock_of_its_place(told: str, is_end: bool, expected: datetime) -> None:
    assert instant(told, "Europe/Berlin", is_end=is_end) == expected


@pytest.mark.parametrize(
    "changes",
    [
        {"starts_at": "2026-11-01T00:00+01:00"},
        {"starts_at": "tomorrow"},
        {"starts_at": "0001-01-01T00:00"},
        {"timezone": "Mars/Olympus"},
        {"currency": "XYZ"},
        {"name": {}},
        {"name": {"tlh": "Qapla'"}},
        {"nothing": -1},
        {"for_each": "0"},
        {"prizes": [prize(), prize()]},
        {"prizes": [prize(percent=101)]},
        {"budget": {"money": 5}},
    ],
)
def test_what_no_campaign_can_be_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        read_campaign(campaign(**changes))


def test_an_ally_consents_to_the_prize_and_its_time_but_not_to_its_odds() -> None:
    def digest(changes: dict[str, Any], **of_prize: Any) -> str:
        told = read_campaign(campaign(**changes, prizes=[prize(**of_prize)]))
        return terms_digest(told, told.prizes[0], codes=0)

    same = digest({})
    assert digest({"rules": {"en": "Others."}}, weight=9) == same
    others = [digest({}, stock=51), digest({}, bearer="ally"), digest({"ends_at": "2098-01-01T00:00"})]
    assert same not in others
