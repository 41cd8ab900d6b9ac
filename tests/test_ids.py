"""Ids sort by age and may be guessed; tokens may not."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.clock import from_microseconds, iso, microseconds
from kernel.ids import digest, is_token, new_id, new_token

moments = st.datetimes(datetime(1970, 1, 2), datetime(5000, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 – its zone follows


@given(moments)
def test_an_id_is_its_prefix_and_26_characters_that_can_be_read_out(now: datetime) -> None:
    assert re.fullmatch(r"rct_[0-9abcdefghjkmnpqrstvwxyz]{26}", new_id("rct", now))


@given(moments, st.integers(1, 10**9))
def test_a_later_id_sorts_behind_an_earlier_one(now: datetime, milliseconds: int) -> None:
    assert new_id("rct", now) < new_id("rct", now + timedelta(milliseconds=milliseconds))


def test_ids_of_one_moment_differ() -> None:
    now = datetime(2026, 11, 21, tzinfo=UTC)
    assert len({new_id("rct", now) for _ in range(1000)}) == 1000


def test_a_token_has_128_random_bits_and_needs_no_escaping() -> None:
    tokens = {new_token() for _ in range(1000)}
    assert len(tokens) == 1000
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{22}", token) and is_token(token) for token in tokens)


@given(st.binary(min_size=16, max_size=16))
def test_hex_digits_and_uuids_of_random_bytes_are_tokens(random: bytes) -> None:
    text = random.hex()
    if len(set(text)) >= 8:
        assert is_token(text)
        assert is_token("-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:])))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "short",
        "a" * 22,
        "0000000000000000000417",
        "000417" * 8,
        "abcdefghijklmnopqrstu",
        "2026112117420389350417",
        "2026-11-21-17-42-03-893-50417",
        "20261121174203893504172026112117420389",
        "4f2a91c07be83d5640aa17",
        "4f2a91c0-7be8-3d56-40aa-17e",
        "x" * 65,
        "Zm9yZ2V0LW1lLW5vdC0wM.",
        "Zm9yZ2V0 LW1lLW5vdC0wMQ",
        "Zm9yZ2V0LW1lLW5vdC0wMQ\n",
        "Zm9yZ2V0LW1lLW5vdC0wMé",
    ],
)
def test_what_is_short_regular_or_needs_escaping_is_no_token(text: str) -> None:
    assert not is_token(text)


@given(st.integers(10**38, 10**39 - 1).map(str))
def test_39_random_decimal_digits_are_a_token(text: str) -> None:
    assert is_token(text) == (len(set(text)) >= 8)


def test_a_digest_is_sha_256_in_hex() -> None:
    assert digest("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_an_instant_is_written_in_utc() -> None:
    berlin = datetime.fromisoformat("2026-11-21T17:42:10.999+01:00")
    assert iso(berlin) == "2026-11-21T16:42:10Z"


@given(moments)
def test_an_instant_is_read_back_from_its_microseconds(now: datetime) -> None:
    assert from_microseconds(microseconds(now)) == now
