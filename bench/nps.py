"""The Net Promoter Score's interval: how often it holds the true score, of 10, 30 and 100 answers."""

from collections.abc import Iterator

from bench.table import Limit, Row
from tests.support.nps import CROWDS, coverage

_ROUNDS = 20_000


def rows(_seconds: float) -> Iterator[Row]:
    """Of five shops whose true score is known, the one that is covered least, and the one that is covered most."""
    for size in (10, 30, 100):
        covered = [float(each) for each in coverage(size, rounds=_ROUNDS)]
        what = f"NPS interval, {size} answers, {len(CROWDS)} shops"
        yield Limit(f"{what}: coverage, least", min(covered), at_least=93, unit="%")
        yield Limit(f"{what}: coverage, most", max(covered), at_most=97, unit="%")
