"""The field types of a sale: amounts, quantities and clean text, with errors that say what would be right.

An amount travels as a decimal string (``"4.30"``) and lives as an integer of the currency's smallest unit (``430``).
How many digits that takes is known only from the sale's currency, so it is handed to pydantic as context: see
:func:`context_for`.
"""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Annotated, Any, Final

from pydantic import (
    BaseModel,
    ConfigDict,
    PlainSerializer,
    PlainValidator,
    SerializationInfo,
    StringConstraints,
    ValidationInfo,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

from kernel import money

# A currency that is unknown is reported at /currency; until then its amounts are read with two digits.
_DIGITS_UNKNOWN: Final = 2


def context_for(currency: object) -> dict[str, int]:
    """The validation and serialization context of a sale in ``currency``."""
    known = money.EXPONENTS.get(currency) if isinstance(currency, str) else None
    return {"digits": _DIGITS_UNKNOWN if known is None else known}


def _digits(info: ValidationInfo | SerializationInfo) -> int:
    return int((info.context or {}).get("digits", _DIGITS_UNKNOWN))


def _read_amount(value: object, info: ValidationInfo) -> int:
    digits = _digits(info)
    if not isinstance(value, str):
        raise PydanticCustomError(
            "amount", "is not a string; a decimal string such as {like} is expected", {"like": money.example(digits)}
        )
    try:
        return money.parse(value, digits)
    except money.AmountError as error:
        raise PydanticCustomError("amount", "{why}", {"why": str(error)}) from None


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


def _decimal(what: str, pattern: str, example: str) -> Any:
    schema = {"type": "string", "pattern": f"^{pattern}$", "examples": [example]}
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
)
# Finer than the currency where goods are sold so: 1.789 a litre of petrol.
UnitPrice = _decimal(
    'a price; a decimal string such as "1.789" with at most 12 digits before and 6 after the point is expected',
    r"-?[0-9]{1,12}(\.[0-9]{1,6})?",
    "1.789",
)
Percent = _decimal(
    'a percentage; a decimal string such as "19" or "7.7" is expected', r"[0-9]{1,4}(\.[0-9]{1,6})?", "19"
)

# Controls are refused everywhere: PostgreSQL keeps no NUL, and terminals and printers obey the others.
_LINE: Final = r"^[^\x00-\x1f\x7f]*$"
_PARAGRAPH: Final = r"^[^\x00-\x09\x0b\x0c\x0e-\x1f\x7f]*$"

Code = Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=_LINE)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=300, pattern=_LINE)]
Text = Annotated[str, StringConstraints(max_length=2000, pattern=_PARAGRAPH)]
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
WebAddress = Annotated[str, StringConstraints(max_length=2000, pattern=r"^https?://[^\s\x00-\x1f\x7f<>\"]+$")]
LanguageTag = Annotated[str, StringConstraints(max_length=35, pattern=r"^[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8})*$")]
Country = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]


class Part(BaseModel):
    """A part of a sale. An unknown member is refused: a misspelt ``discounts`` would be money lost in silence."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)
