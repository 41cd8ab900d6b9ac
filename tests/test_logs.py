"""Logs: readable by machines or by eyes, with tracebacks, and without what variables hold."""

import json
import subprocess
import sys

import pytest

from infra.settings import ROOT

PROGRAM = """
import logging, sys
import structlog
from infra import logs
from infra.settings import Log

logs.configure(Log(log_format=sys.argv[1], log_level="warning"))
secret = "cf_live_" + "secret"
try:
    raise ValueError("unforeseen")
except ValueError as error:
    logging.getLogger("uvicorn.error").error("Exception in ASGI application", exc_info=error)
    structlog.get_logger().bind(request_id="till-3").error("request_failed", exc_info=error)
structlog.get_logger().info("too quiet to be heard")
logging.getLogger("sqlalchemy").info("too quiet to be heard")
"""


def written(log_format: str) -> str:
    command = [sys.executable, "-W", "error", "-c", PROGRAM, log_format]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == ""
    return done.stderr


@pytest.mark.parametrize("log_format", ["json", "text"])
def test_an_error_is_logged_with_its_traceback_and_without_its_variables(log_format: str) -> None:
    log = written(log_format)
    assert log.count("ValueError: unforeseen") == 2
    assert log.count("Traceback (most recent call last)") == 2
    assert "cf_live_secret" not in log
    assert "too quiet" not in log


def test_a_machine_reads_one_object_a_line() -> None:
    first, second = (json.loads(line) for line in written("json").splitlines())
    assert (first["event"], first["level"]) == ("Exception in ASGI application", "error")
    assert (second["event"], second["request_id"]) == ("request_failed", "till-3")
    assert first["timestamp"].endswith("Z")
