"""Money: what goes in comes out, nothing is lost on the way, and a refund mirrors its sale."""

from decimal import Decimal
from fractions import Fraction

import pytest
from babel.core import get_global
from hypothesis import given
from hypothesis import strategies as st

from kernel import money

EXPONENTS = sorted(set(money.EXPONENTS.values()))
digits_of_a_currency = st.sampled_from(EXPONENTS)
minor_units = st.integers(-(10**money.MAX_DIGITS) + 1, 10**money.MAX_DIGITS - 1)
exact = st.decimals(-(10**12), 10**12, allow_nan=False, allow_infinity=False, places=6)
halves = st.integers(-(10**12), 10**12).map(lambda number: Decimal(number) + Decimal("0.5"))
rates = st.decimals(0, 300, places=3)


@given(minor_units, digits_of_a_currency)
def test_a_plain_amount_is_read_back_as_it_was(minor: int, digits: int) -> None:
    assert money.parse(money.plain(minor, digits), digits) == minor


@given(minor_units, digits_of_a_currency)
def test_a_plain_amount_has_the_digits_of_its_currency(minor: int, digits: int) -> None:
    whole, point, fraction = money.plain(minor, digits).partition(".")
    assert (len(fraction), bool(point)) == (digits, digits > 0)
    assert Decimal(money.plain(minor, digits)) == Decimal(minor).scaleb(-digits)
    assert whole.lstrip("-").isdigit()


@pytest.mark.parametrize(
    "text, digits, minor",
    [
        ("4.30", 2, 430),
        ("4.3", 2, 430),
        ("4", 2, 400),
        ("-0.05", 2, -5),
        ("-0", 2, 0),
        ("007", 0, 7),
        ("12.500", 2, 1250),
        ("430.0", 0, 430),
        ("0.001", 3, 1),
        ("0.0001", 4, 1),
        ("9999999999999.99", 2, 999_999_999_999_999),
    ],
)
def test_an_amount_is_read(text: str, digits: int, minor: int) -> None:
    assert money.parse(text, digits) == minor


NO_AMOUNTS = ["", " 1", "1 ", "1,50", "1.", ".5", "+1", "--1", "1e3", "NaN", "١", "1_000", "1.234", "1.00000", "0x1"]
TOO_LONG = ["9" * 16, "10000000000000.00"]


@pytest.mark.parametrize("text", [*NO_AMOUNTS, *TOO_LONG, "€1", "1\n"])
def test_what_is_no_amount_is_refused_without_being_repeated(text: str) -> None:
    with pytest.raises(money.AmountError) as refused:
        money.parse(text, 2)
    assert len(text) < 3 or text not in str(refused.value)


def test_a_refusal_shows_an_amount_of_the_right_digits() -> None:
    with pytest.raises(money.AmountError, match=r'has more than 0 digits after the point; "12" is expected'):
        money.parse("12.5", 0)
    with pytest.raises(money.AmountError, match=r'more than 3 digits .* "12.500" is expected'):
        money.parse("12.3456", 3)


@pytest.mark.parametrize("currency, digits", [("EUR", 2), ("JPY", 0), ("BHD", 3), ("CLF", 4), ("IQD", 3), ("LBP", 2)])
def test_exponents_are_those_of_the_standard(currency: str, digits: int) -> None:
    assert money.exponent(currency) == digits


def test_every_currency_in_use_has_an_exponent() -> None:
    """CLDR says which currencies are legal tender somewhere today."""
    today = {
        code
        for uses in get_global("territory_currencies").values()
        for code, _, end, tender in uses
        if tender and not end
    }
    assert today - money.EXPONENTS.keys() == set()


@pytest.mark.parametrize("code", ["", "eur", "EURO", "XYZ", "€"])
def test_an_unknown_currency_is_refused(code: str) -> None:
    with pytest.raises(money.AmountError, match="ISO 4217"):
        money.exponent(code)


@given(st.one_of(exact, halves))
def test_rounding_mirrors_a_refund(number: Decimal) -> None:
    assert money.nearest(-number) == -money.nearest(number)


@given(st.one_of(exact, halves))
def test_rounding_moves_by_half_a_unit_at_most(number: Decimal) -> None:
    assert abs(money.nearest(number) - number) <= Decimal("0.5")


@given(st.one_of(exact, halves))
def test_the_permitted_range_holds_every_nearest_integer_and_no_other(number: Decimal) -> None:
    low, high = money.nearest_range(number)
    near = {
        candidate for candidate in range(int(number) - 1, int(number) + 2) if abs(candidate - number) <= Decimal("0.5")
    }
    assert {low, high} == near


@pytest.mark.parametrize("number, rounded", [("0.5", 1), ("-0.5", -1), ("2.5", 3), ("2.49", 2), ("-2.51", -3)])
def test_half_a_unit_is_rounded_away_from_nothing(number: str, rounded: int) -> None:
    assert money.nearest(Decimal(number)) == rounded


weights = st.lists(st.integers(0, 10**12), min_size=1, max_size=40)


@given(minor_units, weights)
def test_shares_sum_to_the_whole(total: int, weights: list[int]) -> None:
    assert sum(money.allocate(total, weights)) == total


@given(minor_units, weights)
def test_each_share_is_within_a_unit_of_its_exact_one(total: int, weights: list[int]) -> None:
    shared = weights if any(weights) else [1] * len(weights)
    for part, weight in zip(money.allocate(total, weights), shared, strict=True):
        assert abs(part - Fraction(total * weight, sum(shared))) < 1


@given(minor_units, weights)
def test_shares_of_a_refund_mirror_those_of_its_sale(total: int, weights: list[int]) -> None:
    assert money.allocate(-total, weights) == [-part for part in money.allocate(total, weights)]


def test_nothing_is_shared_among_nobody() -> None:
    assert money.allocate(100, []) == []


def test_the_rest_goes_to_the_largest_remainders_first() -> None:
    assert money.allocate(100, [1, 1, 1]) == [34, 33, 33]
    assert money.allocate(10, [6, 3, 2]) == [5, 3, 2]


@given(st.integers(0, 10**12), rates)
def test_included_tax_and_what_is_left_make_the_gross_amount(gross: int, rate: Decimal) -> None:
    tax = money.tax_in_gross(Decimal(gross), rate, rate)
    net = gross - money.nearest(tax)
    assert 0 <= money.nearest(tax) <= gross
    assert abs(money.tax_on_net(Decimal(net), rate) - money.nearest(tax)) <= (1 + rate / 100) / 2 + Decimal("1e-9")


@given(st.integers(0, 10**12), rates, rates)
def test_several_included_taxes_are_shares_of_one_net_amount(gross: int, one: Decimal, other: Decimal) -> None:
    first, second = (money.tax_in_gross(Decimal(gross), rate, one + other) for rate in (one, other))
    net = Decimal(gross) - first - second
    assert abs(money.tax_on_net(net, one) - first) < Decimal("1e-9")
    assert abs(money.tax_on_net(net, other) - second) < Decimal("1e-9")
