"""How often an interval holds the true score, tried with customers whose opinion is known."""

from collections import Counter
from decimal import Decimal
from random import Random
from typing import Final

from engagement import nps
from engagement.nps import Counts, Interval

# Shares of promoters and detractors, in percent: shops that are loved, liked, disputed and disliked.
CROWDS: Final = ((70, 10), (60, 10), (50, 20), (40, 30), (30, 40))


def coverage(size: int, *, rounds: int, seed: int = 5) -> list[Decimal]:
    """For each of :data:`CROWDS`, how often in percent the interval of ``size`` answers holds its true score."""
    draw = Random(seed)
    return [_covered(draw, size, promoters, detractors, rounds) for promoters, detractors in CROWDS]


def plain(counts: Counts) -> Interval:
    """The ordinary interval, without what is added: to be compared with."""
    n = Decimal(counts.total)
    p, d = counts.promoters / n, counts.detractors / n
    half = Decimal("1.959963985") * ((p + d - (p - d) ** 2) / n).sqrt()
    return Interval((p - d - half) * 100, (p - d + half) * 100)


def _covered(draw: Random, size: int, promoters: int, detractors: int, rounds: int) -> Decimal:
    """Outcomes repeat, so each interval is worked out once."""
    outcomes: Counter[Counts] = Counter()
    for _ in range(rounds):
        drawn = [draw.randrange(100) for _ in range(size)]
        of_promoters = sum(each < promoters for each in drawn)
        of_detractors = sum(each >= 100 - detractors for each in drawn)
        outcomes[Counts(of_promoters, size - of_promoters - of_detractors, of_detractors)] += 1
    true = promoters - detractors
    held = sum(times for counts, times in outcomes.items() if (i := nps.interval(counts)).low <= true <= i.high)
    return Decimal(held) * 100 / rounds
