"""The field types of a sale: amounts, quantities and moments, with errors that say what would be right.

An amount travels as a decimal string (``"4.30"``) and lives as an integer of the currency's smallest unit (``430``).
How many digits that takes is known only from the sale's currency, so it is handed to pydantic as context: see
:func:`context_for`.
"""

import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, Final

from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    PlainSerializer,
    PlainValidator,
    SerializationInfo,
    StringConstraints,
    ValidationInfo,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

from accounts import fields
from accounts.fields import Code
from kernel import money
from kernel.ids import TOKEN_PATTERN

# A currency that is unknown is reported at /currency; until then its amounts are read with two digits.
_DIGITS_UNKNOWN: Final = 2


def context_for(currency: object) -> dict[str, int]:
    """The validation and serialization context of a sale in ``currency``."""
    known = money.EXPONENTS.get(currency) if isinstance(currency, str) else None
    return {"digits": _DIGITS_UNKNOWN if known is None else known}


def _digits(info: ValidationInfo | SerializationInfo) -> int:
    return int((info.context or {}).get("digits", _DIGITS_UNKNOWN))


def read_amount(value: object, digits: int) -> int:
    """In minor units, of a currency with so many digits. Raises :class:`PydanticCustomError`."""
    if not isinstance(value, str):
        raise PydanticCustomError(
            "amount", "is not a string; a decimal string such as {like} is expected", {"like": money.example(digits)}
        )
    try:
        return money.parse(value, digits)
    except money.AmountError as error:
        raise PydanticCustomError("amount", "{why}", {"why": str(error)}) from None


def _read_amount(value: object, info: ValidationInfo) -> int:
    return read_amount(value, _digits(info))


def _write_amount(value: int, info: SerializationInfo) -> str:
    return money.plain(value, _digits(info))


_AMOUNT_SCHEMA: Final = {
    "type": "string",
    "pattern": r"^-?[0-9]{1,15}(\.[0-9]{1,4})?$",
    "description": "A decimal string with at most as many digits after the point as the currency has (ISO 4217).",
    "examples": ["4.30"],
}
Amount = Annotated[
    int, PlainValidator(_read_amount), PlainSerializer(_write_amount, return_type=str), WithJsonSchema(_AMOUNT_SCHEMA)
]


def _decimal_reader(what: str, pattern: str) -> Callable[[object], Decimal]:
    matches = re.compile(pattern).fullmatch

    def read(value: object) -> Decimal:
        text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
        if not isinstance(text, str) or not matches(text):
            raise PydanticCustomError("decimal", "is not {what}", {"what": what})
        return Decimal(text)

    return read


def _decimal(what: str, pattern: str, example: str, *, least: int, most: int) -> Any:
    """A decimal string; a whole number may also come as one, from ``least`` to ``most``."""
    whole: dict[str, Any] = {"type": ["string", "integer"], "minimum": least, "maximum": most}
    schema = whole | {"pattern": f"^{pattern}$", "examples": [example]}
    return Annotated[
        Decimal,
        PlainValidator(_decimal_reader(what, pattern)),
        PlainSerializer(str, return_type=str),
        WithJsonSchema(schema),
    ]


Quantity = _decimal(
    'a quantity; a decimal string such as "0.735" with at most 9 digits before and 6 after the point is expected',
    r"-?[0-9]{1,9}(\.[0-9]{1,6})?",
    "0.735",
    least=1 - 10**9,
    most=10**9 - 1,
)
# Finer than the currency where goods are sold so: 1.789 a litre of petrol.
UnitPrice = _decimal(
    'a price; a decimal string such as "1.789" with at most 12 digits before and 6 after the point is expected',
    r"-?[0-9]{1,12}(\.[0-9]{1,6})?",
    "1.789",
    least=1 - 10**12,
    most=10**12 - 1,
)
Percent = _decimal(
    'a percentage; a decimal string such as "19" or "7.7" is expected',
    r"[0-9]{1,4}(\.[0-9]{1,6})?",
    "19",
    least=0,
    most=10**4 - 1,
)

_RFC3339: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d+)?)?([Zz]|[+-]\d\d:?\d\d)", re.ASCII)


def _read_moment(value: object) -> object:
    """No seconds since 1970, and no time that leaves its offset to be guessed."""
    if not isinstance(value, datetime) and not (isinstance(value, str) and _RFC3339.fullmatch(value)):
        raise PydanticCustomError(
            "moment", "is not a time with its offset from UTC; 2026-11-21T17:42:10+01:00 would be one"
        )
    return value


# Wide enough for every import, and far enough from the ends of the calendar for every time zone.
Moment = Annotated[
    AwareDatetime,
    BeforeValidator(_read_moment),
    Field(ge=datetime(1970, 1, 1, tzinfo=UTC), lt=datetime(2200, 1, 1, tzinfo=UTC)),
]

_CURRENCY: Final = r"^[A-Z]{3}$"
_GTIN: Final = r"^[0-9]{8,14}$"
_LAST_DIGITS: Final = r"^[0-9A-Za-z]{1,4}$"
_APPLICATION: Final = r"^[0-9A-Fa-f]{10,32}$"

Currency = Annotated[str, StringConstraints(pattern=_CURRENCY)]
Gtin = Annotated[str, StringConstraints(pattern=_GTIN)]
LastDigits = Annotated[str, StringConstraints(pattern=_LAST_DIGITS)]
ApplicationId = Annotated[str, StringConstraints(pattern=_APPLICATION)]
Token = Annotated[str, StringConstraints(pattern=TOKEN_PATTERN)]

MEANINGS: Final = fields.MEANINGS | {
    _CURRENCY: "is not a currency of ISO 4217; three capital letters such as EUR are expected",
    _GTIN: "is not a GTIN; 8 to 14 digits are expected",
    _LAST_DIGITS: "must be the last digits of the card, at most four",
    _APPLICATION: "is not the id of a card's application; 10 to 32 hex digits are expected",
}

_MOST_LEVELS: Final = 8


def _not_too_deep(value: object) -> object:
    level = [value]
    for _ in range(_MOST_LEVELS):
        level = [inner for outer in level for inner in _members(outer) if isinstance(inner, dict | list)]
    if level:
        raise PydanticCustomError("too_deep", "is nested too deeply; {most} levels are kept", {"most": _MOST_LEVELS})
    return value


def _members(outer: object) -> Iterable[object]:
    if isinstance(outer, dict):
        return outer.values()
    return outer if isinstance(outer, list) else ()


Metadata = Annotated[dict[Code, JsonValue], BeforeValidator(_not_too_deep), Field(max_length=50)]


class Part(BaseModel):
    """A part of a sale. An unknown member is refused: a misspelt ``discounts`` would be money lost in silence."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)
