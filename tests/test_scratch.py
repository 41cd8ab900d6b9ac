"""Codes that notice a slip, draws that favour none, and sums that anybody can do again."""

import hmac
from collections import Counter
from collections.abc import Sequence
from hashlib import sha256
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engagement import scratch

_SEED = bytes(range(32))
_KEY = b"a key that nobody else has"
codes = st.integers(0, 10**9).map(lambda number: scratch.code_of(_KEY, f"rwd_{number}"))


def _chi_square(counts: Sequence[int], weights: Sequence[int]) -> float:
    total, weighed = sum(counts), sum(weights)
    expected = [total * weight / weighed for weight in weights]
    return sum((count - mean) ** 2 / mean for count, mean in zip(counts, expected, strict=True))


@given(codes)
def test_a_code_is_twelve_signs_that_nobody_misreads(code: str) -> None:
    assert len(code) == 12
    assert not set(code) & set("01IOU")
    assert scratch.tidy(code) == code


@given(codes)
def test_every_single_wrong_sign_is_noticed(code: str) -> None:
    for at, sign in enumerate(code):
        for other in scratch.ALPHABET:
            if other != sign:
                assert scratch.tidy(code[:at] + other + code[at + 1 :]) is None


@given(codes)
def test_any_two_signs_in_each_others_place_are_noticed(code: str) -> None:
    for one in range(12):
        for two in range(one):
            if code[one] != code[two]:
                signs = list(code)
                signs[one], signs[two] = signs[two], signs[one]
                assert scratch.tidy("".join(signs)) is None


@pytest.mark.parametrize("typed", ["abcd efgh jklm", "ABCD–EFGH–JKLM", " abcdefghjkl\u200bm"])
def test_what_looks_like_a_code_but_has_another_check_sign_is_none(typed: str) -> None:
    assert scratch.tidy(typed) is None


@given(codes, st.sampled_from([" ", "-", "–", " ", "\u200b"]))
def test_a_code_is_read_in_any_case_with_any_spaces_and_dashes(code: str, between: str) -> None:
    typed = between.join(scratch.shown(code).split("-")).lower()
    assert scratch.tidy(f" {typed} ") == code


def test_a_code_is_read_in_the_digits_of_other_scripts() -> None:
    code = scratch.code_of(_KEY, "rwd_1")
    arabic = code.translate(str.maketrans("23456789", "٢٣٤٥٦٧٨٩"))
    wide = code.translate({ord(sign): ord(sign) + 0xFEE0 for sign in scratch.ALPHABET})
    assert arabic != code
    assert scratch.tidy(arabic) == scratch.tidy(wide) == code


@given(st.text(max_size=80))
def test_anything_can_be_typed_and_is_a_code_or_none(typed: str) -> None:
    found = scratch.tidy(typed)
    assert found is None or scratch.tidy(found) == found


def test_a_code_is_shown_in_groups_of_four() -> None:
    assert scratch.shown("ABCDEFGHJKLM") == "ABCD-EFGH-JKLM"


def test_a_rewards_code_is_always_the_same_and_tells_nothing_of_anothers() -> None:
    assert scratch.code_of(_KEY, "rwd_1") == scratch.code_of(_KEY, "rwd_1")
    assert scratch.code_of(_KEY, "rwd_1") != scratch.code_of(b"another key", "rwd_1")
    made = {scratch.code_of(_KEY, f"rwd_{number}") for number in range(5_000)}
    assert len(made) == 5_000


def test_no_sign_of_a_code_is_favoured() -> None:
    """31 does not divide a power of two: cut off without care, some signs come more often."""
    told = Counter("".join(scratch.code_of(_KEY, f"rwd_{number}") for number in range(5_000)))
    # The 99.99% quantile with 30 degrees of freedom. The key is fixed, so this never fails by chance.
    assert _chi_square([told[sign] for sign in scratch.ALPHABET], [1] * 31) < 68.6


def test_a_draw_is_the_published_sum_of_seed_campaign_receipt_and_nonce() -> None:
    told = hmac.new(_SEED, b"cmp_1:rct_1:0", sha256).digest()
    number = int.from_bytes(told[:8], "big") % 10
    wanted = 0 if number < 3 else 1
    assert scratch.drawn(_SEED, campaign="cmp_1", receipt="rct_1", nonce=0, weights=[3, 7]) == wanted


def test_a_number_that_would_favour_the_first_prizes_is_passed_over() -> None:
    """Of weights that sum to 2**63 + 1 almost half of all numbers are left over."""
    weights = [1, 2**63]
    told = hmac.new(_SEED, b"c:r:0", sha256).digest()
    words = [int.from_bytes(told[at : at + 8], "big") for at in (0, 8, 16, 24)]
    first = next(word for word in words if word < 2**63 + 1)
    assert scratch.drawn(_SEED, campaign="c", receipt="r", nonce=0, weights=weights) == (0 if first < 1 else 1)
    for number in range(200):  # some of them need a second block
        assert scratch.drawn(_SEED, campaign="c", receipt=str(number), nonce=0, weights=weights) in (0, 1)


def test_frequencies_of_ten_thousand_draws_are_those_of_the_table() -> None:
    weights = [1, 9, 40, 250, 700]
    counts = Counter(
        scratch.drawn(_SEED, campaign="cmp_1", receipt=f"rct_{number}", nonce=0, weights=weights)
        for number in range(10_000)
    )
    # The 99.9% quantile with four degrees of freedom.
    assert _chi_square([counts[index] for index in range(5)], weights) < 18.47


def test_what_weighs_nothing_is_never_drawn() -> None:
    found = {scratch.drawn(_SEED, campaign="c", receipt=str(at), nonce=0, weights=[0, 1, 0]) for at in range(500)}
    assert found == {1}


@pytest.mark.parametrize("weights", [[], [0, 0], [-1, 2], [2**64, 1]])
def test_nothing_is_drawn_from_weights_that_are_none(weights: list[int]) -> None:
    with pytest.raises(ValueError, match="weights"):
        scratch.drawn(_SEED, campaign="c", receipt="r", nonce=0, weights=weights)


def test_names_cannot_be_cut_elsewhere_to_make_another_draw() -> None:
    with pytest.raises(ValueError, match="colon"):
        scratch.drawn(_SEED, campaign="c:r", receipt="r", nonce=0, weights=[1])


@given(st.lists(st.integers(0, 20), max_size=6), st.binary(min_size=32, max_size=32))
def test_a_deck_holds_exactly_the_cards_that_were_promised(counts: list[int], seed: bytes) -> None:
    deck = scratch.shuffled(seed, campaign="c", counts=counts)
    assert Counter(deck) == Counter({index: count for index, count in enumerate(counts) if count})
    assert deck == scratch.shuffled(seed, campaign="c", counts=counts)


def test_every_order_of_a_deck_is_equally_likely() -> None:
    orders = Counter(
        tuple(scratch.shuffled(number.to_bytes(32), campaign="c", counts=[1, 1, 1, 1])) for number in range(12_000)
    )
    # The 99.9% quantile with 23 degrees of freedom.
    assert _chi_square([orders[order] for order in permutations(range(4))], [1] * 24) < 49.8


def test_the_commitment_to_a_table_does_not_depend_on_the_order_of_its_members() -> None:
    assert scratch.table_digest([{"a": 1, "b": "é"}]) == scratch.table_digest([{"b": "é", "a": 1}])
    assert scratch.table_digest([{"a": 1}]) != scratch.table_digest([{"a": 2}])


def test_the_commitment_to_a_seed_is_its_sha_256() -> None:
    seed = scratch.new_seed()
    assert len(seed) == 32
    assert scratch.seed_digest(seed) == sha256(seed).hexdigest()
    assert scratch.seed_digest(seed) != scratch.seed_digest(scratch.new_seed())
