"""Processes that are there at once: forked from one that has imported Counterfoil, and nothing else has happened in."""

import multiprocessing
import os
import select
import signal
import sys
import tempfile
import threading
from collections.abc import Sequence
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Final

from infra.settings import ROOT

_FORGE: Final = multiprocessing.get_context("forkserver")
# With what the commands load only when they are asked for, which takes seconds.
_FORGE.set_forkserver_preload(["cli.main", "cli.serve", "cli.worker"])


def begin(arguments: Sequence[str], *, env: dict[str, str], log: Path, first: str = "") -> ForkServerProcess:
    """``counterfoil`` with these arguments and no other environment, after the Python ``first``."""
    process = _FORGE.Process(target=_run, args=(list(arguments), env, str(log), first, os.getpid()))
    process.start()
    return process


def _run(arguments: list[str], env: dict[str, str], log: str, first: str, owner: int) -> None:
    threading.Thread(target=_end_with, args=(os.pidfd_open(owner),), daemon=True).start()
    os.chdir(ROOT)
    os.environ.clear()
    os.environ.update(env)
    tempfile.tempdir = None
    written = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for stream, open_file in ((0, os.open(os.devnull, os.O_RDONLY)), (1, written), (2, written)):
        os.dup2(open_file, stream)
    # Where uvicorn's own processes look for theirs.
    sys.stdin = open(0, closefd=False)  # noqa: SIM115
    sys.argv = ["counterfoil", *arguments]
    exec(first, {})  # noqa: S102 – a test's own words
    from cli.main import main

    main()


def _end_with(owner: int) -> None:
    """However the tests end."""
    select.select([owner], [], [])
    os.kill(os.getpid(), signal.SIGKILL)
