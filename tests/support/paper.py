"""Receipts on paper for tests: a few to be printed, and what can be read on them."""

import re
from io import BytesIO
from typing import Final

import pypdfium2
import pytest
from PIL import Image, ImageDraw

from accounts.find import BrandLook
from infra.pdf import Page, PdfPool
from infra.storage import Storage, content_key
from receipts import printed
from receipts.records import ReceiptRecord
from tests.support.records import BREAD, COFFEE, INDIRANAGAR, JUMEIRAH, SILK, TOKEN, record

BASE = "https://receipts.linden-rye.example"
URL = f"{BASE}/r/{TOKEN}"
PLAIN = {"issued_at": BREAD["issued_at"], "currency": "EUR"}
MANY = [{"id": str(at), "name": f"Article {at:03}", "total": "1.00"} for at in range(1, 201)]
HUGE = {
    "lines": [
        {"id": "1", "name": "A ship", "quantity": "3", "unit_price": "999999999999.99", "total": "9999999999999.99"}
    ],
    "total": "9999999999999.99",
    "taxes": [{"rate": "19", "net": "8403361344537.81", "tax": "1596638655462.18", "gross": "9999999999999.99"}],
    "payments": [{"method": "bank_transfer", "amount": "9999999999999.99"}],
}
SCRIPTS = [
    {"id": "1", "name": "Καφές ελληνικός σκέτος", "total": "2.20"},
    {"id": "2", "name": "Борщ український", "total": "7.80"},
    {"id": "3", "name": "मसाला डोसा", "total": "1.00"},
    {"id": "4", "name": "قهوة عربية", "total": "1.00"},
    {"id": "5", "name": "Żurek, Phở đặc biệt", "total": "1.00"},
]
CASES: Final = {
    "de": (record(BREAD), "de"),
    "en": (record(BREAD), "en"),
    "hi": (record(SILK, issuer=INDIRANAGAR, number="KS/2026-27/1184"), "hi"),
    "ar": (record(COFFEE, issuer=JUMEIRAH, number="٢٠٤٨"), "ar"),
    "scripts": (record(PLAIN | {"lines": SCRIPTS, "total": "13.00"}), "fr"),
    "huge": (record(PLAIN | HUGE), "es"),
    "nothing": (record(PLAIN | {"total": "0.00"}), "en"),
}
PAGES: tuple[Page, ...] = ("roll", "a4")
every_case = pytest.mark.parametrize("case", CASES)
every_page = pytest.mark.parametrize("page", PAGES)


def green_brand(storage: Storage) -> BrandLook:
    """A green brand: white on green is its logo."""
    picture = Image.new("RGB", (256, 256), "#1f5c47")
    ImageDraw.Draw(picture).ellipse((60, 60, 196, 196), fill="white")
    out = BytesIO()
    picture.save(out, "PNG")
    key = content_key("logos", out.getvalue(), suffix=".png")
    storage.put(key, out.getvalue())
    return BrandLook(
        id="brd_01",
        name="Linden & Rye",
        colour="#1f5c47",
        languages=("de", "en"),
        website="https://linden-rye.example",
        support_email="hallo@linden-rye.example",
        support_phone="+49 30 5550 1234",
        support_url=None,
        return_text={"de": "Umtausch innerhalb von 30 Tagen.", "en": "Exchange within 30 days."},
        logo_key=key,
    )


class Maker:
    """Makes PDFs as the routes do."""

    def __init__(self, pool: PdfPool, storage: Storage, look: BrandLook) -> None:
        self.pool, self.storage, self.look = pool, storage, look

    @property
    def logo(self) -> bytes | None:
        return self.storage.get(self.look.logo_key) if self.look.logo_key else None

    def __call__(
        self,
        of: ReceiptRecord,
        page: Page = "roll",
        *,
        language: str = "en",
        copy: bool = False,
        signed: bytes | None = None,
    ) -> bytes:
        wish = printed.PdfWish(URL, language, page, copy, signed)
        return printed.pdf(self.pool, self.storage, of, self.look, wish)


def pages_of(pdf: bytes) -> list[str]:
    return [page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(pdf)]


def text_of(pdf: bytes) -> str:
    """In one line, without marks of direction; a word that was broken is whole again."""
    text = re.sub("[\u200e\u200f\u2066-\u2069\ufffe\x02]", "", "\n".join(pages_of(pdf)))
    return re.sub(r"\s+", " ", text)


def pictures_of(pdf: bytes, scale: float = 4) -> list[Image.Image]:
    return [page.render(scale=scale).to_pil().convert("RGB") for page in pypdfium2.PdfDocument(pdf)]
