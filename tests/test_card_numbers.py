"""A full card number is told from all the other long numbers of a payment."""

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from receipts.card_numbers import holds_card_number, passes_luhn, pointers_to_card_numbers

# Numbers that the networks publish for tests.
VISA, OLD_VISA, MASTERCARD = "4111111111111111", "4222222222222", "5555555555554444"
AMEX, DINERS, UNIONPAY, MAESTRO = "378282246310005", "30569309025904", "6205500000000000004", "6304000000000000"
PUBLISHED = [VISA, OLD_VISA, MASTERCARD, AMEX, DINERS, UNIONPAY, MAESTRO]


def with_check_digit(digits: str) -> str:
    return next(digits + last for last in "0123456789" if passes_luhn(digits + last))


numbers = st.from_regex(r"[1-9][0-9]{11,17}", fullmatch=True).map(with_check_digit)


@pytest.mark.parametrize("number", PUBLISHED)
def test_a_published_number_passes_the_check(number: str) -> None:
    assert passes_luhn(number)


@given(numbers, st.data())
def test_one_wrong_digit_fails_the_check(number: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(number) - 1))
    other = data.draw(st.sampled_from([digit for digit in "0123456789" if digit != number[place]]))
    assert not passes_luhn(number[:place] + other + number[place + 1 :])


@given(numbers, st.text(st.characters(exclude_categories=["N"])), st.text(st.characters(exclude_categories=["N"])))
def test_a_number_is_found_in_any_text(number: str, before: str, after: str) -> None:
    assert holds_card_number(before + number + after)


@given(numbers, st.data())
def test_a_number_is_found_however_it_is_broken_up(number: str, data: st.DataObject) -> None:
    gaps = [data.draw(st.sampled_from(["", " ", "-", ".", "\u00a0", " - "])) for _ in number]
    written = "".join(digit + gap for digit, gap in zip(number, gaps, strict=True))
    # With one point near its end, and nothing else, it is an amount to whoever reads it.
    assume(not re.fullmatch(r"[0-9]+[.][0-9]{1,6}", written))
    assert holds_card_number(written)


@pytest.mark.parametrize(
    "text",
    [
        "4111 1111 1111 1111",
        "Card 4111-1111-1111-1111 exp 12/27",
        "4111 1111 1111 1111 12/27",
        "4111111111111111.0",
        "4111.1111.1111.1111",
        "Beleg 0417 4111 1111 1111 1111 Danke",
        "AMEX 3782 822463 10005",
        "Diners 3056 930902 5904",
        "UnionPay 6205 5000 0000 0000 004",
        "PAN 41111111 11111111 ok",
        "%B4111111111111111^DOE/JANE^2712",
        ";4111111111111111=271210100000?",
        "٤١١١١١١١١١١١١١١١",
        "４１１１ １１１１ １１１１ １１１１",
        "PAN:\n4111111111111111\nOK",
    ],
)
def test_a_number_is_found_as_slips_print_it(text: str) -> None:
    assert holds_card_number(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "4242",
        "**** **** **** 4242",
        "411111XXXXXX1111",
        "A0000000031010",
        "AID A0000000041010 TVR 0000008000",
        "2026-11-21 17:42:10",
        "4111111111111112",
        "00000000000000000000",
        "74537604221222221234567890123456",
        "a3bb189e-8bf9-3888-9912-ace4e6543002",
        "12345678-1234-1234-1234-123456789012",
        "Terminal 65001234 Beleg 104522 Trace 000417",
        "42222222222.22",
        "-41111111111111.11",
    ],
)
def test_other_numbers_are_left_alone(text: str) -> None:
    assert not holds_card_number(text)


@given(st.from_regex(r"[0-9]{1,12}", fullmatch=True))
def test_fewer_than_thirteen_digits_are_no_card_number(text: str) -> None:
    assert not holds_card_number(text)


def test_a_text_of_a_million_digits_is_no_card_number() -> None:
    assert not holds_card_number("4" * 1_000_000)


def test_pointers_say_where_and_repeat_nothing() -> None:
    payments = [
        {"method": "card", "authorization": VISA},
        {"method": "card", "last4": int(VISA), "text": ["ok", f"PAN {VISA}"]},
        {VISA: "yes", "a/b~c": float(OLD_VISA)},
        {"method": "cash", "amount": True, "reference": None},
    ]
    assert list(pointers_to_card_numbers(payments, "/payments")) == [
        "/payments/0/authorization",
        "/payments/1/last4",
        "/payments/1/text/1",
        "/payments/2",
        "/payments/2/a~1b~0c",
    ]


def test_depth_is_no_shelter() -> None:
    deep: object = VISA
    for _ in range(5000):
        deep = [deep]
    (pointer,) = pointers_to_card_numbers(deep, "")
    assert pointer == "/0" * 5000
