"""How well a way of telling would have done: from one basket of each later customer one item is hidden, and looked for.

Baskets in the order of time: the first 70% teach, the next 10% tune, the last 20% test, taught by all before them. Of
each basket of two items or more one item is hidden at random. All items of the catalogue but those left in the basket
are ranked, as they would be shown: first what goes with the basket, then what sells. An item that nobody had bought
before cannot be found, and its basket does not count. Those that tie share the mean of their ranks.

The same is asked of what shoppers who are known bought next, which is what an offer is for: of each later basket one
item that they never had before, told from their basket before it; all that they had is left out.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from engagement.offers.baskets import NOBODY, Baskets
from engagement.offers.popularity import Popularity

TEACH, TUNE = 0.7, 0.8
SHOWN: Final = 10
_MOST_CASES: Final = 5_000
_AT_ONCE: Final = 4_000_000  # scores


@dataclass(frozen=True, slots=True)
class Cases:
    """``seen`` has a row a case, without the item ``hidden``; ``left_out`` is what is not ranked.

    ``store`` may be NOBODY.
    """

    seen: sparse.csr_array
    left_out: sparse.csr_array
    hidden: NDArray[np.int64]
    store: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.hidden)


@dataclass(frozen=True, slots=True)
class Figures:
    """``hr10``: how many of 1 were among the first ten; ``mrr``: the mean of 1 / rank."""

    hr10: float
    mrr: float
    cases: int

    def is_clearly_above(self, other: "Figures") -> bool:
        """By three standard errors of what both found in the same cases, taken as if they were others."""
        spread = sum(each.hr10 * (1 - each.hr10) for each in (self, other))
        return self.hr10 - other.hr10 > 3 * math.sqrt(spread / max(self.cases, 1))


def split(baskets: Baskets) -> tuple[Baskets, Baskets, Baskets, Baskets]:
    """What teaches while tuning, what tunes; what teaches for the test, what tests."""
    teach, tune = int(len(baskets) * TEACH), int(len(baskets) * TUNE)
    return (
        baskets.part(0, teach), baskets.part(teach, tune), baskets.part(0, tune), baskets.part(tune, len(baskets))
    )  # fmt: skip


def hide(asked: Baskets, taught: Baskets, *, seed: int, most: int = _MOST_CASES) -> Cases:
    """The same of the same ``seed``."""
    random = np.random.default_rng(seed)
    rows = _some(np.flatnonzero(np.diff(asked.lines.indptr) >= 2), most, random)
    lines = asked.lines[rows]
    at = _one_of_each(lines, random)
    hidden = lines.indices[at].astype(np.int64)
    seen = lines.copy()
    seen.data[at] = 0
    seen.eliminate_zeros()
    known = _sold(taught)[hidden]
    return Cases(seen[known], seen[known], hidden[known], asked.store[rows[known]])


def follow(found: Baskets, first: int, *, seed: int, most: int = _MOST_CASES) -> Cases:
    """Of baskets from ``first`` on, whose shopper had one before; those before ``first`` have taught."""
    random = np.random.default_rng(seed)
    order = np.argsort(found.shopper, kind="stable")
    who = found.shopper[order]
    begins = np.searchsorted(who, who)
    is_later = (who != NOBODY) & (order >= first) & (np.arange(len(order)) > begins)
    places = _some(np.flatnonzero(is_later), most, random)
    had = _before(found.lines, order, begins, places)
    new = (found.lines[order[places]] - found.lines[order[places]].multiply(had)).tocsr()
    new.eliminate_zeros()
    with_new = np.flatnonzero(np.diff(new.indptr) > 0)
    hidden = new[with_new].indices[_one_of_each(new[with_new], random)].astype(np.int64)
    known = _sold(found.part(0, first))[hidden]
    kept = with_new[known]
    seen = found.lines[order[places[kept] - 1]]
    return Cases(seen, had[kept], hidden[known], found.store[order[places[kept]]])


def _before(
    lines: sparse.csr_array, order: NDArray[np.int64], begins: NDArray[np.int64], places: NDArray[np.int64]
) -> sparse.csr_array:
    """Of each place in ``order`` what the baskets from where its shopper ``begins`` held, as 1."""
    spans = [order[begins[place] : place] for place in places]
    rows = np.repeat(np.arange(len(spans)), [len(span) for span in spans])
    baskets = np.concatenate(spans) if spans else rows
    ones = np.ones(len(rows), np.float32)
    had = sparse.coo_array((ones, (rows, baskets)), shape=(len(spans), lines.shape[0])).tocsr() @ lines
    had.data[:] = 1
    return had


def _some(rows: NDArray[np.int64], most: int, random: np.random.Generator) -> NDArray[np.int64]:
    return rows if len(rows) <= most else np.sort(random.choice(rows, most, replace=False))


def _one_of_each(lines: sparse.csr_array, random: np.random.Generator) -> NDArray[np.int64]:
    """The place of one entry of each row; no row is empty."""
    return np.asarray(lines.indptr[:-1] + random.integers(0, np.diff(lines.indptr)))


def _sold(taught: Baskets) -> NDArray[np.bool_]:
    return np.asarray(taught.lines.sum(axis=0)).ravel() > 0


def figures(cases: Cases, near: sparse.csr_array, popular: Popularity) -> Figures:
    """``near`` is item by item: what each item on a receipt adds to the score of another."""
    if not len(cases):
        return Figures(0.0, 0.0, 0)
    step = max(_AT_ONCE // near.shape[0], 1)
    ranks = np.concatenate([_ranks(cases, slice(at, at + step), near, popular) for at in range(0, len(cases), step)])
    return Figures(float(np.mean(ranks <= SHOWN)), float(np.mean(1 / ranks)), len(ranks))


def _ranks(cases: Cases, some: slice, near: sparse.csr_array, popular: Popularity) -> NDArray[np.float64]:
    seen, hidden = cases.seen[some], cases.hidden[some]
    found = np.asarray((seen @ near).toarray(), np.float64)
    # Below all that goes with the basket, and in its own order.
    behind = {int(store): -1 / (1 + popular.of(store)) for store in np.unique(cases.store[some])}
    scores = np.where(found > 0, found, np.array([behind[int(store)] for store in cases.store[some]]))
    scores[cases.left_out[some].nonzero()] = -np.inf
    own = np.take_along_axis(scores, hidden[:, None], axis=1)
    better, same = (scores > own).sum(axis=1), (scores == own).sum(axis=1)
    return np.asarray(1 + better + (same - 1) / 2)
