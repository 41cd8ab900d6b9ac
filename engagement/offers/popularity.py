"""What sells, lately: all over, and in each store that sells enough to tell."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engagement.offers.baskets import NOBODY, Baskets
from engagement.offers.lesson import Popular
from engagement.offers.pairs import faded

_LEAST: Final = 200  # baskets of a store
_MOST: Final = 200  # items of a list


@dataclass(frozen=True, slots=True)
class Popularity:
    """How often each item was bought, each time counted for what is left of it; of the stores those that have a row."""

    everywhere: NDArray[np.float64]
    stores: dict[int, NDArray[np.float64]]

    def of(self, store: int) -> NDArray[np.float64]:
        """Of a store: what sells there, and behind it what sells elsewhere."""
        return self.stores.get(store, self.everywhere)

    def ranked(self, items: list[str], stores: list[str]) -> list[Popular]:
        lists = [(None, self.everywhere), *((stores[store], counts) for store, counts in self.stores.items())]
        return [
            Popular(store, items[at], float(counts[at]))
            for store, counts in lists
            for at in np.argsort(-counts, kind="stable")[:_MOST]
            if counts[at] > 0
        ]


def count(baskets: Baskets, half_life: float | None) -> Popularity:
    """``half_life`` in days, None where all times count the same."""
    left = faded(baskets.at, half_life)
    everywhere = np.asarray(baskets.lines.T @ left)
    known, counts = np.unique(baskets.store[baskets.store != NOBODY], return_counts=True)
    behind = everywhere / (everywhere.sum() or 1)
    stores = {
        int(store): np.asarray(baskets.lines.T @ (left * (baskets.store == store))) + behind
        for store in known[counts >= _LEAST]
    }
    return Popularity(everywhere, stores)
