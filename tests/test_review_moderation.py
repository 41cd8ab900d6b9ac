"""Reviews are looked at by the shop: held by rules, shown, rejected or answered, by one moderator at a time."""

import csv
import io
from threading import Barrier
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, select, update

from engagement.voice import held, reviews
from engagement.voice.reviews import ReviewRecord
from engagement.voice.tables import Review
from infra.database import connect
from tests.support.inside import Person, on_sqlite
from tests.support.reviews import BREAD, WORDS, approved, bought, decide, page, queue, send, to_be_reviewed, told
from tests.support.sales import Body, refund
from tests.support.shops import Shops
from tests.test_races import at_once


@pytest.fixture
def receipt(owner: Person, till: Person) -> Body:
    return to_be_reviewed(owner, till)


def test_what_a_program_writes_by_its_own_name_waits_however_clean_it_is(
    owner: Person, till: Person, stranger: Person
) -> None:
    owner.put("/v1/review-settings", {"is_on": True, "publish": "clean"}).raise_for_status()
    receipt = bought(till)
    send(stranger, receipt, **WORDS, headers={"User-Agent": "curl/8.5"})
    assert [each["state"] for each in queue(owner)] == ["waiting"]
    send(stranger, receipt, **WORDS | {"text-0": "By myself."})
    assert [(each["state"], each["text"]) for each in queue(owner)] == [("approved", "By myself.")]


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
    """And a word of the merchant's is found beside it, whatever that is."""
    assert "word" in held.holds([text, "such crap"], ["crap", "a* b"])


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


@pytest.fixture
def rejected(owner: Person, till: Person, stranger: Person) -> Body:
    """The receipt of a review that somebody rejected, where what is clean is shown at once."""
    owner.put("/v1/review-settings", {"is_on": True, "publish": "clean"}).raise_for_status()
    receipt = bought(till, shopper={"email": "anna@example.com"})
    send(stranger, receipt, **WORDS)
    [review] = queue(owner)
    decide(owner, review, {"state": "rejected", "reason": "Names a person"}).raise_for_status()
    return receipt


def test_what_somebody_decided_on_waits_again_however_often_it_is_changed(
    owner: Person, stranger: Person, rejected: Body
) -> None:
    for text in ("Keeps for a week!", "Keeps for a week!!"):
        send(stranger, rejected, **WORDS | {"text-0": text})
        [review] = queue(owner)
        assert (review["state"], review["decided_by"], review["reason"]) == ("waiting", None, None)
    assert stranger.get("/reviews/linden-rye/bread").status_code == 404


@pytest.mark.parametrize("is_changed", [False, True], ids=["as it was decided on", "after a change"])
def test_what_was_rejected_does_not_come_in_by_being_deleted_and_sent_again(
    owner: Person, stranger: Person, rejected: Body, is_changed: bool
) -> None:
    if is_changed:
        send(stranger, rejected, **WORDS | {"text-0": "Keeps for a week!"})
    for _ in range(2):
        send(stranger, rejected, remove="bread")
        assert (queue(owner), "Keeps for a week" in page(stranger, rejected)) == ([], False)
    for text in (WORDS["text-0"], "By myself."):
        send(stranger, rejected, **WORDS | {"text-0": text})
    assert [(each["state"], each["text"]) for each in queue(owner)] == [("waiting", "By myself.")]


def test_of_what_is_taken_back_no_word_is_left(owner: Person, stranger: Person, rejected: Body, engine: Engine) -> None:
    [review] = queue(owner)
    tag = owner.get(f"/v1/reviews/{review['id']}").headers["etag"]
    send(stranger, rejected, remove="bread")
    with engine.connect() as conn:
        [left] = conn.execute(select(Review.title, Review.text, Review.display_name, Review.product, Review.reason))
    assert set(left) == {"", None}
    assert owner.get(f"/v1/reviews/{review['id']}").status_code == 404
    assert decide(owner, review, {"state": "approved"}, tag).status_code == 404
    assert told(engine)[-1] == "review.withdrawn"
    owner.delete(f"/v1/receipts/{rejected['id']}/shopper").raise_for_status()
    with engine.connect() as conn:
        assert conn.execute(select(Review.id)).all() == []


def test_what_nobody_has_read_is_shown_at_once_also_after_it_was_deleted(
    owner: Person, till: Person, stranger: Person
) -> None:
    owner.put("/v1/review-settings", {"is_on": True, "publish": "clean"}).raise_for_status()
    receipt = bought(till)
    for again in (WORDS, {"remove": "bread"}, WORDS):
        send(stranger, receipt, **again)
    assert [each["state"] for each in queue(owner)] == ["approved"]


def test_a_reply_does_not_stay_below_other_words(owner: Person, till: Person, stranger: Person) -> None:
    owner.put("/v1/review-settings", {"is_on": True, "publish": "clean"}).raise_for_status()
    receipt = bought(till)
    send(stranger, receipt, **WORDS)
    [review] = queue(owner)
    decide(owner, review, {"reply": "Thank you, so true!"}).raise_for_status()
    send(stranger, receipt, **WORDS | {"stars-0": "1", "text-0": "Stale"})
    [review] = queue(owner)
    assert (review["state"], review["text"], review["reply"]) == ("approved", "Stale", None)


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


# Two at once


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
