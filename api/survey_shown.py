"""A survey as its stub's template is given it."""

from dataclasses import dataclass, field

from api.contexts import Stub
from api.contexts_after_sale import ReferralCode


@dataclass(frozen=True, slots=True)
class ScoreButton:
    """``label`` is what is read out, with what the ends of the scale mean."""

    score: int
    text: str
    label: str


@dataclass(frozen=True, slots=True)
class SurveyView:
    """A survey as a receipt's shopper sees it. ``step`` is "ask" for the score, "more" for what is said after it,
    "thanks", "fixed" where an answer can be changed no more, or "over".

    ``score`` was given, or chosen by a link; ``is_chosen`` is the latter, and then nothing was sent yet: the page
    does so by itself where it ``sends``. Links are relative. ``seen`` is told once somebody looks at the question;
    ``is_trap`` where only a program would have come.
    """

    step: str
    question: str
    low: str
    high: str
    ends: str
    buttons: tuple[ScoreButton, ...]
    score: int | None
    score_text: str
    is_chosen: bool
    sends: bool
    action: str
    more: str
    again: str
    seen: str
    follow_up: str
    thanks: str
    review_url: str
    referral: ReferralCode | None
    consent: str
    consent_version: str
    offers_call: bool
    wants_call: bool
    can_change: bool
    is_trap: bool
    values: dict[str, str] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SurveyPart:
    """The stub by itself, as a script puts it in place of the one before."""

    stub: Stub
