"""Shopify's signature: the raw body, either header name, the present or the previous secret."""

import base64

import pytest

from pos.shopify.verify import delivery, signature
from tests.support.shopify import SECRET, as_bytes, headers, order

BODY = as_bytes(order())


def test_the_signature_is_the_hmac_of_rfc_4231_in_base64() -> None:
    wanted = bytes.fromhex("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
    assert signature(b"what do ya want for nothing?", "Jefe") == base64.b64encode(wanted).decode()


@pytest.mark.parametrize("prefix", ["X-", ""])
def test_both_header_names_are_known(prefix: str) -> None:
    found = delivery(headers(BODY, prefix=prefix), BODY, [SECRET])
    assert found is not None
    assert (found.id, found.topic) == ("delivery-1", "orders/paid")


def test_the_case_of_a_header_does_not_matter() -> None:
    lower = {name.lower(): value for name, value in headers(BODY).items()}
    assert delivery(lower, BODY, [SECRET]) is not None


def test_the_previous_secret_still_opens() -> None:
    assert delivery(headers(BODY, secret="the one before"), BODY, [SECRET, "the one before"]) is not None


def test_a_changed_body_is_refused() -> None:
    assert delivery(headers(BODY), BODY.replace(b"37.57", b"37.58"), [SECRET]) is None


def test_another_secret_is_refused() -> None:
    assert delivery(headers(BODY, secret="someone else's"), BODY, [SECRET]) is None


@pytest.mark.parametrize("stated", ["", "no base64", "ÄÖÜ", "A" * 10_000])
def test_a_signature_that_is_none_is_refused(stated: str) -> None:
    assert delivery(headers(BODY) | {"X-Shopify-Hmac-Sha256": stated}, BODY, [SECRET]) is None


def test_without_a_signature_it_is_refused() -> None:
    assert delivery({"X-Shopify-Topic": "orders/paid"}, BODY, [SECRET]) is None


def test_without_an_id_the_body_stands_for_itself() -> None:
    named = {name: value for name, value in headers(BODY).items() if "Webhook-Id" not in name}
    first, again = delivery(named, BODY, [SECRET]), delivery(named, BODY, [SECRET])
    assert first is not None
    assert first == again
    assert first.id.startswith("sha256:")
