"""What the house promises about its own code, beyond what the linters and the import contract hold."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
# Hypothesis, caches and the like make their own hidden or ignored folders.
PACKAGES = sorted(path.parent.name for path in ROOT.glob("[!.]*/__init__.py"))
FLOORS = sorted(set(PACKAGES) - {"tests", "bench"})
MODULES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))

PURE = (
    "kernel/*.py",
    "receipts/sale.py",
    "receipts/totals.py",
    "receipts/document.py",
    "receipts/facturx*.py",
    "cards/vcard.py",
    "engagement/nps.py",
    "engagement/scratch.py",
    "orders/tracking.py",
    "orders/return_policy.py",
    "pos/*/parse.py",
)
CLOCKS = {"now", "utcnow", "today", "time", "time_ns", "monotonic", "perf_counter", "localtime", "gmtime", "utc_now"}
CLOCK_OWNERS = {"datetime", "date", "time", "clock"}
# The one module whose work it is.
THE_CLOCK = "kernel/clock.py"


def short(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def is_pure(path: Path) -> bool:
    return short(path) != THE_CLOCK and any(fnmatch(short(path), pattern) for pattern in PURE)


def clock_reads(source: str) -> list[int]:
    """The lines on which ``datetime.now()``, ``time.time()``, ``clock.utc_now()`` or the like are called."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    return [call.lineno for call in calls if reads_clock(call.func)]


def reads_clock(called: ast.expr) -> bool:
    match called:
        case ast.Name(id="utc_now"):
            return True
        case ast.Attribute(value=ast.Name(id=owner) | ast.Attribute(attr=owner), attr=name):
            return owner in CLOCK_OWNERS and name in CLOCKS
    return False


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


@pytest.mark.parametrize("path", [path for path in MODULES if is_pure(path)], ids=short)
def test_a_pure_module_takes_its_time_as_an_argument(path: Path) -> None:
    assert clock_reads(path.read_text()) == []


@pytest.mark.parametrize(
    "call",
    ["datetime.now(UTC)", "datetime.datetime.utcnow()", "date.today()", "time.time()", "utc_now()", "clock.utc_now()"],
)
def test_a_look_at_the_clock_is_found(call: str) -> None:
    assert clock_reads(f"def f():\n    return {call}\n") == [2]


def test_no_package_shadows_the_standard_library() -> None:
    assert set(PACKAGES) & sys.stdlib_module_names == set()


def test_every_floor_is_installed_and_under_the_import_contract() -> None:
    within = [path.parent for floor in FLOORS for path in (ROOT / floor).rglob("__init__.py")]
    installed = sorted(short(folder).replace("/", ".") for folder in within)
    assert sorted(PROJECT["tool"]["setuptools"]["packages"]) == installed
    assert sorted(PROJECT["tool"]["importlinter"]["root_packages"]) == FLOORS


def test_no_module_is_longer_than_400_lines() -> None:
    lengths = {short(path): len(path.read_text().splitlines()) for path in MODULES}
    assert {path: lines for path, lines in lengths.items() if lines > 400} == {}


def test_no_function_is_longer_than_40_lines() -> None:
    found = {
        f"{short(path)}:{function.lineno} {function.name}": (function.end_lineno or 0) - function.lineno + 1
        for path in MODULES
        for function in functions(path)
    }
    assert {function: lines for function, lines in found.items() if lines > 40} == {}


def canonical(requirement: str) -> str:
    """A distribution's name as PEP 503 compares it: ``psycopg[binary]>=3`` is ``psycopg``."""
    name = re.match(r"[\w.-]+", requirement)
    assert name
    return re.sub(r"[-_.]+", "-", name[0]).lower()


RUN = PROJECT["project"]["dependencies"] + PROJECT["build-system"]["requires"]
DEV = RUN + PROJECT["project"]["optional-dependencies"]["dev"]
BENCH = DEV + PROJECT["project"]["optional-dependencies"]["bench"]
LOCKS = {"requirements.lock": RUN, "requirements-dev.lock": DEV, "requirements-bench.lock": BENCH}


@pytest.mark.parametrize("lock, wanted", LOCKS.items(), ids=["run", "dev", "bench"])
def test_every_dependency_is_locked_with_its_hashes(lock: str, wanted: list[str]) -> None:
    entries = re.findall(r"^[^\s#].*(?:\n .*)*", (ROOT / lock).read_text(), re.MULTILINE)
    assert {canonical(name) for name in wanted} <= {canonical(entry) for entry in entries}
    assert [entry.splitlines()[0] for entry in entries if "--hash=sha256:" not in entry] == []


def test_no_lock_names_an_address_or_a_folder() -> None:
    locks = "".join((ROOT / lock).read_text() for lock in LOCKS)
    assert re.findall(r"\S*/\S*", locks) == []
