"""Numbers, money and dates are written as CLDR says, wherever the shop is."""

import re
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from babel import Locale
from babel.numbers import format_currency, format_decimal
from hypothesis import given
from hypothesis import strategies as st

from infra.formats import formats
from infra.i18n import locale_of
from kernel import money
from kernel.locale import LANGUAGES

# Each language where it is at home, and where it is a guest.
TAGS = ["ar", "ar_AE", "ar_EG", "de", "de_AT", "de_CH", "en_GB", "en_IN", "en_US", "es", "es_MX", "fr", "fr_CA", "hi"]
AMOUNTS = st.integers(-(10**15) + 1, 10**15 - 1)


def plain(text: str) -> str:
    """Without what only we do: a real minus, digits of the locale's own, a space between letters and digits."""
    bare = re.sub("[\u200e\u200f\u061c\u00a0]", "", text.replace("\u2212", "-"))
    return re.sub(r"\d", lambda digit: str(int(digit[0])), bare)


@pytest.mark.parametrize(
    "language, country, expected",
    [
        ("en", "IN", "₹12,34,567.50"),
        ("hi", "IN", "₹12,34,567.50"),
        ("en", "DE", "₹1,234,567.50"),
        ("de", "IN", "1.234.567,50\u00a0₹"),
        ("fr", "FR", "1\u202f234\u202f567,50\u00a0₹"),
    ],
)
def test_an_amount_is_grouped_as_the_country_of_the_shop_groups_it(language: str, country: str, expected: str) -> None:
    assert formats(locale_of(language, country)).money(123_456_750, "INR") == expected


@given(minor=AMOUNTS)
@pytest.mark.parametrize("tag", TAGS)
def test_an_amount_is_written_as_babel_writes_it(tag: str, minor: int) -> None:
    locale = Locale.parse(tag)
    pattern = locale.currency_formats["standard"]
    amount = Decimal(minor).scaleb(-2)
    expected = format_currency(amount, "EUR", format=pattern, locale=locale, numbering_system="default")
    assert plain(formats(tag).money(minor, "EUR")) == plain(expected)


@given(minor=AMOUNTS)
@pytest.mark.parametrize("tag", TAGS)
def test_a_bare_amount_is_written_as_babel_writes_numbers(tag: str, minor: int) -> None:
    pattern = Locale.parse(tag).decimal_formats[None].pattern.replace("0.###", "0.00")
    number = format_decimal(Decimal(minor).scaleb(-2), pattern, locale=tag, numbering_system="default")
    assert plain(formats(tag).amount(minor, "EUR")) == plain(number)


def test_letters_of_a_currency_do_not_touch_the_digits() -> None:
    assert formats("en_GB").money(500, "CHF") == "CHF\u00a05.00"
    assert formats("en_GB").money(500, "EUR") == "€5.00"


@pytest.mark.parametrize("currency, expected", [("JPY", "JP¥1,500"), ("BHD", "BHD\u00a01.500"), ("EUR", "€15.00")])
def test_an_amount_has_as_many_digits_as_its_currency(currency: str, expected: str) -> None:
    assert formats("en_GB").money(1500, currency) == expected


@given(minor=AMOUNTS)
@pytest.mark.parametrize("tag", TAGS)
@pytest.mark.parametrize("currency", ["EUR", "JPY", "BHD"])
def test_a_figure_in_pieces_has_all_its_digits(tag: str, currency: str, minor: int) -> None:
    figure = formats(tag).figure(minor, currency)
    digits = [character for character in figure.whole + figure.fraction if character.isdigit()]
    assert "".join(str(int(digit)) for digit in digits) == money.plain(abs(minor), money.exponent(currency)).replace(
        ".", ""
    )
    assert bool(figure.sign) == (minor < 0)


@pytest.mark.parametrize(
    "price, expected",
    [("1.789", "1,789\u00a0€"), ("2.9", "2,90\u00a0€"), ("5", "5,00\u00a0€"), ("0.000001", "0,000001\u00a0€")],
)
def test_a_unit_price_may_be_finer_than_its_currency_and_never_coarser(price: str, expected: str) -> None:
    assert formats("de").price(Decimal(price), "EUR") == expected


def test_a_price_in_an_unheard_of_currency_is_written_with_its_code() -> None:
    assert formats("de").price(Decimal("12.5"), "QQQ") == "12,5\u00a0QQQ"


@pytest.mark.parametrize(
    "tag, expected", [("de", "7,7\u00a0%"), ("en_GB", "7.7%"), ("ar_EG", "٧٫٧٪\u061c"), ("hi", "7.7%")]
)
def test_a_rate_is_written_as_the_locale_writes_percentages(tag: str, expected: str) -> None:
    assert formats(tag).percent(Decimal("7.70")) == expected


def test_a_quantity_has_no_more_digits_than_it_needs() -> None:
    assert formats("de").number(Decimal("0.735000")) == "0,735"
    assert formats("de").number(Decimal("-3.000")) == "\u22123"


@pytest.mark.parametrize(
    "tag, expected",
    [
        ("en_GB", "Sat, 21 Nov 2026, 17:42"),
        ("en_US", "Sat, Nov 21, 2026, 5:42\u202fPM"),
        ("de", "Sa., 21. Nov. 2026, 17:42"),
        ("ar_EG", "السبت، ٢١ نوفمبر ٢٠٢٦، ٥:٤٢\u00a0م"),
    ],
)
def test_an_instant_is_written_with_its_day_of_the_week_and_its_minute(tag: str, expected: str) -> None:
    moment = formats(tag).moment(datetime(2026, 11, 21, 17, 42, 10, tzinfo=timezone(timedelta(hours=1))))
    assert moment.text == expected
    assert moment.iso == "2026-11-21T17:42:10+01:00"


def test_an_instant_is_shown_on_the_clock_of_the_place() -> None:
    moment = formats("en_GB").moment(datetime(2026, 11, 21, 23, 30, tzinfo=UTC), ZoneInfo("Asia/Kolkata"))
    assert (moment.date, moment.time) == ("Sun, 22 Nov 2026", "05:00")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_can_write_every_currency(language: str) -> None:
    written = [formats(locale_of(language, None)).money(-1, currency) for currency in money.EXPONENTS]
    assert all("\u2212" in text and "¤" not in text for text in written)
