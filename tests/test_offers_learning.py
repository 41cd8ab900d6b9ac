"""What goes with what is learned by the method that did best on later baskets, in a process of its own."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from engagement.offers import apart, baskets, learning, pairs
from engagement.offers.apart import LearningFailed
from engagement.offers.backtest import Figures
from engagement.offers.learning import Trial
from engagement.offers.lesson import Lesson, Row
from engagement.offers.methods import POPULARITY, RECEIPTS
from tests.support.baskets import pairs_of, with_taste, without_taste


def learned(rows: Iterator[Row]) -> Lesson:
    return learning.learn(baskets.of(rows))


def near(lesson: Lesson, item: str) -> dict[str, int]:
    """Other → the receipts with both, best first."""
    return {each.other: each.receipts for each in lesson.neighbours if each.item == item}


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


def test_neither_server_nor_worker_carries_numpy() -> None:
    theirs = "import sys, api.app, worker.work, cli.serve, cli.worker"
    code = f"{theirs}; sys.exit(sorted({{'numpy', 'scipy'}} & set(sys.modules)) or 0)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
