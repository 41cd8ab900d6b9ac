"""How well a way of telling would have done: from one basket of each later customer one item is hidden, and looked for.

Baskets in the order of time: the first 70% teach, the next 10% tune, the last 20% test, taught by all before them. Of
each basket of two items or more one item is hidden at random. All items of the catalogue but those left in the basket
are ranked, as they would be shown: first what goes with the basket, then what sells. An item that nobody had bought
before cannot be found, and its basket does not count. Those that tie share the mean of their ranks.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from engagement.offers.baskets import Baskets
from engagement.offers.popularity import Popularity

TEACH, TUNE = 0.7, 0.8
SHOWN: Final = 10
_MOST_CASES: Final = 5_000
_AT_ONCE: Final = 4_000_000  # scores


@dataclass(frozen=True, slots=True)
class Cases:
    """``seen`` has a row a basket, without the item ``hidden``; ``store`` may be NOBODY."""

    seen: sparse.csr_array
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


def split(baskets: Baskets) -> tuple[Baskets, Baskets, Baskets, Baskets]:
    """What teaches while tuning, what tunes; what teaches for the test, what tests."""
    teach, tune = int(len(baskets) * TEACH), int(len(baskets) * TUNE)
    return (
        baskets.part(0, teach), baskets.part(teach, tune), baskets.part(0, tune), baskets.part(tune, len(baskets))
    )  # fmt: skip


def hide(asked: Baskets, taught: Baskets, *, seed: int, most: int = _MOST_CASES) -> Cases:
    """The same of the same ``seed``."""
    random = np.random.default_rng(seed)
    sizes = np.diff(asked.lines.indptr)
    rows = np.flatnonzero(sizes >= 2)
    if len(rows) > most:
        rows = np.sort(random.choice(rows, most, replace=False))
    at = asked.lines.indptr[rows] + random.integers(0, sizes[rows])
    hidden = asked.lines.indices[at].astype(np.int64)
    known = (np.asarray(taught.lines.sum(axis=0)).ravel() > 0)[hidden]
    left = asked.lines.copy()
    left.data[at] = 0
    seen = left[rows[known]]
    seen.eliminate_zeros()
    return Cases(seen, hidden[known], asked.store[rows[known]])


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
    scores[seen.nonzero()] = -np.inf
    own = np.take_along_axis(scores, hidden[:, None], axis=1)
    better, same = (scores > own).sum(axis=1), (scores == own).sum(axis=1)
    return np.asarray(1 + better + (same - 1) / 2)
