"""QR codes and text, as the routes answer them."""

from io import BytesIO
from pathlib import Path

import pytest
import zxingcpp
from PIL import Image

from accounts.find import BrandLook
from api.forms import qr_png, qr_svg, text
from api.qr_forms import QrWish, qr_wish
from infra.folder import Folder, open_folder
from kernel.errors import Invalid
from receipts.columns import width
from tests.support.paper import green_brand
from tests.support.records import BREAD, TOKEN, record

BASE = "https://receipts.linden-rye.example"
URL = f"{BASE}/r/{TOKEN}"


@pytest.fixture
def storage(tmp_path: Path) -> Folder:
    return open_folder(tmp_path / "objects")


@pytest.fixture
def look(storage: Folder) -> BrandLook:
    return green_brand(storage)


def read(png: bytes) -> str:
    return str(zxingcpp.read_barcodes(Image.open(BytesIO(png)).convert("RGB"))[0].text)


def kept(storage: Folder) -> list[Path]:
    return list((storage.root / "qr").rglob("*.*"))


def test_the_text_ends_with_returns_help_and_the_link(look: BrandLook) -> None:
    said = text(record(BREAD), look, base_url=BASE, language="de")

    assert "Umtausch innerhalb von 30 Tagen.\n+49 30 5550 1234\nhallo@linden-rye.example\n" in said
    assert said.endswith(f"{BASE}/r/\n{TOKEN}\n")
    assert max(map(width, said.split("\n"))) == 42


def test_the_return_text_comes_in_the_brands_first_language_where_it_lacks_the_readers(look: BrandLook) -> None:
    assert "Umtausch innerhalb von 30 Tagen." in text(record(BREAD), look, base_url=BASE, language="fr")


def test_a_plain_code_leads_to_the_page_and_is_not_kept(look: BrandLook, storage: Folder) -> None:
    png = qr_png(TOKEN, look, QrWish(size=300), storage=storage, base_url=BASE)

    assert read(png) == URL
    assert Image.open(BytesIO(png)).size == (300, 300)
    assert kept(storage) == []


def test_a_code_with_the_logo_leads_to_the_page_and_is_made_once(look: BrandLook, storage: Folder) -> None:
    pngs = {qr_png(TOKEN, look, QrWish(has_logo=True), storage=storage, base_url=BASE) for _ in range(2)}

    [png] = pngs
    assert read(png) == URL
    assert (0x1F, 0x5C, 0x47) in {colour for _, colour in Image.open(BytesIO(png)).getcolors(1 << 18) or ()}
    assert [storage.get(path.relative_to(storage.root).as_posix()) for path in kept(storage)] == [png]


def test_a_code_with_the_logo_in_another_size_is_not_kept(look: BrandLook, storage: Folder) -> None:
    png = qr_png(TOKEN, look, QrWish(size=600, has_logo=True), storage=storage, base_url=BASE)

    assert read(png) == URL
    assert kept(storage) == []


def test_the_svg_says_in_the_readers_language_what_it_is(look: BrandLook, storage: Folder) -> None:
    plain = qr_svg(TOKEN, look, QrWish(), storage=storage, base_url=BASE, language="fr").decode()
    branded = qr_svg(TOKEN, look, QrWish(has_logo=True), storage=storage, base_url=BASE, language="fr").decode()

    assert "<title>" in plain
    assert len(plain) < 2500
    assert "<image" in branded


def test_a_brand_without_a_logo_has_a_plain_code(storage: Folder, look: BrandLook) -> None:
    storage.delete(look.logo_key or "")

    assert (
        "<image"
        not in qr_svg(TOKEN, look, QrWish(has_logo=True), storage=storage, base_url=BASE, language="en").decode()
    )


def test_a_wish_is_read_from_the_query() -> None:
    assert qr_wish({}) == QrWish(None, 4, False)
    assert qr_wish({"size": "512", "margin": "0", "variant": "logo"}) == QrWish(512, 0, True)


def test_a_wish_that_cannot_be_met_is_refused_field_by_field() -> None:
    with pytest.raises(Invalid) as refused:
        qr_wish({"size": "99999", "margin": "-1", "variant": "gold"})

    assert [error.pointer for error in refused.value.errors] == ["query:size", "query:margin", "query:variant"]


@pytest.mark.parametrize("size", ["", "0", "31", "2049", "1e3", "٣٠٠", "9" * 5000])
def test_no_other_size_is_taken(size: str) -> None:
    with pytest.raises(Invalid):
        qr_wish({"size": size})
