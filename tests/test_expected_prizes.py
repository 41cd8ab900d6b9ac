"""What cards under their foil are to be reckoned with follows from the table, and from what is told: no card is looked
at."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import fields
from fractions import Fraction
from itertools import permutations
from typing import Any

from hypothesis import given
from hypothesis import strategies as some

from engagement.rewards.definition import read_campaign
from engagement.rewards.expected import expected
from engagement.rewards.records import CampaignRecord, PrizeRecord
from tests.support.campaigns import campaign, prize

Row = tuple[int, int]


def drawn_up(rows: Sequence[Row], **changes: Any) -> CampaignRecord:
    """Of prizes worth 3.20, by weight and stock."""
    told = read_campaign(campaign(prizes=[prize()], **changes))
    made = (
        PrizeRecord("", "", at, "", "", "", told.prizes[0], 320, "EUR", "issuer", stock, weight, None)
        for at, (weight, stock) in enumerate(rows)
    )
    rest: dict[str, Any] = {each.name: None for each in fields(CampaignRecord)}
    return CampaignRecord(**rest | {"state": "live", "definition": told, "prizes": tuple(made)})


def test_of_a_deck_it_is_the_mean_of_all_ways_in_which_the_rest_may_lie() -> None:
    """Two of a prize, one of another, three blanks; two cards are told, and the next two are not."""
    of_deck = drawn_up([(0, 2), (0, 1)], mode="deck", nothing=3)
    for told in ((2, 0), (0, 1), (2, 2)):
        ways = [each for each in permutations((0, 0, 1, 2, 2, 2)) if each[:2] == told]
        held = Counter(card for way in ways for card in way[2:4])
        mean = [Fraction(held[at], len(ways)) for at in (0, 1)]
        assert expected(of_deck, [told.count(at) for at in (0, 1, 2)], 2) == mean


def test_of_a_draw_it_goes_by_the_weights() -> None:
    assert expected(drawn_up([(3, 50), (1, 50)], nothing=6), [0, 0, 0], 20) == [6, 2]


def test_of_a_prize_that_runs_out_it_is_what_is_left_and_others_have_the_rest() -> None:
    assert expected(drawn_up([(9, 5), (1, 50)]), [2, 7, 0], 10) == [3, 7]
    assert expected(drawn_up([(9, 5), (1, 50)], nothing=1), [5, 0, 0], 10) == [0, 5]


def test_it_keeps_to_the_budget() -> None:
    assert expected(drawn_up([(1, 50), (1, 50)], budget={"prizes": 4}), [1, 1, 0], 10) == [1, 1]
    assert expected(drawn_up([(1, 50)], budget={"amount": "9.60"}), [1, 0], 10) == [2]
    assert expected(drawn_up([(1, 50)], budget={"amount": "3.20"}), [1, 0], 10) == [0]


@given(
    some.lists(some.tuples(some.integers(1, 10**9), some.integers(1, 100)), min_size=1, max_size=6),
    some.integers(0, 10**6),
    some.integers(0, 400),
    some.data(),
)
def test_it_is_never_more_than_there_are_of_prizes_and_of_cards(
    rows: list[Row], nothing: int, hidden: int, data: some.DataObject
) -> None:
    given_of = [data.draw(some.integers(0, stock)) for _, stock in rows]
    left = [stock - count for (_, stock), count in zip(rows, given_of, strict=True)]
    found = expected(drawn_up(rows, nothing=nothing), [*given_of, 0], hidden)
    assert all(0 <= mean <= most for mean, most in zip(found, left, strict=True))
    assert sum(found) <= hidden
    if not nothing:
        assert sum(found) == min(hidden, sum(left))
