"""Lists of receipts: filters, and pages that neither repeat nor skip while new receipts come in."""

import base64
from typing import Any

import pytest

from tests.support.inside import Person, on_sqlite
from tests.support.sales import Body, coffee, refund

RECEIPTS = "/v1/receipts"


def put(person: Person, **changes: Any) -> str:
    answer = person.post(RECEIPTS, coffee(**changes))
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def at(minute: int) -> str:
    return f"2026-11-21T08:{minute:02d}:00+01:00"


def ids(person: Person, **query: Any) -> list[str]:
    answer = person.get(RECEIPTS, **query)
    assert answer.status_code == 200, answer.text
    return [receipt["id"] for receipt in answer.json()["receipts"]]


def pages(person: Person, **query: Any) -> list[list[Body]]:
    found, cursor = [], ""
    while cursor is not None:
        page = person.get(RECEIPTS, **query | ({"cursor": cursor} if cursor else {})).json()
        found.append(page["receipts"])
        cursor = page["next_cursor"]
    return found


def test_a_summary_says_what_a_list_shows(till: Person) -> None:
    accepted = till.post(RECEIPTS, coffee(external_id="T3-1", number="000001")).json()
    (summary,) = till.get(RECEIPTS).json()["receipts"]
    links = {name: accepted[name] for name in ("url", "pdf_url", "text_url", "json_url", "qr")}
    assert summary == links | {
        "id": accepted["id"],
        "number": "000001",
        "external_id": "T3-1",
        "kind": "sale",
        "currency": "EUR",
        "total": "3.20",
        "issued_at": "2026-11-21T07:15:00Z",
        "warnings": [],
    }


def test_an_empty_list_has_one_empty_page(till: Person) -> None:
    assert till.get(RECEIPTS).json() == {"receipts": [], "next_cursor": None}


def test_the_newest_comes_first_whenever_it_came_in(owner: Person) -> None:
    late, early, middle = (put(owner, issued_at=at(minute)) for minute in (30, 10, 20))
    assert ids(owner) == [late, middle, early]


def test_receipts_of_one_moment_come_in_the_order_of_their_ids(owner: Person) -> None:
    made = [put(owner) for _ in range(7)]
    assert ids(owner, limit=100) == made[::-1]
    assert [each["id"] for page in pages(owner, limit=2) for each in page] == made[::-1]


@pytest.mark.parametrize("limit, sizes", [(2, [2, 2, 1]), (5, [5]), (100, [5]), (1, [1, 1, 1, 1, 1])])
def test_pages_hold_as_many_as_were_asked_for(owner: Person, limit: int, sizes: list[int]) -> None:
    for minute in range(5):
        put(owner, issued_at=at(minute))
    assert [len(page) for page in pages(owner, limit=limit)] == sizes


def test_new_receipts_neither_repeat_nor_hide_old_ones(owner: Person) -> None:
    made = [put(owner, issued_at=at(minute)) for minute in range(10, 20)]
    first = owner.get(RECEIPTS, limit=5).json()
    for minute in (0, 12, 15, 59):
        put(owner, issued_at=at(minute))
    second = owner.get(RECEIPTS, limit=100, cursor=first["next_cursor"]).json()
    seen = [each["id"] for each in first["receipts"] + second["receipts"]]
    assert [each for each in seen if each in made] == made[::-1]
    assert len(seen) == len(set(seen))


def test_moments_before_1970_are_not_needed_and_microseconds_are(owner: Person) -> None:
    moments = ["1970-01-01T00:00:00Z", "2026-11-21T08:00:00.000001Z", "2026-11-21T08:00:00.000002Z"]
    made = [put(owner, issued_at=moment) for moment in moments]
    assert [each["id"] for page in pages(owner, limit=1) for each in page] == made[::-1]


def test_filters_narrow_the_list(owner: Person) -> None:
    sale = put(owner, number="N1", external_id="E1", shopper={"email": "Ada@Example.com"})
    elsewhere = put(owner, store="kreuzberg", number="N2")
    back = owner.post(RECEIPTS, refund(sale, "1.00", number="N3")).json()["id"]
    assert ids(owner) == [back, elsewhere, sale]
    assert ids(owner, kind="refund") == [back]
    assert ids(owner, kind="void") == []
    assert ids(owner, store="kreuzberg") == [elsewhere]
    assert ids(owner, number="N1") == [sale]
    assert ids(owner, external_id="E1") == [sale]
    assert ids(owner, email="ada@example.COM") == [sale]
    assert ids(owner, email="eve@example.com") == []
    assert ids(owner, number="N1", store="kreuzberg") == []


def test_a_list_may_be_of_one_member_of_staff(owner: Person) -> None:
    served = put(owner, staff="emma", number="N1")
    put(owner, number="N1")
    back = owner.post(RECEIPTS, refund({"id": served}, staff="emma")).json()["id"]
    assert ids(owner, staff="emma") == [back, served]
    assert ids(owner, staff="emma", kind="sale", store="mitte") == [served]
    assert ids(owner, staff="emma", kind="refund", store="mitte") == [back]
    assert ids(owner, staff="emma", store="kreuzberg") == []
    assert ids(owner, staff="emma", number="N1") == [served]
    assert owner.get(RECEIPTS, staff="nobody").status_code == 404


def test_days_begin_where_their_offset_says(owner: Person) -> None:
    early, late = put(owner, issued_at="2026-11-20T23:30:00Z"), put(owner, issued_at="2026-11-21T23:30:00Z")
    berlin = {"issued_from": "2026-11-21T00:00:00+01:00", "issued_before": "2026-11-22T00:00:00+01:00"}
    utc = {"issued_from": "2026-11-21T00:00:00Z", "issued_before": "2026-11-22T00:00:00Z"}
    assert ids(owner, **berlin) == [early]
    assert ids(owner, **utc) == [late]


def test_the_first_moment_belongs_to_a_span_and_the_last_does_not(owner: Person) -> None:
    sale = put(owner, issued_at=at(30))
    assert ids(owner, issued_from=at(30)) == [sale]
    assert ids(owner, issued_before=at(30)) == []


def forged(text: bytes) -> str:
    return base64.urlsafe_b64encode(text).decode().rstrip("=")


@on_sqlite
@pytest.mark.parametrize(
    "query, pointer",
    [
        ({"limit": "0"}, "query:limit"),
        ({"limit": "101"}, "query:limit"),
        ({"limit": "many"}, "query:limit"),
        ({"kind": "gift"}, "query:kind"),
        ({"store": "Mitte!"}, "query:store"),
        ({"number": "a\0b"}, "query:number"),
        ({"external_id": "\x1b"}, "query:external_id"),
        ({"email": "a\nb"}, "query:email"),
        ({"issued_from": "yesterday"}, "query:issued_from"),
        ({"issued_from": "2026-11-21T00:00:00"}, "query:issued_from"),
        ({"issued_before": "2026-11-21"}, "query:issued_before"),
        ({"cursor": "x"}, "query:cursor"),
        ({"cursor": "é"}, "query:cursor"),
        ({"cursor": forged(b"1")}, "query:cursor"),
        ({"cursor": forged(b"1:rct_\0")}, "query:cursor"),
        ({"cursor": forged(b"1:rct_01m8007egt1ty3rnmy25kt432s\0")}, "query:cursor"),
        ({"cursor": forged(b"999999999999999999:rct_01m8007egt1ty3rnmy25kt432s")}, "query:cursor"),
        ({"cursor": forged("١:rct_01m8007egt1ty3rnmy25kt432s".encode())}, "query:cursor"),
    ],
)
def test_a_wish_that_makes_no_sense_is_refused(owner: Person, query: dict[str, str], pointer: str) -> None:
    answer = owner.get(RECEIPTS, **query)
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


def test_a_store_that_is_not_there_is_not_found(owner: Person) -> None:
    assert owner.get(RECEIPTS, store="nowhere").status_code == 404


def test_a_till_may_not_look_into_another_store(till: Person) -> None:
    answer = till.get(RECEIPTS, store="kreuzberg")
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "query:store")
    assert till.get(RECEIPTS, store="mitte").status_code == 200


def test_a_list_holds_the_merchants_own_receipts_only(owner: Person, outsider: Person) -> None:
    mine, theirs = put(owner), put(outsider)
    assert (ids(owner), ids(outsider)) == ([mine], [theirs])


def test_a_cursor_of_another_merchant_shows_nothing_of_theirs(owner: Person, outsider: Person) -> None:
    for minute in range(3):
        put(owner, issued_at=at(minute))
    cursor = owner.get(RECEIPTS, limit=1).json()["next_cursor"]
    assert outsider.get(RECEIPTS, cursor=cursor).json() == {"receipts": [], "next_cursor": None}
