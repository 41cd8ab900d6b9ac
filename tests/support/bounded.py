"""A process that may take only so much: what takes more fails, however quick the machine is."""

import resource
import subprocess
import sys
from functools import partial

from infra.settings import ROOT


def bounded(program: str, *, seconds: int, megabytes: int = 2_000) -> str:
    """What ``program``, in Python, prints, within seconds of a processor and megabytes of data.

    Raises :class:`AssertionError` with its last words where it takes more.
    """
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        text=True,
        capture_output=True,
        preexec_fn=partial(_limit, seconds, megabytes * 1_000_000),
        check=False,
    )
    assert done.returncode == 0, f"ended with {done.returncode}: {done.stderr[-500:]}"
    return done.stdout.strip()


def _limit(seconds: int, octets: int) -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    # Not RLIMIT_AS: that counts what is mapped and shared as well.
    resource.setrlimit(resource.RLIMIT_DATA, (octets, octets))
