"""The OpenAPI document and the service say the same: schemathesis tries, with all its checks."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, func, select

from api.app import create_app
from infra.settings import Settings
from receipts.tables import Receipt
from tests.support.server import Served
from tests.support.shops import Shops

CONFIG = Path(__file__).parent / "data" / "schemathesis.toml"
# The tree of its rules has nineteen thousand variants, more than all other bodies together.
LEFT_TO_THE_LONG_RUN = """
[[operations]]
include-name = "POST /v1/campaigns"
phases.coverage.enabled = false
"""


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return create_app(Settings()).openapi()


@pytest.fixture
def server(tmp_path: Path, database_url: str, shops: Shops) -> Iterator[Served]:
    """It starts when the shops are there, and makes the keys that sign for them."""
    with Served(tmp_path, database_url) as server:
        yield server


def examined(server: Served, shops: Shops, *options: str, but_for: str = LEFT_TO_THE_LONG_RUN) -> str:
    """What schemathesis complains of. It has the outsider's key: with one store, the document's example is accepted."""
    config = server.folder / "schemathesis.toml"
    config.write_text(CONFIG.read_text() + but_for)
    command = [str(Path(sys.executable).parent / "schemathesis"), "--config-file", str(config), "run"]
    command += [f"{server.url}/openapi.json", "-H", f"Authorization: Bearer {shops.outsider}", "--no-color", *options]
    done = subprocess.run(command, cwd=server.folder, capture_output=True, text=True)
    # Whole, where pytest would show the first lines.
    print(done.stdout)  # noqa: T201
    still = httpx.get(f"{server.url}/v1/keys", headers={"Authorization": f"Bearer {shops.outsider}"})
    assert still.status_code == 200, "its key was revoked on the way, so little was tried"
    return "it complains" if done.returncode else ""


def check(server: Served, engine: Engine) -> None:
    log = [json.loads(line) for line in server.log.read_text().strip().split("\n")]
    assert [line for line in log if line.get("status", 0) >= 500 or line["level"] == "error"] == []
    with engine.connect() as conn:
        assert conn.scalar(select(func.count()).select_from(Receipt)), "no sale was accepted, so little was tried"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_schemathesis_finds_nothing(server: Served, shops: Shops, engine: Engine) -> None:
    assert examined(server, shops, "--max-examples", "5", "--seed", "417") == ""
    check(server, engine)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_schemathesis_finds_nothing_that_depends_on_the_database(server: Served, shops: Shops, engine: Engine) -> None:
    phases = ["--phases", "examples,fuzzing,stateful"]
    assert examined(server, shops, *phases, "--max-examples", "5", "--seed", "418") == ""
    check(server, engine)


@pytest.mark.long
def test_schemathesis_finds_nothing_in_a_long_time(server: Served, shops: Shops, engine: Engine) -> None:
    assert examined(server, shops, "--max-examples", "100", but_for="") == ""
    check(server, engine)


def test_every_operation_says_what_it_is_for(document: dict[str, Any]) -> None:
    operations = [each for path in document["paths"].values() for each in path.values()]
    assert [each for each in operations if not each.get("summary")] == []
    ids = [each["operationId"] for each in operations]
    assert len(set(ids)) == len(ids)


# A proof is for everybody.
OPEN_TO_ALL = {"/v1/campaigns/{campaign_id}/proof"}


def test_every_operation_that_takes_a_key_may_refuse_it(document: dict[str, Any]) -> None:
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            if path.startswith("/v1/") and path not in OPEN_TO_ALL:
                assert operation["security"] == [{"key": []}], (method, path)
                assert {"401", "403"} <= operation["responses"].keys(), (method, path)


def test_no_two_templates_are_one_address(document: dict[str, Any]) -> None:
    """OpenAPI 3.1, section 4.8.8.2."""
    shapes = [re.sub(r"\{\w+\}", "{}", path) for path in document["paths"]]
    assert len(set(shapes)) == len(shapes)


def test_every_refusal_is_a_problem(document: dict[str, Any]) -> None:
    for path, operations in document["paths"].items():
        for operation in operations.values():
            for status, answer in operation["responses"].items():
                if status >= "400":
                    is_page = path in ("/r/{token}", "/u/{token}")
                    assert "application/problem+json" in answer["content"] or is_page, (path, status)


def test_the_document_refers_to_nothing_that_is_not_in_it(document: dict[str, Any]) -> None:
    text = json.dumps(document)
    wanted = {part.split('"')[0] for part in text.split('"$ref": "#/components/schemas/')[1:]}
    assert wanted <= document["components"]["schemas"].keys()
    assert document["components"]["schemas"].keys() - wanted == set()
