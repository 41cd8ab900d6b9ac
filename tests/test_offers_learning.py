"""What goes with what is learned by the method that did best on later baskets, in a process of its own."""

import math
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from engagement.offers import apart, baskets, learning, pairs, popularity, ridge
from engagement.offers.apart import LearningFailed
from engagement.offers.backtest import Cases, Figures, figures, follow, hide, split
from engagement.offers.learning import Trial
from engagement.offers.lesson import NEIGHBOURS, Lesson, Row
from engagement.offers.methods import POPULARITY, RECEIPTS, Taught
from engagement.offers.tuning import tuned
from tests.support.baskets import pairs_of, with_taste, without_taste

some_baskets = st.lists(
    st.sets(st.sampled_from("abcdef"), min_size=1).map(lambda found: "".join(sorted(found))), min_size=1
)


def learned(rows: Iterator[Row]) -> Lesson:
    return learning.learn(baskets.of(rows))


def near(lesson: Lesson, item: str) -> dict[str, int]:
    """Other → the receipts with both, best first."""
    return {each.other: each.receipts for each in lesson.neighbours if each.item == item}


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


# The backtest


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


# What is chosen


def test_where_items_go_together_they_are_each_others_neighbours() -> None:
    lesson = learned(with_taste(1_500))
    assert lesson.report["chosen"] in ("receipts", "ridge")
    others = near(lesson, "g3i0")
    assert {other[:3] for other in list(others)[:7]} == {"g3i"}
    told = {each["name"]: each["hr10"] for each in lesson.report["methods"]}
    assert told[lesson.report["chosen"]] > 0.9 > 0.4 > told["popularity"]


def test_the_receipts_of_a_reason_are_those_with_both() -> None:
    rows = list(with_taste(600))
    lesson = learned(iter(rows))
    held = baskets.of(rows)
    counts = pairs.together(pairs.receipts(held), 0.0, None).counts.toarray()
    for each in lesson.neighbours:
        assert each.receipts == counts[held.items.index(each.item), held.items.index(each.other)]


def test_where_nothing_goes_together_what_sells_is_chosen_or_all_but_as_good() -> None:
    report = learned(without_taste(2_000)).report
    told = {each["name"]: each["hr10"] for each in report["methods"]}
    assert told[report["chosen"]] == max(told.values())
    assert told[report["chosen"]] - told["popularity"] < 0.03


@pytest.mark.parametrize(
    "later, chosen",
    [
        (((0.3, 900), (0.1, 900)), "popularity"),
        (((0.12, 900), (0.1, 900)), "receipts"),
        (((0.3, 9), (0.1, 9)), "receipts"),
        (((0.0, 0), (0.0, 0)), "receipts"),
    ],
)
def test_what_shoppers_buy_next_decides_where_it_says_clearly_otherwise(
    later: tuple[tuple[float, int], tuple[float, int]], chosen: str
) -> None:
    trials = [
        Trial(method, {}, Figures(hidden, 0.1, 500), Figures(hr10, 0.0, cases), 0.0)
        for method, hidden, (hr10, cases) in zip((POPULARITY, RECEIPTS), (0.1, 0.2), later, strict=True)
    ]
    assert learning.best(trials, "next").method.name == chosen
    assert learning.best(trials, "basket").method.name == "receipts"


def test_popularity_leaves_no_neighbours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(learning, "METHODS", (POPULARITY,))
    lesson = learned(without_taste(500))
    assert lesson.report["chosen"] == "popularity"
    assert len(lesson.neighbours) == 0
    assert lesson.popular[0].item == "i1"


def test_customers_are_asked_where_enough_of_them_came_twice() -> None:
    rows = [row._replace(shopper=f"s{int(row.basket[1:]) % 200}") for row in with_taste(1_000)]
    assert "customers" in {each["name"] for each in learned(iter(rows)).report["methods"]}
    few = [row._replace(shopper=f"s{int(row.basket[1:]) % 50}") for row in with_taste(1_000)]
    assert "customers" not in {each["name"] for each in learned(iter(few)).report["methods"]}


@pytest.mark.parametrize("count", [0, 1, 2, 5, 40])
def test_too_few_baskets_are_not_judged_and_still_teach_something(count: int) -> None:
    lesson = learned(with_taste(count))
    assert (lesson.report["judged"], lesson.report["chosen"]) == (False, "receipts")
    assert {each.item for each in lesson.popular} == {row.item for row in with_taste(count)}


def test_baskets_of_one_item_each_teach_what_sells() -> None:
    lesson = learned(iter(pairs_of(*"abcab" * 20)))
    assert len(lesson.neighbours) == 0
    assert lesson.popular[0].item in ("a", "b")


def test_the_same_baskets_give_the_same_lesson() -> None:
    first, second = learned(with_taste(400)), learned(with_taste(400))
    for lesson in (first, second):
        for each in lesson.report["methods"]:
            del each["seconds"]
    assert first == second


# Apart


def test_a_lesson_apart_is_the_same_lesson() -> None:
    told: list[str] = []
    lesson = apart.learn(with_taste(400), told=told.append)
    here = learned(with_taste(400))
    assert list(lesson.neighbours) == list(here.neighbours)
    assert lesson.popular == here.popular
    assert lesson.report["chosen"] == here.report["chosen"]
    assert told[0] == "tuning popularity"


def test_nothing_to_learn_from_is_a_lesson_too() -> None:
    lesson = apart.learn([])
    assert (len(lesson.neighbours), lesson.popular, lesson.report["baskets"]) == (0, [], 0)


def test_a_lesson_that_takes_too_long_is_ended() -> None:
    with pytest.raises(LearningFailed, match=r"longer than 0\.01 seconds"):
        apart.learn(with_taste(3_000), seconds=0.01)


@pytest.mark.parametrize("memory_mb", [20, 60, 100])
def test_a_lesson_that_takes_too_much_memory_is_ended(memory_mb: int) -> None:
    with pytest.raises(LearningFailed, match="more memory"):
        apart.learn(without_taste(60_000), memory_mb=memory_mb)


def test_where_numpy_is_missing_the_lesson_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "numpy.py").write_text("raise ImportError('No module named numpy')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(LearningFailed, match="package that is not here: No module named numpy"):
        apart.learn(with_taste(40))


def test_a_child_that_is_killed_is_told_of() -> None:
    def rows() -> Iterator[Row]:
        yield from with_taste(2_000)
        for child in children():
            os.kill(child, signal.SIGKILL)
        yield from with_taste(20_000)

    with pytest.raises(LearningFailed, match="ended"):
        apart.learn(rows())


def test_rows_that_fail_leave_no_child_behind() -> None:
    def rows() -> Iterator[Row]:
        yield from with_taste(2_000)
        raise RuntimeError("the database is gone")

    with pytest.raises(RuntimeError, match="the database is gone"):
        apart.learn(rows())
    assert not children()


def test_several_may_learn_at_once() -> None:
    found: list[Lesson] = []
    threads = [threading.Thread(target=lambda: found.append(apart.learn(with_taste(300)))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({tuple(lesson.neighbours) for lesson in found}) == 1
    assert len(found) == 3


def children() -> list[int]:
    """Those of ours that learn."""
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        found = subprocess.run(
            ["pgrep", "-P", str(os.getpid()), "-f", "learning_child"], capture_output=True, text=True
        )
        if found.stdout.strip() or found.returncode:
            return [int(pid) for pid in found.stdout.split()]
    return []


@pytest.mark.parametrize("process", ["api.app", "worker.work", "cli.serve", "cli.worker"])
def test_neither_server_nor_worker_carries_numpy(process: str) -> None:
    code = f"import sys, {process}; sys.exit(sorted({{'numpy', 'scipy'}} & set(sys.modules)) or 0)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
