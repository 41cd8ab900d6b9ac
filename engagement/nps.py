"""The Net Promoter Score and satisfaction: arithmetic only, exact until the last step.

The interval is the adjusted one: three quarters of a promoter, as much of a detractor and one and a half passives are
added before the ordinary formula. It covers what it says for ten answers already, where the plain one does not
(Rocks, Interval estimation for the Net Promoter Score, The American Statistician 70:4, 2016).
"""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal
from fractions import Fraction
from typing import Final, Literal

Segment = Literal["promoter", "passive", "detractor"]
# From 0 to 10: how likely one is to recommend. From 1 to 5: how satisfied one is.
RECOMMEND: Final = range(11)
SATISFIED: Final = range(1, 6)
# Fewer answers than these say more of those who gave them than of what they are about.
LEAST: Final = 5

_EXACT: Final = Context(prec=28)
# Of the normal distribution, so that 95% lie between.
_Z: Final = Decimal("1.959963985")
_TENTH: Final = Decimal("0.1")
_ADDED: Final = Fraction(3, 4)


@dataclass(frozen=True, slots=True)
class Counts:
    """How many of each segment answered."""

    promoters: int = 0
    passives: int = 0
    detractors: int = 0

    @property
    def total(self) -> int:
        return self.promoters + self.passives + self.detractors

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(
            self.promoters + other.promoters, self.passives + other.passives, self.detractors + other.detractors
        )


@dataclass(frozen=True, slots=True)
class Interval:
    """Where the figure lies with 95% confidence, at one decimal place."""

    low: Decimal
    high: Decimal


def segment(score: int, scale: range = RECOMMEND) -> Segment:
    """Promoters give 9 or 10, detractors 6 and less; of five, 4 and 5 are content, and 1 and 2 are not.

    Raises ValueError for a score that is not on the scale.
    """
    if score not in scale:
        raise ValueError(f"a score is from {scale[0]} to {scale[-1]}")
    content, middling = (9, 7) if scale == RECOMMEND else (4, 3)
    return "promoter" if score >= content else "passive" if score >= middling else "detractor"


def score(counts: Counts) -> Decimal | None:
    """From -100 to 100, at one decimal place; None of nobody."""
    if not counts.total:
        return None
    return _told(Fraction(counts.promoters - counts.detractors, counts.total))


def interval(counts: Counts) -> Interval:
    """Of the score: adjusted, and cut to what a score can be. Of nobody it says that nothing is known."""
    total = counts.total + 4 * _ADDED
    promoters, detractors = (counts.promoters + _ADDED) / total, (counts.detractors + _ADDED) / total
    middle = promoters - detractors
    variance = (promoters + detractors - middle * middle) / total
    return _around(middle, variance, least=-1)


def satisfaction(counts: Counts) -> Decimal | None:
    """CSAT: the share of those who are content, in percent at one decimal place; None of nobody."""
    return _told(Fraction(counts.promoters, counts.total)) if counts.total else None


def satisfaction_interval(counts: Counts) -> Interval:
    """Of the share, with two answers of each kind added (Agresti and Coull, The American Statistician 52:2, 1998)."""
    total = counts.total + 4
    share = Fraction(counts.promoters + 2, total)
    return _around(share, share * (1 - share) / total, least=0)


def is_told(count: int, least: int = LEAST) -> bool:
    """Whether there are enough answers for a figure to be shown."""
    return count >= least


def _around(middle: Fraction, variance: Fraction, *, least: int) -> Interval:
    half = _EXACT.multiply(_Z, _EXACT.sqrt(_decimal(variance)))
    low, high = _decimal(middle) - half, _decimal(middle) + half
    return Interval(_tenths(max(low, Decimal(least)) * 100), _tenths(min(high, Decimal(1)) * 100))


def _decimal(value: Fraction) -> Decimal:
    return _EXACT.divide(Decimal(value.numerator), Decimal(value.denominator))


def _told(share: Fraction) -> Decimal:
    return _tenths(_decimal(share) * 100)


def _tenths(value: Decimal) -> Decimal:
    """A half is rounded away from zero, as for all that is told; zero has no sign."""
    return value.quantize(_TENTH, rounding=ROUND_HALF_UP, context=_EXACT) + 0
