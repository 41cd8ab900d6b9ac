"""Learn from a merchant's baskets. Needs numpy: only a process of its own imports this (``apart``)."""

from array import array

import numpy as np
from scipy import sparse

from engagement.offers.baskets import Baskets
from engagement.offers.lesson import NEIGHBOURS, Lesson, Neighbours, Popular


def learn(baskets: Baskets, *, seed: int = 0) -> Lesson:
    lines = baskets.lines
    sizes = np.diff(lines.indptr)
    weights = np.where(sizes > 1, 1 / np.maximum(sizes - 1, 1), 0)
    both = (lines.T @ lines).tocsr()
    pairs = (lines.T @ sparse.diags_array(weights) @ lines).tocsr()
    bought = np.maximum(both.diagonal(), 1)
    pairs.setdiag(0)
    scores = sparse.diags_array(1 / bought) @ pairs @ sparse.diags_array(bought**-0.5)
    best = _best(scores.tocsr())
    receipts = np.asarray(both[best.row, best.col]).ravel().astype(np.int32)
    neighbours = Neighbours(
        baskets.items, array("i", best.row.tolist()), array("i", best.col.tolist()),
        array("f", best.data.tolist()), array("i", receipts.tolist()),
    )  # fmt: skip
    popular = [Popular(None, baskets.items[at], float(bought[at])) for at in np.argsort(-bought, kind="stable")]
    counts = {"baskets": len(baskets), "items": len(baskets.items), "shoppers": len(np.unique(baskets.shopper))}
    return Lesson(neighbours, popular, {"chosen": "receipts", "methods": [], **counts})


def _best(scores: sparse.csr_array) -> sparse.coo_array:
    rows = np.repeat(np.arange(scores.shape[0]), np.diff(scores.indptr))
    order = np.lexsort((-scores.data, rows))
    rank = np.arange(len(order)) - scores.indptr[rows[order]]
    kept = order[(rank < NEIGHBOURS) & (scores.data[order] > 0)]
    return sparse.coo_array((scores.data[kept], (rows[kept], scores.indices[kept])), shape=scores.shape)
