"""How many connections a process may open is said where an operator counts them, and is so."""

from typing import Final

import yaml
from sqlalchemy import Engine
from sqlalchemy.pool import QueuePool

from cli import checks_database
from infra.database import connect
from infra.jobs import system_engine
from infra.settings import ROOT

URL: Final = "postgresql+psycopg://shop@127.0.0.1:1/shop"


def most(engine: Engine) -> int:
    pool = engine.pool
    assert isinstance(pool, QueuePool)
    return pool.size() + pool._max_overflow


def test_a_process_opens_no_more_connections_than_its_operator_is_told() -> None:
    own, jobs, slot = most(connect(URL)), most(system_engine(URL)), 1
    server, worker = own + jobs, own + jobs + jobs + slot
    assert (server, worker) == (checks_database.SERVER, checks_database.WORKER)
    page = (ROOT / "docs" / "operating.md").read_text()
    assert f"at most {server} a server, {worker} a worker, {server + worker} a server that works too" in page
    assert f"({server} × servers + {worker} × workers) × 2 + 20" in page


def test_the_database_of_the_cluster_takes_two_sets_of_its_processes() -> None:
    services = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
    commands = [service.get("command", []) for service in services.values()]
    servers = sum("serve" in command and "--no-worker" in command for command in commands)
    workers = sum("worker" in command for command in commands)
    assert (servers, workers) == (2, 2)
    [taken] = (word for word in services["postgres"]["command"] if word.startswith("max_connections="))
    needed = (servers * checks_database.SERVER + workers * checks_database.WORKER) * 2
    assert int(taken.partition("=")[2]) >= needed + 20
