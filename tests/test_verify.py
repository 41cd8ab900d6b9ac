"""What ``/verify`` says of what somebody presents."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import delete

from accounts import signing_keys
from accounts.signing_keys import Signer
from api.house import House
from receipts import find
from receipts.signed import signed_document
from receipts.tables import Receipt
from tests.support.inside import Inside, Person, on_sqlite
from tests.support.presented import page, sold
from tests.support.sales import refund
from tests.support.shops import Shops

Say = Callable[..., str]


@pytest.fixture
def house(inside: Inside) -> House:
    found: House = inside.app.state.house
    return found


@pytest.fixture
def say(stranger: Person) -> Say:
    """What the page says of a file, or of a text."""
    return partial(page, stranger)


def test_a_genuine_document_is_told_with_who_issued_it_and_what_it_says(owner: Person, say: Say) -> None:
    receipt, document = sold(owner)
    page = say(document)
    assert "This receipt is genuine" in page
    assert "Linden &amp; Rye issued it, and nothing in it was changed." in page
    assert "Nothing of it was refunded or cancelled." in page
    for fact in (receipt["number"], "€3.20", "Linden &amp; Rye Mitte", "21 Nov 2026", "Coffee"):
        assert fact in page
    assert receipt["token"] not in page


@on_sqlite
def test_it_is_told_in_the_readers_language(owner: Person, say: Say) -> None:
    _, document = sold(owner)
    assert "Dieser Beleg ist echt" in say(document, language="de")
    assert 'dir="rtl"' in say(document, language="ar")


@on_sqlite
def test_a_pasted_document_is_as_good_as_a_file(owner: Person, say: Say) -> None:
    _, document = sold(owner)
    assert "This receipt is genuine" in say(text=json.dumps(json.loads(document), indent=2))


def test_a_changed_document_is_told_and_nothing_of_it_repeated(owner: Person, say: Say) -> None:
    _, document = sold(owner)
    page = say(document.replace(b"Coffee", b"Laptop"))
    assert "This receipt was changed" in page
    assert "Laptop" not in page
    assert "Linden" not in page


def test_what_came_back_since_is_told(owner: Person, say: Say) -> None:
    receipt, document = sold(owner)
    owner.post("/v1/receipts", refund(receipt["id"], "1.20"))
    assert "€1.20 of €3.20 went back." in say(document)
    other, of_the_other = sold(owner)
    owner.post("/v1/receipts", refund(other["id"], kind="void"))
    assert "This receipt was cancelled on" in say(of_the_other)


@on_sqlite
def test_a_gift_tells_no_price(owner: Person, say: Say) -> None:
    receipt, document = sold(owner, flags=["gift"])
    owner.post("/v1/receipts", refund(receipt["id"], "1.20"))
    page = say(document)
    assert "This receipt is genuine" in page
    assert "Partly refunded" in page
    assert "3.20" not in page
    assert "1.20" not in page


def test_a_receipt_that_is_no_longer_kept_is_still_genuine(owner: Person, say: Say, house: House) -> None:
    _, document = sold(owner)
    with house.engine.begin() as conn:
        conn.execute(delete(Receipt))
    page = say(document)
    assert "This receipt is genuine" in page
    assert "whether it was refunded since, we cannot say" in page


def test_a_distrusted_key_is_told_and_our_own_records_decide(
    owner: Person, say: Say, house: House, shops: Shops
) -> None:
    _, document = sold(owner)
    kid = json.loads(document)["signature"]["kid"]
    with house.engine.begin() as conn:
        signing_keys.distrust(conn, shops.linden, kid, sealer=house.sealer, now=datetime.now(UTC))
    page = say(document)
    assert "This receipt is genuine, but signed with an old key" in page
    assert "€3.20" in page
    with house.engine.begin() as conn:
        conn.execute(delete(Receipt))
    page = say(document)
    assert "Nobody can vouch for this receipt" in page
    assert "€3.20" not in page


def test_a_forgery_with_a_leaked_key_is_met_by_our_own_records(
    owner: Person, say: Say, house: House, shops: Shops
) -> None:
    """Before anybody knows that the key leaked."""
    receipt, _ = sold(owner)
    with house.engine.connect() as conn:
        [signer] = signing_keys.signers(conn, shops.linden, sealer=house.sealer)
        record = find.by_token(conn, receipt["token"])
    assert record is not None
    forged = replace(record, content_json=record.content_json.replace("3.20", "0.20"))
    assert "This receipt was changed" in say(signed_document(forged, signer, base_url=house.base_url))


@on_sqlite
def test_somebody_elses_receipt_is_not_ours(owner: Person, say: Say, house: House) -> None:
    receipt, _ = sold(owner)
    with house.engine.connect() as conn:
        record = find.by_token(conn, receipt["token"])
    assert record is not None
    theirs = Signer("sgk_" + "0" * 26, "linden-rye", datetime(2026, 1, 1, tzinfo=UTC), Ed25519PrivateKey.generate())
    page = say(signed_document(record, theirs, base_url=house.base_url))
    assert "This receipt is not ours" in page
    assert "Linden" not in page


NO_RECEIPTS = {
    b"{}": "This document is not signed",
    b"[]": "This cannot be read",
    b"nonsense": "This cannot be read",
    b'{"total":"1","total":"2"}': "This cannot be read",
    b"[" * 200_000: "This cannot be read",
    b'{"signature":{"jws":"' + b"." * 900_000 + b'"}}': "This receipt is not ours",
    b" " * 1_000_001: "This file is too large",
    b"%PDF-1.7 and no more": "This cannot be read",
    b"": "Nothing was chosen",
}


@on_sqlite
def test_what_is_no_receipt_is_said_in_words(say: Say) -> None:
    for file, heading in NO_RECEIPTS.items():
        assert f"<h1>{heading}</h1>" in say(file), file[:40]


@on_sqlite
def test_what_is_far_too_large_is_refused(say: Say) -> None:
    assert "This file is too large" in say(b"x" * 7_000_000, status=413)


NO_FORMS: list[tuple[str, bytes, int]] = [
    ("application/json", b"{}", 415),
    ("multipart/form-data", b"", 400),
    ("multipart/form-data; boundary=x", b"nonsense", 400),
    ("multipart/form-data; boundary=x; charset=rot13", b"--x\r\n\r\n--x--", 400),
]


@on_sqlite
def test_what_is_no_form_is_refused(stranger: Person) -> None:
    for kind, content, status in NO_FORMS:
        answer = stranger.ask("POST", "/verify", headers={"content-type": kind}, content=content)
        assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), kind


LINKS = (
    "https://receipts.test/r/{token}",
    "HTTPS://Receipts.Test/r/{token}?lang=de",
    " http://receipts.test/r/{token}.pdf\n",
    "receipts.test/r/{token}/qr.svg",
    "{token}",
)
OTHER_LINKS = (
    "https://elsewhere.test/r/{token}",
    "https://receipts.test.elsewhere.test/r/{token}",
    "https://elsewhere.test/?https://receipts.test/r/{token}",
    "https://receipts.test@elsewhere.test/r/{token}",
    "https://receipts.test/r/{token}x",
    "https://receipts.test/r/AAAAAAAAbbbbbbbbCCCCCC",
    "https://receipts.test/",
    "000417",
    "\0",
)


def test_a_link_of_ours_leads_to_its_receipt_and_any_other_nowhere(owner: Person, say: Say) -> None:
    receipt, _ = sold(owner)
    for link in LINKS:
        page = say(text=link.format(token=receipt["token"]))
        assert "This link is genuine" in page, link
        assert "It leads to a receipt that Linden &amp; Rye issued." in page
        assert "€3.20" in page
    for link in OTHER_LINKS:
        assert "There is no receipt behind this link" in say(text=link.format(token=receipt["token"])), link
