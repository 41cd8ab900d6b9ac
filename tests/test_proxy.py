"""nginx with its file, before two servers that answer as they are told, with certificates as certbot lays them out."""

import os
import re
import shutil
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Final

import httpx
import pytest

from infra.settings import ROOT
from tests.support.server import free_port

pytestmark = pytest.mark.long

TEMPLATE: Final = (ROOT / "deploy" / "nginx.conf.template").read_text()
EXAMPLE: Final = dict(re.findall(r"^(\w+)=(.*)$", (ROOT / ".env.example").read_text(), re.MULTILINE))
SELF_SIGNED: Final = ("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost")
TEMPORARY: Final = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


class Stub(BaseHTTPRequestHandler):
    """Answers 503 to a PDF, nothing at all to what hangs, and 201 to a sale."""

    def do_GET(self) -> None:
        if "hangs" in self.path:
            time.sleep(2)
            return
        self._answer(503 if self.path.endswith(".pdf") else 200)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(201)

    def _answer(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Nothing."""


@contextmanager
def stub() -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Stub)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def certify(machine: Path, number: int) -> None:
    """As certbot does: files in archive/, and links to them in live/."""
    archive, live = (machine / "etc/letsencrypt" / each / EXAMPLE["SITE"] for each in ("archive", "live"))
    for folder in (archive, live):
        folder.mkdir(parents=True, exist_ok=True)
    made = {name: archive / f"{name}{number}.pem" for name in ("privkey", "fullchain")}
    subprocess.run(
        [*SELF_SIGNED, "-keyout", made["privkey"], "-out", made["fullchain"]], check=True, capture_output=True
    )
    for name, file in made.items():
        (live / f"{name}.pem").unlink(missing_ok=True)
        (live / f"{name}.pem").symlink_to(f"../../archive/{EXAMPLE['SITE']}/{file.name}")


def mount(machine: Path, mounted: Path) -> None:
    """A container sees the folder alone: links that lead out of it lead nowhere."""
    shutil.rmtree(mounted, ignore_errors=True)
    shutil.copytree(f"{machine}{EXAMPLE['TLS_FOLDER']}", mounted, symlinks=True)


@dataclass
class Proxy:
    client: httpx.Client
    servers: list[ThreadingHTTPServer]
    machine: Path
    mounted: Path
    command: list[str]

    def post(self) -> int:
        return self.client.post("/v1/receipts", json={}).status_code

    def certificate(self) -> str:
        return ssl.get_server_certificate(("localhost", self.client.base_url.port or 443))


def configuration(folder: Path, mounted: Path, servers: list[ThreadingHTTPServer], ports: dict[str, int]) -> str:
    """As far as an nginx before 1.27 knows the words: it cannot ask for addresses anew. And with little patience."""
    text = re.sub(r"resolver .*\n", "", TEMPLATE.replace(" resolve ", " ")).replace("http2 on;", "")
    text = text.replace("proxy_read_timeout 60s", "proxy_read_timeout 1s")
    for number, server in enumerate(servers, 1):
        text = text.replace(f"server-{number}:8000", f"127.0.0.1:{server.server_address[1]}")
    for listened, port in ports.items():
        text = re.sub(rf"listen {listened}\b", f"listen 127.0.0.1:{port}", text)
    text = text.replace("/etc/nginx/tls", str(mounted))
    for name, value in {"SITE": "localhost", "TLS_PATH": EXAMPLE["TLS_PATH"]}.items():
        text = text.replace(f"${{{name}}}", value)
    temporary = "".join(f"{each}_temp_path {folder}/{each};\n" for each in TEMPORARY)
    return f"pid {folder}/pid;\ndaemon off;\nevents {{}}\nhttp {{\n{temporary}{text}\n}}\n"


@pytest.fixture
def proxy(tmp_path: Path) -> Iterator[Proxy]:
    nginx = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    assert nginx, "nginx is not installed: apt-get install nginx-light"
    machine, mounted = tmp_path / "machine", tmp_path / "mounted"
    certify(machine, 1)
    mount(machine, mounted)
    with ExitStack() as stack:
        servers = [stack.enter_context(stub()) for _ in range(2)]
        ports = {"80": free_port(), "443": free_port()}
        file = tmp_path / "nginx.conf"
        file.write_text(configuration(tmp_path, mounted, servers, ports))
        command = [nginx, "-p", str(tmp_path), "-e", str(tmp_path / "log"), "-c", str(file)]
        checked = subprocess.run([*command, "-t"], capture_output=True, text=True)
        assert checked.returncode == 0, checked.stderr
        running = stack.enter_context(subprocess.Popen(command))
        stack.callback(running.terminate)
        client = httpx.Client(base_url=f"https://localhost:{ports['443']}", verify=False, timeout=20)  # noqa: S501
        stack.enter_context(client)
        wait_for(client)
        yield Proxy(client, servers, machine, mounted, command)


def wait_for(client: httpx.Client) -> None:
    for _ in range(100):
        try:
            client.get("/healthz")
        except httpx.ConnectError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("nginx does not answer")


def test_answers_of_503_shut_no_server_out(proxy: Proxy) -> None:
    assert [proxy.client.get("/r/token.pdf").status_code for _ in range(4)] == [503] * 4
    assert [proxy.post() for _ in range(4)] == [201] * 4


def test_answers_that_do_not_come_shut_no_server_out(proxy: Proxy) -> None:
    assert [proxy.client.get("/hangs").status_code for _ in range(2)] == [504] * 2
    assert [proxy.post() for _ in range(4)] == [201] * 4


def test_a_server_that_is_gone_costs_nobody_an_answer(proxy: Proxy) -> None:
    proxy.servers[0].shutdown()
    proxy.servers[0].server_close()
    assert [proxy.post() for _ in range(6)] == [201] * 6


def test_a_renewed_certificate_is_shown_after_a_reload(proxy: Proxy) -> None:
    before = proxy.certificate()
    certify(proxy.machine, 2)
    mount(proxy.machine, proxy.mounted)
    subprocess.run([*proxy.command, "-s", "reload"], check=True)
    for _ in range(100):
        if proxy.certificate() != before:
            return
        time.sleep(0.05)
    raise AssertionError("The certificate is still the old one")
