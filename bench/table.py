"""What was measured, as rows of one table."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Ratio:
    """``ours`` against ``other``: more is better. The ratio should be ``at_least`` so much."""

    what: str
    ours: float
    other: float
    at_least: float
    unit: str = "/s"

    @property
    def holds(self) -> bool:
        return self.ours / self.other >= self.at_least

    def cells(self) -> tuple[str, ...]:
        figures = (_short(self.ours) + self.unit, _short(self.other) + self.unit, f"{self.ours / self.other:.2f}")
        return (self.what, *figures, f"≥ {self.at_least:g}")


@dataclass(frozen=True, slots=True)
class Limit:
    """A value that must not be above ``at_most``, or not below ``at_least``."""

    what: str
    value: float
    at_most: float | None = None
    at_least: float | None = None
    unit: str = ""

    @property
    def holds(self) -> bool:
        above = self.at_most is not None and self.value > self.at_most
        below = self.at_least is not None and self.value < self.at_least
        return not (above or below)

    def cells(self) -> tuple[str, ...]:
        bound = f"≤ {self.at_most:g}" if self.at_most is not None else f"≥ {self.at_least:g}"
        return (self.what, f"{self.value:g} {self.unit}".strip(), "", "", f"{bound} {self.unit}".strip())


Row = Ratio | Limit


def markdown(rows: Iterable[Row]) -> str:
    lines = ["| what | ours | other | ratio | wanted | holds |", "|---|---:|---:|---:|---:|---|"]
    lines += [f"| {' | '.join(row.cells())} | {'yes' if row.holds else '**no**'} |" for row in rows]
    return "\n".join(lines)


def _short(rate: float) -> str:
    return f"{rate:,.0f}" if rate >= 100 else f"{rate:.1f}"
