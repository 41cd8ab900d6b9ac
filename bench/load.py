"""Servers as processes of their own, and load on them from a third (wrk), so that client and server share nothing."""

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_REQUESTS = re.compile(r"Requests/sec:\s+([0-9.]+)")
_ERRORS = re.compile(r"Non-2xx or 3xx responses: (\d+)|Socket errors: .*")


@dataclass(frozen=True, slots=True)
class Server:
    address: str
    pid: int


@contextmanager
def served(factory: str, *, workers: int = 1, env: dict[str, str]) -> Iterator[str]:
    """The address of a server that runs the application of ``factory``, a name such as ``bench.apps:real``."""
    command = ["-m", "uvicorn", "--factory", factory, "--workers", str(workers), "--no-access-log"]
    with _running([*command, "--log-level", "error"], env) as server:
        yield server.address


@contextmanager
def whole(env: dict[str, str]) -> Iterator[Server]:
    """``counterfoil serve``, as an operator runs it: with a worker inside."""
    with _running(["-c", "from cli.main import main; main()", "serve"], env) as server:
        yield server


@contextmanager
def _running(arguments: Sequence[str], env: dict[str, str]) -> Iterator[Server]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, *arguments, "--port", str(port)]
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command, env=os.environ | env, stderr=log, start_new_session=True)
        if not _answers(port, process):
            log.seek(0)
            raise RuntimeError(f"{' '.join(arguments)} did not start:\n{log.read().decode()}")
        try:
            yield Server(f"http://127.0.0.1:{port}", process.pid)
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(30)


def _answers(port: int, process: subprocess.Popen[bytes]) -> bool:
    until = time.monotonic() + 60
    while time.monotonic() < until and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return True
        time.sleep(0.05)
    return False


def requests_a_second(url: str, *, seconds: float, script: Path | None = None, clients: int = 32) -> float:
    """What wrk counts with one thread and ``clients`` connections. Any answer but 2xx and 3xx is an error."""
    command = ["wrk", "-t1", f"-c{clients}", f"-d{seconds:g}s", "--timeout", "20s"]
    command += ["-s", str(script)] if script else []
    out = subprocess.run([*command, url], capture_output=True, text=True, check=True).stdout
    failed, counted = _ERRORS.search(out), _REQUESTS.search(out)
    if failed or not counted:
        raise RuntimeError(f"wrk on {url}: {failed[0] if failed else out}")
    return float(counted[1])
