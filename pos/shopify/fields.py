"""Reading what nobody promised: each reader takes any JSON value and gives a clean one, or None."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, ClassVar, Final

from pydantic import TypeAdapter, ValidationError

from kernel.errors import Invalid
from pos.event import Json
from receipts.card_numbers import without_card_numbers

_YEARS: Final = range(1970, 3000)
_CONTROLS: Final = re.compile(r"[\x00-\x1f\x7f]+")
# Room for every amount of the canonical sale; what is larger is no amount.
_LARGEST: Final = Decimal(10) ** 15


class Unreadable(Invalid):
    """Raised where not even the least that a receipt needs can be read. Repeats nothing of the payload."""

    slug: ClassVar[str] = "unreadable"
    title: ClassVar[str] = "The payload is not one that Shopify sends"


def parsed(body: bytes) -> Any:
    """The JSON value of ``body`` with exact decimals. Raises :class:`Unreadable`."""
    try:
        return json.loads(body, parse_float=Decimal, parse_constant=_refuse)
    except (ValueError, InvalidOperation, RecursionError):
        raise Unreadable("The payload is not JSON") from None


def _refuse(_constant: str) -> None:
    raise ValueError("NaN and Infinity are not JSON")


def record(value: object) -> Json:
    return value if isinstance(value, dict) else {}


def records(value: object) -> list[Json]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def text(value: object, most: int = 300) -> str | None:
    """One line without controls and card numbers, cut to ``most`` characters; numbers as they are written."""
    whole = code(value, 4 * most)
    return without_card_numbers(whole)[:most].strip() or None if whole else None


def code(value: object, most: int = 300) -> str | None:
    """As :func:`text`, but what only looks like a card number stays: every tenth long id does."""
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        return None
    # An unpaired surrogate is legal in JSON, but no text.
    whole = str(value)[: 4 * most].encode("utf-8", "replace").decode()
    return " ".join(_CONTROLS.sub(" ", whole).split())[:most].strip() or None


def texts(value: object) -> list[str]:
    return [each for each in map(text, value) if each] if isinstance(value, list) else []


def number(value: object) -> Decimal | None:
    """A decimal, written as a string or as a number."""
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        return None
    try:
        read = Decimal(value.strip()[:60] if isinstance(value, str) else value)
    except InvalidOperation:
        return None
    if not read.is_finite() or read.copy_abs() >= _LARGEST:
        return None
    return read or Decimal(0)


def plain(value: Decimal) -> str:
    """With at most six digits after the point and no exponent: ``"19"``, ``"7.7"``."""
    return f"{value:.6f}".rstrip("0").rstrip(".")


def identity(value: object) -> str | None:
    """An id as text: 450789469 of ``450789469`` and of ``"gid://shopify/Order/450789469"``."""
    written = code(value, 255)
    return written.rsplit("/", 1)[-1].partition("?")[0][:100] or None if written else None


def moment(*values: object) -> datetime | None:
    """The first of ``values`` that is a time; without an offset it is taken as UTC."""
    return next(_moments(values), None)


def _moments(values: tuple[object, ...]) -> Iterator[datetime]:
    for value in values:
        try:
            read = datetime.fromisoformat(value) if isinstance(value, str) else None
        except ValueError:
            continue
        if read is not None and read.year in _YEARS:
            yield read if read.tzinfo else read.replace(tzinfo=UTC)


def fitting(kind: TypeAdapter[str], value: object, most: int = 300) -> str | None:
    """``value`` as text where the canonical field takes it; what it would refuse is left out, not refused."""
    written = code(value, most)
    try:
        return kind.validate_python(written) if written else None
    except ValidationError:
        return None


def without_nones(fields: Json) -> Json:
    """What is there to say: a member that is None or empty is left out."""
    return {name: value for name, value in fields.items() if value is not None and value not in ("", [], {})}
