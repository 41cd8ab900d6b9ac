"""An answer, and a survey, as they are read back."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

Event = Literal["transaction", "relationship", "product", "delivery", "service"]
Segment = Literal["promoter", "passive", "detractor"]
Channel = Literal["page", "email", "link", "api"]
Held = Literal["", "trap", "burst", "robot"]

EVENTS: Final[tuple[Event, ...]] = ("transaction", "relationship", "product", "delivery", "service")
# Those that ask how likely one is to recommend, from 0 to 10; the others ask how satisfied one is, from 1 to 5.
RECOMMENDING: Final[frozenset[Event]] = frozenset({"transaction", "relationship"})


@dataclass(frozen=True, slots=True)
class Answer:
    """``contact`` is how somebody wishes to be called back, and there only with ``wants_call``, as are the words that
    they agreed to. ``held`` says why it does not count; empty where it does.

    ``receipt_id`` is None once the receipt was purged, and ``text`` and ``contact`` go with it.
    """

    id: str
    merchant_id: str
    survey_id: str
    brand_id: str
    event: Event
    receipt_id: str | None
    store_id: str
    till_id: str | None
    staff_id: str | None
    score: int
    segment: Segment
    text: str | None
    wants_call: bool
    contact: str | None
    consent: str | None
    consent_version: str | None
    language: str
    channel: Channel
    held: Held
    # When it first came, and when it was last changed.
    answered_at: datetime
    changed_at: datetime

    @property
    def is_counted(self) -> bool:
        return not self.held


@dataclass(frozen=True, slots=True)
class Given:
    """A score as it came. ``by_itself`` where the page sent it without a press of a button; ``held`` is what the edge
    saw of who sent it."""

    score: int
    channel: Channel
    language: str
    by_itself: bool = False
    held: Held = ""


@dataclass(frozen=True, slots=True)
class Call:
    """How somebody wishes to be called back, and the words that they agreed to."""

    contact: str
    consent: str
    version: str


@dataclass(frozen=True, slots=True)
class More:
    """What is said after the score. None leaves what was said before; ``no_call`` takes the wish for a call back."""

    text: str | None = None
    call: Call | None = None
    no_call: bool = False
