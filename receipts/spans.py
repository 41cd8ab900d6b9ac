"""A stated sum against the range of sums that permitted roundings lead to."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from kernel import money
from kernel.errors import FieldError


@dataclass(frozen=True, slots=True)
class Span:
    """From ``low`` to ``high``, in minor units, both included."""

    low: int
    high: int

    def distance(self, value: int) -> int:
        """How far ``value`` lies above the span, or, negative, below it."""
        return max(value - self.high, 0) + min(value - self.low, 0)

    def widened(self, by: int) -> "Span":
        return Span(self.low - by, self.high + by)

    def shifted(self, by: int) -> "Span":
        return Span(self.low + by, self.high + by)


def exactly(value: int) -> Span:
    return Span(value, value)


def rounded(exact: Decimal) -> Span:
    """Rounded to the nearest unit, a tie either way."""
    return Span(*money.nearest_range(exact))


def either_way(exact: Decimal) -> Span:
    """Rounded up or down."""
    return Span(int(exact.to_integral_value(ROUND_FLOOR)), int(exact.to_integral_value(ROUND_CEILING)))


def off(pointer: str, should_be: str, stated: int, expected: Span, digits: int) -> Iterator[FieldError]:
    """One finding where ``stated`` is outside ``expected``; ``should_be`` opens the sentence on what is right."""
    by = expected.distance(stated)
    if by:
        right = money.plain(expected.low if by < 0 else expected.high, digits)
        direction = "too much" if by > 0 else "too little"
        wrong = f"{money.plain(stated, digits)} is stated, {money.plain(abs(by), digits)} {direction}"
        yield FieldError(pointer, f"{should_be} {right}; {wrong}")
