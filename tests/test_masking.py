"""Card numbers are taken out of what other systems deliver, and nothing else is changed."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pos.masking import kept
from receipts.card_numbers import holds_card_number, without_card_numbers

VISA = 4242424242424242
# Thirteen digits that pass the check of card numbers, as every tenth long id does.
LIKE_A_CARD = 4222222222222


@pytest.mark.parametrize(
    "value", [VISA, str(VISA), "4242 4242 4242 4242", "paid with 4242-4242-4242-4242, thanks", [VISA], {"a": [VISA]}]
)
def test_a_card_number_is_masked_however_it_is_written(value: Any) -> None:
    body = kept(json.dumps({"note": value, "after": 1.50}).encode())
    assert "•••• 4242" in json.dumps(json.loads(body), ensure_ascii=False)
    assert "4242424242" not in body
    assert "4242 4242" not in body


def test_a_card_number_written_in_escapes_is_masked() -> None:
    escaped = "".join(f"\\u{ord(digit):04x}" for digit in str(VISA))
    assert json.loads(kept(f'{{"note": "{escaped}"}}'.encode())) == {"note": "•••• 4242"}


def test_a_card_number_as_the_name_of_a_member_is_masked() -> None:
    assert json.loads(kept(f'{{"{VISA}" : "x"}}'.encode())) == {"•••• 4242": "x"}


@pytest.mark.parametrize("member", ["id", "order_id", "line_item_ids", "sku", "barcode", "phone"])
def test_ids_are_left_though_they_look_like_card_numbers(member: str) -> None:
    body = json.dumps({"a": 1, member: [LIKE_A_CARD, f"gid://shopify/Order/{LIKE_A_CARD}"]})
    assert kept(body.encode()) == body


def test_what_follows_an_id_is_not_spared() -> None:
    body = json.loads(kept(json.dumps({"id": 1, "note": VISA}).encode()))
    assert body == {"id": 1, "note": "•••• 4242"}


@pytest.mark.parametrize(
    "body", ['{"note": "4242424242424242', "card 4242 4242 4242 4242", "[" * 100_000 + "4242424242424242"]
)
def test_what_is_no_json_is_masked_too(body: str) -> None:
    assert kept(body.encode()).endswith("•••• 4242")


def test_quotes_without_end_take_no_time() -> None:
    assert kept(b'\\"' * 200_000).startswith("\\")


def test_numbers_stay_as_they_are_written() -> None:
    body = '{ "a" : 1.10, "b": 1e5,\n"c": "\\u00e4\\/" }'
    assert kept(body.encode()) == body


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
)


@given(json_values)
def test_json_without_card_numbers_stays_byte_for_byte(value: Any) -> None:
    body = json.dumps(value)
    if not holds_card_number(body) and "\\u0000" not in body:
        assert kept(body.encode()) == body


@given(st.text(st.sampled_from("0123456789 -.4242x"), max_size=120))
def test_after_masking_there_is_no_card_number(text: str) -> None:
    assert not holds_card_number(without_card_numbers(text))
