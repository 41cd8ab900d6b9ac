"""What was bought together: how often, how much that says, and the best of it for each item.

Who wants ``j`` where ``i`` was bought: ``W_ij / (n_i^a · n_j^b)``. ``n`` counts who bought an item. ``W_ij`` sums over
all that have both ``(size − 1)^−c · ½^(age / half)``: a basket of two says more than one of forty, this month's more
than last year's. Pairs that were seen a few times only are chance, and left out.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from engagement.offers.baskets import NOBODY, Baskets
from engagement.offers.lesson import NEIGHBOURS

DAY: Final = 86_400_000_000  # µs
# Pairs grow with the square: of more than so many items, so many are drawn.
_MOST_ITEMS: Final = 100

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Units:
    """Within which things count as bought together: a row each, and when it was last added to (µs)."""

    lines: sparse.csr_array
    at: NDArray[np.int64]

    def weights(self, size_power: float, half_life: float | None) -> Floats:
        """One each unit. ``half_life`` in days, None for ever."""
        others = np.maximum(np.diff(self.lines.indptr) - 1, 1.0)
        return np.asarray(others**-size_power * faded(self.at, half_life), np.float32)


@dataclass(frozen=True, slots=True)
class Together:
    """Item by item, without the diagonal: how many units have both, and the sum of their weights entry by entry."""

    counts: sparse.csr_array
    sums: Floats


def faded(at: NDArray[np.int64], half_life: float | None) -> NDArray[np.float64]:
    """What each instant counts, seen from the last of them."""
    if half_life is None or not len(at):
        return np.ones(len(at))
    return np.asarray(0.5 ** ((at.max() - at) / (half_life * DAY)))


def receipts(baskets: Baskets) -> Units:
    """Of a long one, some items at random; always the same."""
    lines, random = baskets.lines, np.random.default_rng(0)
    kept = np.ones(lines.nnz, bool)
    for row in np.flatnonzero(np.diff(lines.indptr) > _MOST_ITEMS):
        size = lines.indptr[row + 1] - lines.indptr[row]
        kept[lines.indptr[row] + random.permutation(size)[_MOST_ITEMS:]] = False
    return Units(_kept(lines, kept), baskets.at)


def shoppers(baskets: Baskets) -> Units:
    """A row each shopper who is known: of a long life, the last items that they bought."""
    lines = baskets.lines.tocoo()
    owner = baskets.shopper[lines.row]
    known = owner != NOBODY
    item, basket = lines.col[known], lines.row[known]
    names, row = np.unique(owner[known], return_inverse=True)
    newest = np.lexsort((-basket, row))
    last = np.zeros(len(names), np.int64)
    np.maximum.at(last, row, baskets.at[basket])
    row, item = row[newest], item[newest]
    kept = np.arange(len(row)) - np.searchsorted(row, row) < _MOST_ITEMS
    where = (row[kept], item[kept])
    ones = np.ones(len(where[0]), np.float32)
    units = sparse.coo_array((ones, where), shape=(len(names), len(baskets.items))).tocsr()
    units.data[:] = 1
    return Units(units, last)


def together(units: Units, size_power: float, half_life: float | None) -> Together:
    """One product counts and weighs: its real parts are the sums, its imaginary parts the counts."""
    weights = units.weights(size_power, half_life).astype(np.complex64) + np.complex64(1j)
    weighed = sparse.diags_array(weights).tocsr() @ units.lines
    both = (units.lines.T.tocsr().astype(np.complex64) @ weighed).tocsr()
    both = _kept(both, rows_of(both) != both.indices)
    counts = sparse.csr_array((both.data.imag.copy(), both.indices, both.indptr), shape=both.shape)
    return Together(counts, both.data.real.copy())


def counted(units: Units) -> sparse.csr_array:
    """The counts alone, in half the time."""
    both = (units.lines.T.tocsr() @ units.lines).tocsr()
    return _kept(both, rows_of(both) != both.indices)


def scored(found: Together, bought: Floats, *, item_power: float, other_power: float, seen: float) -> sparse.csr_array:
    """The score of the head of this module, 0 where a pair was seen fewer than ``seen`` times."""
    counts = found.counts
    item, other = bought**-item_power, bought**-other_power
    scores = np.where(counts.data >= seen, found.sums * item[rows_of(counts)] * other[counts.indices], 0)
    return sparse.csr_array((scores, counts.indices, counts.indptr), shape=counts.shape)


def rows_of(matrix: sparse.csr_array) -> NDArray[np.int64]:
    """The row of each entry."""
    return np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))


def nearest(scores: sparse.csr_array, most: int = NEIGHBOURS) -> sparse.csr_array:
    """Of each row the ``most`` best, without what is not above 0."""
    scores = _kept(scores, scores.data > 0)
    kept = np.ones(scores.nnz, bool)
    for row in np.flatnonzero(np.diff(scores.indptr) > most):
        some = slice(scores.indptr[row], scores.indptr[row + 1])
        kept[some.start + np.argpartition(scores.data[some], -most)[:-most]] = False
    return _kept(scores, kept)


def _kept(matrix: sparse.csr_array, kept: NDArray[np.bool_]) -> sparse.csr_array:
    """Without the entries that are not."""
    ends = np.r_[0, np.cumsum(kept)][matrix.indptr]
    return sparse.csr_array((matrix.data[kept], matrix.indices[kept], ends), shape=matrix.shape)
