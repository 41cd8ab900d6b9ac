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
    """Whether so many different scores came that no person gave the last of them: pressed ones within seconds; of those
    that pages sent by themselves two within seconds, or three at any time. Neither kind speaks against the other."""
    by_itself = came[-1].by_itself
    alike = [each for each in came if each.by_itself == by_itself]
    recent = {each.score for each in alike if now - each.at < WITHIN}
    if not by_itself:
        return len(recent) >= _SCORES
    return len(recent) >= _SCORES_BY_ITSELF or len({each.score for each in alike}) >= _SCORES


def was_by_itself(recent: str) -> bool:
    """Whether nobody pressed, said or released anything since a page sent the score by itself. As it is stored."""
    came = read(recent)
    return bool(came) and came[-1].by_itself
