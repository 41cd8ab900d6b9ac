"""PDF: what the pages may load."""

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import structlog

from infra.pdf import PdfPool
from tests.support.pdf import a_square, has_red, page


@pytest.mark.parametrize("url", ["square.png", "/square.png", "./square.png", "/static/red.png"])
def test_files_of_the_job_and_static_files_are_served(pool: PdfPool, url: str) -> None:
    pdf = pool.render(page(f'<img src="{url}" alt=""/>'), page="roll", files={"square.png": a_square("red")})

    assert has_red(pdf)


@pytest.mark.parametrize(
    "url",
    [
        "other.png",
        "/static/../secret.png",
        "/static/%2e%2e/secret.png",
        "/static//../secret.png",
        "secret.png",
        "data:image/png;base64,iVBORw0KGgo=",
        "ftp://127.0.0.1/red.png",
        "//127.0.0.1/red.png",
    ],
)
def test_anything_else_is_left_out_and_counted(pool: PdfPool, url: str) -> None:
    with structlog.testing.capture_logs() as logs:
        pdf = pool.render(page(f'<img src="{url}" alt=""/>'), page="roll", files={"square.png": a_square("red")})

    assert not has_red(pdf)
    assert [log["urls_refused"] for log in logs] == [1]


def test_a_picture_on_the_disk_is_not_read(pool: PdfPool, static: Path) -> None:
    secret = static.parent / "secret.png"

    assert secret.is_file()
    assert not has_red(pool.render(page(f'<img src="{secret.as_uri()}" alt=""/>'), page="roll"))


def test_nothing_is_fetched_from_the_network(pool: PdfPool) -> None:
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        home = f"http://127.0.0.1:{server.server_port}"
        body = f'<link rel="stylesheet" href="{home}/a.css"/><img src="{home}/b.png" alt=""/>'
        pool.render(page(body), page="roll", css=f'@import "{home}/d.css"; p {{ background: url({home}/e.png) }}')
        server.shutdown()

    assert asked == []
