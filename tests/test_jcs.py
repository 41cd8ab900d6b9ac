"""Canonical JSON, against the examples of RFC 8785, and read in such a way that nothing can mean two things."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel import jcs

WHOLE = st.integers(min_value=-(2**53) + 1, max_value=2**53 - 1)
VALUES = st.recursive(
    st.none() | st.booleans() | WHOLE | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


def test_the_example_of_the_standard_without_its_fractions() -> None:
    """RFC 8785 section 3.2.2 and 3.2.3."""
    text = r'{"string": "\u20ac$\u000F\u000aA\u0027\u0042\u0022\u005c\\\"\/", "literals": [null, true, false]}'
    written = '{"literals":[null,true,false],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
    assert jcs.canonicalise(jcs.parse(text)) == written.encode()


def test_members_are_sorted_by_their_utf_16_code_units() -> None:
    """RFC 8785 section 3.2.3: an emoji stands before a Hebrew letter that has the smaller code point."""
    text = r"""{
      "\u20ac": "Euro Sign", "\r": "Carriage Return", "\ufb33": "Hebrew Letter Dalet With Dagesh", "1": "One",
      "\ud83d\ude00": "Emoji: Grinning Face", "\u0080": "Control", "\u00f6": "Latin Small Letter O With Diaeresis"
    }"""
    order = [line.split(":")[0].strip('{"') for line in jcs.canonicalise(jcs.parse(text)).decode().split('",')]
    assert order == ["\\r", "1", "\u0080", "ö", "€", "😀", "\ufb33"]


def test_control_characters_are_escaped_as_a_browser_does_it() -> None:
    assert jcs.canonicalise("\b\t\n\f\r\x01\x1f\x7f\u2028/") == b'"\\b\\t\\n\\f\\r\\u0001\\u001f\x7f\xe2\x80\xa8/"'


@given(VALUES)
def test_what_is_written_is_read_again(value: Any) -> None:
    assert jcs.parse(jcs.canonicalise(value)) == value


@given(VALUES)
def test_white_space_and_order_do_not_matter(value: Any) -> None:
    as_it_comes = json.dumps(value, indent=3)
    assert jcs.canonicalise(jcs.parse(as_it_comes)) == jcs.canonicalise(value)


@pytest.mark.parametrize("value", [1.5, float("nan"), 2**53, -(2**53), "\ud800", {"\udfff": 1}, {1: 2}, object(), b"a"])
def test_what_has_no_form_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match=r"form|text|surrogate"):
        jcs.canonicalise({"value": value})


@pytest.mark.parametrize(
    "text",
    [
        '{"total":"1","total":"9"}',
        '{"total":"1","tot\\u0061l":"9"}',
        '[{"a":{"b":1,"b":1}}]',
        "[1.0]",
        "[1e3]",
        "[-0]",
        "[NaN]",
        "[Infinity]",
        "[" + "9" * 5000 + "]",
        "[" * 100_000,
        "",
        "{",
        "nonsense",
    ],
)
def test_what_could_be_read_in_two_ways_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"holds|has two|nested|Expecting"):
        jcs.parse(text)


def test_what_is_nested_beyond_measure_is_refused() -> None:
    value: list[Any] = []
    for _ in range(100_000):
        value = [value]
    with pytest.raises(ValueError, match="nested"):
        jcs.canonicalise(value)
    while value:
        value = value.pop()
