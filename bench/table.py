"""One measurement against another, and the table of them."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """``ours`` against ``other``, both as speeds (more is better); ``at_least`` is what the ratio is held to."""

    what: str
    ours: float
    other: float
    at_least: float
    unit: str = "/s"

    @property
    def ratio(self) -> float:
        return self.ours / self.other


def markdown(rows: Iterable[Row]) -> str:
    lines = ["| what | ours | other | ratio | at least | |", "|---|---:|---:|---:|---:|---|"]
    for row in rows:
        verdict = "yes" if row.ratio >= row.at_least else "**no**"
        sums = f"{row.ours:,.0f}{row.unit} | {row.other:,.0f}{row.unit}"
        lines.append(f"| {row.what} | {sums} | {row.ratio:.2f} | {row.at_least:g} | {verdict} |")
    return "\n".join(lines)
