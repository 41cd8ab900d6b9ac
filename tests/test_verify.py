"""What ``/verify`` says of what somebody presents."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

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
from tests.support.presented import page, pdf_with, sold
from tests.support.sales import refund, superset
from tests.support.shops import Shops
from tests.support.signing import signed_by

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


# Buyer, time, taxes, payments.
EVERYTHING = (
    *("Quandt GmbH", "DE 987 654 321", "Torstraße 1", "17:42"),
    *("MwSt 7", "0.63", "0.45", "Visa", "Cash", "CHF"),
)


@on_sqlite
def test_what_an_edited_page_would_lie_about_is_told_too(owner: Person, say: Say) -> None:
    receipt = owner.post("/v1/receipts", superset()).json()
    told = say(owner.get(f"/r/{receipt['token']}.json").content)
    for fact in (f"Receipt {receipt['number']}", *EVERYTHING):
        assert fact in told, fact
    sale, _ = sold(owner)
    back = owner.post("/v1/receipts", refund(sale["id"], "1.20", number="R-1")).json()
    assert "<h2>Refund R-1</h2>" in say(owner.get(f"/r/{back['token']}.json").content)


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


ODD: dict[str, dict[str, Any]] = {
    "another format": {"format": "counterfoil-receipt/0"},
    "no format": {"format": None},
    "a number for its number": {"number": 5},
    "amendments that are none": {"amendments": 5},
    "amendments without ids": {"amendments": [5, {}]},
    "an id that no database takes": {"id": "\0"},
    "lines that are none": {"lines": 5},
    "a gift whose lines are none": {"flags": ["gift"], "lines": ["bread"]},
    "no issuer": {"issuer": None},
    "an address that is none": {"issuer": {"brand": "B", "store": "S", "address": {"lines": 5}}},
    "a part of no line": {"lines": [{"id": "1", "name": "Lid", "total": "3.20", "parent": "9"}]},
    "a currency that is none": {"currency": "???"},
    "a currency that is no word": {"currency": ["EUR"]},
    "a time that is none": {"issued_at": "yesterday"},
    "a language that is none": {"language": "\0"},
}


@dataclass(frozen=True)
class Thief:
    """Has the key of Linden & Rye."""

    signer: Signer
    document: dict[str, Any]

    def signs(self, **changes: Any) -> bytes:
        """The kept receipt's document with changes; None takes a member away."""
        changed = self.document | changes
        return signed_by(self.signer, {name: value for name, value in changed.items() if value is not None})


@pytest.fixture
def thief(owner: Person, house: House, shops: Shops) -> Thief:
    _, document = sold(owner)
    with house.engine.connect() as conn:
        [signer] = signing_keys.signers(conn, shops.linden, sealer=house.sealer)
    unsigned = {name: value for name, value in json.loads(document).items() if name != "signature"}
    return Thief(signer, unsigned)


@on_sqlite
def test_no_other_format_hides_a_forgery(thief: Thief, say: Say, house: House, shops: Shops) -> None:
    """Neither before anybody knows that the key leaked, nor after."""
    forgery = thief.signs(format="counterfoil-receipt/0", total="932.00")
    told = [say(forgery), say(pdf_with(forgery))]
    with house.engine.begin() as conn:
        signing_keys.distrust(conn, shops.linden, thief.signer.kid, sealer=house.sealer, now=datetime.now(UTC))
    for said in (*told, say(forgery), say(pdf_with(forgery))):
        assert "<h1>This receipt was changed</h1>" in said
        assert "932" not in said
    assert "genuine, but signed with an old key" in say(thief.signs())


@on_sqlite
def test_with_an_old_key_nothing_may_have_come_back_that_we_do_not_know(
    thief: Thief, say: Say, house: House, shops: Shops
) -> None:
    invented = thief.signs(amendments=[{"id": "rct_0", "kind": "refund", "number": "9", "total": "1.00"}])
    with house.engine.begin() as conn:
        signing_keys.distrust(conn, shops.linden, thief.signer.kid, sealer=house.sealer, now=datetime.now(UTC))
    assert "<h1>This receipt was changed</h1>" in say(invented)


@pytest.mark.parametrize("is_kept", [True, False], ids=["kept", "no longer kept"])
@on_sqlite
def test_what_is_oddly_signed_is_no_error_and_never_genuine(
    thief: Thief, say: Say, house: House, is_kept: bool
) -> None:
    if not is_kept:
        with house.engine.begin() as conn:
            conn.execute(delete(Receipt))
    in_a_pdf = say(pdf_with(thief.signs(amendments=5)))
    for said in (in_a_pdf, *(say(thief.signs(**changes)) for changes in ODD.values())):
        is_met = is_kept and "This receipt was changed" in said
        assert is_met or "This cannot be read" in said


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
