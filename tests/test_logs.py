"""What an operator reads: one JSON object a line, with the request that it is about, and what went wrong."""

import json
import subprocess
import sys
from typing import Any

import pytest

SERVE = """
import asyncio
import sys
import uvicorn
from starlette.applications import Starlette
from starlette.routing import Route
from api.middleware import Edge
from infra.logs import configure
from infra.settings import Log

async def wrong(request):
    raise LookupError("nothing where something should be")

class Once(uvicorn.Server):
    async def startup(self, sockets=None):
        await super().startup(sockets)
        port = self.servers[0].sockets[0].getsockname()[1]
        self.asked = asyncio.create_task(self.ask(port))

    async def ask(self, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /r/AAAAAAAAAAAAAAAAAAAAAA HTTP/1.0\\r\\nX-Request-Id: asked-by-a-test\\r\\n\\r\\n")
        await reader.read()
        writer.close()
        self.should_exit = True

configure(Log(log_format=sys.argv[1]))
app = Starlette(routes=[Route("/r/{token}", wrong)])
app.add_middleware(Edge, most_bytes=1000)
Once(uvicorn.Config(app, port=0, access_log=False, log_config=None)).run()
"""


def logged(form: str) -> str:
    """What a server writes that is asked once, and whose application fails."""
    done = subprocess.run([sys.executable, "-c", SERVE, form], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stderr


@pytest.fixture(scope="module")
def lines() -> list[dict[str, Any]]:
    return [json.loads(line) for line in logged("json").splitlines()]


def test_a_request_is_logged_without_the_token_of_its_link(lines: list[dict[str, Any]]) -> None:
    [request] = [line for line in lines if line["event"] == "request"]
    assert (request["path"], request["status"], request["request_id"]) == ("/r/…", 500, "asked-by-a-test")


def test_what_went_wrong_is_logged_with_its_traceback_and_its_request(lines: list[dict[str, Any]]) -> None:
    [error] = [line for line in lines if line["level"] == "error"]
    assert "LookupError: nothing where something should be" in error["exception"]
    assert error["request_id"] == "asked-by-a-test"


def test_for_eyes_a_traceback_is_lines() -> None:
    assert "\nLookupError: nothing where something should be\n" in logged("text").replace("\r", "")
