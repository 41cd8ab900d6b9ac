"""The PDF of a receipt: made when first asked for, and kept under a name made of all that it comes from.

It carries the receipt's signed JSON. The sheet of a sale to a business is an electronic invoice too (Factur-X): it
carries that as XML, and is PDF/A-3.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import structlog

from accounts.find import BrandLook
from infra import facturx as standard
from infra.making import made_by
from infra.pdf import Attachment, Page, PdfPool
from infra.storage import Storage, at_hand, content_key
from receipts import facturx
from receipts.paper import sheet
from receipts.records import ReceiptRecord
from receipts.retention import pdf_folder
from receipts.signed import ATTACHMENT

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class PdfWish:
    """``url`` is that of the receipt's page, ``signed`` its signed JSON."""

    url: str
    language: str
    page: Page = "roll"
    copy: bool = False
    signed: bytes | None = None


def pdf(pool: PdfPool, storage: Storage, record: ReceiptRecord, look: BrandLook, wish: PdfWish) -> bytes:
    """The same of all gives the same bytes.

    Blocks, for seconds where it is to be made: call it in a thread. Raises what :meth:`PdfPool.render` raises.
    """
    logo = at_hand(storage, look.logo_key) if look.logo_key else None

    def make() -> bytes:
        url, language, page = wish.url, wish.language, wish.page
        made = sheet(record, look, logo=logo, url=url, language=language, page=page, copy=wish.copy)
        xml = electronic(record) if page == "a4" else None
        carried = tuple(_carried(record, wish.signed, xml))
        xmp = standard.xmp() if xml else b""
        return pool.render(made.html, page=page, css=made.css, files=made.files, attachments=carried, xmp=xmp)

    if look.logo_key and logo is None:
        # Told without its logo, but not kept so: the next time it may be there again.
        return make()
    return storage.once(key(record, look, wish), make)


def key(record: ReceiptRecord, look: BrandLook, wish: PdfWish) -> str:
    """Under which :func:`pdf` keeps what it has made."""
    beside = (record.token, record.number, record.kind, record.original, record.amendments)
    asked = repr((beside, look, wish)).encode()
    documents = (record.content_json.encode(), record.issuer_json.encode())
    return content_key(pdf_folder(record.token), *documents, asked, made_by("receipts"), suffix=".pdf")


def is_invoice(record: ReceiptRecord) -> bool:
    """Whether :func:`electronic` has something, without the work of writing it. Takes less than a millisecond."""
    return facturx.is_wanted(record) and not facturx.unfit(record)


def usual_page(record: ReceiptRecord) -> Page:
    """The form of the PDF for who asks for none: the sheet of an electronic invoice, and else the slip."""
    if not facturx.is_wanted(record):
        return "roll"
    reason = facturx.unfit(record)
    if reason:
        _tell(record, reason)
    return "roll" if reason else "a4"


def electronic(record: ReceiptRecord) -> bytes | None:
    """A sale to a business as Factur-X XML. None for any other, and where it has no valid form, which the log tells."""
    if not facturx.is_wanted(record):
        return None
    try:
        xml = facturx.invoice(record)
    except facturx.NotExpressible as problem:
        _tell(record, str(problem))
        return None
    wrong = standard.wrong_with(xml)
    if wrong:
        _log.error("electronic invoice invalid", receipt=record.id, reason=wrong)
    return None if wrong else xml


def _tell(record: ReceiptRecord, reason: str) -> None:
    _log.info("no electronic invoice", receipt=record.id, reason=reason)


def _carried(record: ReceiptRecord, signed: bytes | None, xml: bytes | None) -> Iterator[Attachment]:
    if signed is not None:
        yield Attachment(ATTACHMENT, signed, "The receipt as signed data", "Source", record.accepted_at)
    if xml is not None:
        # Germany wants this word for this profile; France takes it too.
        yield Attachment(standard.FILENAME, xml, "Factur-X invoice", "Alternative", record.accepted_at)
