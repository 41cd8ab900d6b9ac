"""Which answers a program gave: by how quickly different scores follow each other. Pure."""

from datetime import datetime, timedelta
from typing import Final, NamedTuple

import orjson

from kernel.clock import from_microseconds, microseconds

# A scanner that opens the eleven links of an email does so within seconds.
WITHIN: Final = timedelta(seconds=10)
_REMEMBERED: Final = 12
# People slip and correct themselves; but no page sends by itself twice, and nobody opens two links at once.
_SCORES: Final = 3
_SCORES_BY_ITSELF: Final = 2


class Came(NamedTuple):
    """A score: when it came, and whether a page sent it by itself."""

    at: datetime
    score: int
    by_itself: bool


def read(stored: str) -> tuple[Came, ...]:
    return tuple(Came(from_microseconds(at), score, by_itself) for at, score, by_itself in orjson.loads(stored))


def kept(came: tuple[Came, ...]) -> str:
    """The last few, as :func:`read` takes them."""
    return orjson.dumps([(microseconds(each.at), *each[1:]) for each in came[-_REMEMBERED:]]).decode()


def is_burst(came: tuple[Came, ...], *, now: datetime) -> bool:
    """Whether so many different scores came within seconds that no person gave them."""
    recent = [each for each in came if now - each.at < WITHIN]
    by_itself = {each.score for each in recent if each.by_itself}
    return len({each.score for each in recent}) >= _SCORES or len(by_itself) >= _SCORES_BY_ITSELF
