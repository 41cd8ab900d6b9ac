"""PDF: what happens when a child hangs, dies or cannot start, and what it is told."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bench.slip import slip
from infra.pdf import PdfPool, PdfTimeout, PdfTooLarge, PdfUnavailable
from infra.pdf_process import Child, tidy
from infra.pdf_reading import attached
from infra.settings import ROOT
from tests.support.pdf import endless, page, pids, text_of
from tests.support.presented import pdf_with
from tests.support.waiting import wait_until


def is_running(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rpartition(") ")[2][0] != "Z"


def test_a_render_that_hangs_is_stopped_and_its_child_replaced(fonts: Path, static: Path) -> None:
    with PdfPool(fonts=fonts, static=static, seconds=2) as pool:
        pool.render(page("<p>x</p>"), page="roll")
        (hanging,) = pids(pool)
        started = time.monotonic()
        with pytest.raises(PdfTimeout) as late:
            pool.render(endless(), page="roll")

        assert time.monotonic() - started < 30
        assert (late.value.status, late.value.slug) == (503, "pdf-timeout")
        assert not is_running(hanging)
        assert text_of(pool.render(page("<p>again</p>"), page="roll")) == "again"


def test_a_page_that_hung_is_refused_at_once_and_others_are_not(fonts: Path, static: Path) -> None:
    with PdfPool(fonts=fonts, static=static, seconds=2) as pool:
        with pytest.raises(PdfTimeout):
            pool.render(endless(), page="roll")
        pool.render(page("<p>x</p>"), page="roll")
        working = pids(pool)
        with pytest.raises(PdfTimeout) as again:
            pool.render(endless(), page="roll")

        assert again.value.retry_after is not None
        assert pids(pool) == working


def test_a_render_that_needs_more_memory_than_it_may_is_stopped_and_the_next_one_works(
    fonts: Path, static: Path
) -> None:
    with PdfPool(fonts=fonts, static=static, seconds=60, memory_mb=128) as pool:
        pool.render(page("<p>x</p>"), page="roll")
        (greedy,) = pids(pool)
        with pytest.raises(PdfTooLarge) as refused:
            pool.render(slip(times=500), page="roll")

        assert (refused.value.status, refused.value.slug) == (503, "pdf-too-large")
        assert not is_running(greedy)
        assert text_of(pool.render(page("<p>again</p>"), page="roll")) == "again"
        again = pids(pool)
        with pytest.raises(PdfTooLarge):
            pool.render(slip(times=500), page="roll")
        assert pids(pool) == again


def test_a_child_that_stands_still_is_replaced_too(fonts: Path, static: Path) -> None:
    with PdfPool(fonts=fonts, static=static, seconds=2) as pool:
        pool.render(page("<p>x</p>"), page="roll")
        (standing,) = pids(pool)
        os.kill(standing, signal.SIGSTOP)
        with pytest.raises(PdfTimeout):
            pool.render(page("<p>more than a socket holds</p>" * 100_000), page="roll")

        assert text_of(pool.render(page("<p>again</p>"), page="roll")) == "again"


def test_a_child_that_dies_at_work_costs_one_answer(own_pool: PdfPool) -> None:
    with ThreadPoolExecutor(1) as threads:
        dying = threads.submit(own_pool.render, endless(), page="roll")
        wait_until(lambda: own_pool._busy)
        (dies,) = pids(own_pool)
        os.kill(dies, signal.SIGKILL)
        problem = dying.exception(60)

    assert isinstance(problem, PdfUnavailable)
    assert (problem.status, problem.slug) == (503, "pdf-unavailable")
    assert text_of(own_pool.render(page("<p>again</p>"), page="roll")) == "again"


def test_a_child_that_died_idle_costs_nothing(own_pool: PdfPool) -> None:
    own_pool.render(page("<p>x</p>"), page="roll")
    (idle,) = own_pool._idle.queue
    assert idle is not None
    os.kill(idle._process.pid, signal.SIGKILL)
    wait_until(lambda: not idle.is_alive())

    assert text_of(own_pool.render(page("<p>again</p>"), page="roll")) == "again"


def test_threads_share_as_many_children_as_there_are(fonts: Path, static: Path) -> None:
    with PdfPool(fonts=fonts, static=static, processes=2, seconds=60) as pool, ThreadPoolExecutor(6) as threads:
        pdfs = threads.map(lambda number: pool.render(page(f"<p>No. {number}</p>"), page="roll"), range(12))

        assert [text_of(pdf) for pdf in pdfs] == [f"No. {number}" for number in range(12)]
        assert len(pids(pool)) == 2


def test_when_every_child_is_busy_for_too_long_the_caller_is_told_to_come_back(fonts: Path, static: Path) -> None:
    with PdfPool(fonts=fonts, static=static, seconds=0.2) as pool, pool._borrowed():
        with pytest.raises(PdfUnavailable, match="busy") as refused:
            pool.render(page("<p>x</p>"), page="roll")

        assert refused.value.retry_after


def test_closing_ends_the_children_and_what_they_do_and_clears_up(fonts: Path, static: Path) -> None:
    pool = PdfPool(fonts=fonts, static=static, processes=2, seconds=60)
    pool.render(page("<p>x</p>"), page="roll")
    with ThreadPoolExecutor(2) as threads:
        under_way = [threads.submit(pool.render, endless(), page="roll") for _ in range(2)]
        wait_until(lambda: len(pool._busy) == 2)
        running, folders = pids(pool), [child._temporary for child in pool._busy]
        pool.close()

        assert all(isinstance(render.exception(60), PdfUnavailable) for render in under_way)
    assert not any(is_running(pid) for pid in running)
    assert not any(Path(folder).exists() for folder in folders)
    with pytest.raises(PdfUnavailable, match="stopping"):
        pool.render(page("<p>x</p>"), page="roll")


PARENT = """
import sys, threading, time
from pathlib import Path
from bench.slip import slip
from infra.pdf import PdfPool
pool = PdfPool(fonts=Path(sys.argv[1]), static=Path(sys.argv[1]), seconds=300)
pool.render(slip(code=""), page="roll")
(child,) = pool._idle.queue
if sys.argv[2] == "busy":
    threading.Thread(target=pool.render, args=(slip(times=2_000),), kwargs={"page": "roll"}).start()
    time.sleep(0.5)
print(child._process.pid, child._temporary, flush=True)
time.sleep(300)
"""


@pytest.mark.parametrize("state", ["idle", "busy"])
def test_a_child_ends_when_its_parent_is_killed(fonts: Path, state: str) -> None:
    command = [sys.executable, "-c", PARENT, str(fonts), state]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as parent:
        assert parent.stdout is not None
        pid, folder = parent.stdout.readline().split()
        ran = is_running(int(pid))
        parent.kill()

    assert ran

    wait_until(lambda: not is_running(int(pid)))
    assert not Path(folder).exists()


def test_what_killed_children_left_is_removed_at_the_next_start_and_what_is_in_use_is_not(
    fonts: Path, static: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    left, young = tmp_path / "counterfoil-pdf-left", tmp_path / "counterfoil-pdf-young"
    elsewhere = tmp_path / "elsewhere"
    for folder in (left, young, elsewhere):
        folder.mkdir()
    (tmp_path / "counterfoil-pdf-link").symlink_to(elsewhere)
    child = Child(str(fonts), str(static), 128_000_000)
    for folder in (left, elsewhere, Path(child._temporary)):
        os.utime(folder, (0, 0))
    tidy()
    found = set(tmp_path.iterdir())
    child.end()

    assert found == {young, elsewhere, tmp_path / "counterfoil-pdf-link", Path(child._temporary)}
    assert not Path(child._temporary).exists()


SECRETS = {
    "COUNTERFOIL_DATABASE_URL": "postgresql://emma:hunter2@db.example/receipts",
    "AWS_SECRET_ACCESS_KEY": "hunter2",
    "PGPASSWORD": "hunter2",
    "OTEL_EXPORTER_OTLP_HEADERS": "authorization=hunter2",
    "ANOTHER_CLOUDS_PATH_AND_KEY": "hunter2",
}


def test_the_child_that_renders_is_told_no_secret(own_pool: PdfPool, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, secret in SECRETS.items():
        monkeypatch.setenv(name, secret)
    own_pool.render(page("<p>x</p>"), page="roll")
    (pid,) = pids(own_pool)
    told = Path(f"/proc/{pid}/environ").read_bytes()

    assert b"hunter2" not in told
    assert b"PATH=" in told


def test_the_process_that_reads_a_strangers_pdf_is_told_no_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = tmp_path / "environment"
    (tmp_path / "sitecustomize.py").write_text(f"import os; open({str(seen)!r}, 'w').write(repr(dict(os.environ)))")
    for name, secret in ({"PYTHONPATH": str(tmp_path)} | SECRETS).items():
        monkeypatch.setenv(name, secret)
    assert attached(pdf_with(), "receipt.json") is None
    told = seen.read_text()

    assert "hunter2" not in told
    assert "'PATH'" in told


def test_a_child_holds_no_socket_of_the_server(own_pool: PdfPool) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.set_inheritable(True)
        own_pool.render(page("<p>x</p>"), page="roll")
        (pid,) = pids(own_pool)
        held = [str(handle.readlink()) for handle in Path(f"/proc/{pid}/fd").iterdir()]
        ours = str(Path(f"/proc/self/fd/{listening.fileno()}").readlink())

    assert ours not in held
    assert sum(name.startswith("socket:") for name in held) == 1


def test_where_a_system_library_is_missing_the_reason_is_one_clear_line(
    fonts: Path, static: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stub = "raise OSError(\"cannot load library 'libpango-1.0-0': no such file\\nand more\")"
    (tmp_path / "weasyprint.py").write_text(stub)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with PdfPool(fonts=fonts, static=static) as pool:
        reason = pool.available()
        with pytest.raises(PdfUnavailable) as refused:
            pool.render(page("<p>x</p>"), page="roll")

    assert reason is not None
    assert "\n" not in reason
    assert "libpango-1.0-0': no such file" in reason
    assert "apt-get install" in reason
    assert (refused.value.status, refused.value.detail) == (503, reason)


def test_where_everything_is_there_pdf_is_available(pool: PdfPool) -> None:
    assert pool.available() is None
