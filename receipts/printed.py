"""The PDF of a receipt: made when first asked for, and kept under a name made of all that it comes from."""

from functools import cache
from hashlib import sha256
from importlib.metadata import version
from typing import Final

from accounts.find import BrandLook
from infra import fonts
from infra.pdf import Page, PdfPool
from infra.settings import ROOT
from infra.storage import Storage, at_hand, content_key
from receipts.paper import sheet
from receipts.records import ReceiptRecord

_DECIDING: Final = ("kernel", "infra", "accounts", "receipts", "locales", "templates/pdf")


def pdf(
    pool: PdfPool,
    storage: Storage,
    record: ReceiptRecord,
    look: BrandLook,
    *,
    url: str,
    language: str,
    page: Page = "roll",
    copy: bool = False,
    signed: bytes | None = None,
) -> bytes:
    """``url`` is that of the receipt's page, ``signed`` its signed JSON. The same of all gives the same bytes.

    Blocks, for seconds where it is to be made: call it in a thread. Raises what :meth:`PdfPool.render` raises.
    """
    logo = at_hand(storage, look.logo_key) if look.logo_key else None

    def make() -> bytes:
        made = sheet(record, look, logo=logo, url=url, language=language, page=page, copy=copy)
        return pool.render(made.html, page=page, css=made.css, files=made.files)

    if look.logo_key and logo is None:
        # Told without its logo, but not kept so: the next time it may be there again.
        return make()
    return storage.once(key(record, look, url=url, language=language, page=page, copy=copy, signed=signed), make)


def key(
    record: ReceiptRecord,
    look: BrandLook,
    *,
    url: str,
    language: str,
    page: Page = "roll",
    copy: bool = False,
    signed: bytes | None = None,
) -> str:
    """Under which :func:`pdf` keeps what it has made."""
    beside = (record.token, record.number, record.kind, record.original, record.amendments)
    asked = repr((beside, look, url, language, page, copy)).encode()
    documents = (record.content_json.encode(), record.issuer_json.encode(), signed or b"")
    return content_key("pdf", *documents, asked, made_by(), suffix=".pdf")


@cache
def made_by() -> bytes:
    """Changes with what else decides over the bytes: our code, words and templates, the engine, the fonts installed."""
    digest = sha256(repr((version("weasyprint"), version("babel"), fonts.absent())).encode())
    for folder in _DECIDING:
        for path in sorted((ROOT / folder).rglob("*.*")):
            if path.suffix in (".py", ".po", ".html", ".css"):
                digest.update(path.read_bytes())
    return digest.digest()
