"""Which tags a text gets, by rules: words and phrases of a language, unless the words before them deny it. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from engagement.voice.words import Words, split

# Words for texts in any language.
ANY: Final = "any"
STAR: Final = "*"
# How many words before a phrase may deny it.
_WINDOW: Final = 3
_DENIALS: Final[Mapping[str, frozenset[str]]] = {
    "en": frozenset("not no never without nor cannot cant dont didnt doesnt isnt wasnt arent wont hardly".split()),
    "de": frozenset("nicht kein keine keinen keinem keiner nie niemals ohne kaum".split()),
    "fr": frozenset("pas ne n jamais sans aucun aucune ni".split()),
    "es": frozenset("no nunca sin ningun ninguna ni tampoco jamas".split()),
    "hi": frozenset("नहीं नही ना न मत बिना".split()),
    "ar": frozenset("لا لم لن ليس ليست ما بدون غير".split()),
}
_TURNS: Final = frozenset("but yet aber sondern doch mais pero sino लेकिन मगर पर لكن بل".split())


@dataclass(frozen=True, slots=True)
class TagRule:
    """``phrases`` are by language, or under :data:`ANY`. A word that ends in ``*`` stands for all that begin so.

    Where ``denied`` is True the tag is given as well to "not slow".
    """

    tag: str
    phrases: Mapping[str, Sequence[str]]
    denied: bool = False


@dataclass(frozen=True, slots=True)
class _Phrase:
    tag: str
    parts: tuple[str, ...]
    denied: bool


class Tagger:
    """Rules put together for the texts of one language. A text is gone through once, however many rules there are."""

    def __init__(self, rules: Iterable[TagRule], language: str) -> None:
        self._denials = frozenset(_words(_DENIALS.get(language) or frozenset().union(*_DENIALS.values())))
        self._turns = frozenset(_words(_TURNS))
        self._by_word: dict[str, list[_Phrase]] = defaultdict(list)
        self._by_start: dict[str, list[_Phrase]] = defaultdict(list)
        for rule in rules:
            for text in (*rule.phrases.get(language, ()), *rule.phrases.get(ANY, ())):
                self._add(_Phrase(rule.tag, parts_of(text), rule.denied))
        self._lengths = sorted({len(start) for start in self._by_start})

    def tags(self, text: str) -> list[str]:
        """Each once, in the order of their names."""
        found = split(text)
        return sorted({phrase.tag for at in range(len(found.words)) for phrase in self._at(found, at)})

    def _add(self, phrase: _Phrase) -> None:
        first = phrase.parts[0] if phrase.parts else ""
        if first.removesuffix(STAR):
            known = self._by_start if first.endswith(STAR) else self._by_word
            known[first.removesuffix(STAR)].append(phrase)

    def _at(self, found: Words, at: int) -> Iterator[_Phrase]:
        """The phrases that begin with the word ``at``."""
        word = found.words[at]
        candidates = [*self._by_word.get(word, ())]
        for length in self._lengths:
            candidates += self._by_start.get(word[:length], ()) if length <= len(word) else ()
        for phrase in candidates:
            if _follows(phrase.parts, found, at) and (phrase.denied or not self._is_denied(found, at)):
                yield phrase

    def _is_denied(self, found: Words, at: int) -> bool:
        for before in range(at - 1, max(at - 1 - _WINDOW, -1), -1):
            word = found.words[before]
            if found.clauses[before] != found.clauses[at] or word in self._turns:
                return False
            # What is left of "isn't" and "don't".
            is_short = word == "t" and before > 0 and found.words[before - 1].endswith("n")
            if word in self._denials or is_short:
                return True
        return False


def parts_of(phrase: str) -> tuple[str, ...]:
    """The words of a phrase as they are compared, each with its star; empty where there is no letter in it."""
    parts: list[str] = []
    for word in phrase.split():
        plain = split(word.removesuffix(STAR)).words
        parts += plain
        if plain and word.endswith(STAR):
            parts[-1] += STAR
    return tuple(parts)


def _follows(parts: Sequence[str], found: Words, at: int) -> bool:
    """Whether the words from ``at`` on are those of the phrase, all in one clause."""
    end = at + len(parts)
    if end > len(found.words) or found.clauses[at] != found.clauses[end - 1]:
        return False
    return all(_is(part, word) for part, word in zip(parts, found.words[at:end], strict=True))


def _is(part: str, word: str) -> bool:
    return word.startswith(part[:-1]) if part.endswith(STAR) else word == part


def _words(texts: Iterable[str]) -> Iterator[str]:
    for text in texts:
        yield from split(text).words
