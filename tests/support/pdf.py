"""PDFs for tests: small documents to be rendered, and what can be read in the result."""

from io import BytesIO
from typing import Final

import pypdfium2
from PIL import Image

from bench.slip import LINK, slip
from infra import qr
from infra.pdf import PdfPool

POINTS_A_MM: Final = 72 / 25.4
QR: Final = {"qr.png": qr.png(LINK, scale=1)}


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
