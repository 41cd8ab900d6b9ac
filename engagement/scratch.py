"""Scratch cards: codes, draws and their proofs. Arithmetic only.

What is drawn follows from a seed that is kept until the campaign is over, and whose hash is told before it begins. So
nobody can tell an outcome beforehand, and everybody can do the sum again afterwards.
"""

import hmac
import secrets
import unicodedata
from collections.abc import Iterator, Sequence
from hashlib import sha256
from itertools import accumulate
from typing import Any, Final

from kernel import jcs

# No 0, 1, I, O and U, so that nothing is misread. 31 is prime: that is what lets one check sign catch every slip.
ALPHABET: Final = "23456789ABCDEFGHJKLMNPQRSTVWXYZ"
LENGTH: Final = 12
_RANDOM: Final = LENGTH - 1
_GROUP: Final = 4
_VALUES: Final = {sign: value for value, sign in enumerate(ALPHABET)}
# How long what somebody types may be, with all its spaces and dashes.
_MOST_TYPED: Final = 64
_WORD: Final = 8
_WORDS: Final = 1 << (8 * _WORD)
SEED_BYTES: Final = 32


def code_of(key: bytes, reward_id: str) -> str:
    """The code of one reward: eleven signs (54.5 bits) and one that checks them. Who has no ``key`` can tell no code by
    its reward, nor one by another."""
    words = _words(key, reward_id)
    return _checked([_below(words, len(ALPHABET)) for _ in range(_RANDOM)])


def tidy(typed: str) -> str | None:
    """The code that somebody typed in any script's digits, any case, with spaces and dashes; None where it is none.

    Every single wrong sign and every two signs in each other's place are noticed.
    """
    if len(typed) > _MOST_TYPED:
        return None
    plain = unicodedata.normalize("NFKC", typed).upper()
    code = "".join(_plain_digit(sign) for sign in plain if unicodedata.category(sign) not in ("Zs", "Pd", "Cf"))
    if len(code) != LENGTH or any(sign not in _VALUES for sign in code):
        return None
    return code if _weighed(_VALUES[sign] for sign in code) == 0 else None


def shown(code: str) -> str:
    """In groups of four, as a person reads it out."""
    return "-".join(code[at : at + _GROUP] for at in range(0, len(code), _GROUP))


def new_seed() -> bytes:
    return secrets.token_bytes(SEED_BYTES)


def seed_digest(seed: bytes) -> str:
    """SHA-256 in hex: told before the campaign begins."""
    return sha256(seed).hexdigest()


def table_digest(table: Any) -> str:
    """SHA-256 in hex of the table of prizes as canonical JSON (RFC 8785). Raises ValueError where it has none."""
    return sha256(jcs.canonicalise(table)).hexdigest()


def entry_digest(entry: str) -> str:
    """What a card is drawn for, as a proof names it: SHA-256 in hex of its receipt's id, a slash and the card's number.
    Who has the receipt can tell it; by it nobody can tell the receipt."""
    return sha256(entry.encode()).hexdigest()


def drawn(seed: bytes, *, campaign: str, receipt: str, nonce: int, weights: Sequence[int]) -> int:
    """Which of ``weights`` was drawn, as its index: each as often as its share of their sum.

    By the first number of HMAC-SHA256(seed, ``campaign:receipt:nonce``) that favours none. Raises ValueError where
    nothing can be drawn, or a name has a colon.
    """
    if not weights or min(weights) < 0 or not 0 < sum(weights) <= _WORDS:
        raise ValueError("weights must be whole numbers from 0 on, and one of them more than 0")
    number = _below(_words(seed, f"{_name(campaign)}:{_name(receipt)}:{nonce}"), sum(weights))
    return next(index for index, reached in enumerate(accumulate(weights)) if number < reached)


def shuffled(seed: bytes, *, campaign: str, counts: Sequence[int]) -> list[int]:
    """A deck with ``counts[i]`` cards of each index ``i``, in an order that ``seed`` alone decides, all equally likely.

    Fisher and Yates' shuffle, from the numbers of HMAC-SHA256(seed, ``campaign:deck``). Raises ValueError as
    :func:`drawn` does.
    """
    if any(count < 0 for count in counts):
        raise ValueError("counts must be whole numbers from 0 on")
    words = _words(seed, f"{_name(campaign)}:deck")
    deck = [index for index, count in enumerate(counts) for _ in range(count)]
    for last in range(len(deck) - 1, 0, -1):
        other = _below(words, last + 1)
        deck[last], deck[other] = deck[other], deck[last]
    return deck


def _checked(values: list[int]) -> str:
    """The last sign weighs one, so it alone brings the sum to a multiple of 31."""
    return "".join(ALPHABET[value] for value in [*values, -_weighed([*values, 0]) % len(ALPHABET)])


def _weighed(values: Iterator[int] | Sequence[int]) -> int:
    """Weights fall from 12 to 1. They differ, and so does what a wrong sign or two that changed places add, mod 31."""
    return sum(value * (LENGTH - at) for at, value in enumerate(values)) % len(ALPHABET)


def _plain_digit(sign: str) -> str:
    """An Arabic or Devanagari keyboard has digits of its own."""
    value = unicodedata.decimal(sign, None)
    return sign if value is None else str(value)


def _words(key: bytes, message: str) -> Iterator[int]:
    """Numbers of 64 bits, big end first: four of HMAC-SHA256(key, ``message``), then of ``message:1``, and so on."""
    block = 0
    while True:
        told = hmac.digest(key, (f"{message}:{block}" if block else message).encode(), "sha256")
        yield from (int.from_bytes(told[at : at + _WORD]) for at in range(0, len(told), _WORD))
        block += 1


def _below(words: Iterator[int], limit: int) -> int:
    """The next number that can be cut to ``limit`` fairly: what is left over at the top would favour the small ones."""
    fair = _WORDS - _WORDS % limit
    return next(word for word in words if word < fair) % limit


def _name(part: str) -> str:
    if ":" in part:
        raise ValueError("a name may have no colon")
    return part
