"""Addresses on a card: what is dialled, and what people read of a web address."""

import pytest

from cards.links import host, shown, tel


@pytest.mark.parametrize(
    "number, address",
    [
        ("+49 (0) 30/5550-1234", "tel:+4903055501234"),
        ("030\u00a05550.1234", "tel:03055501234"),
        ("030 5550²", "tel:0305550"),
        ("٠٣٠ 5550", "tel:5550"),
    ],
)
def test_digits_alone_are_dialled(number: str, address: str) -> None:
    assert tel(number) == address


@pytest.mark.parametrize(
    "url, read, at",
    [
        ("https://www.linden.example/", "linden.example", "linden.example"),
        ("http://linden.example/berlin/", "linden.example/berlin", "linden.example"),
        ("https://linden.example:8443/a/b", "linden.example:8443/a/b", "linden.example:8443"),
        ("", "", ""),
    ],
)
def test_of_a_web_address_people_read_what_they_would_write(url: str, read: str, at: str) -> None:
    assert (shown(url), host(url)) == (read, at)
