"""Baskets for tests: with a taste in them, or without."""

import random
from collections.abc import Iterator

from hypothesis import strategies as st

from engagement.offers.lesson import Row

DAY = 86_400_000_000  # µs

# As pairs_of takes them.
some_baskets = st.lists(
    st.sets(st.sampled_from("abcdef"), min_size=1).map(lambda found: "".join(sorted(found))), min_size=1
)


def pairs_of(*told: str, store: str | None = None) -> list[Row]:
    """A basket a word, an item a letter, a day apart."""
    return [Row(f"{store}{day}", item, day * DAY, None, store) for day, letters in enumerate(told) for item in letters]


def with_taste(count: int, *, groups: int = 12, seed: int = 1) -> Iterator[Row]:
    """Each basket has three items of one group of eight; what group it is tells what else is in it."""
    draw = random.Random(seed)
    for number in range(count):
        group = draw.randrange(groups)
        for item in draw.sample(range(8), 3):
            yield Row(f"b{number}", f"g{group}i{item}", number * DAY)


def without_taste(count: int, *, items: int = 60, seed: int = 1) -> Iterator[Row]:
    """Some items sell much and some little, and none goes with another."""
    draw = random.Random(seed)
    for number in range(count):
        for item in {int(draw.paretovariate(0.8)) % items for _ in range(4)}:
            yield Row(f"b{number}", f"i{item}", number * DAY)
