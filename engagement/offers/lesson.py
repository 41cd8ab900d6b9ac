"""What was learned of a merchant's receipts: what goes with what, what sells, and how well each way of telling did."""

from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

Aim = Literal["basket", "next"]
"""What the best method is good at: the other items of a basket, or also what shoppers buy next."""
NEIGHBOURS = 100
"""So many has one item at most."""


class Row(NamedTuple):
    """One line of a basket: ``at`` in µs since 1970, ``shopper`` a pseudonym; the order of rows does not matter."""

    basket: str
    item: str
    at: int
    shopper: str | None = None
    store: str | None = None


class Neighbour(NamedTuple):
    """Who bought ``item`` may want ``other``. Scores of one ``other`` add up over the items of a receipt.

    ``receipts`` is how many had both, which is what a reason tells; 0 where no receipt did.
    """

    item: str
    other: str
    score: float
    receipts: int


class Popular(NamedTuple):
    """``store`` is None for all stores together. Scores of different stores cannot be compared."""

    store: str | None
    item: str
    score: float


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Columns of equal length, since a hundred for each of many items are millions: 16 bytes each."""

    items: list[str]
    item: "array[int]" = field(default_factory=lambda: array("i"))
    other: "array[int]" = field(default_factory=lambda: array("i"))
    score: "array[float]" = field(default_factory=lambda: array("f"))
    receipts: "array[int]" = field(default_factory=lambda: array("i"))

    def __len__(self) -> int:
        return len(self.item)

    def __iter__(self) -> Iterator[Neighbour]:
        for item, other, score, receipts in zip(self.item, self.other, self.score, self.receipts, strict=True):
            yield Neighbour(self.items[item], self.items[other], score, receipts)


@dataclass(frozen=True, slots=True)
class Lesson:
    """``neighbours`` is empty where what sells told more than what is on a receipt, and where nothing could be learned.

    ``report`` may be written as JSON. ``chosen`` names a method, by ``aim``; ``judged`` is False where there were too
    few cases to tell one from another. ``methods`` has for each its ``name``, ``hr10`` (of 1), ``mrr``, ``cases``, the
    same three of what shoppers bought ``next``, ``seconds`` of learning and ``params``. ``baskets``, ``items`` and
    ``shoppers`` count what was learned from.
    """

    neighbours: Neighbours
    popular: list[Popular]
    report: dict[str, Any]
