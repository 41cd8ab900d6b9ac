"""Amounts of campaigns: decimal strings in JSON (``"4.30"``), whole minor units of their currency inside (``430``).

How many digits that takes is told by the ``currency`` of what an amount stands in, if that has one and it is declared
before. Else it is the campaign's currency, which is handed to pydantic as context, on the way in and on the way out:
see :func:`receipts.fields.context_for`. Without either nobody can tell, and :class:`LookupError` says so. Pure.
"""

from typing import Annotated, Any, Final

from pydantic import AfterValidator, PlainSerializer, PlainValidator, SerializationInfo, ValidationInfo, WithJsonSchema
from pydantic_core import PydanticCustomError

from kernel import money
from receipts.fields import Currency, context_for, read_amount


def _known(code: str) -> str:
    if code not in money.EXPONENTS:
        raise ValueError("is not a currency of ISO 4217; EUR, INR or JPY would be one")
    return code


KnownCurrency = Annotated[Currency, AfterValidator(_known)]


def plain(minor: int, currency: str) -> str:
    """430 of EUR is ``"4.30"``."""
    return money.plain(minor, money.exponent(currency))


def written(minor: int, currency: str | None, info: SerializationInfo) -> str:
    """For the serializer of a model that may have a ``currency`` of its own."""
    return money.plain(minor, _digits(currency, info.context))


def _digits(currency: str | None, context: Any) -> int:
    told = context_for(currency) if currency else context
    if told is None:
        raise LookupError("An amount needs its currency: hand it over as context_for(currency)")
    return int(told["digits"])


def _read(value: object, info: ValidationInfo) -> int:
    minor = read_amount(value, _digits((info.data or {}).get("currency"), info.context))
    if minor < 0:
        raise PydanticCustomError("amount", "must not be negative")
    return minor


def _write(minor: int, info: SerializationInfo) -> str:
    return written(minor, None, info)


_SCHEMA: Final = {
    "type": "string",
    "pattern": r"^[0-9]{1,15}(\.[0-9]{1,4})?$",
    "description": "A decimal string with at most as many digits after the point as the currency has (ISO 4217).",
    "examples": ["2500.00"],
}
Amount = Annotated[
    int,
    PlainValidator(_read),
    PlainSerializer(_write, return_type=str, when_used="json"),
    WithJsonSchema(_SCHEMA),
]
