"""What a survey says: the brand's words, and ours where it has none."""

from dataclasses import dataclass
from typing import Final

from engagement.surveys.records import RECOMMENDING, Event, Segment
from engagement.surveys.settings import Settings, Wording
from infra.i18n import Voice, later
from kernel.locale import isolated

_QUESTIONS: Final[dict[Event, str]] = {
    "transaction": later("How likely are you to recommend %(brand)s to a friend?"),
    "relationship": later("All in all, how likely are you to recommend %(brand)s to a friend?"),
    "product": later("How satisfied are you with what you bought?"),
    "delivery": later("How satisfied are you with the delivery?"),
    "service": later("How satisfied are you with the service?"),
}
_FOLLOW_UPS: Final[dict[Segment, str]] = {
    "promoter": later("What did you like best?"),
    "passive": later("What would have made it better?"),
    "detractor": later("We are sorry. What went wrong?"),
}
_TO_TEN: Final = later("What would make it a 10?")
_THANKS: Final[dict[Segment, str]] = {
    "promoter": later("We are glad to hear it."),
    "passive": later("Your answer helps us to do better."),
    "detractor": later("Thank you for telling us. We will look into it."),
}
_CONSENT: Final = later(
    "Please call me back. %(brand)s may use what I enter here for this, and I can take it back at any time."
)


@dataclass(frozen=True, slots=True)
class Said:
    """In one language, with the brand's name where ours have it."""

    question: str
    low: str
    high: str
    follow_up: dict[Segment, str]
    thanks: dict[Segment, str]
    consent: str


def said(settings: Settings, event: Event, brand: str, spoken: Voice) -> Said:
    """The brand's words in the language of ``spoken``; where it gave none, ours, not its own in another language."""
    own = {str(tag): each for tag, each in settings.texts.items()}.get(spoken.language, Wording())
    words, name = spoken.gettext, {"brand": isolated(brand, spoken.direction)}
    low, high = _ends(event, spoken)
    usual = dict(_FOLLOW_UPS) | ({"passive": _TO_TEN} if event in RECOMMENDING else {})
    return Said(
        question=own.question or words(_QUESTIONS[event]) % name,
        low=own.low or low,
        high=own.high or high,
        follow_up={each: own.follow_up.get(each) or words(text) for each, text in usual.items()},
        thanks={each: own.thanks.get(each) or words(text) for each, text in _THANKS.items()},
        consent=own.consent or words(_CONSENT) % name,
    )


def _ends(event: Event, spoken: Voice) -> tuple[str, str]:
    words = spoken.gettext
    if event in RECOMMENDING:
        return words("Not at all likely"), words("Extremely likely")
    return words("Very dissatisfied"), words("Very satisfied")
