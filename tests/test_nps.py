"""The Net Promoter Score: who is of which segment, the score, and how sure it is."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engagement import nps
from engagement.nps import RECOMMEND, SATISFIED, Counts
from tests.support.nps import CROWDS, coverage, plain

COUNTS = st.builds(Counts, *(st.integers(0, 10_000) for _ in range(3)))


def test_of_ten_two_are_passive_and_two_promote() -> None:
    assert [nps.segment(score) for score in RECOMMEND] == [*["detractor"] * 7, *["passive"] * 2, *["promoter"] * 2]


def test_of_five_two_are_content() -> None:
    assert [nps.segment(score, SATISFIED) for score in SATISFIED] == [
        *["detractor"] * 2,
        "passive",
        *["promoter"] * 2,
    ]


@pytest.mark.parametrize("score, scale", [(11, RECOMMEND), (-1, RECOMMEND), (0, SATISFIED), (6, SATISFIED)])
def test_a_score_beyond_its_scale_has_no_segment(score: int, scale: range) -> None:
    with pytest.raises(ValueError, match="a score is from"):
        nps.segment(score, scale)


def test_passives_count_in_the_number_and_not_in_the_score() -> None:
    assert nps.score(Counts(promoters=50, passives=30, detractors=20)) == Decimal("30.0")


def test_nobody_has_no_score_and_any_may_be_true() -> None:
    assert nps.score(Counts()) is None
    assert nps.satisfaction(Counts()) is None
    assert nps.interval(Counts()) == nps.Interval(Decimal("-80.0"), Decimal("80.0"))


def test_the_interval_is_the_published_one() -> None:
    """Of 10 promoters, 6 passives and 4 detractors, by hand: 23 answers, 10.75 and 4.75 of them, a middle of 6/23 and
    a variance of (15.5/23 − (6/23)²)/23 = 0.026342…, whose root is 0.162304…"""
    assert nps.interval(Counts(10, 6, 4)) == nps.Interval(Decimal("-5.7"), Decimal("57.9"))


@given(COUNTS)
def test_the_score_is_exact_before_it_is_rounded(counts: Counts) -> None:
    told = nps.score(counts)
    if counts.total:
        assert told is not None
        exact = Fraction(100 * (counts.promoters - counts.detractors), counts.total)
        assert abs(Fraction(told) - exact) <= Fraction(1, 20)
        assert -100 <= told <= 100


@given(COUNTS)
def test_the_interval_lies_on_the_scale_and_turns_with_the_opinions(counts: Counts) -> None:
    here = nps.interval(counts)
    turned = nps.interval(Counts(counts.detractors, counts.passives, counts.promoters))
    # Of ten thousand passives it is narrower than what is told of it.
    assert -100 <= here.low <= here.high <= 100
    assert (turned.low, turned.high) == (-here.high, -here.low)


@given(COUNTS, st.integers(2, 50))
def test_more_of_the_same_answers_are_surer(counts: Counts, times: int) -> None:
    more = Counts(counts.promoters * times, counts.passives * times, counts.detractors * times)
    if counts.total:
        few, many = nps.interval(counts), nps.interval(more)
        assert many.high - many.low <= few.high - few.low


@given(COUNTS)
def test_satisfaction_is_a_share_with_an_interval_around_it(counts: Counts) -> None:
    share, around = nps.satisfaction(counts), nps.satisfaction_interval(counts)
    assert 0 <= around.low <= around.high <= 100
    assert share is None or 0 <= share <= 100


@given(COUNTS, COUNTS)
def test_counts_add_up(one: Counts, other: Counts) -> None:
    assert (one + other).total == one.total + other.total


def test_few_answers_are_not_told() -> None:
    assert [count for count in range(10) if nps.is_told(count)] == [5, 6, 7, 8, 9]
    assert nps.is_told(3, least=3)


@pytest.mark.parametrize("size", [10, 30, 100])
def test_the_interval_holds_the_true_score_as_often_as_it_says(size: int) -> None:
    assert all(93 <= each <= 97 for each in coverage(size, rounds=4_000))


def test_the_plain_interval_would_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: with nothing added, ten answers say more than they know."""
    monkeypatch.setattr(nps, "interval", plain)
    assert min(coverage(10, rounds=4_000)) < 93
    assert len(CROWDS) == 5


def test_a_half_is_rounded_away_from_zero() -> None:
    assert nps.score(Counts(1, 799, 0)) == Decimal("0.1")  # 0.125
    assert nps.satisfaction(Counts(1, 1999, 0)) == Decimal("0.1")  # 0.05
    assert nps.score(Counts(0, 1999, 1)) == Decimal("-0.1")
