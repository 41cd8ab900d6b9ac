"""Baskets as a matrix: which of them holds which item, when, whose, and where; ordered by time."""

from array import array
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from engagement.offers.lesson import Row

NOBODY = -1
"""The shopper, or the store, that is not known."""


@dataclass(frozen=True, slots=True)
class Baskets:
    """``lines`` has a row a basket, oldest first, a column an item, and a 1 where it was in it, however often.

    ``at`` (µs), ``shopper`` and ``store`` (numbers, or NOBODY) are one each basket. Equal numbers are equal shoppers.
    """

    lines: sparse.csr_array
    at: NDArray[np.int64]
    shopper: NDArray[np.int32]
    store: NDArray[np.int32]
    items: list[str]
    stores: list[str]

    def __len__(self) -> int:
        return len(self.at)

    def part(self, first: int, last: int) -> "Baskets":
        """From ``first`` to before ``last``, with all items, be they in it or not."""
        some = slice(first, last)
        return Baskets(self.lines[some], self.at[some], self.shopper[some], self.store[some], self.items, self.stores)


def of(rows: Iterable[Row]) -> Baskets:
    """What a row says of its basket counts where it is the basket's first."""
    baskets, items, shoppers, stores = _Numbers(), _Numbers(), _Numbers(), _Numbers()
    line_basket, line_item, at = array("i"), array("i"), array("q")
    shopper, store = array("i"), array("i")
    for row in rows:
        basket = baskets.of(row[0])
        if basket == len(at):
            at.append(row[2])
            shopper.append(shoppers.of(row[3]))
            store.append(stores.of(row[4]))
        line_basket.append(basket)
        line_item.append(items.of(row[1]))
    order = np.argsort(np.array(at, np.int64), kind="stable")
    place = np.empty(len(order), np.int32)
    place[order] = np.arange(len(order))
    where = (place[np.array(line_basket, np.int32)], np.array(line_item, np.int32))
    lines = sparse.coo_array((np.ones(len(line_item), np.float32), where), shape=(len(at), len(items.known))).tocsr()
    lines.data[:] = 1
    return Baskets(
        lines, np.array(at, np.int64)[order], np.array(shopper, np.int32)[order], np.array(store, np.int32)[order],
        list(items.known), list(stores.known),
    )  # fmt: skip


class _Numbers:
    """0, 1, 2 … for words, in the order in which they come."""

    def __init__(self) -> None:
        self.known: dict[str, int] = {}

    def of(self, word: str | None) -> int:
        return NOBODY if word is None else self.known.setdefault(word, len(self.known))
