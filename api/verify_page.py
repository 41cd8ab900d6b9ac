"""The page of ``/verify`` as a typed context: what was found, told in the reader's words."""

from collections.abc import Iterator
from typing import Final

from api.contexts import Judgement, Notice, Tone, VerifyPage
from api.receipt_page import OWN_COLOUR, language_links
from infra.i18n import Voice, voice
from infra.theme import theme
from kernel.locale import LANGUAGES, direction
from receipts.labels import filled
from receipts.presented import Outcome, Presented
from receipts.records import ReceiptRecord
from receipts.signed import State
from receipts.view import view

# What a reader must know before they rely on the receipt, with its picture.
_LATER: Final = {
    "training": "warn",
    "voided": "cross",
    "refunded": "back",
    "partly-refunded": "back",
    "exchanged": "swap",
}
_COLOURS: Final[dict[Tone, str]] = {"good": "#1f6b47", "doubt": "#8a5a00", "bad": "#9f2323"}


def verify_page(outcome: Outcome | None, *, language: str) -> VerifyPage:
    words = voice(language)
    title = words.gettext("Is this receipt genuine?")
    judgement = _judgement(outcome, words) if outcome else None
    return VerifyPage(
        language=language,
        direction=direction(language),
        title=judgement.heading if judgement else title,
        description=title,
        theme=theme(_COLOURS[judgement.tone] if judgement else OWN_COLOUR),
        # An answer has no address of its own, so it stays in the language in which it was asked for.
        languages=() if outcome else language_links(tuple(LANGUAGES), language),
        judgement=judgement,
    )


def _judgement(outcome: Outcome, words: Voice) -> Judgement:
    finding = outcome.finding
    tone, heading, text = _trouble(outcome, words) if outcome.trouble else _verdict(outcome, words)
    said = finding.said if finding.is_proved else None
    return Judgement(
        tone=tone,
        heading=heading,
        text=text,
        notices=tuple(_notices(outcome, said, words)) if said else (),
        merchant=finding.merchant,
        receipt=view(said, language=words.language) if said else None,
    )


def _verdict(outcome: Outcome, words: Voice) -> tuple[Tone, str, str]:
    """Tone, heading and text."""
    _, finding = words.gettext, outcome.finding
    match finding.verdict.state:
        case State.GENUINE if outcome.presented is Presented.LINK:
            text = filled(words, _("It leads to a receipt that %(merchant)s issued."), merchant=finding.merchant)
            return "good", _("This link is genuine"), text
        case State.GENUINE if outcome.has_doubtful_pages:
            text = _("Its pages can be edited without a trace. Rely on what stands below, and compare.")
            return "doubt", _("This PDF carries a genuine receipt"), text
        case State.GENUINE:
            text = _("%(merchant)s issued it, and nothing in it was changed.")
            return "good", _("This receipt is genuine"), filled(words, text, merchant=finding.merchant)
        case State.DISTRUSTED if finding.on_file is not None:
            heading = _("This receipt is genuine, but signed with an old key")
            text = _("That key is no longer trusted, yet our own records say the same. Download the receipt again.")
            return "doubt", heading, text
        case State.DISTRUSTED:
            heading = _("Nobody can vouch for this receipt")
            return "bad", heading, _("It is signed with a key that is no longer trusted, and we keep no such receipt.")
        case State.CHANGED:
            heading = _("This receipt was changed")
            return (
                "bad",
                heading,
                _("It bears our signature, but does not say what we issued. Do not rely on it."),
            )
        case State.FOREIGN:
            return "bad", _("This receipt is not ours"), _("Somebody else signed it. Ask where it was issued.")
        case State.UNSIGNED:
            heading = _("This document is not signed")
            return (
                "doubt",
                heading,
                _("Nobody can tell where it comes from. Ask for the original file, or the link."),
            )
        case State.UNREADABLE:
            heading = _("This cannot be read")
            return "doubt", heading, _("Choose a receipt as it was downloaded: a PDF or a JSON file.")


def _trouble(outcome: Outcome, words: Voice) -> tuple[Tone, str, str]:
    _ = words.gettext
    match outcome.trouble:
        case "too-large":
            return "doubt", _("This file is too large"), _("A PDF may have 5 MB, a JSON file 1 MB.")
        case "no-document":
            heading = _("This PDF carries no signature")
            return "doubt", heading, _("It was printed, scanned or made elsewhere. Its link can be checked instead.")
        case "no-receipt":
            heading = _("There is no receipt behind this link")
            return "doubt", heading, _("Check that it was copied whole. Links of other sites are not followed.")
        case _:
            return "doubt", _("Nothing was chosen"), _("Choose a file, or paste a link.")


def _notices(outcome: Outcome, said: ReceiptRecord, words: Voice) -> Iterator[Notice]:
    _, kept = words.gettext, outcome.finding.on_file
    if outcome.is_our_file:
        yield Notice("check", "", _("The file is, byte for byte, the one that we made."))
    later = [each for each in view(kept or said, language=words.language).states if each.kind in _LATER]
    yield from (Notice(_LATER[each.kind], each.title, each.text) for each in later)
    if kept is None:
        yield Notice("help", "", _("It is no longer kept here: whether it was refunded since, we cannot say."))
    elif not later:
        yield Notice("check", "", _("Nothing of it was refunded or cancelled."))
