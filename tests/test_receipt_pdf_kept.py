"""The PDF of a receipt is made once, and made anew when what it says has changed."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from infra.pdf import PdfPool, PdfUnavailable
from infra.static import FOLDER
from tests.support.paper import Maker, text_of
from tests.support.records import BREAD, record, related


def test_it_is_made_once_and_then_served_without_the_engine(made: Maker) -> None:
    with ThreadPoolExecutor(4) as threads:
        pdfs = set(threads.map(lambda _: made(record(BREAD), language="fr"), range(4)))
    made.pool = PdfPool(fonts=Path("nowhere"), static=FOLDER)
    made.pool.close()

    assert pdfs == {made(record(BREAD), language="fr")}


def test_another_language_page_mark_or_a_refund_makes_another_pdf(made: Maker) -> None:
    plain, refunded = record(BREAD), record(BREAD, amendments=(related("refund", 2490),))
    pdfs = [made(plain), made(plain, language="de"), made(plain, "a4"), made(plain, copy=True), made(refunded)]

    assert len(set(pdfs)) == len(pdfs)


def test_a_new_return_text_makes_another_pdf(made: Maker) -> None:
    before = made(record(BREAD))
    made.look = replace(made.look, return_text={"en": "Exchange within 60 days."})

    assert "60 days" in text_of(made(record(BREAD)))
    assert "30 days" in text_of(before)


def test_without_the_engine_the_answer_is_a_clear_503_and_nothing_is_kept(made: Maker) -> None:
    with PdfPool(fonts=Path("nowhere"), static=FOLDER) as closed:
        pass
    working, made.pool = made.pool, closed

    with pytest.raises(PdfUnavailable) as refused:
        made(record(BREAD), language="es")
    assert refused.value.status == 503
    made.pool = working
    assert made(record(BREAD), language="es").startswith(b"%PDF")
