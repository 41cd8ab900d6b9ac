"""A receipt's page tells of what was bought what the catalogue says: what it is, its warranty, how to care for it."""

import gzip
from random import Random
from string import ascii_letters, digits
from typing import Any

import pytest
from sqlalchemy import Engine, event

from engagement.offers import about
from infra.database import reading
from receipts import find
from tests.support.inside import Person, on_sqlite
from tests.support.products import product, sale, sold
from tests.support.sales import refund
from tests.support.shops import Shops

SAID: dict[str, Any] = {
    "category": "Knives",
    "warranty_months": 24,
    "warranty": {"en": "Against rust and breaking, wherever it was bought."},
    "care": {"en": "Wash by hand.", "de": "Von Hand spülen."},
}


def in_catalogue(owner: Person, **changes: Any) -> None:
    owner.put("/v1/products/knife", product("Knife", **SAID | changes)).raise_for_status()


def page_of(stranger: Person, receipt: dict[str, Any], language: str = "en") -> str:
    return stranger.get(f"/r/{receipt['token']}", lang=language).text


def test_a_line_tells_its_category_its_warranty_and_how_to_care_for_it(owner: Person, stranger: Person) -> None:
    in_catalogue(owner)
    page = page_of(stranger, sold(owner, "knife", issued_at="2026-02-28T23:30:00+01:00"))
    assert "<dt>Category</dt><dd><bdi>Knives</bdi>" in page
    assert "<dt>Warranty until</dt><dd><bdi>Mon, 28 Feb 2028</bdi>" in page
    assert "Against rust and breaking" in page
    assert "<dt>Care</dt><dd><bdi>Wash by hand.</bdi>" in page


@pytest.mark.parametrize(
    "sold_at, months, until",
    [
        ("2026-08-31T12:00:00+02:00", 6, "Sun, 28 Feb 2027"),
        ("2024-02-29T12:00:00+01:00", 12, "Fri, 28 Feb 2025"),
        # In the store, whose clock is two hours ahead of UTC then.
        ("2026-06-30T22:30:00Z", 12, "Thu, 1 Jul 2027"),
    ],
)
@on_sqlite
def test_a_warranty_ends_on_the_same_day_of_a_later_month_or_its_last(
    owner: Person, stranger: Person, sold_at: str, months: int, until: str
) -> None:
    in_catalogue(owner, warranty_months=months)
    assert until in page_of(stranger, sold(owner, "knife", issued_at=sold_at))


@on_sqlite
def test_what_the_till_said_of_the_line_goes_before(owner: Person, stranger: Person) -> None:
    in_catalogue(owner)
    line = sale("knife")["lines"][0] | {"warranty_months": 6, "category": "Sharp things"}
    page = page_of(stranger, sold(owner, "knife", lines=[line]))
    assert "<bdi>6 months</bdi>" in page
    assert "Sharp things" in page
    assert "Warranty until" not in page
    assert "Knives" not in page


@on_sqlite
def test_each_reader_gets_their_language_and_who_has_none_is_told_which_it_is(owner: Person, stranger: Person) -> None:
    in_catalogue(owner, warranty={"en": "Against rust."})
    receipt = sold(owner, "knife")
    assert "<dd><bdi>Von Hand spülen.</bdi>" in page_of(stranger, receipt, "de")
    assert '<dd lang="en"><bdi>Against rust.</bdi>' in page_of(stranger, receipt, "de")


@on_sqlite
def test_what_a_till_calls_otherwise_is_known_by_its_gtin_or_its_name(owner: Person, stranger: Person) -> None:
    in_catalogue(owner, gtin="4006381333931")
    for named in ({"gtin": "4006381333931", "name": "Messer"}, {"name": " KNIFE "}):
        line = {"id": "1", "total": "5.40"} | named
        assert "Wash by hand." in page_of(stranger, sold(owner, "knife", lines=[line]))


@on_sqlite
def test_what_is_offered_no_more_is_cared_for_all_the_same(owner: Person, stranger: Person) -> None:
    in_catalogue(owner, active=False)
    owner.put("/v1/offer-settings", {"is_on": False}).raise_for_status()
    assert "Wash by hand." in page_of(stranger, sold(owner, "knife"))


@on_sqlite
def test_who_got_a_gift_learns_how_to_care_for_it(owner: Person, stranger: Person) -> None:
    in_catalogue(owner)
    assert "Wash by hand." in page_of(stranger, sold(owner, "knife", flags=["gift"]))


@on_sqlite
def test_nothing_is_said_of_what_went_back_or_was_practised(owner: Person, stranger: Person) -> None:
    in_catalogue(owner)
    receipt = sold(owner, "knife")
    back = owner.post("/v1/receipts", refund(receipt["id"], "5.40", lines=[
        {"id": "1", "sku": "knife", "name": "Knife", "total": "5.40", "original_line": "1"}
    ])).raise_for_status().json()  # fmt: skip
    assert "Wash by hand." not in page_of(stranger, back)
    assert "Wash by hand." not in page_of(stranger, sold(owner, "knife", flags=["training"]))


@on_sqlite
def test_however_long_texts_are_the_page_stays_light(owner: Person, stranger: Person) -> None:
    """Of forty products whose texts nothing compresses; the short text of the last still fits."""
    random, codes = Random(7), [f"item-{number}" for number in range(40)]
    for code in codes:
        long = "".join(random.choices(ascii_letters + digits, k=1_900))
        texts = {"warranty": {"en": f"W {long}"}, "care": {"en": "Dry it." if code == codes[-1] else f"C {long}"}}
        owner.put(f"/v1/products/{code}", product(code, **SAID | texts)).raise_for_status()
    bare, page = (page_of(stranger, sold(owner, *some)) for some in ([f"no-{code}" for code in codes], codes))
    assert [page.count(f"<bdi>{each}") for each in ("W ", "C ", "Knives", "Dry it.")] == [1, 1, 40, 1]
    assert len(gzip.compress(page.encode())) - len(gzip.compress(bare.encode())) < 4_500


@on_sqlite
def test_a_change_of_the_catalogue_shows_at_once(owner: Person, stranger: Person) -> None:
    in_catalogue(owner)
    receipt = sold(owner, "knife")
    assert "Wash by hand." in page_of(stranger, receipt)
    in_catalogue(owner, care={"en": "Never wash it."})
    assert "Never wash it." in page_of(stranger, receipt)


@on_sqlite
def test_another_merchant_s_catalogue_says_nothing(owner: Person, outsider: Person, stranger: Person) -> None:
    in_catalogue(outsider)
    assert "Wash by hand." not in page_of(stranger, sold(owner, "knife"))


@on_sqlite
def test_it_is_told_on_the_page_alone(owner: Person, stranger: Person) -> None:
    in_catalogue(owner)
    receipt = sold(owner, "knife")
    for form in ("txt", "json"):
        assert "Wash by hand" not in stranger.get(f"/r/{receipt['token']}.{form}").text


def test_no_more_is_read_than_what_is_on_the_receipt(owner: Person, engine: Engine, shops: Shops) -> None:
    """One question, by keys alone, and none where it was only practised."""
    in_catalogue(owner)
    receipt = sold(owner, "knife", "board")
    asked: list[str] = []
    with reading(engine) as conn:
        record = find.one(conn, shops.linden, receipt["id"])
        event.listen(conn, "before_cursor_execute", lambda *told: asked.append(told[2]))
        found = about.about(conn, record)
    assert [found["1"].category, len(found), len(asked)] == ["Knives", 1, 1]
