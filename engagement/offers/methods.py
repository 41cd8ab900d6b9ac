"""The ways of telling what else somebody may want, their parameters, and which values of these are tried."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

import numpy as np
from scipy import sparse

from engagement.offers import pairs, ridge
from engagement.offers.baskets import NOBODY, Baskets
from engagement.offers.pairs import Floats, Together, Units

Kind = Literal["receipts", "customers"]
Params = Mapping[str, float | None]
Space = Mapping[str, tuple[float | None, ...]]

_HALF_LIVES: Final = (None, 180.0, 60.0, 20.0)
_PAIRS: Final[Space] = {
    "item_power": (0.8, 1.0, 0.5, 0.25, 0.0),
    "other_power": (0.5, 0.35, 0.2, 0.6, 0.0),
    "size_power": (1.0, 0.5, 0.0),
    "seen": (3.0, 2.0, 5.0, 8.0),
    "half_life": _HALF_LIVES,
}
_LEAST_SHOPPERS: Final = 100


@dataclass(slots=True)
class Taught:
    """Baskets, and what was counted of them for the parameters that were asked for last."""

    baskets: Baskets
    _units: dict[Kind, Units] = field(default_factory=dict)
    _together: dict[Kind, tuple[tuple[float, float | None], Together]] = field(default_factory=dict)
    _counts: sparse.csr_array | None = None

    def units(self, kind: Kind) -> Units:
        if kind not in self._units:
            self._units[kind] = pairs.receipts(self.baskets) if kind == "receipts" else pairs.shoppers(self.baskets)
        return self._units[kind]

    def together(self, kind: Kind, size_power: float, half_life: float | None) -> Together:
        asked = size_power, half_life
        if kind not in self._together or self._together[kind][0] != asked:
            self._together[kind] = asked, pairs.together(self.units(kind), *asked)
        return self._together[kind][1]

    def counts(self) -> sparse.csr_array:
        """How many receipts have both, whatever was asked for last."""
        if "receipts" in self._together:
            return self._together["receipts"][1].counts
        if self._counts is None:
            self._counts = pairs.counted(self.units("receipts"))
        return self._counts

    def bought(self, kind: Kind, half_life: float | None) -> Floats:
        """Of each item, how many units have it."""
        units = self.units(kind)
        return np.asarray(np.maximum(units.lines.T @ pairs.faded(units.at, half_life), 1e-9), np.float32)


@dataclass(frozen=True, slots=True)
class Method:
    """``near`` is what each item adds to each other. Tuning begins with the first value of each parameter."""

    name: str
    space: Space
    near: Callable[[Taught, Params], sparse.csr_array]
    can_tell: Callable[[Baskets], bool] = lambda _baskets: True


def _paired(kind: Kind) -> Callable[[Taught, Params], sparse.csr_array]:
    def near(taught: Taught, params: Params) -> sparse.csr_array:
        half_life = params["half_life"]
        found = taught.together(kind, params["size_power"] or 0.0, half_life)
        powers = {name: params[name] or 0.0 for name in ("item_power", "other_power", "seen")}
        return pairs.nearest(pairs.scored(found, taught.bought(kind, half_life), **powers))

    return near


def _ridge(taught: Taught, params: Params) -> sparse.csr_array:
    return ridge.weights(taught.counts(), taught.bought("receipts", None), params["ridge"] or 0.0)


def _nothing(taught: Taught, _params: Params) -> sparse.csr_array:
    items = len(taught.baskets.items)
    return sparse.csr_array((items, items), dtype=np.float32)


def _knows_shoppers(baskets: Baskets) -> bool:
    """Enough of them came twice."""
    _, times = np.unique(baskets.shopper[baskets.shopper != NOBODY], return_counts=True)
    return int((times > 1).sum()) >= _LEAST_SHOPPERS


POPULARITY: Final = Method("popularity", {"half_life": _HALF_LIVES}, _nothing)
RECEIPTS: Final = Method("receipts", _PAIRS, _paired("receipts"))
METHODS: Final = (
    POPULARITY,
    RECEIPTS,
    Method("customers", _PAIRS, _paired("customers"), _knows_shoppers),
    Method("ridge", {"ridge": (200.0, 50.0, 800.0)}, _ridge),
)
"""Popularity first: it stands behind all others."""
