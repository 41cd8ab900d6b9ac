"""Judging what somebody presents at ``/verify``: a PDF, a JSON document, or a link."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import product
from typing import Final, Literal

from sqlalchemy import Connection

from accounts import find as accounts_find
from accounts.find import BrandLook, brand_look
from api.forms import link_to
from api.house import House
from infra.database import reading
from infra.pdf import Page
from infra.pdf_reading import UnreadablePdf, attached
from infra.storage import StorageDown
from kernel.ids import is_token
from receipts import find, printed
from receipts.records import ReceiptRecord
from receipts.signed import ATTACHMENT, State, Verdict
from receipts.verified import Finding, examine

MOST_JSON_BYTES: Final = 1_000_000
# A PDF's header may stand behind other bytes, as readers have it (ISO 32000-1, annex H.3.4.1).
_HEADER_WITHIN: Final = 1024
_PAGES: Final[tuple[Page, ...]] = ("roll", "a4")
_TOKEN: Final = re.compile(r"([A-Za-z0-9_-]+)(?=[./?#]|$)")


class Presented(StrEnum):
    PDF = "pdf"
    JSON = "json"
    LINK = "link"


Trouble = Literal["", "nothing", "too-large", "no-document", "no-receipt"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """``trouble`` says why there is nothing to judge. ``is_our_file``: the PDF is, byte for byte, one that we made."""

    presented: Presented
    finding: Finding
    trouble: Trouble = ""
    is_our_file: bool = False


def judge_file(house: House, data: bytes) -> Outcome:
    """Blocks: call it in a thread."""
    if b"%PDF-" in data[:_HEADER_WITHIN]:
        return _judge_pdf(house, data)
    if len(data) > MOST_JSON_BYTES:
        return _nothing(Presented.JSON, "too-large")
    with reading(house.engine) as conn:
        return Outcome(Presented.JSON, examine(conn, data))


def judge_text(house: House, text: str) -> Outcome:
    """A pasted document or link. Nothing is fetched: what is not below our own address leads nowhere."""
    text = text.strip()
    if not text:
        return _nothing(Presented.LINK, "nothing")
    if text.startswith(("{", "[")):
        return judge_file(house, text.encode("utf-8", "surrogatepass"))
    token = _token(text, house.base_url)
    with reading(house.engine) as conn:
        record = find.by_token(conn, token) if token else None
        if record is None:
            return _nothing(Presented.LINK, "no-receipt")
        merchant = accounts_find.merchant(conn, record.merchant_id).name
    return Outcome(Presented.LINK, Finding(Verdict(State.GENUINE), merchant, said=record, on_file=record))


def _judge_pdf(house: House, data: bytes) -> Outcome:
    try:
        document = attached(data, ATTACHMENT)
    except UnreadablePdf:
        return Outcome(Presented.PDF, Finding(Verdict(State.UNREADABLE)))
    if document is None:
        return _nothing(Presented.PDF, "no-document")
    with reading(house.engine) as conn:
        finding = examine(conn, document)
        look = _look(conn, finding)
    is_ours = look is not None and _is_kept(house, finding, look, document, data)
    return Outcome(Presented.PDF, finding, is_our_file=is_ours)


def _look(conn: Connection, finding: Finding) -> BrandLook | None:
    record = finding.on_file
    is_proved = record is not None and finding.verdict.state is State.GENUINE
    return brand_look(conn, record.merchant_id, record.brand_id) if record and is_proved else None


def _is_kept(house: House, finding: Finding, look: BrandLook, document: bytes, pdf: bytes) -> bool:
    """Whether the storage holds just this file among those that we made of the receipt, in its words and sizes."""
    assert finding.on_file is not None
    record = _as_it_was(finding.on_file, finding.verdict)
    keys = _keys(record, look, link_to(house.base_url, record.token), document)
    try:
        return any(house.storage.exists(key) and house.storage.get(key) == pdf for key in keys)
    except StorageDown:
        return False


def _keys(record: ReceiptRecord, look: BrandLook, url: str, document: bytes) -> Iterator[str]:
    for language, page, copy in product(look.languages, _PAGES, (False, True)):
        yield printed.key(record, look, url=url, language=language, page=page, copy=copy, signed=document)


def _as_it_was(record: ReceiptRecord, verdict: Verdict) -> ReceiptRecord:
    """With as much as had come back on it when the document was written."""
    known = {each["id"] for each in verdict.document.get("amendments", ())}
    return replace(record, amendments=tuple(each for each in record.amendments if each.id in known))


def too_large() -> Outcome:
    return _nothing(Presented.PDF, "too-large")


def _nothing(presented: Presented, trouble: Trouble) -> Outcome:
    return Outcome(presented, Finding(Verdict(State.UNREADABLE)), trouble)


def _token(text: str, base_url: str) -> str | None:
    """The token of a link of ours, also without ``https://`` or with the ending of another form, or a bare one."""
    if is_token(text):
        return text
    _, _, ours = base_url.partition("://")
    rest = text.partition("://")[2] or text
    found = _TOKEN.match(rest, len(f"{ours}/r/")) if rest.lower().startswith(f"{ours}/r/".lower()) else None
    return found[1] if found and is_token(found[1]) else None
