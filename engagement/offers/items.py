"""What of a receipt is an item, and by which keys it is known: the till's SKU, else the GTIN, else the name."""

import hashlib
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

# What is neither bought nor could be offered: deposits, gift cards, fees, donations.
_GOODS: Final = ("product", "service")
_LONGEST: Final = 72
_DIGITS: Final = 32


@dataclass(frozen=True, slots=True)
class Bought:
    """``items`` were bought with a receipt, ``back`` came back by it; ``lines`` are the ids of the original's lines
    that came back."""

    items: tuple[str, ...]
    back: tuple[str, ...]
    lines: tuple[str, ...]


def item_of(line: Mapping[str, Any]) -> str:
    """The key under which a line of a receipt's JSON is counted."""
    return next(keys(line.get("sku"), line.get("gtin"), [line["name"]]))


def all_of(line: Mapping[str, Any]) -> tuple[str, ...]:
    """Every key by which a product could be known to be this line."""
    return tuple(keys(line.get("sku"), line.get("gtin"), [line["name"]]))


def keys(sku: str | None, gtin: str | None, names: Iterable[str]) -> Iterator[str]:
    if sku:
        yield _short(f"s:{sku}")
    if gtin:
        # A GTIN is the same with zeros before it (GS1 General Specifications, section 3.3.2).
        yield f"g:{gtin.lstrip('0')}"
    for name in names:
        yield _short(f"n:{' '.join(unicodedata.normalize('NFKC', name).casefold().split())}")


def is_goods(line: Mapping[str, Any]) -> bool:
    """A part of a bundle, or what modifies another line, is not bought by itself."""
    return line.get("type", "product") in _GOODS and line.get("parent") is None


def bought(kind: str, lines: Iterable[Mapping[str, Any]], flags: Iterable[str] = ()) -> Bought:
    """Of a receipt of this kind. What was only practised is nothing."""
    if "training" in flags:
        return Bought((), (), ())
    items: dict[str, None] = {}
    back: dict[str, None] = {}
    named: list[str] = []
    for line in filter(is_goods, lines):
        if is_bought(kind, line):
            items[item_of(line)] = None
        if not comes_back(kind, line):
            continue
        back[item_of(line)] = None
        if line.get("original_line") is not None:
            named.append(line["original_line"])
    return Bought(tuple(items), tuple(back), tuple(named))


def is_bought(kind: str, line: Mapping[str, Any]) -> bool:
    """Whether this line of a receipt of this kind is what a shopper took along."""
    return not comes_back(kind, line) and _total(line) >= 0


def comes_back(kind: str, line: Mapping[str, Any]) -> bool:
    """Whether this line of a receipt of this kind is what a shopper gave back."""
    return kind != "sale" and not (kind == "exchange" and _total(line) >= 0)


def _total(line: Mapping[str, Any]) -> Decimal:
    return Decimal(line["total"])


def _short(key: str) -> str:
    return key if len(key) <= _LONGEST else f"h:{hashlib.sha256(key.encode()).hexdigest()[:_DIGITS]}"
