"""What is bought together is counted and weighed, and so is what sells."""

import math

import numpy as np
import pytest
from hypothesis import given
from scipy import sparse

from engagement.offers import baskets, pairs, popularity, ridge
from engagement.offers.lesson import NEIGHBOURS, Row
from engagement.offers.methods import RECEIPTS, Taught
from tests.support.baskets import pairs_of, some_baskets, with_taste

# What is counted


@given(some_baskets)
def test_pairs_are_counted_and_weighed_as_by_hand(told: list[str]) -> None:
    found = baskets.of(pairs_of(*told))
    both = pairs.together(pairs.receipts(found), size_power=0.5, half_life=10.0)
    assert (pairs.counted(pairs.receipts(found)) != both.counts).nnz == 0
    counts, at = both.counts.toarray(), {item: place for place, item in enumerate(found.items)}
    sums = np.zeros_like(counts)
    sums[pairs.rows_of(both.counts), both.counts.indices] = both.sums
    for one in at:
        for other in at:
            having = [day for day, letters in enumerate(told) if one != other and one in letters and other in letters]
            weight = sum((len(told[day]) - 1) ** -0.5 * 0.5 ** ((len(told) - 1 - day) / 10) for day in having)
            assert counts[at[one], at[other]] == len(having)
            assert sums[at[one], at[other]] == pytest.approx(weight, rel=1e-5)


def test_an_item_twice_on_a_receipt_counts_once() -> None:
    both = pairs.together(pairs.receipts(baskets.of(pairs_of("aab", "ab"))), 1.0, None)
    assert both.counts.toarray().tolist() == [[0, 2], [2, 0]]


def test_a_pair_is_told_by_its_weight_over_how_often_both_sell() -> None:
    found = Taught(baskets.of(pairs_of("ab", "ab", "abc", "ad", "a")))
    params = {"item_power": 1.0, "other_power": 0.5, "size_power": 1.0, "seen": 3.0, "half_life": None}
    scores = RECEIPTS.near(found, params).toarray()
    assert scores[0, 1] == pytest.approx((1 + 1 + 1 / 2) / (5 * math.sqrt(3)))
    assert np.count_nonzero(scores) == 2, "what was seen fewer than three times is chance"


def test_of_a_receipt_of_hundreds_of_items_a_hundred_are_paired() -> None:
    rows = [Row("wholesale", f"i{item}", 0) for item in range(400)]
    units = pairs.receipts(baskets.of(rows))
    assert units.lines.nnz == 100
    assert (units.lines != pairs.receipts(baskets.of(rows)).lines).nnz == 0, "and always the same"


def test_no_item_has_more_than_a_hundred_neighbours_and_they_are_the_best() -> None:
    draw = np.random.default_rng(1)
    scores = sparse.csr_array(draw.random((3, 500)))
    best = pairs.nearest(scores).toarray()
    assert (best > 0).sum(axis=1).tolist() == [NEIGHBOURS] * 3
    assert best.min(axis=1, where=best > 0, initial=1).tolist() == np.sort(scores.toarray())[:, -NEIGHBOURS].tolist()


def test_what_one_shopper_bought_at_different_times_is_a_pair_and_strangers_share_nothing() -> None:
    rows = [Row("1", "tent", 1, "ann"), Row("2", "stove", 2, "ann"), Row("3", "rope", 3), Row("4", "lamp", 4)]
    units = pairs.shoppers(baskets.of(rows))
    both = pairs.together(units, 0.0, None).counts.toarray()
    assert both.tolist() == [[0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]]
    assert units.at.tolist() == [2]


def test_of_a_long_life_the_last_items_are_paired() -> None:
    rows = [Row(str(at), f"i{at}", at, "ann") for at in range(150)]
    kept = pairs.shoppers(baskets.of(rows)).lines.indices
    assert sorted(kept) == list(range(50, 150))


def test_ridge_weights_are_those_of_the_inverse() -> None:
    found = Taught(baskets.of(with_taste(800)))
    lines = found.baskets.lines.toarray().astype(float)
    inverse = np.linalg.inv(lines.T @ lines + 20 * np.eye(lines.shape[1]))
    wanted = -inverse / np.diag(inverse)
    np.fill_diagonal(wanted, 0)
    weights = ridge.weights(found.counts(), found.bought("receipts", None), 20.0).toarray()
    assert np.allclose(weights, np.maximum(wanted, 0), atol=1e-5)


@pytest.mark.parametrize("size", [1, 2, 511, 512, 513, 1_200])
def test_an_inverse_by_halves_is_an_inverse(size: int) -> None:
    square = np.eye(size, dtype=np.float32) * 3 + np.float32(1 / size)
    assert np.allclose(ridge._inverse(square) @ square, np.eye(size), atol=1e-4)


def test_only_the_most_bought_take_part_in_the_ridge(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ridge, "MOST_ITEMS", 2)
    found = Taught(baskets.of(pairs_of("ab", "ab", "abc", "abc", "cd")))
    weights = ridge.weights(found.counts(), found.bought("receipts", None), 1.0).toarray()
    assert {(row, col) for row, col in np.argwhere(weights)} <= {(0, 1), (1, 0)}


# What sells


def test_what_sold_lately_is_ahead_of_what_sold_long_ago() -> None:
    found = baskets.of(pairs_of(*["a"] * 30, *["b"] * 20))
    assert popularity.count(found, None).ranked(found.items, [])[0].item == "a"
    assert popularity.count(found, 5.0).ranked(found.items, [])[0].item == "b"


def test_a_store_with_enough_baskets_has_its_own_list_and_a_small_one_has_none() -> None:
    found = baskets.of(
        pairs_of(*["a"] * 300, store="big") + pairs_of(*["b"] * 400, store="other") + pairs_of("c", store="new")
    )
    first = {}
    for each in reversed(popularity.count(found, None).ranked(found.items, found.stores)):
        first[each.store] = each.item
    assert first == {None: "b", "big": "a", "other": "b"}
