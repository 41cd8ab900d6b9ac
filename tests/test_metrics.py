"""What operators see of a service, and who may see it."""

import os
import resource
import signal
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import Connection, Engine, text

from api.app import create_app
from infra import metrics, scrape
from infra.database import connect
from infra.metrics_port import serve_metrics
from infra.pdf import PdfFailed, PdfTimeout, PdfTooLarge, PdfUnavailable
from infra.scrape import Reading, Scrape, at_scrape
from infra.settings import Data, Server, Settings
from infra.storage import StorageDown, open_storage
from kernel.errors import Problem
from tests.support.inside import Inside, Person, on_sqlite
from tests.support.sales import coffee
from tests.support.server import Served
from tests.support.shops import Shops

TOKEN = "a-token-of-sixteen-or-more"


def values(exposition: str | bytes) -> dict[tuple[str, ...], float]:
    """Each sample by its name and its labels' values, in the order of the labels' names."""
    said = exposition.decode() if isinstance(exposition, bytes) else exposition
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(said)
        for sample in family.samples
    }


class Watched:
    """How much each value grew between two looks."""

    def __init__(self, engine: Engine) -> None:
        self._scrape = Scrape(engine)
        self._before = values(self._scrape.text())

    def grew(self, *name: str) -> float:
        return values(self._scrape.text()).get(name, 0) - self._before.get(name, 0)


@pytest.fixture
def watched(engine: Engine, inside: Inside) -> Watched:
    return Watched(engine)


@on_sqlite
def test_requests_are_counted_by_template_so_that_no_link_is_told(
    owner: Person, watched: Watched, inside: Inside
) -> None:
    url = owner.post("/v1/receipts", coffee()).json()["url"]
    token = url.rpartition("/")[2]
    for _ in range(3):
        assert owner.get(f"/r/{token}").status_code == 200
    owner.get(f"/R/{token}")
    assert watched.grew("counterfoil_http_requests_total", "GET", "/r/{token:token}", "2xx") == 3
    assert watched.grew("counterfoil_http_request_seconds_count", "/r/{token:token}") == 3
    assert watched.grew("counterfoil_http_requests_total", "POST", "/v1/receipts", "2xx") == 1
    assert watched.grew("counterfoil_http_requests_total", "GET", "none", "4xx") == 1
    assert token not in inside.app.state.house.scrape.text().decode()


@on_sqlite
def test_an_invented_method_gets_no_line_of_its_own(stranger: Person, watched: Watched) -> None:
    stranger.ask("BREW", "/healthz")
    assert watched.grew("counterfoil_http_requests_total", "other", "/healthz", "4xx") == 1


@on_sqlite
def test_every_route_has_a_template_of_its_own(inside: Inside, stranger: Person, watched: Watched) -> None:
    for path in ("/healthz", "/v1/stores/mitte/tills", "/static/none.css", "/openapi.json"):
        stranger.get(path)
    assert watched.grew("counterfoil_http_requests_total", "GET", "/v1/stores/{store}/tills", "4xx") == 1
    assert watched.grew("counterfoil_http_requests_total", "GET", "/static/{path:path}", "4xx") == 1
    assert watched.grew("counterfoil_http_requests_total", "GET", "/openapi.json", "2xx") == 1


@on_sqlite
def test_sales_are_counted_by_what_became_of_them(owner: Person, watched: Watched) -> None:
    sale = coffee() | {"external_id": "417"}
    owner.post("/v1/receipts", sale)
    owner.post("/v1/receipts", sale)
    owner.post("/v1/receipts", sale | {"total": "1000.00"})
    batch = {"receipts": [coffee(), coffee(store="nowhere"), {"nothing": 1}]}
    assert owner.post("/v1/receipts/batch", batch).status_code == 200
    grown = {
        outcome: watched.grew("counterfoil_receipts_total", outcome) for outcome in ("accepted", "repeated", "refused")
    }
    assert grown == {"accepted": 2, "repeated": 1, "refused": 3}
    assert watched.grew("counterfoil_commit_batch_receipts_sum") == 5
    assert watched.grew("counterfoil_commit_seconds_count") == watched.grew("counterfoil_commit_wait_seconds_count") > 0


@on_sqlite
def test_a_page_from_memory_is_a_hit(owner: Person, watched: Watched) -> None:
    path = f"/r/{owner.post('/v1/receipts', coffee()).json()['token']}"
    owner.get(path)
    owner.get(path)
    assert watched.grew("counterfoil_page_cache_total", "pages", "miss") == 1
    assert watched.grew("counterfoil_page_cache_total", "pages", "hit") == 1


@on_sqlite
def test_a_pdf_that_takes_too_long_is_counted_as_such(watched: Watched) -> None:
    with pytest.raises(PdfTimeout), metrics.rendering_pdf():
        raise PdfTimeout
    with metrics.rendering_pdf():
        pass
    assert watched.grew("counterfoil_pdf_renders_total", "timeout") == 1
    assert watched.grew("counterfoil_pdf_renders_total", "made") == 1
    assert watched.grew("counterfoil_pdf_seconds_count") == 2


@pytest.mark.parametrize("refusal", [PdfTimeout, PdfTooLarge, PdfUnavailable, PdfFailed])
def test_each_way_in_which_a_pdf_fails_is_explained(refusal: type[Problem]) -> None:
    assert f" {refusal.slug.removeprefix('pdf-')}: " in metrics.PDF_RENDERS._documentation


@on_sqlite
def test_each_process_tells_how_many_files_it_may_open(engine: Engine) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft - 1, hard))
    try:
        told = values(Scrape(engine).text())
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert told["counterfoil_process_max_fds", str(os.getpid()), "main"] == soft - 1


def test_connections_at_work_are_counted(database_url: str, engine: Engine) -> None:
    """No application is there, which would have its own at work just now."""
    watched, working = Watched(engine), connect(database_url)
    metrics.watch_pool(working)
    with working.connect(), working.connect():
        assert watched.grew("counterfoil_database_connections_in_use") == 2
    assert watched.grew("counterfoil_database_connections_in_use") == 0
    working.dispose()


def test_what_the_database_holds_is_read_when_somebody_asks(
    engine: Engine, shops: Shops, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scrape, "_looks", {})

    @at_scrape
    def shops_there(conn: Connection) -> Iterable[Reading]:
        yield Reading(metrics.MESSAGES, ("waiting",), conn.execute(text("SELECT count(*) FROM merchants")).scalar_one())

    @at_scrape
    def broken(conn: Connection) -> Iterable[Reading]:
        yield Reading(metrics.OLDEST_JOB, ("mail",), conn.execute(text("SELECT nothing FROM nowhere")).scalar_one())

    found = values(Scrape(engine).text())
    assert found["counterfoil_database_up",] == 1
    assert found["counterfoil_messages", "waiting"] == 2
    assert not any(name == "counterfoil_jobs_oldest_waiting_seconds" for name, *_ in found)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_database_that_hangs_keeps_nobody_waiting(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scrape, "_looks", {})

    @at_scrape
    def hangs(conn: Connection) -> Iterable[Reading]:
        conn.execute(text("SET LOCAL lock_timeout = '60s'"))
        conn.execute(text("SELECT pg_advisory_xact_lock(1)"))
        return ()

    watching, began = Scrape(engine, patience=0.1), time.monotonic()
    with engine.begin() as holding:
        holding.execute(text("SELECT pg_advisory_xact_lock(1)"))
        for _ in range(2):
            found = values(watching.text())
            assert found["counterfoil_database_up",] == 0
            assert found["counterfoil_commit_queue",] == 0
        assert time.monotonic() - began < 50
    assert watching._asking is not None
    watching._asking.join()


def test_a_database_that_is_away_is_told(tmp_path: Path) -> None:
    engine = connect("postgresql+psycopg://nobody@127.0.0.1:1/none")
    found = values(Scrape(engine).text())
    assert found["counterfoil_database_up",] == 0
    assert any(name == "counterfoil_process_resident_memory_bytes" and value > 0 for (name, *_), value in found.items())


def asked(base_url: str | None, database_url: str, **headers: str) -> httpx.Response:
    """``/metrics`` of a service at ``base_url``, asked from this machine; ``headers`` are written with underscores."""
    settings = Settings(Data(database_url=database_url), Server(base_url=base_url))
    with Inside(create_app(settings)) as inside:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return inside.request("GET", "/metrics", headers=named)


@pytest.mark.parametrize(
    "base_url, headers, status",
    [
        (None, {}, 200),
        ("http://localhost:8000", {}, 200),
        ("https://receipts.test", {}, 401),
        (None, {"X_Forwarded_For": "127.0.0.1"}, 401),
        (None, {"Forwarded": "for=127.0.0.1"}, 401),
    ],
)
def test_without_a_token_only_a_service_that_is_not_public_tells_its_figures(
    sqlite_url: str, base_url: str | None, headers: dict[str, str], status: int
) -> None:
    answer = asked(base_url, sqlite_url, **headers)
    assert answer.status_code == status
    assert ("counterfoil_build_info" in answer.text) is (status == 200)


def test_with_a_token_whoever_sends_it_reads_and_nobody_else(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COUNTERFOIL_METRICS_TOKEN", TOKEN)
    right = asked("https://receipts.test", sqlite_url, Authorization=f"Bearer {TOKEN}")
    assert right.status_code == 200
    assert right.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert right.headers["cache-control"] == "no-store"
    assert asked(None, sqlite_url).status_code == 401
    assert asked(None, sqlite_url, Authorization="Bearer something-else-of-16").status_code == 401
    assert asked(None, sqlite_url, Authorization=TOKEN).status_code == 401


def test_a_process_without_pages_answers_on_a_port_of_its_own(sqlite_url: str) -> None:
    engine = connect(sqlite_url)
    with serve_metrics(engine, port=0, token=TOKEN) as port:
        url = f"http://127.0.0.1:{port}"
        assert httpx.get(f"{url}/metrics").status_code == 401
        assert httpx.get(f"{url}/", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 404
        answer = httpx.get(f"{url}/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
        assert values(answer.text)["counterfoil_database_up",] == 1
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{url}/metrics")
    engine.dispose()


@pytest.fixture
def two_processes(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    monkeypatch.setenv("COUNTERFOIL_WORKERS", "2")
    monkeypatch.setenv("COUNTERFOIL_METRICS_TOKEN", TOKEN)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    server = Served(tmp_path / "server", database_url)
    server.start()
    yield server
    server.end()
    assert list(tmp_path.glob("counterfoil-metrics-*")) == []


def scraped(server: Served) -> dict[tuple[str, ...], float]:
    return values(httpx.get(f"{server.url}/metrics", headers={"Authorization": f"Bearer {TOKEN}"}).text)


def pids(found: dict[tuple[str, ...], float]) -> set[int]:
    return {int(rest[0]) for name, *rest in found if name == "counterfoil_process_open_fds" and rest[1] == "main"}


def until(server: Served, holds: Callable[[dict[tuple[str, ...], float]], bool]) -> dict[tuple[str, ...], float]:
    deadline = time.monotonic() + 30
    while not holds(found := scraped(server)):
        assert time.monotonic() < deadline, found
        time.sleep(0.1)
    return found


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_one_process_tells_what_all_of_a_server_counted_also_after_one_was_killed(
    two_processes: Served, shops: Shops
) -> None:
    before = until(two_processes, lambda found: len(pids(found)) == 2)
    for _ in range(20):
        # A connection of its own each time, so that either process may get it.
        answer = httpx.post(
            f"{two_processes.url}/v1/receipts", json=coffee(), headers={"Authorization": f"Bearer {shops.owner}"}
        )
        assert answer.status_code == 201
    assert scraped(two_processes)["counterfoil_receipts_total", "accepted"] == 20
    victim = min(pids(before))
    os.kill(victim, signal.SIGKILL)
    after = until(two_processes, lambda found: victim not in pids(found) and len(pids(found)) == 2)
    assert after["counterfoil_receipts_total", "accepted"] == 20
    folder = next(two_processes.folder.parent.glob("counterfoil-metrics-*"))
    assert list(folder.glob(f"gauge_live*_{victim}.db")) == []


def test_a_scrape_tells_how_many_messages_and_jobs_there_are(owner: Person, engine: Engine) -> None:
    asking = coffee() | {"shopper": {"email": "shopper@example.com"}, "deliver": ["email"]}
    owner.post("/v1/receipts", asking)
    found = values(Scrape(engine).text())
    assert found["counterfoil_messages", "deferred"] == 0
    assert found["counterfoil_messages", "waiting"] in (0, 1)
    assert all(
        rest[1] in ("waiting", "delayed", "running", "dead") for name, *rest in found if name == "counterfoil_jobs_now"
    )


@on_sqlite
def test_a_folder_that_takes_no_objects_is_counted(watched: Watched, tmp_path: Path) -> None:
    storage = open_storage(Data(storage_url=(tmp_path / "objects").as_uri()))
    (tmp_path / "objects" / "logos").write_text("in the way")
    with pytest.raises(StorageDown):
        storage.put("logos/one.png", b"picture")
    assert watched.grew("counterfoil_storage_errors_total", "folder") == 1
