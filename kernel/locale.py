"""The languages that Counterfoil speaks, and how a reader's wish becomes one of them."""

import unicodedata
from collections.abc import Iterable
from typing import Final

LANGUAGES: Final = {
    "en": "English",
    "de": "Deutsch",
    "fr": "Français",
    "es": "Español",
    "hi": "हिन्दी",
    "ar": "العربية",
}
RIGHT_TO_LEFT: Final = frozenset({"ar", "fa", "he", "ur"})
# The bidirectional classes of letters and digits that run from the right.
_FROM_THE_RIGHT: Final = frozenset({"R", "AL", "AN"})
_STRONG: Final = frozenset({"L", "R", "AL"})
_LEFT_TO_RIGHT_MARK, _RIGHT_TO_LEFT_MARK = "\u200e", "\u200f"


def base_language(tag: str) -> str:
    """The primary subtag of a BCP 47 tag in lower case: ``de`` of ``de-AT``."""
    return tag.replace("_", "-").split("-", 1)[0].strip().lower()


def direction(language: str) -> str:
    return "rtl" if base_language(language) in RIGHT_TO_LEFT else "ltr"


def isolated(text: str, beside: str = "ltr") -> str:
    """``text`` in an isolate (UAX 9) where it could run against its neighbours, whose direction is ``beside``.

    A mark of its own direction closes it: a line that is broken off from the isolate's start then still ends well.
    """
    classes = [] if text.isascii() else [unicodedata.bidirectional(char) for char in text]
    if not text or (beside == "ltr" and _FROM_THE_RIGHT.isdisjoint(classes)):
        return text
    first = next((each for each in classes if each in _STRONG), "L")
    return f"\u2068{text}{_LEFT_TO_RIGHT_MARK if first == 'L' else _RIGHT_TO_LEFT_MARK}\u2069"


def accepted(header: str) -> list[str]:
    """The tags of an ``Accept-Language`` header, best first (RFC 9110 section 12.5.4), without what cannot be read."""
    ranked: list[tuple[float, int, str]] = []
    for position, part in enumerate(header.split(",")[:20]):
        tag, _, parameter = part.partition(";")
        weight = _weight(parameter)
        if tag.strip() and weight > 0:
            ranked.append((-weight, position, tag.strip()))
    return [tag for _, _, tag in sorted(ranked)]


def _weight(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    if name.strip().lower() != "q":
        return 1.0
    try:
        return min(max(float(value), 0.0), 1.0)
    except ValueError:
        return 0.0


def choose(wishes: Iterable[str | None], offered: Iterable[str], otherwise: str) -> str:
    """The first wish that is offered, compared by primary subtag; ``otherwise`` where none is."""
    have = set(offered)
    for wish in wishes:
        if wish and base_language(wish) in have:
            return base_language(wish)
    return otherwise
