"""Amounts as integers of a currency's smallest unit. Decimal serves rates, quantities and unit prices; float nothing.

The exponents are ISO 4217's (list one, as maintained by SIX). CLDR's digits are for display and differ: it gives IQD,
LBP and MGA none, where the standard has three, two and two.
"""

import re
from collections.abc import Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal
from typing import Final

_TWO: Final = frozenset(
    "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD "
    "CDF CHE CHF CHW CNY COP COU CRC CUC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP "
    "GMD GTQ GYD HKD HNL HRK HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD "
    "MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR "
    "PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SLL SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP "
    "TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG ZWL".split()
)
_OTHERS: Final = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
EXPONENTS: Final[dict[str, int]] = dict.fromkeys(_TWO, 2) | {
    code: exponent for exponent, codes in _OTHERS.items() for code in codes.split()
}

# Signed 64 bits hold 18 digits; 15 leave room for every sum of a receipt.
MAX_DIGITS: Final = 15
_PLAIN: Final = re.compile(r"(-?)([0-9]{1,15})(?:\.([0-9]{1,4}))?")


class AmountError(ValueError):
    """The text is not an amount of the currency. The message says what would be right and repeats nothing."""


def exponent(currency: str) -> int:
    """How many digits follow the point: 2 for EUR, 0 for JPY, 3 for BHD. Raises :class:`AmountError` if unknown."""
    try:
        return EXPONENTS[currency]
    except KeyError:
        raise AmountError("is not a currency of ISO 4217; three capital letters such as EUR are expected") from None


def parse(text: str, digits: int) -> int:
    """``"4.3"`` with two digits is 430. More digits than the currency has are refused unless they are zeros."""
    match = _PLAIN.fullmatch(text)
    if match is None:
        raise AmountError("is not an amount; a decimal string such as " + example(digits) + " is expected")
    sign, whole, fraction = match[1], match[2], match[3] or ""
    if fraction[digits:].strip("0"):
        raise AmountError(f"has more than {digits} digits after the point; {example(digits)} is expected")
    minor = int(whole + fraction[:digits].ljust(digits, "0"))
    if minor >= 10**MAX_DIGITS:
        raise AmountError(f"is too large; at most {MAX_DIGITS} digits in all are kept")
    return -minor if sign else minor


def example(digits: int) -> str:
    return '"12"' if digits == 0 else f'"12.{"5".ljust(digits, "0")}"'


def plain(minor: int, digits: int) -> str:
    """430 with two digits is ``"4.30"``: the form of the API and of every stored document."""
    if digits == 0:
        return str(minor)
    text = str(abs(minor)).rjust(digits + 1, "0")
    return f"{'-' if minor < 0 else ''}{text[:-digits]}.{text[-digits:]}"


def nearest(exact: Decimal) -> int:
    """Half away from zero, so that a refund mirrors its sale: ``nearest(-x) == -nearest(x)``."""
    return int(exact.to_integral_value(ROUND_HALF_UP))


def nearest_range(exact: Decimal) -> tuple[int, int]:
    """The integers that a till may round to: one, or both neighbours where ``exact`` lies half way between them."""
    low, high = int(exact.to_integral_value(ROUND_FLOOR)), int(exact.to_integral_value(ROUND_CEILING))
    below, above = exact - low, high - exact
    if below == above:
        return low, high
    return (low, low) if below < above else (high, high)


def tax_on_net(net: Decimal, rate: Decimal) -> Decimal:
    """The tax that comes on top of ``net``; ``rate`` in percent. Not rounded."""
    return net * rate / 100


def tax_in_gross(gross: Decimal, rate: Decimal, all_rates: Decimal) -> Decimal:
    """The part of ``gross`` that is tax at ``rate``, where taxes of ``all_rates`` percent together are inside it."""
    return gross * rate / (100 + all_rates)


def allocate(total: int, weights: Sequence[int]) -> list[int]:
    """Split ``total`` in proportion to non-negative ``weights``, to the last unit (largest remainder, Hamilton).

    The parts sum to ``total`` and each is within one unit of its exact share. Weights that are all zero share evenly.
    """
    if not weights:
        return []
    shares = list(weights) if any(weights) else [1] * len(weights)
    sign, amount, whole = (-1 if total < 0 else 1), abs(total), sum(shares)
    parts = [amount * share // whole for share in shares]
    by_remainder = sorted(range(len(shares)), key=lambda i: (-(amount * shares[i] % whole), i))
    for index in by_remainder[: amount - sum(parts)]:
        parts[index] += 1
    return [sign * part for part in parts]
