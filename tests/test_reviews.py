"""Who bought a product reviews it: once, looked at by the shop, and shown to everybody as schema.org tells it."""

import csv
import io
import json
import re
from collections import Counter
from decimal import Decimal
from threading import Barrier
from typing import Any, Final

import httpx
import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, func, select, update

from engagement.tables import Event
from engagement.voice import held, reviews
from engagement.voice.product_reviews import Stars
from engagement.voice.reviews import ReviewRecord
from engagement.voice.tables import Review
from infra.database import connect
from tests.support.aged import limit
from tests.support.inside import Person, on_sqlite
from tests.support.sales import Body, refund
from tests.support.shops import Shops
from tests.support.surveys import sold
from tests.support.workshop import Clock
from tests.test_races import at_once
from worker.chores import purge
from worker.workshop import Workshop

BREAD: Final[Body] = {
    "id": "1",
    "sku": "bread",
    "name": "Rye loaf",
    "unit_price": "2.00",
    "tax_rate": "7",
    "total": "2.00",
}
KNIFE: Final[Body] = BREAD | {"id": "2", "sku": "knife/20 cm", "name": "Knife <20 cm>"}
BAG: Final[Body] = {name: value for name, value in BREAD.items() if name != "sku"} | {"id": "3", "name": "Bag"}
WORDS: Final = {"stars-0": "5", "title-0": "Good bread", "text-0": "Keeps for a week.", "name": "Anna"}


@pytest.fixture
def receipt(owner: Person, till: Person) -> Body:
    """Of two products that have a number, and one that has none."""
    owner.put("/v1/review-settings", {"is_on": True}).raise_for_status()
    return bought(till)


def bought(till: Person, *lines: Body, **changes: Any) -> Body:
    lines = lines or (BREAD, KNIFE, BAG)
    total = f"{2 * len(lines)}.00"
    paid = {"taxes": [], "total": total, "payments": [{"method": "cash", "amount": total}]}
    return sold(till, lines=[dict(each) for each in lines], **paid | changes)


def send(stranger: Person, receipt: Body, **options: Any) -> httpx.Response:
    headers = options.pop("headers", {})
    fields = {"sku-0": "bread", "sku-1": "knife/20 cm"} | options
    return stranger.ask("POST", f"/r/{receipt['token']}/reviews?lang=en", data=fields, headers=headers)


def page(stranger: Person, receipt: Body) -> str:
    return stranger.get(f"/r/{receipt['token']}/reviews", lang="en").text


def queue(owner: Person, **query: Any) -> list[Body]:
    return list(owner.get("/v1/reviews", **query).raise_for_status().json()["reviews"])


def decide(owner: Person, review: Body, body: Body, tag: str | None = None) -> httpx.Response:
    tag = tag or owner.get(f"/v1/reviews/{review['id']}").headers["etag"]
    return owner.ask("PATCH", f"/v1/reviews/{review['id']}", json=body, headers={"If-Match": tag})


def approved(owner: Person) -> None:
    for each in queue(owner, state="waiting", limit=100):
        decide(owner, each, {"state": "approved"}).raise_for_status()


def told(engine: Engine) -> list[str]:
    with engine.connect() as conn:
        return list(conn.scalars(select(Event.kind).where(Event.kind.startswith("review.")).order_by(Event.id)))


# Written


def test_a_receipt_leads_to_where_what_was_bought_is_reviewed(stranger: Person, receipt: Body) -> None:
    assert f'href="/r/{receipt["token"]}/reviews?lang=en"' in stranger.get(f"/r/{receipt['token']}", lang="en").text
    shown = page(stranger, receipt)
    assert ("Rye loaf" in shown, "Knife &lt;20 cm&gt;" in shown, ">Bag<" in shown) == (True, True, False)
    assert shown.count('type="radio"') == 10


def test_a_review_waits_until_somebody_has_looked_at_it(
    owner: Person, stranger: Person, receipt: Body, engine: Engine
) -> None:
    sent = send(stranger, receipt, **WORDS)
    assert (sent.status_code, sent.headers["location"]) == (303, f"/r/{receipt['token']}/reviews?saved=1&lang=en")
    assert "Thank you" in stranger.ask("GET", sent.headers["location"]).text
    [found] = queue(owner, state="waiting")
    expected = {"sku": "bread", "product": "Rye loaf", "stars": 5, "title": "Good bread", "display_name": "Anna"}
    assert {name: found[name] for name in expected} == expected
    assert (found["receipt_id"], found["language"], found["holds"]) == (receipt["id"], "en", [])
    assert stranger.get("/reviews/linden-rye/bread").status_code == 404
    assert "Somebody will look at it" in page(stranger, receipt)
    assert told(engine) == ["review.written"]


def test_to_open_the_page_writes_nothing(stranger: Person, owner: Person, receipt: Body) -> None:
    for _ in range(20):
        stranger.get(f"/r/{receipt['token']}/reviews", **WORDS)
    assert queue(owner) == []


def test_several_products_are_reviewed_at_once_or_none(owner: Person, stranger: Person, receipt: Body) -> None:
    wrong = send(stranger, receipt, **WORDS, **{"text-1": "Sharp"})
    assert (wrong.status_code, "Please choose how many stars." in wrong.text, queue(owner)) == (422, True, [])
    assert "Keeps for a week." in wrong.text
    send(stranger, receipt, **WORDS, **{"stars-1": "2", "text-1": "Sharp"})
    assert {each["sku"]: each["stars"] for each in queue(owner)} == {"bread": 5, "knife/20 cm": 2}


def test_the_same_again_changes_nothing_and_other_words_take_its_place(
    owner: Person, stranger: Person, receipt: Body, engine: Engine
) -> None:
    for _ in range(2):
        send(stranger, receipt, **WORDS)
    send(stranger, receipt, **WORDS | {"stars-0": "3"})
    [found] = queue(owner)
    assert (found["stars"], told(engine)) == (3, ["review.written", "review.changed"])


def test_a_shopper_who_buys_it_again_has_one_review(owner: Person, till: Person, stranger: Person) -> None:
    owner.put("/v1/review-settings", {"is_on": True}).raise_for_status()
    one, other = (bought(till, shopper={"email": "anna@example.com"}) for _ in range(2))
    send(stranger, one, **WORDS)
    assert "Keeps for a week." in page(stranger, other)
    send(stranger, other, **WORDS | {"stars-0": "1"})
    assert [(each["stars"], each["receipt_id"]) for each in queue(owner)] == [(1, other["id"])]


def test_nobody_known_is_another_with_each_receipt(owner: Person, till: Person, stranger: Person) -> None:
    owner.put("/v1/review-settings", {"is_on": True}).raise_for_status()
    for _ in range(2):
        send(stranger, bought(till), **WORDS)
    assert len(queue(owner)) == 2


def test_a_changed_review_waits_again(owner: Person, stranger: Person, receipt: Body) -> None:
    send(stranger, receipt, **WORDS)
    approved(owner)
    assert "Keeps for a week." in stranger.get("/reviews/linden-rye/bread").text
    send(stranger, receipt, **WORDS | {"text-0": "Mouldy."})
    assert stranger.get("/reviews/linden-rye/bread").status_code == 404
    assert [each["state"] for each in queue(owner)] == ["waiting"]


def test_after_the_window_what_was_decided_is_changed_no_more_but_can_be_taken_back(
    owner: Person, stranger: Person, receipt: Body, engine: Engine
) -> None:
    owner.put("/v1/review-settings", {"is_on": True, "window_days": 0}).raise_for_status()
    send(stranger, receipt, **WORDS)
    approved(owner)
    shown = page(stranger, receipt)
    assert ('name="stars-0"' in shown, 'name="stars-1"' in shown) == (False, True)
    send(stranger, receipt, **WORDS | {"stars-0": "1"})
    assert [each["stars"] for each in queue(owner)] == [5]
    assert send(stranger, receipt, remove="bread").status_code == 303
    assert (queue(owner), told(engine)[-1]) == ([], "review.withdrawn")


@on_sqlite
@pytest.mark.parametrize(
    "changes, lines",
    [
        ({"flags": ["training"]}, (BREAD,)),
        ({}, (BAG,)),
        ({}, (BREAD | {"type": "deposit"},)),
    ],
    ids=["training", "no number", "deposit"],
)
def test_there_is_nothing_to_review_where_no_product_was_sold(
    owner: Person, till: Person, stranger: Person, changes: Body, lines: tuple[Body, ...]
) -> None:
    owner.put("/v1/review-settings", {"is_on": True}).raise_for_status()
    receipt = bought(till, *lines, **changes)
    assert "/reviews" not in stranger.get(f"/r/{receipt['token']}").text
    assert send(stranger, receipt, **WORDS).status_code == 404


@on_sqlite
def test_a_sale_that_was_voided_or_a_merchant_who_wants_none_is_not_reviewed(
    owner: Person, till: Person, stranger: Person, receipt: Body
) -> None:
    till.post("/v1/receipts", refund(receipt["id"], "6.00", kind="void")).raise_for_status()
    assert send(stranger, receipt, **WORDS).status_code == 404
    other = bought(till)
    owner.put("/v1/review-settings", {"is_on": False}).raise_for_status()
    assert send(stranger, other, **WORDS).status_code == 404
    assert "/reviews" not in stranger.get(f"/r/{other['token']}").text


@on_sqlite
@pytest.mark.parametrize(
    "fields, said",
    [
        ({"stars-0": "6"}, "Please choose how many stars."),
        ({"stars-0": "０"}, "Please choose how many stars."),
        ({"stars-0": "5", "title-0": "x" * 201}, "Please shorten this."),
        ({"stars-0": "5", "title-0": "a\x00b"}, "Please shorten this."),
        ({"stars-0": "5", "text-0": "x" * 2001}, "Please shorten this."),
        ({"stars-0": "5", "text-0": "a\x1bb"}, "Please shorten this."),
        ({"stars-0": "5", "name": "x" * 101}, "Please shorten this."),
        ({"stars-0": "5", "name": "a\nb"}, "Please shorten this."),
    ],
    ids=str,
)
def test_what_is_wrong_is_said_at_its_field(
    stranger: Person, owner: Person, receipt: Body, fields: dict[str, str], said: str
) -> None:
    answer = send(stranger, receipt, **fields)
    assert (answer.status_code, said in answer.text, queue(owner)) == (422, True, [])


@on_sqlite
@pytest.mark.parametrize(
    "options, status",
    [
        ({"headers": {"Sec-Fetch-Site": "cross-site"}}, 403),
        ({"headers": {"Origin": "https://evil.example"}}, 403),
        ({"sku-0": "another"}, 409),
        ({"sku-0": ""}, 409),
        ({"website": "https://spam.example"}, 303),
        ({"text-0": "x" * 1_300_000}, 413),
    ],
    ids=str,
)
def test_what_is_no_form_of_ours_writes_nothing(
    stranger: Person, owner: Person, receipt: Body, options: dict[str, Any], status: int
) -> None:
    assert send(stranger, receipt, **WORDS | options).status_code == status
    assert queue(owner) == []


@on_sqlite
def test_an_unknown_link_leads_to_nothing(stranger: Person) -> None:
    assert stranger.get("/r/short/reviews").status_code == 404
    assert stranger.get("/r/Zm9yZ2V0LW1lLW5vdC0wMQ/reviews").status_code == 202
    assert stranger.ask("POST", "/r/Zm9yZ2V0LW1lLW5vdC0wMQ/reviews", data=WORDS).status_code == 404


@on_sqlite
def test_a_hostile_review_becomes_no_markup(owner: Person, stranger: Person, receipt: Body) -> None:
    evil = '</script><script>alert(1)</script>"><b>'
    send(stranger, receipt, **{"stars-0": "1", "title-0": evil, "text-0": evil, "name": evil})
    approved(owner)
    for path in (f"/r/{receipt['token']}/reviews", "/reviews/linden-rye/bread"):
        shown = stranger.get(path).text
        assert "<script>alert" not in shown
        assert "<b>" not in shown
    assert json.loads(stranger.get("/reviews/linden-rye/bread.json").text)["review"][0]["reviewBody"] == evil


# Looked at


@pytest.mark.parametrize(
    "text, found",
    [
        ("Buy at www.cheap.example", ["link"]),
        ("see HTTPS://x.example/y", ["link"]),
        ("cheap-bread.shop is better", ["link"]),
        ("write to me: anna@example.com", ["email"]),
        ("anna [at] example.com", ["email"]),
        ("call +49 170 555 01 23", ["phone"]),
        ("0170/5550123", ["phone"]),
        ("What CRÁP this is", ["word"]),
        ("I paid 12.50 on 2026-11-28 and got 2 loaves.", []),
        ("Good.It keeps well. 5/5", []),
        ("Brot u.a. mit Nüssen, z.B. Walnuss", []),
        ("टोकरी अच्छी है", []),
    ],
)
def test_what_rules_find_in_a_review_is_told_to_who_looks_at_it(text: str, found: list[str]) -> None:
    assert held.holds([text], ["crap"]) == found


@given(st.text(max_size=300))
def test_rules_bear_whatever_is_written(text: str) -> None:
    held.holds([text, text], ["crap", "a* b"])


def test_what_is_clean_is_shown_at_once_where_the_merchant_says_so(
    owner: Person, till: Person, stranger: Person
) -> None:
    owner.put("/v1/review-settings", {"is_on": True, "publish": "clean", "words": ["mould*"]}).raise_for_status()
    for text in ("Good", "Mouldy", "www.spam.example"):
        send(stranger, bought(till), **WORDS | {"text-0": text})
    found = {each["text"]: (each["state"], each["holds"], each["decided_by"]) for each in queue(owner)}
    assert found == {
        "Good": ("approved", [], "rules"),
        "Mouldy": ("waiting", ["word"], None),
        "www.spam.example": ("waiting", ["link"], None),
    }


def test_a_rejected_review_is_shown_to_nobody_but_its_shopper_with_the_reason(
    owner: Person, stranger: Person, receipt: Body, engine: Engine
) -> None:
    send(stranger, receipt, **WORDS)
    [review] = queue(owner)
    done = decide(owner, review, {"state": "rejected", "reason": "Names a person"}).json()
    assert (done["state"], done["reason"], done["decided_by"][:4]) == ("rejected", "Names a person", "key_")
    assert stranger.get("/reviews/linden-rye/bread").status_code == 404
    assert "Names a person" in page(stranger, receipt)
    assert told(engine) == ["review.written", "review.rejected"]


def test_the_shop_answers_below_a_review(owner: Person, stranger: Person, receipt: Body) -> None:
    send(stranger, receipt, **WORDS)
    [review] = queue(owner)
    decide(owner, review, {"state": "approved", "reply": "Thank you!"}).raise_for_status()
    assert "Thank you!" in stranger.get("/reviews/linden-rye/bread").text
    assert "Thank you!" in page(stranger, receipt)
    assert decide(owner, review, {"reply": None}).json()["reply"] is None


def test_the_same_again_and_a_reply_taken_away_are_told_to_nobody(
    owner: Person, stranger: Person, receipt: Body, engine: Engine
) -> None:
    send(stranger, receipt, **WORDS)
    [review] = queue(owner)
    for body in ({"state": "approved"}, {"state": "approved"}, {"reply": "Thank you!"}, {"reply": None}):
        decide(owner, review, body).raise_for_status()
    assert told(engine) == ["review.written", "review.approved", "review.replied"]


def test_nobody_approves_what_they_have_not_read(owner: Person, stranger: Person, receipt: Body) -> None:
    send(stranger, receipt, **WORDS)
    [review] = queue(owner)
    tag = owner.get(f"/v1/reviews/{review['id']}").headers["etag"]
    send(stranger, receipt, **WORDS | {"text-0": "Something else"})
    assert decide(owner, review, {"state": "approved"}, tag).status_code == 412
    bare = owner.ask("PATCH", f"/v1/reviews/{review['id']}", json={"state": "approved"})
    assert (bare.status_code, bare.json()["errors"][0]["pointer"]) == (422, "header:If-Match")
    assert queue(owner, state="approved") == []


@on_sqlite
@pytest.mark.parametrize(
    "body, pointer",
    [
        ({"state": "waiting"}, "/state"),
        ({"state": "approved", "reason": "x"}, "/reason"),
        ({"reply": "a\x00"}, "/reply"),
        ({"stars": 5}, "/stars"),
    ],
    ids=str,
)
def test_a_decision_that_is_none_is_refused(
    owner: Person, stranger: Person, receipt: Body, body: Body, pointer: str
) -> None:
    send(stranger, receipt, **WORDS)
    [review] = queue(owner)
    refused = decide(owner, review, body)
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, pointer)


def test_a_product_that_went_back_is_told_to_the_shop_alone(
    owner: Person, till: Person, stranger: Person, receipt: Body
) -> None:
    send(stranger, receipt, **WORDS, **{"stars-1": "2"})
    approved(owner)
    lines = [BREAD | {"id": "9", "original_line": "1"}]
    till.post("/v1/receipts", refund(receipt["id"], "2.00", lines=lines)).raise_for_status()
    assert {each["sku"]: each["is_returned"] for each in queue(owner)} == {"bread": True, "knife/20 cm": False}
    shown = stranger.get("/reviews/linden-rye/bread.json").text
    assert ("Keeps for a week." in shown, "eturned" in shown) == (True, False)


# Two at once


def test_the_same_review_sent_many_times_at_once_is_one(
    owner: Person, stranger: Person, receipt: Body, engine: Engine
) -> None:
    statuses = Counter(at_once(12, lambda _: send(stranger, receipt, **WORDS).status_code))
    assert (statuses, len(queue(owner)), told(engine)) == ({303: 12}, 1, ["review.written"])


def test_without_the_constraint_it_would_be_several(stranger: Person, receipt: Body, engine: Engine) -> None:
    """The control: it is the unique author that decides."""
    with engine.begin() as conn, Operations(MigrationContext.configure(conn)).batch_alter_table("reviews") as altered:
        altered.drop_constraint("uq_reviews_merchant_id_sku_author", type_="unique")
    at_once(4, lambda _: send(stranger, receipt, **WORDS))
    with engine.connect() as conn:
        assert (conn.scalar(select(func.count()).select_from(Review)) or 0) > 1


MEET: Final = Barrier(2)


def changed_after_a_look(conn: Connection, before: ReviewRecord, revision: int, values: dict[str, Any]) -> bool:
    """The guard off: it looks whether the review is as it was read, and then changes it."""
    mine = (Review.merchant_id == before.merchant_id, Review.id == before.id)
    is_same = conn.scalar(select(Review.revision).where(*mine)) == revision
    MEET.wait(10)
    if is_same:
        conn.execute(update(Review).where(*mine).values(values | {"revision": revision + 1}))
    return is_same


def decided(url: str, shops: Shops, review: Body) -> int:
    """How many of two moderators decide, where no transaction helps: each statement is its own."""

    def act(index: int) -> bool:
        engine = connect(url)
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT", reads_only=True) as conn:
            before = reviews.one(conn, shops.linden, review["id"])
            wish = ("approved", None) if index else ("rejected", "No")
            done = reviews.decide(conn, before, *wish, revision=1, by="key_x", now=before.changed_at)
        engine.dispose()
        return done

    return sum(at_once(2, act))


def test_of_two_moderators_one_decides(
    owner: Person, stranger: Person, receipt: Body, database_url: str, shops: Shops
) -> None:
    send(stranger, receipt, **WORDS)
    [review] = queue(owner)
    assert decided(database_url, shops, review) == 1


def test_without_the_condition_both_would(
    owner: Person, stranger: Person, receipt: Body, database_url: str, shops: Shops, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control."""
    send(stranger, receipt, **WORDS)
    [review] = queue(owner)
    monkeypatch.setattr(reviews, "_changed", changed_after_a_look)
    assert decided(database_url, shops, review) == 2


def test_over_the_api_one_of_two_hears_that_the_other_was_first(
    owner: Person, stranger: Person, receipt: Body, engine: Engine
) -> None:
    send(stranger, receipt, **WORDS)
    [review] = queue(owner)
    tag = owner.get(f"/v1/reviews/{review['id']}").headers["etag"]
    wishes: list[Body] = [{"state": "approved"}, {"state": "rejected"}]
    answers = at_once(2, lambda index: decide(owner, review, wishes[index], tag).status_code)
    assert (sorted(answers), len(told(engine))) == ([200, 412], 2)


# Shown


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


def test_many_reviews_are_told_page_by_page(owner: Person, till: Person, stranger: Person, receipt: Body) -> None:
    for number in range(23):
        send(stranger, bought(till), **WORDS | {"text-0": f"Review {number}."})
    approved(owner)
    first = stranger.get("/reviews/linden-rye/bread", lang="en").text
    [more] = re.findall(r'rel="next" href="([^"]+)"', first)
    second = stranger.ask("GET", more.replace("&amp;", "&")).text
    found = re.findall(r"Review (\d+)\.", re.sub(r"<script.*?</script>", "", first + second, flags=re.DOTALL))
    assert found == [str(number) for number in range(22, -1, -1)]


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


@on_sqlite
def test_the_table_for_spreadsheets_runs_nothing(owner: Person, stranger: Person, receipt: Body) -> None:
    send(stranger, receipt, **WORDS | {"title-0": "=1+1"})
    [row] = csv.DictReader(io.StringIO(owner.get("/v1/reviews.csv").content.decode("utf-8-sig")))
    assert (row["title"], row["stars"], row["state"]) == ("'=1+1", "5", "waiting")


def test_another_merchant_sees_and_decides_nothing(
    owner: Person, outsider: Person, stranger: Person, receipt: Body
) -> None:
    send(stranger, receipt, **WORDS)
    [review] = queue(owner)
    assert queue(outsider) == []
    assert outsider.get(f"/v1/reviews/{review['id']}").status_code == 404
    assert decide(outsider, review, {"state": "approved"}, '"1"').status_code == 404
    approved(owner)
    assert outsider.get("/v1/products/bread/reviews").status_code == 404
    assert stranger.get("/reviews/moor/bread").status_code == 404


@on_sqlite
def test_it_takes_a_key_with_the_scope(reader: Person) -> None:
    for path in ("/v1/reviews", "/v1/reviews.csv", "/v1/review-settings", "/v1/products/bread/reviews"):
        assert reader.get(path).status_code == 403


# Forgotten


def test_who_is_erased_has_said_nothing(owner: Person, stranger: Person, receipt: Body, engine: Engine) -> None:
    send(stranger, receipt, **WORDS)
    approved(owner)
    assert owner.delete(f"/v1/receipts/{receipt['id']}/shopper").status_code == 204
    assert (queue(owner), told(engine)) == ([], [])


def test_a_purge_leaves_what_is_shown_without_a_name(
    owner: Person, till: Person, stranger: Person, receipt: Body, shops: Shops, shop: Workshop, clock: Clock
) -> None:
    send(stranger, receipt, **WORDS)
    approved(owner)
    send(stranger, bought(till), **WORDS | {"text-0": "Not looked at"})
    limit(shop.engine, shops.linden)
    clock.pass_by(days=40)
    purge(shop, "job", {})
    [after] = queue(owner)
    assert (after["text"], after["display_name"], after["receipt_id"]) == ("Keeps for a week.", "", None)
    document = stranger.get("/reviews/linden-rye/bread.json").json()
    assert (document["review"][0]["author"]["name"], document["name"]) == ("Verified purchase", "bread")
