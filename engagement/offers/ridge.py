"""Each item told from all others at once: a ridge regression of every column of the baskets on the rest.

EASE^r (H. Steck, Embarrassingly Shallow Autoencoders for Sparse Data, WWW 2019): with ``P = (XᵀX + λI)⁻¹`` the weights
are ``−P_ij / P_jj``. Unlike pairs it does not count twice what two items on a receipt say together. The inverse takes
the cube of the number of items, so only the most bought take part.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from engagement.offers.lesson import NEIGHBOURS
from engagement.offers.pairs import Floats

MOST_ITEMS: Final = 4_000
_WHOLE: Final = 512


def weights(counts: sparse.csr_array, bought: Floats, ridge: float) -> sparse.csr_array:
    """Item by item, of each item the NEIGHBOURS best above 0. ``counts`` is how many baskets have both, ``bought`` how
    many have each. Needs some times ``4 · MOST_ITEMS²`` bytes."""
    chosen = np.sort(np.argsort(-bought, kind="stable")[:MOST_ITEMS])
    both = (counts if len(chosen) == len(bought) else counts[chosen][:, chosen]).toarray()
    both[np.diag_indices_from(both)] = bought[chosen] + ridge
    inverse = _inverse(both)
    inverse /= -inverse.diagonal()
    np.fill_diagonal(inverse, 0)
    return _best(inverse, chosen, len(bought))


def warm() -> None:
    """Let the library of matrices take its own memory: where it gets none later, it ends the process without a word."""
    _inverse(np.eye(2 * _WHOLE, dtype=np.float32))


def _inverse(square: Floats) -> Floats:
    """Of a symmetric positive definite matrix, by halves (Schur's complement): nearly all of it is multiplication, at
    which processors are several times as quick as at LAPACK's own inverse."""
    size = len(square)
    if size <= _WHOLE:
        return np.asarray(np.linalg.inv(square))
    half = size // 2
    first = _inverse(square[:half, :half])
    through = first @ square[:half, half:]
    last = _inverse(square[half:, half:] - square[half:, :half] @ through)
    corner = through @ last
    whole = np.empty_like(square)
    whole[half:, half:] = last
    whole[:half, half:] = -corner
    whole[half:, :half] = -corner.T
    whole[:half, :half] = first + corner @ through.T
    return whole


def _best(scores: Floats, chosen: NDArray[np.int64], items: int) -> sparse.csr_array:
    """As in the whole catalogue."""
    most = min(NEIGHBOURS, len(chosen))
    best = np.argpartition(scores, -most, axis=1)[:, -most:] if most else np.zeros((0, 0), np.int64)
    found = np.take_along_axis(scores, best, axis=1)
    kept = found > 0
    where = (np.repeat(chosen, most)[kept.ravel()], chosen[best[kept]])
    return sparse.coo_array((found[kept], where), shape=(items, items)).tocsr()
