"""Faces of cards, made up: Emma's, any that a profile can have, and hostile ones that no profile would let through."""

import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime
from random import Random
from typing import Any, Final

from hypothesis import strategies as st

from cards.face import Face, Shop, Source, Way, face
from cards.networks import MESSENGERS, NETWORKS
from cards.profile import Address, Email, Phone, Profile
from cards.template import Template
from tests.support.cards import profile

PAGE: Final = "https://receipts.test/c/8Jv1mQWc0aYf3sRkT5xZpA"
CHANGED: Final = datetime(2026, 11, 28, 9, 30, 5, tzinfo=UTC)
SHOP: Final = Shop(
    "Linden & Rye Mitte",
    Address(lines=["Rosenthaler Straße 9"], postal_code="10119", city="Berlin", country="DE"),
    "+49 30 5550 9999",
    "Europe/Berlin",
    {"mon": ["07:00-18:30"]},
)


def face_of(content: Profile, *, language: str = "en", shop: Shop | None = None) -> Face:
    source = Source("crd_01", content, Template(), "Linden & Rye", "en", shop, CHANGED)
    return face(source, url=PAGE, language=language)


def emma(*, language: str = "en", shop: Shop | None = None, **changes: Any) -> Face:
    return face_of(profile(**changes), language=language, shop=shop)


# Letters of many scripts, marks, emoji and what vCard gives a meaning; nothing that is cleaned away.
_CHARS: Final = st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp", "Cn", "Co"]).filter(
    lambda char: not ("\u202a" <= char <= "\u202e" or "\u2066" <= char <= "\u2069" or char == "\ufeff")
)
_WORDS: Final = st.text(_CHARS | st.sampled_from(list("\\;,:\"'=^")), min_size=1, max_size=90).filter(
    lambda told: told == told.strip()
)
_SHORT: Final = _WORDS.filter(lambda told: len(told) <= 64)
_NOTE: Final = st.lists(_WORDS, min_size=1, max_size=4).map("\n".join)
_URLS: Final = st.from_regex(r"https?://[a-z]{1,20}\.example(/[A-Za-z0-9,;:=?&%~.@+-]{0,90})?", fullmatch=True)
_HANDLES: Final = st.from_regex(r"[A-Za-z0-9._-]{1,40}", fullmatch=True)
# Seven digits at least, with blanks between them.
_NUMBERS: Final = st.from_regex(r"\+[1-9]([0-9] ?){6,14}[0-9]", fullmatch=True)
_PLACES: Final = st.sampled_from(["work", "home", "other"])
_OPTIONAL: Final = {"label": st.none() | _SHORT}
_PHONES: Final = st.fixed_dictionaries(
    {"number": _NUMBERS, "kind": st.sampled_from(["work", "mobile", "home", "fax", "other"])}, optional=_OPTIONAL
)
_EMAILS: Final = st.fixed_dictionaries(
    {"address": st.from_regex(r"[a-z0-9._-]{1,60}@[a-z]{1,60}\.example", fullmatch=True), "kind": _PLACES},
    optional=_OPTIONAL,
)
_ADDRESSES: Final = st.fixed_dictionaries(
    {"lines": st.lists(_WORDS, min_size=1, max_size=3), "kind": _PLACES},
    optional={
        "postal_code": _SHORT,
        "city": _WORDS,
        "region": _WORDS,
        "country": st.sampled_from(["DE", "IN", "US", "AE"]),
    }
    | _OPTIONAL,
)
_SOCIALS: Final = st.sampled_from([name for name, service in NETWORKS.items() if service.address]).flatmap(
    lambda name: (
        st.fixed_dictionaries({"network": st.just(name), "handle": _HANDLES})
        | st.fixed_dictionaries({"network": st.just(name), "url": _URLS})
    )
)
_MESSENGERS: Final = st.sampled_from(list(MESSENGERS)).flatmap(
    lambda name: st.fixed_dictionaries(
        {"app": st.just(name), "handle": _NUMBERS if MESSENGERS[name].by_number else _HANDLES}
    )
)
_TAGS: Final = st.sampled_from(["de", "en-GB", "hi", "zh-Hant", "tlh"])


def profiles() -> st.SearchStrategy[Profile]:
    """All that a profile can say, at times nothing of it but the name."""
    names = {"given": _WORDS, "family": _WORDS}
    others = dict.fromkeys(("name", "additional", "nickname", "title", "department", "organisation"), _WORDS)
    short = dict.fromkeys(("prefix", "suffix", "pronouns"), _SHORT)
    lists: dict[str, st.SearchStrategy[Any]] = {
        "hobbies": st.lists(_WORDS, max_size=3),
        "languages": st.lists(_TAGS, unique=True, max_size=4),
        "phones": st.lists(_PHONES, max_size=4),
        "emails": st.lists(_EMAILS, max_size=3),
        "addresses": st.lists(_ADDRESSES, max_size=2),
        "links": st.lists(st.fixed_dictionaries({"url": _URLS}, optional=_OPTIONAL), max_size=3),
        "socials": st.lists(_SOCIALS, max_size=3),
        "messengers": st.lists(_MESSENGERS, max_size=3),
    }
    rest = {"description": _NOTE, "booking_url": _URLS}
    return st.fixed_dictionaries(names, optional=others | short | lists | rest).map(Profile.model_validate)


# What an attacker would put into a field: a line of its own, in all the ways of ending one.
_ATTACKS: Final = (
    "\r\nTEL:+1666", "\nX-EVIL:1", "\rX-EVIL:1", "\u2028X-EVIL:1", "\u2029X-EVIL:1", "\x85X-EVIL:1", "\x0bX-EVIL:1",
    "\x0cX-EVIL:1", "\\\r\nX-EVIL:1", "\\nX-EVIL:1", '"\r\nX-EVIL:1', '";X-EVIL="1:', ":x\r\n X-EVIL", "\x00", "\\",
    "\r\nEND:VCARD\r\nBEGIN:VCARD\r\n", "^n^'^^", "\u202eevil\u202c", "\u2067\u200f", "\ud800", "\udfff", "\ufeff",
    "👩‍🍳", "🇩🇪" * 30, "Ω" * 10_000, "=0D=0AX-EVIL:1", "<script>", "%0d%0aX-EVIL:1",
)  # fmt: skip
_HOSTILE: Final = st.lists(st.sampled_from(_ATTACKS) | st.text(max_size=30), max_size=4).map("".join)


def hostile_faces() -> st.SearchStrategy[Face]:
    """Each field is hostile, whatever its type allows: nothing was checked on the way."""
    return st.builds(
        lambda texts, rest: dataclasses.replace(emma(shop=SHOP), **texts, **rest),
        st.fixed_dictionaries(dict.fromkeys(_TEXTS, _HOSTILE)),
        st.fixed_dictionaries(_PARTS),
    )


def _many(made: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(made, max_size=2).map(tuple)


def _unchecked(part: type[Any], **fields: Any) -> st.SearchStrategy[Any]:
    """Past the validators, as nobody should."""
    return st.fixed_dictionaries(fields).map(lambda values: part.model_construct(**values))


_WAYS: Final = _many(st.builds(Way, _HOSTILE, _HOSTILE, _HOSTILE, _HOSTILE))
_TEXTS: Final = (
    "uid", "url", "language", "name", "prefix", "given", "additional", "family", "suffix", "nickname", "pronouns",
    "title", "department", "organisation", "description", "booking_url",
)  # fmt: skip
_HOSTILE_ADDRESS: Final = _unchecked(
    Address,
    lines=st.lists(_HOSTILE, max_size=3),
    **dict.fromkeys(("postal_code", "city", "region", "country", "kind", "label"), _HOSTILE),
)
_PARTS: Final[dict[str, st.SearchStrategy[Any]]] = {
    "hobbies": _many(_HOSTILE),
    "languages": _many(_HOSTILE),
    "phones": _many(_unchecked(Phone, number=_HOSTILE, kind=_HOSTILE, label=_HOSTILE)),
    "emails": _many(_unchecked(Email, address=_HOSTILE, kind=_HOSTILE, label=_HOSTILE)),
    "addresses": _many(_HOSTILE_ADDRESS),
    "links": _WAYS,
    "socials": _WAYS,
    "messengers": _WAYS,
    "shop": st.builds(Shop, _HOSTILE, _HOSTILE_ADDRESS, _HOSTILE, st.just("UTC"), st.just({})),
}


def hostile_face(random: Random) -> Face:
    """One of those that :func:`hostile_faces` gives, quickly."""

    def one() -> str:
        # The long one seldom: ten thousand times in each field would take an hour.
        attacks = [each for each in _ATTACKS if len(each) < 1000 or random.random() < 0.002]
        return "".join(random.choices([*attacks, "Emma", " "], k=random.randint(0, 4)))

    def several(make: Callable[[], Any]) -> tuple[Any, ...]:
        return tuple(make() for _ in range(random.randint(0, 2)))

    def part(kind: type[Any], *fields: str) -> Any:
        return kind.model_construct(**{field: one() for field in fields})

    def place() -> Any:
        made = part(Address, "postal_code", "city", "region", "country", "kind", "label")
        return made.model_copy(update={"lines": list(several(one))})

    told: dict[str, Any] = {name: one() for name in _TEXTS}
    told |= {name: several(one) for name in ("hobbies", "languages")}
    told |= {name: several(lambda: Way(one(), one(), one(), one())) for name in ("links", "socials", "messengers")}
    told["phones"] = several(lambda: part(Phone, "number", "kind", "label"))
    told["emails"] = several(lambda: part(Email, "address", "kind", "label"))
    told |= {"addresses": several(place), "shop": Shop(one(), place(), one(), "UTC", {})}
    return dataclasses.replace(emma(), **told)
