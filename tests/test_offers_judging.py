"""Methods are judged by what they would have offered to later baskets, and tuned by earlier ones."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from engagement.offers import baskets, popularity
from engagement.offers.backtest import Cases, figures, follow, hide, split
from engagement.offers.lesson import Row
from engagement.offers.tuning import tuned
from tests.support.baskets import pairs_of, some_baskets


def test_the_last_fifth_tests_what_all_before_it_taught() -> None:
    teach, tune, learned_from, test = split(baskets.of(pairs_of(*["ab"] * 100)))
    assert [len(part) for part in (teach, tune, learned_from, test)] == [70, 10, 80, 20]
    assert teach.at.max() < tune.at.min()
    assert learned_from.at.max() < test.at.min()


def test_of_each_basket_one_item_is_hidden_and_the_others_stay() -> None:
    found = baskets.of(pairs_of("abc", "bcd", "abd"))
    cases = hide(found, found, seed=3)
    assert cases.seen.sum(axis=1).tolist() == [2, 2, 2]
    for row, hidden in enumerate(cases.hidden):
        assert cases.seen.toarray()[row, hidden] == 0
        assert found.lines.toarray()[row, hidden] == 1


def test_what_nobody_had_bought_before_does_not_count() -> None:
    found = baskets.of(pairs_of("ab", "yz", "yz"))
    assert len(hide(found.part(1, 3), found.part(0, 1), seed=0)) == 0


def test_a_basket_of_one_item_is_no_case() -> None:
    found = baskets.of(pairs_of("a", "b", "a"))
    assert len(hide(found, found, seed=0)) == 0


@given(some_baskets, st.integers(0, 9))
def test_what_is_hidden_was_in_the_basket_and_is_known(told: list[str], seed: int) -> None:
    found = baskets.of(pairs_of(*told))
    taught, asked = found.part(0, len(found) // 2), found.part(len(found) // 2, len(found))
    cases = hide(asked, taught, seed=seed)
    sizes = sorted(len(letters) for letters in told[len(found) // 2 :])
    assert all(size + 1 in sizes for size in np.diff(cases.seen.indptr))
    assert (np.asarray(taught.lines.sum(axis=0))[cases.hidden] > 0).all()


def test_what_a_shopper_buys_next_is_told_from_the_basket_before_and_is_new_to_them() -> None:
    rows = [
        Row("1", "tea", 1, "ann"), Row("2", "milk", 2, "bob"), Row("3", "cup", 3, "eve"),
        Row("4", "milk", 4, "ann"), Row("5", "tea", 5, "ann"), Row("5", "cup", 5, "ann"), Row("5", "milk", 5, "ann"),
        Row("6", "milk", 6, "bob"), Row("7", "tea", 7, "eve"), Row("8", "tea", 8),
    ]  # fmt: skip
    found = baskets.of(rows)
    cases = follow(found, 4, seed=0)
    told = {
        found.items[hidden]: (
            {found.items[at] for at in cases.seen[[row]].indices},
            {found.items[at] for at in cases.left_out[[row]].indices},
        )
        for row, hidden in enumerate(cases.hidden)
    }
    assert told == {"cup": ({"milk"}, {"tea", "milk"}), "tea": ({"cup"}, {"cup"})}


def test_nobody_who_is_known_leaves_nothing_to_follow() -> None:
    assert len(follow(baskets.of(pairs_of("ab", "ab", "ab")), 1, seed=0)) == 0


@given(some_baskets, st.integers(0, 9))
def test_what_is_bought_next_was_never_had_before(told: list[str], seed: int) -> None:
    rows = [row._replace(shopper=f"s{int(row.basket.removeprefix('None')) % 2}") for row in pairs_of(*told)]
    found = baskets.of(rows)
    cases = follow(found, len(found) // 2, seed=seed)
    for row, hidden in enumerate(cases.hidden):
        had = set(cases.left_out[[row]].indices)
        assert hidden not in had
        assert set(cases.seen[[row]].indices) <= had


def rank(scores: list[float], sold: list[float], *, seen: int, hidden: int) -> float:
    """Of one case: the mean of 1 / rank tells it."""
    items = len(scores)
    table = np.zeros((items, items), np.float32)
    table[seen] = scores
    row = np.zeros((1, items), np.float32)
    row[0, seen] = 1
    seen = sparse.csr_array(row)
    cases = Cases(seen, seen, np.array([hidden]), np.array([-1], np.int32))
    behind = popularity.Popularity(np.array(sold), {})
    return 1 / figures(cases, sparse.csr_array(table), behind).mrr


def test_what_goes_with_the_basket_is_ahead_of_what_sells() -> None:
    assert rank([0, 0.5, 0, 0.2], [9, 1, 8, 1], seen=0, hidden=3) == pytest.approx(2)
    assert rank([0, 0.5, 0, 0.2], [9, 1, 8, 1], seen=0, hidden=2) == pytest.approx(3)


def test_what_is_in_the_basket_is_not_ranked() -> None:
    assert rank([9, 0, 0, 0.2], [9, 1, 8, 1], seen=0, hidden=3) == pytest.approx(1)


def test_those_that_tie_share_the_mean_of_their_ranks() -> None:
    assert rank([0, 0.5, 0.5, 0.5], [1, 1, 1, 1], seen=0, hidden=3) == pytest.approx(2)


def test_tuning_takes_the_best_value_of_each_parameter_and_keeps_the_first_of_equals() -> None:
    def judge(params: object) -> object:
        a, b = params["a"], params["b"]  # type: ignore[index]
        return figures_of(1 - abs(a - 2) - abs(b - 1) / 10)

    def figures_of(worth: float) -> object:
        return type("Worth", (), {"hr10": worth, "mrr": 0.0})()

    space = {"a": (0.0, 1.0, 2.0), "b": (3.0, 1.0), "idle": (5.0, 6.0)}
    assert tuned(space, judge) == {"a": 2.0, "b": 1.0, "idle": 5.0}  # type: ignore[arg-type]
