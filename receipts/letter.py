"""A receipt as an email: one subject, one HTML form, one text form, all told as the receipt's page tells it."""

from collections.abc import Iterator
from typing import Final

from accounts.find import BrandLook
from infra import pages
from infra.i18n import Voice, later, voice
from infra.letter_style import dressed
from kernel.locale import isolated
from notify.letters import LONGEST_SUBJECT, Composed, one_line, short
from receipts.columns import wrapped
from receipts.letter_view import CUTS, Around, Question, letter_page, stamps, why
from receipts.paper import closing
from receipts.records import ReceiptRecord
from receipts.shapes import ReceiptView
from receipts.text import plain
from receipts.view import view

# Gmail shows what comes after 102 KB only when it is asked to.
MOST_BYTES: Final = 102_400
_SUBJECTS: Final = {
    "sale": later("Your receipt from %(brand)s"),
    "refund": later("Your refund from %(brand)s"),
    "void": later("Your cancellation from %(brand)s"),
    "exchange": later("Your exchange at %(brand)s"),
    "gift": later("Your gift receipt from %(brand)s"),
}
_LEAST_BRAND: Final = 8


def compose(
    record: ReceiptRecord,
    look: BrandLook,
    *,
    url: str,
    base_url: str,
    language: str,
    stop_url: str | None,
    has_pdf: bool,
    question: Question | None = None,
) -> Composed:
    """``url`` is that of the receipt's page, ``base_url`` where logos and other receipts are, both absolute.

    ``stop_url`` leads to the page on which the reader says that the receipts are not theirs. Takes about two
    milliseconds for an ordinary receipt.
    """
    receipt = view(record, language=language)
    spoken = voice(language, record.issuer.address.get("country"))
    around = Around(_subject(spoken, receipt), url, base_url, stop_url or "", has_pdf, question)
    return Composed(
        subject=around.subject,
        html=_html(record, receipt, look, around),
        text=_text(receipt, look, around, spoken),
        language=language,
    )


def _subject(spoken: Voice, receipt: ReceiptView) -> str:
    """Names the amount that the page shows large; a gift receipt has none. A long brand gives way to it."""
    amount = isolated(receipt.sums.figure.text, spoken.direction) if receipt.sums else ""

    def written(brand: str) -> str:
        phrase = _phrase(spoken, receipt, brand)
        if amount:
            phrase = spoken.gettext("%(subject)s, %(amount)s") % {"subject": phrase, "amount": amount}
        return " · ".join((*stamps(receipt), phrase))

    brand = one_line(receipt.brand)
    over = len(written(brand)) - LONGEST_SUBJECT
    return written(short(brand, max(len(brand) - over, _LEAST_BRAND)))[:LONGEST_SUBJECT]


def _phrase(spoken: Voice, receipt: ReceiptView, brand: str) -> str:
    is_gift = receipt.is_gift and receipt.kind == "sale"
    kind = "gift" if is_gift else receipt.kind
    return spoken.gettext(_SUBJECTS[kind]) % {"brand": isolated(brand, spoken.direction)}


def _html(record: ReceiptRecord, receipt: ReceiptView, look: BrandLook, around: Around) -> str:
    """The first cut that fits; the last one always does."""
    html = ""
    for cut in CUTS:
        page = letter_page(record, receipt, look, around, cut=cut)
        plain_html = pages.render("email/receipt.html", page, receipt.language)
        html = dressed(plain_html, colour=look.colour, direction=receipt.direction)
        if len(html.encode()) < MOST_BYTES:
            break
    return html


def _text(receipt: ReceiptView, look: BrandLook, around: Around, spoken: Voice) -> str:
    help_ = closing(look, receipt.language)
    told = [each for each in (help_.returns, *help_.contacts) if each]
    words = spoken.gettext
    greeting = (*wrapped(_phrase(spoken, receipt, receipt.brand)), "", f"{words('Open your receipt')}:", around.url)
    whole, foot = plain(receipt, closing=told).rstrip("\n"), "\n".join(_foot(receipt, around, spoken))
    asked = ("\n".join(asked_in_text(around.question)),) if around.question else ()
    parts = ("\n".join(greeting), whole, *asked, foot)
    return "\n\n\n".join(parts) + "\n"


def asked_in_text(question: Question) -> Iterator[str]:
    """In lines: one link, since eleven would hide everything else."""
    yield from (*wrapped(question.text), *wrapped(question.ends), question.url)


def _foot(receipt: ReceiptView, around: Around, spoken: Voice) -> Iterator[str]:
    words = spoken.gettext
    if around.has_pdf:
        yield from (*wrapped(words("The PDF is attached.")), "")
    yield from wrapped(why(spoken, receipt))
    if around.stop_url:
        yield from ("", f"{words('Not yours? Stop these emails')}:", around.stop_url)
