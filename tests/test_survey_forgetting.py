"""What surveys know of people goes with their receipts and on erasure; scores still count."""

from typing import Any, Final

import pytest
from sqlalchemy import Engine, select

from engagement.surveys import answers, find, manage
from engagement.surveys.find import Wanted
from engagement.surveys.records import More
from engagement.surveys.tables import SurveyAnswer, SurveyAsk
from notify.tables import Message
from tests.support.aged import limit
from tests.support.inside import Person
from tests.support.shops import Shops
from tests.support.surveys import add, answer, path_of, responses, sold, survey
from tests.support.workshop import Clock
from worker.chores import purge
from worker.workshop import Workshop

LINES: Final = [{"id": "1", "sku": "bread", "name": "Bread", "unit_price": "3.20", "tax_rate": "19", "total": "3.20"}]


@pytest.fixture
def annas(owner: Person, till: Person, stranger: Person) -> dict[str, Any]:
    """A receipt whose shopper was let down, and wishes to be called."""
    survey(owner)
    receipt = sold(till, shopper={"customer_id": "anna"}, staff="emma", lines=LINES)
    path = path_of(stranger, receipt)
    answer(stranger, path, 2)
    add(stranger, path, text="Ask Anna", call="1", contact="anna@example.com")
    assert responses(owner)[0]["wants_call"]
    return receipt


def kept(engine: Engine) -> str:
    with engine.connect() as conn:
        return str([list(conn.execute(select(table))) for table in (SurveyAnswer.__table__, SurveyAsk.__table__)])


def test_erasing_a_shopper_leaves_the_score(annas: dict[str, Any], owner: Person, engine: Engine) -> None:
    owner.delete(f"/v1/receipts/{annas['id']}/shopper").raise_for_status()
    [found] = responses(owner)
    assert (found["score"], found["text"], found["contact"], found["consent"]) == (2, None, None, None)
    assert (found["wants_call"], found["receipt_id"]) == (False, annas["id"])
    with engine.connect() as conn:
        assert list(conn.scalars(select(SurveyAsk.shopper))) == [None]
    assert "Anna" not in kept(engine)


def test_purging_a_receipt_leaves_the_score_with_what_it_joins(
    annas: dict[str, Any], owner: Person, shop: Workshop, shops: Shops, engine: Engine, clock: Clock
) -> None:
    limit(engine, shops.linden)
    clock.pass_by(days=5000)
    purge(shop, "job", {})
    assert owner.get(f"/v1/receipts/{annas['id']}").status_code == 404
    [found] = responses(owner)
    assert (found["score"], found["store"], found["staff"], found["skus"]) == (2, "mitte", "emma", ["bread"])
    assert (found["text"], found["contact"], found["receipt_id"]) == (None, None, None)
    assert annas["id"] not in kept(engine)
    told = owner.get("/v1/survey-numbers", event="transaction", least=1).json()
    assert (told["total"]["responses"], told["asked"]) == (1, {"asked": 1, "answered": 1, "percent": "100.0"})


def test_nothing_is_added_to_an_answer_whose_receipt_was_purged_meanwhile(
    annas: dict[str, Any], owner: Person, shop: Workshop, shops: Shops, engine: Engine, clock: Clock
) -> None:
    """Whoever adds to it has found the answer before."""
    with engine.connect() as conn:
        [found] = find.listed(conn, shops.linden, Wanted(), limit=9, after=None)
        asked = manage.one(conn, shops.linden, found.survey_id)
    limit(engine, shops.linden)
    clock.pass_by(days=5000)
    purge(shop, "job", {})
    with engine.begin() as conn:
        assert answers.add(conn, found, More("Anna again"), asked, now=found.answered_at) == "fixed"
    assert "Anna" not in kept(engine)


def test_an_answer_can_be_deleted_for_good(
    annas: dict[str, Any], owner: Person, stranger: Person, engine: Engine
) -> None:
    [found] = responses(owner)
    assert owner.delete(f"/v1/survey-responses/{found['id']}").status_code == 204
    assert owner.delete(f"/v1/survey-responses/{found['id']}").status_code == 404
    assert "Anna" not in kept(engine)
    told = owner.get("/v1/survey-numbers", event="transaction").json()
    assert (told["total"]["responses"], told["asked"]["answered"]) == (0, 0)
    with engine.connect() as conn:
        assert list(conn.scalars(select(Message.id))) == []
