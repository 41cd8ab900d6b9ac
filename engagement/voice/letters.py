"""Letters to who sees to cases: one was opened, or its time is over."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote
from zoneinfo import ZoneInfo

from accounts.find import BrandLook
from cards.letters import Row, staff_letter
from cards.links import tel
from engagement.surveys.records import RECOMMENDING, Answer
from engagement.voice.cases import CaseRecord
from infra.i18n import Voice, later, voice
from notify.letters import Composed, one_line

OPENED: Final = "cas_"
LATE: Final = "esc_"
_NEW: Final = later("A shopper was let down at %(name)s")
_OVERDUE: Final = later("Nobody has seen to a shopper of %(name)s")


@dataclass(frozen=True, slots=True)
class About:
    """What a letter tells of. ``receipt_number`` is empty where it is not kept; ``timezone`` is the store's."""

    case: CaseRecord
    answer: Answer
    look: BrandLook
    store: str
    timezone: str
    receipt_number: str


def late_name(case_id: str) -> str:
    """What the message that escalates a case is about."""
    return LATE + case_id.removeprefix(OPENED)


def case_of(name: str) -> str:
    """The case that a message is about."""
    return OPENED + name.removeprefix(LATE).removeprefix(OPENED)


def case_letter(about: About, *, is_late: bool, base_url: str, language: str) -> Composed:
    spoken = voice(language)
    lead = (
        spoken.gettext("A shopper gave a low score, and the time to see to it is over.")
        if is_late
        else spoken.gettext("A shopper gave a low score. See to it, and note what came of it.")
    )
    return staff_letter(
        about.look,
        spoken,
        base_url=base_url,
        subject=(_OVERDUE if is_late else _NEW, one_line(about.store)),
        title=spoken.gettext("Overdue case") if is_late else spoken.gettext("New case"),
        name=_score(about.answer, spoken),
        lead=lead,
        rows=tuple(_rows(about, spoken)),
        button=None,
        why=spoken.gettext("You get this email because your shop named you as who sees to its cases."),
    )


def _score(answer: Answer, spoken: Voice) -> str:
    most = 10 if answer.event in RECOMMENDING else 5
    return spoken.gettext("%(score)d of %(most)d") % {"score": answer.score, "most": most}


def _rows(about: About, spoken: Voice) -> Iterator[Row]:
    words, answer = spoken.gettext, about.answer
    if answer.text:
        yield Row(words("What they wrote"), answer.text)
    if answer.wants_call and answer.contact:
        yield Row(words("They wish to be called back"), one_line(answer.contact), _link(answer.contact))
    due = spoken.formats.moment(about.case.due_at, ZoneInfo(about.timezone)).text
    told = (
        (words("Store"), one_line(about.store)),
        (words("Receipt"), one_line(about.receipt_number)),
        (words("See to it until"), due),
        (words("Case"), about.case.id),
    )
    yield from (Row(label, value) for label, value in told if value)


def _link(contact: str) -> str:
    return f"mailto:{quote(contact, safe='@')}" if "@" in contact else tel(contact)
