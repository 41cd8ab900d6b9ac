"""The dashboard and the alerts ask for what there is."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from typing import Any, Final

import pytest
import yaml
from sqlalchemy import Engine

from infra.metrics import FIGURES, REGISTRY
from infra.scrape import Scrape
from infra.settings import ROOT
from tests.support.inside import on_sqlite

FOLDER: Final = ROOT / "docs" / "dashboards"
BOARD: Final[dict[str, Any]] = json.loads((FOLDER / "counterfoil.json").read_text())
RULES: Final = [
    rule for group in yaml.safe_load((FOLDER / "alerts.yaml").read_text())["groups"] for rule in group["rules"]
]
PANELS: Final = [panel for panel in BOARD["panels"] if panel["type"] != "row"]
QUERIES: Final = [target["expr"] for panel in PANELS for target in panel["targets"]] + [rule["expr"] for rule in RULES]
# Of the machine, not of ours.
OTHERS: Final = ("up", "node_")


def known(engine: Engine) -> dict[str, set[str]]:
    """What can be asked for: each series with its labels."""
    ours: dict[str, set[str]] = {}
    for metric in REGISTRY.collect():
        declared = REGISTRY._names_to_collectors[metric.name]
        labels = set(getattr(declared, "_labelnames", ()))
        endings = {"counter": ["_total"], "histogram": ["_bucket", "_sum", "_count"]}.get(metric.type, [""])
        ours |= {metric.name + ending: labels | ({"le"} if ending == "_bucket" else set()) for ending in endings}
    ours |= {figure.name: set(figure.labels) for figure in FIGURES}
    for name, labels in re.findall(
        r"^(counterfoil_\w+)(?:\{(.*)\})? ", Scrape(engine, patience=30).text().decode(), re.MULTILINE
    ):
        ours.setdefault(name, set(re.findall(r'(\w+)="', labels)))
    return ours


def asked(query: str) -> Iterator[tuple[str, set[str]]]:
    """The series of a query, with the labels that it chooses by."""
    for name, chosen in re.findall(r"\b([a-z]\w*_\w+|up)(?:\{([^}]*)\})?(?=[\s)\[{<>=/]|$)", query):
        if name.startswith("counterfoil_"):
            yield name, set(re.findall(r'(\w+)\s*(?:=~|!~|!=|=)\s*"', chosen))


@on_sqlite
@pytest.mark.parametrize("query", QUERIES)
def test_every_query_asks_for_series_and_labels_that_there_are(query: str, engine: Engine) -> None:
    there = known(engine)
    found = dict(asked(query))
    assert found or query.startswith(OTHERS)
    for name, labels in found.items():
        assert name in there, name
        assert labels - {"job", "instance"} <= there[name]
    grouped = {label.strip() for labels in re.findall(r"by \(([^)]*)\)", query) for label in labels.split(",")}
    assert grouped - {"instance"} <= set().union(*(there[name] for name in found), *([{"version"}] if found else []))


@on_sqlite
def test_everything_that_is_counted_is_on_the_dashboard_or_in_an_alert(engine: Engine) -> None:
    shown = {re.sub("_(bucket|sum|count|total)$", "", name) for query in QUERIES for name, _ in asked(query)}
    counted = {re.sub("_(bucket|sum|count|total)$", "", name) for name in known(engine)}
    assert counted - shown == set()


def test_every_panel_and_every_alert_says_what_it_means() -> None:
    assert all(panel["title"] and panel["targets"] for panel in PANELS)
    assert all(rule["annotations"]["summary"] and rule["annotations"]["description"] for rule in RULES)
    assert len({rule["alert"] for rule in RULES}) == len(RULES)


def test_panels_do_not_overlap_and_have_ids_of_their_own() -> None:
    assert len({panel["id"] for panel in BOARD["panels"]}) == len(BOARD["panels"])
    squares = [
        (x, y)
        for panel in BOARD["panels"]
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]
    assert len(squares) == len(set(squares))
    assert max(x for x, _ in squares) == 23


@pytest.mark.long
def test_prometheus_takes_the_alerts() -> None:
    promtool = shutil.which("promtool")
    assert promtool, "promtool is not installed: apt-get install prometheus"
    done = subprocess.run([promtool, "check", "rules", FOLDER / "alerts.yaml"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
