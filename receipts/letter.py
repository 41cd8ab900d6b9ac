"""A receipt as an email: one subject, one HTML form, one text form, all told as the receipt's page tells it."""

from dataclasses import dataclass

from markupsafe import escape

from accounts.find import BrandLook
from infra.i18n import voice
from receipts.records import ReceiptRecord
from receipts.text import plain
from receipts.view import view


@dataclass(frozen=True, slots=True)
class Composed:
    """``subject`` is one line of at most 78 characters, ``html`` a whole document below 102,400 bytes."""

    subject: str
    html: str
    text: str
    language: str


def compose(
    record: ReceiptRecord,
    look: BrandLook,
    *,
    url: str,
    base_url: str,
    language: str,
    stop_url: str | None,
    has_pdf: bool,
) -> Composed:
    """``url`` is that of the receipt's page, ``base_url`` where logos and other receipts are, both absolute.

    ``stop_url`` leads to the page on which the reader says that the receipts are not theirs.
    """
    receipt, words = view(record, language=language), voice(language).gettext
    text = plain(receipt, url=url)
    if stop_url:
        text += f"\n{words('Close')}: {stop_url}\n"
    html = f'<!doctype html><html lang="{language}"><pre>{escape(text)}</pre></html>'
    return Composed(f"{receipt.title} · {receipt.brand}", html, text, language)
