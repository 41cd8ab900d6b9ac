"""What was approved is shown to everybody, page by page, and as schema.org tells it."""

import json
import re
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection

from engagement.voice import product_reviews
from engagement.voice.product_reviews import Stars
from tests.support.inside import Person, on_sqlite
from tests.support.reviews import BREAD, WORDS, approved, bought, send, to_be_reviewed
from tests.support.sales import Body


@pytest.fixture
def receipt(owner: Person, till: Person) -> Body:
    return to_be_reviewed(owner, till)


@pytest.fixture
def said(owner: Person, till: Person, stranger: Person, receipt: Body) -> list[int]:
    """Seven reviews of the bread."""
    given = [5, 5, 4, 4, 4, 2, 1]
    for stars in given:
        send(stranger, bought(till), **WORDS | {"stars-0": str(stars)})
    approved(owner)
    return given


def test_the_average_is_reckoned_to_hundredths(owner: Person, said: list[int]) -> None:
    found = owner.get("/v1/products/bread/reviews", limit=3).json()
    assert (found["count"], found["average"], found["name"]) == (7, "3.57", "Rye loaf")
    assert found["stars"] == {"1": 1, "2": 1, "3": 0, "4": 3, "5": 2}
    rest = owner.get("/v1/products/bread/reviews", limit=9, cursor=found["next_cursor"]).json()
    assert [each["stars"] for each in found["reviews"] + rest["reviews"]] == said[::-1]
    assert all(each["is_verified"] for each in found["reviews"])


@given(st.tuples(*[st.integers(0, 10**6)] * 5).filter(any))
def test_an_average_is_what_a_fraction_says_rounded_half_up(counts: tuple[int, int, int, int, int]) -> None:
    average = Stars(counts).average
    whole = sum(stars * count for stars, count in enumerate(counts, 1))
    assert average is not None
    assert abs(average * sum(counts) - whole) <= Decimal("0.005") * sum(counts)
    assert Decimal(1) <= average <= Decimal(5)


def test_everybody_reads_it_as_schema_org_tells_it(stranger: Person, said: list[int]) -> None:
    shown = stranger.get("/reviews/linden-rye/bread.json")
    assert (shown.headers["content-type"], shown.headers["access-control-allow-origin"]) == ("application/ld+json", "*")
    document = shown.json()
    assert (document["@type"], document["sku"], document["name"]) == ("Product", "bread", "Rye loaf")
    assert document["aggregateRating"] == {
        "@type": "AggregateRating",
        "ratingValue": "3.57",
        "reviewCount": 7,
        "bestRating": 5,
        "worstRating": 1,
    }
    first = document["review"][0]
    assert (first["@type"], first["reviewRating"]["ratingValue"], first["author"]["name"]) == ("Review", 1, "Anna")
    page = stranger.get("/reviews/linden-rye/bread", lang="en")
    [embedded] = re.findall(r'<script type="application/ld\+json">(.*?)</script>', page.text, re.DOTALL)
    assert json.loads(embedded) == document
    assert "frame-ancestors *" in page.headers["content-security-policy"]
    assert ("3.57" in page.text, "7 reviews" in page.text, "Verified purchase" in page.text) == (True, True, True)


def test_in_public_a_product_is_called_as_in_the_catalogue(
    owner: Person, till: Person, stranger: Person, receipt: Body
) -> None:
    owner.put("/v1/products/bread", {"name": {"en": "Rye bread"}, "brand": "Mill"}).raise_for_status()
    send(stranger, bought(till, BREAD | {"name": "Rye loaf for Anna & Tom"}), **WORDS)
    approved(owner)
    document = stranger.get("/reviews/linden-rye/bread.json").json()
    assert (document["name"], document["brand"]["name"]) == ("Rye bread", "Mill")
    assert "Tom" not in stranger.get("/reviews/linden-rye/bread").text


def test_the_page_wears_the_brand_of_the_product(owner: Person, till: Person, stranger: Person, receipt: Body) -> None:
    """Before that of the receipt, and that before the merchant's first one."""
    for slug, name in (("aaa", "Aaa"), ("mill", "Mühle")):
        owner.put(f"/v1/brands/{slug}", {"name": name}).raise_for_status()
    send(stranger, receipt, **WORDS)
    approved(owner)
    assert "· Linden &amp; Rye</title>" in stranger.get("/reviews/linden-rye/bread").text
    owner.put("/v1/products/bread", {"name": {"en": "Rye"}, "brand": "MÜHLE"}).raise_for_status()
    owner.inside.app.state.house.shown_reviews.clear()
    assert "· Mühle</title>" in stranger.get("/reviews/linden-rye/bread").text
    assert stranger.get("/reviews/linden-rye/bread.json").json()["brand"]["name"] == "MÜHLE"


def test_many_reviews_are_told_page_by_page(owner: Person, till: Person, stranger: Person, receipt: Body) -> None:
    for number in range(23):
        send(stranger, bought(till), **WORDS | {"text-0": f"Review {number}."})
    approved(owner)
    first = stranger.get("/reviews/linden-rye/bread", lang="en").text
    [more] = re.findall(r'rel="next" href="([^"]+)"', first)
    second = stranger.ask("GET", more.replace("&amp;", "&")).text
    found = re.findall(r"Review (\d+)\.", re.sub(r"<script.*?</script>", "", first + second, flags=re.DOTALL))
    assert found == [str(number) for number in range(22, -1, -1)]


@on_sqlite
def test_cursors_that_are_made_up_fill_no_memory_and_count_no_stars(
    stranger: Person, said: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    counted, count = [], product_reviews.stars_of

    def stars_of(conn: Connection, merchant_id: str, sku: str) -> Stars:
        counted.append(sku)
        return count(conn, merchant_id, sku)

    monkeypatch.setattr(product_reviews, "stars_of", stars_of)
    for number in range(20):
        shown = stranger.get("/reviews/linden-rye/bread", lang="en", after=f"rev_{number:026}")
        assert (shown.status_code, "3.57" in shown.text) == (200, True)
    assert counted == ["bread"]
    assert not stranger.inside.app.state.house.shown_reviews._entries


def test_a_product_whose_number_has_a_slash_is_found(owner: Person, stranger: Person, receipt: Body) -> None:
    send(stranger, receipt, **{"stars-1": "4"})
    approved(owner)
    assert stranger.ask("GET", "/reviews/linden-rye/knife%2F20%20cm.json").json()["sku"] == "knife/20 cm"
    assert owner.ask("GET", "/v1/products/knife%2F20%20cm/reviews").json()["average"] == "4.00"


@on_sqlite
@pytest.mark.parametrize(
    "path",
    [
        "linden-rye/nothing",
        "nobody/bread",
        "linden-rye/%00",
        "linden-rye/" + "x" * 200,
        "linden-rye/",
        "%00/bread.json",
    ],
)
def test_what_nobody_has_reviewed_is_not_there(stranger: Person, path: str) -> None:
    assert stranger.ask("GET", f"/reviews/{path}").status_code == 404
