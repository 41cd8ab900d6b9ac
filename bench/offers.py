"""What else somebody may want: how often a hidden item is among the first ten, against peers on the same cases.

And how long it takes to learn from 100,000 baskets: those of the file, drawn with replacement; then, how long a receipt
waits for what was learned.
"""

import os
import re
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import typer
from scipy import sparse

from bench import offer_query
from bench.table import Limit, Ratio, Row
from engagement.offers import backtest, basket_files, baskets, learning, popularity
from engagement.offers.baskets import Baskets
from engagement.offers.learning import Trial
from engagement.offers.methods import Taught

_FILE: Final = Path(
    os.environ.get("COUNTERFOIL_BENCH_BASKETS")
    or Path(__file__).resolve().parents[2] / "shared" / "baskets" / "online_retail.parquet"
)
_ITEMS: Final = re.compile(r"\d{5}")
_SEED: Final = 0
_MANY: Final = 100_000
_NEIGHBOURS: Final = (20, 100)


def rows(seconds: float) -> Iterator[Row]:
    found = _read()
    if found is not None:
        yield from _learned(found)
    yield from offer_query.rows(seconds)


def _learned(found: Baskets) -> Iterator[Row]:
    trials = learning.tried(found, seed=_SEED)
    chosen = learning.best(trials)
    ours = 100 * chosen.figures.hr10
    what = f"HR@10 × 100 of {chosen.figures.cases:,} hidden items of Online Retail"
    yield Limit(f"{what}, {chosen.method.name}", round(ours, 1), at_least=27)
    for peer, near in _peers(found):
        yield Ratio(f"the same : {peer}", ours, 100 * _hr10(found, near), at_least=1, unit="")
    for trial in (chosen, *(each for each in trials if each.method.name == "receipts")):
        yield _fit(found, trial)


def _read() -> Baskets | None:
    if not _FILE.exists():
        typer.echo(f"offers: skipped, since {_FILE} is not there; COUNTERFOIL_BENCH_BASKETS names another", err=True)
        return None
    return baskets.of(basket_files.rows(_FILE, basket_files.Reading(items=_ITEMS)))


def _peers(found: Baskets) -> Iterator[tuple[str, sparse.csr_array]]:
    """Taught by what taught ours, as they come."""
    lines = backtest.split(found)[2].lines
    yield "popularity", sparse.csr_array((lines.shape[1], lines.shape[1]), dtype=np.float32)
    yield "cosine", _cosine(lines)
    try:
        from implicit.nearest_neighbours import BM25Recommender
    except ImportError:
        typer.echo("offers: BM25 skipped, since implicit is not there; scripts/setup --bench installs it", err=True)
        return
    for neighbours in _NEIGHBOURS:
        yield f"implicit's BM25, {neighbours} neighbours", _bm25(BM25Recommender(K=neighbours), lines)


def _cosine(lines: sparse.csr_array) -> sparse.csr_array:
    lengths = sparse.diags_array(1 / np.sqrt(np.maximum(lines.sum(axis=0), 1)))
    near = (lengths @ (lines.T @ lines) @ lengths).tocsr()
    near.setdiag(0)
    return near


def _bm25(peer: Any, lines: sparse.csr_array) -> sparse.csr_array:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        peer.fit(sparse.csr_matrix(lines), show_progress=False)
    return sparse.csr_array(peer.similarity)


def _hr10(found: Baskets, near: sparse.csr_array) -> float:
    _, _, learned, test = backtest.split(found)
    cases = backtest.hide(test, learned, seed=_SEED)
    return backtest.figures(cases, near, popularity.count(learned, None)).hr10


def _fit(found: Baskets, trial: Trial) -> Row:
    drawn = np.sort(np.random.default_rng(_SEED).integers(0, len(found), _MANY))
    many = Baskets(
        found.lines[drawn], found.at[drawn], found.shopper[drawn], found.store[drawn], found.items, found.stores
    )
    began = time.perf_counter()
    trial.method.near(Taught(many), trial.params)
    took = round(time.perf_counter() - began, 2)
    return Limit(f"learning from {_MANY:,} baskets of {many.lines.nnz:,} lines, {trial.method.name}", took, 3, unit="s")
