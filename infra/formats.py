"""Numbers, money and dates as a locale writes them: CLDR's patterns, read once through Babel, then plain string work.

A receipt has a hundred amounts, and Babel's own formatter takes as long for one as this takes for ten. Minus is
U+2212, because a screen reader says it and a hyphen it may not.
"""

import unicodedata
from dataclasses import dataclass
from datetime import datetime, tzinfo
from decimal import Decimal
from functools import cache, lru_cache

from babel import Locale
from babel.dates import DateTimePattern
from babel.numbers import NumberPattern, get_currency_symbol

from kernel import money

_MINUS = "\u2212"
_NO_BREAK_SPACE = "\u00a0"
_DIGITS = {"arab": "٠١٢٣٤٥٦٧٨٩", "arabext": "۰۱۲۳۴۵۶۷۸۹", "deva": "०१२३४५६७८९"}
# The largest unit price has 12 digits before the point and 6 after it.
_PLACES = 6


@dataclass(frozen=True, slots=True)
class Figure:
    """An amount in pieces, to be set large, in the order in which they are read. ``text`` is all of it, to be spoken.

    ``fraction`` starts with the decimal mark. The currency stands in ``before`` or in ``after``, with its space.
    """

    text: str
    sign: str
    before: str
    whole: str
    fraction: str
    after: str


@dataclass(frozen=True, slots=True)
class Moment:
    """An instant on the clock of the place: ``iso`` for machines, ``text`` is date and time together."""

    iso: str
    date: str
    time: str
    text: str


@dataclass(frozen=True, slots=True)
class _Affixes:
    """What stands before and after the digits of a positive and of a negative amount of one currency."""

    before: str
    after: str
    negative_before: str
    negative_after: str


class Formats:
    """How one locale writes. Get it from :func:`formats`; every method answers a string that is ready to be shown."""

    def __init__(self, tag: str) -> None:
        self._locale = Locale.parse(tag)
        system = self._locale.default_numbering_system
        symbols = self._locale.number_symbols.get(system) or self._locale.number_symbols["latn"]
        self._decimal: str = symbols["decimal"]
        self._group: str = symbols["group"]
        self._minus: str = symbols["minusSign"].replace("-", _MINUS)
        self._digits = str.maketrans("0123456789", _DIGITS[system]) if system in _DIGITS else None
        self._currency: NumberPattern = self._locale.currency_formats["standard"]
        percent: NumberPattern = self._locale.percent_formats[None]
        self._percent = [affix.replace("%", symbols["percentSign"]) for affix in (percent.prefix[0], percent.suffix[0])]
        self._grouping: tuple[int, int] = self._locale.decimal_formats[None].grouping
        self._day: DateTimePattern = self._locale.datetime_skeletons["yMMMEd"]
        self._clock: DateTimePattern = self._locale.time_formats["short"]
        self._joined: str = self._locale.datetime_formats["medium"]
        self._affixes = cache(self._affixes_of)
        self._date = lru_cache(1024)(self._date_of)

    def amount(self, minor: int, currency: str) -> str:
        """``1.234,50``: an amount that stands in a column of its currency."""
        return self._signed(money.plain(minor, money.exponent(currency)))

    def money(self, minor: int, currency: str) -> str:
        """``1.234,50 €``."""
        return self._with_currency(money.plain(minor, money.exponent(currency)), currency)

    def price(self, price: Decimal, currency: str) -> str:
        """``1,789 €``: at least as many digits as the currency has, and as many more as the price needs.

        The only one that takes a currency which ISO 4217 does not know: a till may have taken any in.
        """
        return self._with_currency(_at_least(price, money.EXPONENTS.get(currency, 0)), currency)

    def number(self, value: Decimal) -> str:
        """``0,735``: no more digits than it needs."""
        return self._signed(_at_least(value, 0))

    def percent(self, rate: Decimal) -> str:
        """``7,7 %`` of ``Decimal("7.7")``, which is in percent already."""
        before, after = self._percent
        return f"{before}{self._signed(_at_least(rate, 0))}{after}"

    def figure(self, minor: int, currency: str) -> Figure:
        affixes, is_negative = self._affixes(currency), minor < 0
        whole, _, fraction = money.plain(abs(minor), money.exponent(currency)).partition(".")
        before, after = affixes.before.strip("\u200f\u200e"), affixes.after
        return Figure(
            text=self.money(minor, currency),
            sign=_MINUS if is_negative else "",
            before=before,
            whole=self._written(whole),
            fraction=self._decimal + self._in_digits(fraction) if fraction else "",
            after=after,
        )

    def moment(self, instant: datetime, zone: tzinfo | None = None) -> Moment:
        """``instant`` on the clock of ``zone``, or of its own offset."""
        local = instant.astimezone(zone) if zone else instant
        date, time = self._date(local.year, local.month, local.day), self._time(local)
        joined = self._joined.replace("{1}", date).replace("{0}", time)
        return Moment(local.isoformat(timespec="seconds"), date, time, joined)

    def _date_of(self, year: int, month: int, day: int) -> str:
        return self._in_digits(self._day.apply(datetime(year, month, day), self._locale))  # noqa: DTZ001 - a day has no zone

    def _time(self, local: datetime) -> str:
        return self._in_digits(self._clock.apply(local, self._locale)).replace(" ", _NO_BREAK_SPACE)

    def _with_currency(self, plain: str, currency: str) -> str:
        affixes = self._affixes(currency)
        if plain[0] == "-":
            return f"{affixes.negative_before}{self._written(plain[1:])}{affixes.negative_after}"
        return f"{affixes.before}{self._written(plain)}{affixes.after}"

    def _signed(self, plain: str) -> str:
        return self._minus + self._written(plain[1:]) if plain[0] == "-" else self._written(plain)

    def _written(self, plain: str) -> str:
        """Digits with groups and the locale's marks; ``plain`` has no sign."""
        whole, _, fraction = plain.partition(".")
        if len(whole) > self._grouping[0]:
            whole = self._grouped(whole)
        return self._in_digits(f"{whole}{self._decimal}{fraction}" if fraction else whole)

    def _grouped(self, whole: str) -> str:
        first, other = self._grouping
        rest, groups = whole[:-first], [whole[-first:]]
        while rest:
            groups.append(rest[-other:])
            rest = rest[:-other]
        return self._group.join(reversed(groups))

    def _in_digits(self, text: str) -> str:
        return text.translate(self._digits) if self._digits else text

    def _affixes_of(self, currency: str) -> _Affixes:
        symbol = get_currency_symbol(currency, self._locale)
        prefix, suffix = self._currency.prefix, self._currency.suffix
        return _Affixes(
            before=_spaced_before(prefix[0], symbol),
            after=_spaced_after(suffix[0], symbol),
            negative_before=_spaced_before(prefix[1], symbol).replace("-", _MINUS),
            negative_after=_spaced_after(suffix[1], symbol).replace("-", _MINUS),
        )


@cache
def formats(tag: str) -> Formats:
    """The formats of a locale that CLDR knows, such as ``de_AT``."""
    return Formats(tag)


def _at_least(value: Decimal, digits: int) -> str:
    """Plain digits of ``value``: no trailing zeros, but ``digits`` places after the point."""
    whole, _, fraction = f"{value:.{_PLACES}f}".partition(".")
    fraction = fraction.rstrip("0").ljust(digits, "0")
    return f"{whole}.{fraction}" if fraction else whole


def _spaced_before(prefix: str, symbol: str) -> str:
    """CLDR's currency spacing (UTS 35, part 3): letters do not touch digits, so ``CHF 5`` but ``€5``."""
    touches = prefix.endswith("¤") and not unicodedata.category(symbol[-1]).startswith("S")
    return prefix.replace("¤", symbol) + (_NO_BREAK_SPACE if touches else "")


def _spaced_after(suffix: str, symbol: str) -> str:
    touches = suffix.startswith("¤") and not unicodedata.category(symbol[0]).startswith("S")
    return (_NO_BREAK_SPACE if touches else "") + suffix.replace("¤", symbol)
