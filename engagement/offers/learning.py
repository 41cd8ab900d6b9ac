"""Learn from a merchant's baskets. Needs numpy: only a process of its own imports this (``apart``)."""

import time
from array import array
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any, Final

import numpy as np
from scipy import sparse

from engagement.offers import backtest, popularity
from engagement.offers.backtest import Cases, Figures
from engagement.offers.baskets import NOBODY, Baskets
from engagement.offers.lesson import Aim, Lesson, Neighbours
from engagement.offers.methods import METHODS, POPULARITY, RECEIPTS, Method, Params, Taught
from engagement.offers.tuning import tuned

# With fewer cases a backtest tells one method from another by chance alone.
_LEAST_CASES: Final = 30
_TUNING_CASES: Final = (500, 2_000)
_TUNING_SCORES: Final = 40_000_000

Told = Callable[[str], object]


@dataclass(frozen=True, slots=True)
class Trial:
    """A method with the parameters that it got by tuning, how it did in the test, and of what shoppers bought next."""

    method: Method
    params: Params
    figures: Figures
    afterwards: Figures
    seconds: float

    def told(self) -> dict[str, Any]:
        told = {"name": self.method.name, **asdict(self.figures), "next": asdict(self.afterwards)}
        return told | {"seconds": self.seconds, "params": dict(self.params)}


def learn(baskets: Baskets, *, seed: int = 0, aim: Aim = "basket", told: Told = lambda _step: None) -> Lesson:
    """Try all methods on the last part of ``baskets`` (:mod:`backtest`), and learn by the best from all of them.

    ``told`` hears of each step. The same baskets and ``seed`` give the same lesson.
    """
    trials = tried(baskets, seed=seed, told=told)
    chosen = best(trials, aim)
    told(f"learning from all: {chosen.method.name}")
    taught = Taught(baskets)
    near = chosen.method.near(taught, chosen.params)
    popular = popularity.count(baskets, trials[0].params["half_life"])
    report = {
        "chosen": chosen.method.name,
        "aim": aim,
        "judged": _can_judge(trials),
        "methods": [each.told() for each in trials],
        "baskets": len(baskets),
        "items": len(baskets.items),
        "shoppers": len(np.unique(baskets.shopper[baskets.shopper != NOBODY])),
    }
    return Lesson(_neighbours(taught, near), popular.ranked(baskets.items, baskets.stores), report)


def best(trials: list[Trial], aim: Aim = "basket") -> Trial:
    """Who found most, and of equals who ranked it higher; pairs on receipts, where too few cases tell nothing.

    With the aim ``next``: where another is clearly better at what is bought next, by more than chance explains, it is
    taken instead.
    """
    if not _can_judge(trials):
        return next(each for each in trials if each.method is RECEIPTS)
    found = max(trials, key=lambda each: (each.figures.hr10, each.figures.mrr))
    if aim == "basket":
        return found
    later = max(trials, key=lambda each: (each.afterwards.hr10, each.afterwards.mrr))
    return later if later.afterwards.is_clearly_above(found.afterwards) else found


def _can_judge(trials: list[Trial]) -> bool:
    return trials[0].figures.cases >= _LEAST_CASES


def tried(baskets: Baskets, *, seed: int, told: Told = lambda _step: None) -> list[Trial]:
    """All methods that can tell something of these baskets, popularity first: it stands behind all others."""
    teach, tune, learned, test = backtest.split(baskets)
    least, most = _TUNING_CASES
    affordable = int(np.clip(_TUNING_SCORES // max(len(baskets.items), 1), least, most))
    tuning = Exam(Taught(teach), backtest.hide(tune, teach, seed=seed, most=affordable))
    testing = Exam(Taught(learned), backtest.hide(test, learned, seed=seed))
    following = backtest.follow(baskets, len(learned), seed=seed)
    trials: list[Trial] = []
    for method in (each for each in METHODS if each.can_tell(teach)):
        told(f"tuning {method.name}")
        params = tuned(method.space, partial(tuning.judged, method))
        told(f"testing {method.name}")
        if method is POPULARITY:
            tuning.half_life = testing.half_life = params["half_life"]
        trials.append(_tested(method, params, testing, following))
    return trials


@dataclass(slots=True)
class Exam:
    """What teaches, and the cases on which it is tried; ``half_life`` is that of the popularity behind."""

    taught: Taught
    cases: Cases
    half_life: float | None = None

    def judged(self, method: Method, params: Params) -> Figures:
        half_life = params["half_life"] if method is POPULARITY else self.half_life
        behind = popularity.count(self.taught.baskets, half_life)
        return backtest.figures(self.cases, method.near(self.taught, params), behind)


def _tested(method: Method, params: Params, exam: Exam, following: Cases) -> Trial:
    """Its time is that of learning from nothing."""
    exam.taught = Taught(exam.taught.baskets)
    began = time.perf_counter()
    near = method.near(exam.taught, params)
    behind = popularity.count(exam.taught.baskets, exam.half_life)
    seconds = time.perf_counter() - began
    found, afterwards = (backtest.figures(cases, near, behind) for cases in (exam.cases, following))
    return Trial(method, params, found, afterwards, round(seconds, 3))


def _neighbours(taught: Taught, near: sparse.csr_array) -> Neighbours:
    """Best first, item by item."""
    if not near.nnz:
        return Neighbours(taught.baskets.items)
    found = near.tocoo()
    order = np.lexsort((found.col, -found.data, found.row))
    item, other, score = found.row[order], found.col[order], found.data[order]
    receipts = np.asarray(taught.counts()[item, other]).ravel()
    return Neighbours(
        taught.baskets.items, array("i", item.tolist()), array("i", other.tolist()), array("f", score.tolist()),
        array("i", receipts.astype(int).tolist()),
    )  # fmt: skip
