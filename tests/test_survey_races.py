"""Two tabs, a double click, two servers: of one receipt one answer counts."""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Connection, Engine, func, select

from engagement.surveys import answers, asking, manage, writing
from engagement.surveys.asking import Ask
from engagement.surveys.manage import SurveyRecord
from engagement.surveys.records import Given
from engagement.surveys.settings import Settings
from engagement.surveys.tables import SurveyAnswer, SurveyAsk
from engagement.tables import Event
from infra.database import connect
from receipts import find as receipts_find
from tests.support.inside import Person
from tests.support.shops import Shops
from tests.support.surveys import answer, path_of, responses, sold, survey
from tests.test_races import at_once


def count(engine: Engine, table: Any) -> int:
    with engine.connect() as conn:
        return conn.scalar(select(func.count()).select_from(table)) or 0


@pytest.fixture
def path(owner: Person, till: Person, stranger: Person) -> str:
    survey(owner)
    return path_of(stranger, sold(till))


def test_a_button_that_is_pressed_many_times_gives_one_answer(
    owner: Person, stranger: Person, path: str, engine: Engine
) -> None:
    sent = at_once(16, lambda _: answer(stranger, path, 9).status_code)
    assert set(sent) == {303}
    assert [each["score"] for each in responses(owner)] == [9]
    assert (count(engine, SurveyAnswer), count(engine, SurveyAsk), count(engine, Event)) == (1, 1, 1)


def test_two_tabs_at_once_give_one_answer(owner: Person, stranger: Person, path: str, engine: Engine) -> None:
    at_once(16, lambda index: answer(stranger, path, 3 + 5 * (index % 2)).status_code)
    [found] = responses(owner)
    assert found["score"] in (3, 8)
    assert count(engine, SurveyAnswer) == 1


@pytest.fixture
def several(database_url: str) -> Iterator[Callable[[], Engine]]:
    """Engines of their own, as other processes have them."""
    with ExitStack() as open_engines:

        def another() -> Engine:
            engine = connect(database_url)
            open_engines.callback(engine.dispose)
            return engine

        yield another


@pytest.fixture
def unconstrained(engine: Engine) -> None:
    """The constraint that would refuse a second answer is off: what is left is the lock."""
    with (
        engine.begin() as conn,
        Operations(MigrationContext.configure(conn)).batch_alter_table("survey_answers") as table,
    ):
        table.drop_constraint("uq_survey_answers_survey_id_receipt_id_held", type_="unique")


Connected = Callable[[Engine], AbstractContextManager[Connection]]


def race(several: Callable[[], Engine], merchant: str, receipt_id: str, connected: Connected) -> int:
    """How many rows two processes leave that answer at once."""
    now = datetime.now(UTC)
    with several().begin() as conn:
        made = manage.create(conn, merchant, "linden-rye", "transaction", Settings(), is_active=True, now=now)
        record = receipts_find.one(conn, merchant, receipt_id)
        asking.ask(conn, made, record, None, "page", now=now)

    def give(index: int) -> None:
        with connected(several()) as conn:
            answers.give(conn, made, record, Given(8 + index, "page", "en"), None, now=now)

    at_once(2, give)
    return count(several(), SurveyAnswer)


def in_a_transaction(engine: Engine) -> AbstractContextManager[Connection]:
    return engine.begin()


@contextmanager
def by_itself(engine: Engine) -> Iterator[Connection]:
    """Each statement is its own. On SQLite a transaction is the lock, so this takes it off."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT", reads_only=True) as conn:
        yield conn


@pytest.mark.parametrize("attempt", range(3))
def test_the_lock_alone_decides(
    several: Callable[[], Engine], unconstrained: None, till: Person, shops: Shops, attempt: int
) -> None:
    assert race(several, shops.linden, sold(till)["id"], in_a_transaction) == 1


def test_without_the_lock_both_would_count(
    several: Callable[[], Engine],
    unconstrained: None,
    till: Person,
    shops: Shops,
    engine: Engine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The control."""
    meet, look = threading.Barrier(2), writing.before

    def together(*about: Any) -> dict[str, Any]:
        found = look(*about)
        meet.wait(60)
        return found

    def unheld(conn: Connection, survey: SurveyRecord, receipt_id: str) -> Ask | None:
        return asking.of_receipt(conn, survey.merchant_id, receipt_id).get(survey.id)

    monkeypatch.setattr(writing, "before", together)
    monkeypatch.setattr(asking, "hold", unheld)
    connected = by_itself if engine.dialect.name == "sqlite" else in_a_transaction
    assert race(several, shops.linden, sold(till)["id"], connected) == 2
