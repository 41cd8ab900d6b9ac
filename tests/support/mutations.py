"""Sales as broken software sends them: parts lost, moved, doubled, renamed, or of the wrong kind."""

import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from random import Random
from typing import Any, Final

Path = tuple[str | int, ...]

_LONG: Final = "long " * 1000
ODD_VALUES: Final[tuple[Any, ...]] = (
    *(
        None,
        True,
        False,
        0,
        -1,
        1,
        2**31,
        2**63,
        2**64,
        10**40,
        -(10**40),
        0.1,
        1e308,
        -0.0,
        float("nan"),
        float("inf"),
    ),
    *("", " ", "0", "-0", "-1", "1e9", "0.001", "NaN", "9" * 15, "9" * 16, "9" * 5000, "00000000000", "1,50", "٣", "½"),
    *("\0", "a\0b", "\n", "\x1b[31m", "\x7f", "\ud800", "\udfff\ud800", "\ufeff", "\u202e", "\u2028", "e\u0301" * 50),
    *(
        "ß",
        "İ",
        "🥖",
        "नमस्ते",
        "خبز",
        "<script>alert(1)</script>",
        "{{ 7*7 }}",
        "%s%n",
        "' OR 1=1 --",
        "../../etc/passwd",
    ),
    *(
        "4111111111111111",
        "cf_live_x",
        _LONG,
        "x" * 129,
        "x" * 301,
        "EUR",
        "JPY",
        "BHD",
        "CLF",
        "ZZZ",
        "refund",
        "void",
    ),
    *("2026-11-21T17:42:10+01:00", "2026-11-21", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"),
    *("line", "order", "rate", "exchange", "mitte", "kreuzberg", "till-1", "1", "2", "code128", "ean13", "qr"),
    *([], {}, [[]], [None], {"": ""}, {"id": "1"}, {"a": {"b": {"c": []}}}, [1, "2", None], ["1"] * 60),
)
NAMES: Final = (
    "",
    "id",
    "total",
    "amount",
    "lines",
    "kind",
    "__proto__",
    "a/b~c",
    "x" * 200,
    "naïve",
    "\0",
    "4111111111111111",
)


def places(part: Any, at: Path = ()) -> Iterator[Path]:
    """Every place below ``part``, but not in its depths."""
    inside = part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ()
    for name, value in inside:
        yield (*at, name)
        if len(at) < 12:
            yield from places(value, (*at, name))


def parent_of(body: Any, path: Path) -> Any:
    for name in path[:-1]:
        body = body[name]
    return body


def _replace(random: Random, body: Any, path: Path) -> None:
    parent_of(body, path)[path[-1]] = deepcopy(random.choice(ODD_VALUES))


def _lose(random: Random, body: Any, path: Path) -> None:
    del parent_of(body, path)[path[-1]]


def _move(random: Random, body: Any, path: Path) -> None:
    """Something else of the same sale stands here."""
    other = random.choice(list(places(body)))
    parent_of(body, path)[path[-1]] = deepcopy(parent_of(body, other)[other[-1]])


def _wrap(random: Random, body: Any, path: Path) -> None:
    value = parent_of(body, path)[path[-1]]
    parent_of(body, path)[path[-1]] = random.choice([[value], {"value": value}, [value, value], str(value)])


def _rename(random: Random, body: Any, path: Path) -> None:
    parent = parent_of(body, path)
    value = parent.pop(path[-1])
    if isinstance(parent, dict):
        parent[random.choice(NAMES)] = value
    else:
        parent.insert(0, value)


def _repeat(random: Random, body: Any, path: Path) -> None:
    parent = parent_of(body, path)
    if isinstance(parent, list):
        parent += [deepcopy(parent_of(body, path)[path[-1]]) for _ in range(random.choice((1, 60, 300)))]
    else:
        parent[random.choice(NAMES)] = deepcopy(random.choice(ODD_VALUES))


def _nudge(random: Random, body: Any, path: Path) -> None:
    """A character more, less or other."""
    value = str(parent_of(body, path)[path[-1]])
    place = random.randint(0, len(value))
    odd = random.choice(["", "0", "9", "-", ".", "\0", "é", " ", "\u202e"])
    parent_of(body, path)[path[-1]] = value[:place] + odd + value[place + random.randint(0, 1) :]


def _bury(random: Random, body: Any, path: Path) -> None:
    value = parent_of(body, path)[path[-1]]
    for _ in range(random.choice((5, 100, 200))):
        value = random.choice(([value], {"in": value}))
    parent_of(body, path)[path[-1]] = value


MUTATIONS: Final[tuple[Callable[[Random, Any, Path], None], ...]] = (
    *(_replace,) * 6,
    *(_lose, _lose, _move, _move, _nudge, _nudge, _nudge, _wrap, _rename, _repeat, _bury),
)


def mutated(random: Random, body: Any) -> bytes:
    """``body`` after one to three accidents, as JSON or nearly so."""
    body = deepcopy(body)
    for _ in range(random.choice((1, 1, 2, 3))):
        here = list(places(body))
        if not here:
            break
        random.choice(MUTATIONS)(random, body, random.choice(here))
    text = json.dumps(body).encode()
    if random.random() < 0.02:
        cut = random.randrange(len(text))
        return text[:cut] + random.choice([b"", b"\xff", b"}", b"\0"]) + text[cut + random.randint(0, 2) :]
    return text
