"""Who bought a product reviews it, once, and is forgotten."""

import json
from collections import Counter
from typing import Any

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Engine, func, select

from engagement.voice.tables import Review
from tests.support.aged import limit
from tests.support.inside import Person, on_sqlite
from tests.support.reviews import BAG, BREAD, WORDS, approved, bought, page, queue, send, to_be_reviewed, told
from tests.support.sales import Body, refund
from tests.support.shops import Shops
from tests.support.workshop import Clock
from tests.test_races import at_once
from worker.chores import purge
from worker.workshop import Workshop


@pytest.fixture
def receipt(owner: Person, till: Person) -> Body:
    return to_be_reviewed(owner, till)


# Written


def test_a_receipt_leads_to_where_what_was_bought_is_reviewed(stranger: Person, receipt: Body) -> None:
    assert f'href="/r/{receipt["token"]}/reviews?lang=en"' in stranger.get(f"/r/{receipt['token']}", lang="en").text
    shown = page(stranger, receipt)
    assert ("Rye loaf" in shown, "Knife &lt;20 cm&gt;" in shown, ">Bag<" in shown) == (True, True, False)
    assert shown.count('type="radio"') == 10


@on_sqlite
def test_who_is_given_something_neither_sees_nor_changes_what_the_buyer_wrote(
    owner: Person, till: Person, stranger: Person
) -> None:
    owner.put("/v1/review-settings", {"is_on": True}).raise_for_status()
    send(stranger, bought(till, shopper={"email": "anna@example.com"}), **WORDS)
    gift = bought(till, shopper={"email": "anna@example.com"}, flags=["gift"])
    shown = page(stranger, gift)
    assert ("Keeps for a week." in shown, 'value="Anna"' in shown) == (False, False)
    send(stranger, gift, remove="bread")
    assert [each["text"] for each in queue(owner)] == ["Keeps for a week."]


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
def test_what_was_written_is_taken_back_after_the_sale_was_voided(
    owner: Person, till: Person, stranger: Person, receipt: Body
) -> None:
    send(stranger, receipt, **WORDS)
    approved(owner)
    till.post("/v1/receipts", refund(receipt["id"], "6.00", kind="void")).raise_for_status()
    assert "Your review" in stranger.get(f"/r/{receipt['token']}", lang="en").text
    shown = page(stranger, receipt)
    assert ("Rye loaf" in shown, 'name="stars-0"' in shown, "Knife" in shown) == (True, False, False)
    assert send(stranger, receipt, **WORDS | {"stars-0": "1"}).status_code == 404
    assert send(stranger, receipt, remove="bread").status_code == 303
    assert queue(owner) == []
    assert "/reviews" not in stranger.get(f"/r/{receipt['token']}").text


@on_sqlite
def test_an_empty_form_is_not_said_to_be_saved(owner: Person, stranger: Person, receipt: Body) -> None:
    answer = send(stranger, receipt, name="Anna")
    assert (answer.status_code, answer.text.count("Please choose how many stars.")) == (422, 1)
    assert queue(owner) == []


@on_sqlite
def test_what_nobody_sees_of_a_pasted_text_is_left_out(owner: Person, stranger: Person, receipt: Body) -> None:
    """A presentation breaks its lines by VT."""
    send(stranger, receipt, **WORDS | {"title-0": "Good\x00\x1b\x0bbread", "text-0": "Keeps\tfor\x07\na week."})
    [review] = queue(owner)
    assert (review["title"], review["text"]) == ("Good bread", "Keeps for\na week.")


@on_sqlite
def test_a_receipt_on_which_nothing_is_reviewed_is_not_on_its_way(
    owner: Person, till: Person, stranger: Person
) -> None:
    owner.put("/v1/review-settings", {"is_on": True}).raise_for_status()
    assert stranger.get(f"/r/{bought(till, BAG)['token']}/reviews").status_code == 404


@on_sqlite
@pytest.mark.parametrize(
    "fields, said",
    [
        ({"stars-0": "6"}, "Please choose how many stars."),
        ({"stars-0": "０"}, "Please choose how many stars."),
        ({"stars-0": "5", "title-0": "x" * 201}, "Please shorten this."),
        ({"stars-0": "5", "text-0": "x" * 2001}, "Please shorten this."),
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
