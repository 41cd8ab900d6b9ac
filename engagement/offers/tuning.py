"""Values of parameters: one parameter after the other takes the best of its values, twice round."""

from collections.abc import Callable
from typing import Final

from engagement.offers.backtest import Figures
from engagement.offers.methods import Params, Space

_ROUNDS: Final = 2


def tuned(space: Space, judge: Callable[[Params], Figures]) -> dict[str, float | None]:
    """Begins with the first value of each, and leaves it for what is better only."""
    best = {name: values[0] for name, values in space.items()}
    known: dict[tuple[float | None, ...], tuple[float, float]] = {}

    def worth(params: Params) -> tuple[float, float]:
        key = tuple(params.values())
        if key not in known:
            found = judge(params)
            known[key] = found.hr10, found.mrr
        return known[key]

    for _ in range(_ROUNDS):
        for name, values in space.items():
            best = max((best, *({**best, name: value} for value in values)), key=worth)
    return best
