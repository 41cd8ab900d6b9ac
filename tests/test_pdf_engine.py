"""PDF: what the pages hold, what they may load, and what happens when a child hangs, dies or cannot start."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer
from io import BytesIO
from pathlib import Path
from typing import Any

import pypdf
import pypdfium2
import pytest
import structlog
import zxingcpp
from PIL import Image, ImageOps

from bench.slip import LINK, STYLE, slip
from infra import qr
from infra.pdf import PdfFailed, PdfPool, PdfTimeout, PdfUnavailable

ROOT = Path(__file__).resolve().parent.parent
POINTS_A_MM = 72 / 25.4
QR = {"qr.png": qr.png(LINK, scale=1)}
SCRIPTS = {
    "Latin": "Crème brûlée, Żurek, Smørrebrød, Phở đặc biệt, 2 × ₹1,20,000.50",
    "Greek": "Ελληνικός καφές και γαλακτομπούρεκο",
    "Cyrillic": "Борщ український, Ћевапи са кајмаком",
    "Arabic": "قهوة عربية بالهيل مع التمر السكري",
    "Devanagari": "मसाला डोसा, क्षत्रिय ज्ञान, विद्यार्थी की टिकट, श्री कृष्ण",
}


@pytest.fixture(scope="module")
def fonts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fonts")


@pytest.fixture(scope="module")
def static(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site") / "static"
    folder.mkdir()
    (folder / "red.png").write_bytes(a_square("red"))
    (folder.parent / "secret.png").write_bytes(a_square("red"))
    return folder


@pytest.fixture(scope="module")
def pool(fonts: Path, static: Path) -> Iterator[PdfPool]:
    with PdfPool(fonts=fonts, static=static, seconds=60) as pool:
        yield pool


@pytest.fixture
def own_pool(fonts: Path, static: Path) -> Iterator[PdfPool]:
    """A pool for tests that do harm."""
    with PdfPool(fonts=fonts, static=static, seconds=60) as pool:
        yield pool


def a_square(colour: str) -> bytes:
    out = BytesIO()
    Image.new("RGB", (8, 8), colour).save(out, "PNG")
    return out.getvalue()


def page(body: str, *, lang: str = "en", direction: str = "ltr") -> str:
    head = "<head><title>Receipt</title></head>"
    return f'<!DOCTYPE html><html lang="{lang}" dir="{direction}">{head}<body>{body}</body></html>'


def endless() -> str:
    """A document that takes minutes."""
    return slip(times=2_000)


def text_of(pdf: bytes) -> str:
    pages = pypdfium2.PdfDocument(pdf)
    return "\n".join(page.get_textpage().get_text_range() for page in pages).replace("\r", "")


def sizes_of(pdf: bytes) -> list[tuple[float, float]]:
    return [page.get_size() for page in pypdfium2.PdfDocument(pdf)]


def drawn(pdf: bytes, scale: float = 2) -> Image.Image:
    picture: Image.Image = pypdfium2.PdfDocument(pdf)[0].render(scale=scale).to_pil()
    return picture.convert("RGB")


def has_red(pdf: bytes) -> bool:
    return b"\xff\0\0" in drawn(pdf).tobytes()


def pids(pool: PdfPool) -> set[int]:
    return {child._process.pid for child in [*pool._busy, *pool._idle.queue] if child is not None}


def is_running(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rpartition(") ")[2][0] != "Z"


def wait_until(true: Callable[[], object], seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


# What the pages hold


def test_a_roll_is_80_mm_wide_and_ends_below_its_last_line(pool: PdfPool) -> None:
    pdf = pool.render(slip(), page="roll", css=STYLE, files=QR)
    ((width, height),) = sizes_of(pdf)
    picture = drawn(pdf)
    *_, last = ImageOps.invert(picture).getbbox() or (0,)

    assert width == pytest.approx(80 * POINTS_A_MM, abs=0.01)
    assert 3 <= (picture.height - last) / 2 / POINTS_A_MM <= 7
    assert 200 * POINTS_A_MM < height < 400 * POINTS_A_MM


def test_a_slip_without_lines_is_a_short_roll(pool: PdfPool) -> None:
    ((_, height),) = sizes_of(pool.render(page("<p>Total 0.00</p>"), page="roll"))

    assert height < 20 * POINTS_A_MM


def test_three_hundred_lines_stay_one_page(pool: PdfPool) -> None:
    pdf = pool.render(slip(times=22), page="roll", css=STYLE, files=QR)
    ((_, height),) = sizes_of(pdf)

    assert height < 14_400
    assert text_of(pdf).count("Sourdough loaf") == 22


def test_a_roll_longer_than_a_page_may_be_goes_on_over_pages_without_losing_a_line(pool: PdfPool) -> None:
    rows = "".join(f"<tr><th>Item {number}</th><td>1.00</td></tr>" for number in range(1500))
    pdf = pool.render(page(f"<table>{rows}</table>"), page="roll", css=STYLE)
    heights = [height for _, height in sizes_of(pdf)]

    assert len(heights) > 1
    assert max(heights) <= 14_400
    assert re.findall(r"Item (\d+)", text_of(pdf)) == [str(number) for number in range(1500)]


def test_a4_has_its_size_and_as_many_pages_as_it_needs(pool: PdfPool) -> None:
    pdf = pool.render(slip(times=8), page="a4", css=STYLE, files=QR)

    assert len(sizes_of(pdf)) > 1
    for size in sizes_of(pdf):
        assert size == pytest.approx((210 * POINTS_A_MM, 297 * POINTS_A_MM), abs=0.1)


@pytest.mark.parametrize("form", ["roll", "a4"])
def test_the_qr_code_on_the_paper_is_read_back(pool: PdfPool, form: Any) -> None:
    sheets = pypdfium2.PdfDocument(pool.render(slip(), page=form, css=STYLE, files=QR))
    codes = [code.text for sheet in sheets for code in zxingcpp.read_barcodes(sheet.render(scale=3).to_pil())]

    assert codes == [LINK]


@pytest.mark.parametrize("script", SCRIPTS)
def test_every_script_is_drawn_without_squares_and_read_back_as_written(pool: PdfPool, script: str) -> None:
    direction = "rtl" if script == "Arabic" else "ltr"
    body = f"<h1>{SCRIPTS[script]}</h1><p>{SCRIPTS[script]}</p>"
    with structlog.testing.capture_logs() as logs:
        pdf = pool.render(page(body, direction=direction), page="a4")

    assert text_of(pdf).split("\n")[:2] == [SCRIPTS[script]] * 2
    assert 0 not in glyphs_of(pdf)
    assert logs == []


def glyphs_of(pdf: bytes) -> set[int]:
    """Every glyph that the pages show; 0 is the square."""
    sheets: list[Any] = list(pypdf.PdfReader(BytesIO(pdf)).pages)
    content = b"".join(sheet.get_contents().get_data() for sheet in sheets)
    strings = re.findall(rb"<((?:[0-9a-f]{4})+)>", content)
    return {int(string[at : at + 4], 16) for string in strings for at in range(0, len(string), 4)}


def test_letters_that_no_font_has_are_logged_by_script_and_never_by_letter(pool: PdfPool) -> None:
    with structlog.testing.capture_logs() as logs:
        pdf = pool.render(page("<p>Tea \U0010fffd</p>"), page="roll")

    assert text_of(pdf).startswith("Tea")
    assert [(log["event"], log["scripts_without_font"]) for log in logs] == [("pdf incomplete", ["Signs"])]


def test_the_paper_is_tagged_titled_and_in_its_language(pool: PdfPool) -> None:
    pdf = pool.render(slip().replace('lang="en"', 'lang="de"'), page="roll", css=STYLE, files=QR)
    reader = pypdf.PdfReader(BytesIO(pdf))
    catalog: Any = reader.root_object
    metadata = catalog["/Metadata"].get_data()

    assert catalog["/MarkInfo"]["/Marked"]
    assert catalog["/Lang"] == "de"
    assert catalog["/ViewerPreferences"]["/DisplayDocTitle"]
    assert reader.metadata is not None
    assert reader.metadata.title == "Receipt 000417"
    assert b"pdfuaid:part" in metadata
    tags = list(tags_of(catalog["/StructTreeRoot"]))
    assert {"/H1", "/H2", "/Table", "/TR", "/TH", "/TD", "/P", "/Figure"} <= {tag["/S"] for tag in tags}
    assert [tag["/Alt"] for tag in tags if tag["/S"] == "/Figure"] == ["QR code of this receipt"]


def tags_of(node: Any) -> Iterator[Any]:
    below = node.get("/K", [])
    for child in below if isinstance(below, list) else [below]:
        found = child.get_object() if hasattr(child, "get_object") else child
        if isinstance(found, dict):
            if "/S" in found:
                yield found
            yield from tags_of(found)


def test_all_fonts_are_embedded_and_ours(pool: PdfPool) -> None:
    pdf = pool.render(page(f"<h1>{' '.join(SCRIPTS.values())}</h1><p>Ελληνικός</p>"), page="a4")
    sheet: Any = pypdf.PdfReader(BytesIO(pdf)).pages[0]
    fonts = [font.get_object()["/DescendantFonts"][0].get_object() for font in sheet["/Resources"]["/Font"].values()]

    assert len(fonts) >= 5
    for font in fonts:
        assert "Counterfoil" in font["/BaseFont"]
        assert {"/FontFile2", "/FontFile3"} & font["/FontDescriptor"].keys()


def test_right_to_left_puts_the_names_to_the_right(pool: PdfPool) -> None:
    body = "<table><tr><th>■</th><td></td></tr></table>"
    style = "th { text-align: start }"
    darkest = []
    for direction in ("ltr", "rtl"):
        picture = drawn(pool.render(page(body, direction=direction), page="roll", css=style)).convert("L")
        halves = [picture.crop((x, 0, x + picture.width // 2, picture.height)) for x in (0, picture.width // 2)]
        darkest.append(min((0, 1), key=lambda side: halves[side].getextrema()))

    assert darkest == [0, 1]


def test_the_same_input_gives_the_same_bytes_in_another_process(pool: PdfPool, own_pool: PdfPool) -> None:
    body = f"<h1>{' '.join(SCRIPTS.values())}</h1>"
    first = pool.render(page(body), page="a4", css=STYLE)
    time.sleep(1.1)

    assert own_pool.render(page(body), page="a4", css=STYLE) == first
    assert own_pool.render(slip(), page="roll", css=STYLE, files=QR) == pool.render(
        slip(), page="roll", css=STYLE, files=QR
    )


def test_html_that_is_not_well_formed_gives_the_same_text(pool: PdfPool) -> None:
    sloppy = slip().replace("/>", ">").replace("</td></tr>", "").replace("DOCTYPE", "doctype")

    assert text_of(pool.render(sloppy, page="roll", css=STYLE, files=QR)).split() == (
        text_of(pool.render(slip(), page="roll", css=STYLE, files=QR)).split()
    )


@pytest.mark.parametrize("html", ["<p>no head</p>", "<html lang='en'><p>no title</p></html>"])
def test_a_page_without_language_or_title_is_our_mistake_and_costs_no_child(own_pool: PdfPool, html: str) -> None:
    own_pool.render(page("<p>x</p>"), page="roll")
    before = pids(own_pool)
    with structlog.testing.capture_logs() as logs, pytest.raises(PdfFailed) as failed:
        own_pool.render(html, page="roll")

    assert failed.value.status == 500
    assert "lang" in logs[0]["error"]
    assert pids(own_pool) == before


# What the pages may load


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


# What happens when a child hangs, dies or cannot start


def test_a_render_that_hangs_is_stopped_and_its_child_replaced(fonts: Path, static: Path) -> None:
    with PdfPool(fonts=fonts, static=static, seconds=2) as pool:
        pool.render(page("<p>x</p>"), page="roll")
        (hanging,) = pids(pool)
        started = time.monotonic()
        with pytest.raises(PdfTimeout) as late:
            pool.render(endless(), page="roll")

        assert time.monotonic() - started < 4
        assert (late.value.status, late.value.slug) == (503, "pdf-timeout")
        assert not is_running(hanging)
        assert text_of(pool.render(page("<p>again</p>"), page="roll")) == "again"


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
        problem = dying.exception(10)

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

        assert all(isinstance(render.exception(10), PdfUnavailable) for render in under_way)
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
print(child._process.pid, flush=True)
time.sleep(300)
"""


@pytest.mark.parametrize("state", ["idle", "busy"])
def test_a_child_ends_when_its_parent_is_killed(fonts: Path, state: str) -> None:
    command = [sys.executable, "-c", PARENT, str(fonts), state]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        ran = is_running(child)
        parent.kill()

    assert ran

    wait_until(lambda: not is_running(child), seconds=3)


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
