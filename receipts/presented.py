"""Judging what somebody presents, at ``/verify`` or at a terminal: a PDF, a JSON document, or a link."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, Literal

from sqlalchemy import Engine

from accounts import find as accounts_find
from infra.database import reading
from infra.pdf_reading import MOST_BYTES, UnreadablePdf, attached, is_pdf
from infra.storage import Storage, StorageDown
from kernel.ids import is_token
from receipts import find
from receipts.retention import pdf_folder
from receipts.signed import ATTACHMENT, FindKey, State, Verdict
from receipts.verified import Finding, examine, told

MOST_JSON_BYTES: Final = 1_000_000
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

    @property
    def has_doubtful_pages(self) -> bool:
        """A genuine document in a PDF whose pages nobody can vouch for: they can be edited without a trace."""
        is_genuine = self.finding.verdict.state is State.GENUINE
        return is_genuine and self.presented is Presented.PDF and not self.is_our_file


def judge_file(engine: Engine, storage: Storage, data: bytes) -> Outcome:
    """By the keys, receipts and PDFs that are kept here. Blocks, for seconds: call it in a thread."""

    def look(document: bytes) -> Finding:
        with reading(engine) as conn:
            return examine(conn, document)

    outcome = _judged(data, look)
    is_ours = outcome.has_doubtful_pages and _is_kept(storage, outcome.finding, data)
    return replace(outcome, is_our_file=is_ours)


def judge_by_keys(data: bytes, find_key: FindKey) -> Outcome:
    """By keys alone: nobody here knows a PDF's pages, and what became of the receipt. Blocks as :func:`judge_file`."""
    return _judged(data, lambda document: told(document, find_key))


def judge_text(engine: Engine, storage: Storage, text: str, *, base_url: str) -> Outcome:
    """A pasted document or link. Nothing is fetched: what is not below our own address leads nowhere."""
    text = text.strip()
    if not text:
        return nothing(Presented.LINK, "nothing")
    if text.startswith(("{", "[")):
        return judge_file(engine, storage, text.encode("utf-8", "surrogatepass"))
    return judge_link(engine, text, base_url=base_url)


def judge_link(engine: Engine, text: str, *, base_url: str) -> Outcome:
    token = token_of(text, base_url)
    with reading(engine) as conn:
        record = find.by_token(conn, token) if token else None
        if record is None:
            return nothing(Presented.LINK, "no-receipt")
        merchant = accounts_find.merchant(conn, record.merchant_id).name
    return Outcome(Presented.LINK, Finding(Verdict(State.GENUINE), merchant, said=record, on_file=record))


def token_of(text: str, base_url: str) -> str | None:
    """The token of a link of ours, also without ``https://`` or with the ending of another form, or a bare one."""
    if is_token(text):
        return text
    _, _, ours = base_url.partition("://")
    rest = text.partition("://")[2] or text
    found = _TOKEN.match(rest, len(f"{ours}/r/")) if rest.lower().startswith(f"{ours}/r/".lower()) else None
    return found[1] if found and is_token(found[1]) else None


def nothing(presented: Presented, trouble: Trouble) -> Outcome:
    """Nothing to judge."""
    return Outcome(presented, Finding(Verdict(State.UNREADABLE)), trouble)


def _judged(data: bytes, look: Callable[[bytes], Finding]) -> Outcome:
    presented = Presented.PDF if is_pdf(data) else Presented.JSON
    if len(data) > (MOST_BYTES if presented is Presented.PDF else MOST_JSON_BYTES):
        return nothing(presented, "too-large")
    try:
        document = attached(data, ATTACHMENT) if presented is Presented.PDF else data
    except UnreadablePdf:
        return Outcome(presented, Finding(Verdict(State.UNREADABLE)))
    return nothing(presented, "no-document") if document is None else Outcome(presented, look(document))


def _is_kept(storage: Storage, finding: Finding, pdf: bytes) -> bool:
    """Whether just this file is among those that we made of the receipt, by whatever version, look and language."""
    if finding.on_file is None:
        return False
    try:
        return any(storage.get(key) == pdf for key in storage.keys(f"{pdf_folder(finding.on_file.token)}/"))
    except StorageDown:
        return False
