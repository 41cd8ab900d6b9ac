"""Who works on a case, answers or is erased at the same time as another does."""

from threading import Thread
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, func, select

from engagement.surveys.tables import SurveyAsk
from engagement.voice import case_work, cases
from engagement.voice.case_work import CaseWork
from engagement.voice.tables import Review
from infra.database import in_turn
from kernel.clock import utc_now
from receipts import find as receipts_find
from receipts.tables import Receipt
from tests.support.cases import asked, let_down, the_case
from tests.support.inside import Person
from tests.support.reviews import WORDS, bought, send
from tests.support.sales import Body
from tests.support.shops import Shops
from tests.support.surveys import answer, path_of, sold, survey
from tests.support.waiting import somebody_waits, wait_until
from tests.test_retention_races import on_postgresql


def second_thought(owner: Person, stranger: Person, path: str, case: Any, engine: Engine, merchant_id: str) -> Any:
    """What the case is after staff resolve it while the shopper presses another score."""
    late = Thread(target=lambda: answer(stranger, path, 9))
    with in_turn(engine) as conn:
        before = case_work.hold(conn, merchant_id, case["id"])
        done = CaseWork(state="resolved", outcome="voucher", note="Sent")
        case_work.work(conn, before, done, by="key_x", now=utc_now())
        late.start()
        if engine.dialect.name == "postgresql":
            wait_until(lambda: somebody_waits(engine))
    late.join()
    found = the_case(owner)
    return found["state"], found["outcome"], found["note"], found["score"]


def test_a_second_thought_leaves_what_staff_did_with_the_case(
    owner: Person, till: Person, stranger: Person, engine: Engine, shops: Shops
) -> None:
    path = asked(owner, till, stranger)
    case = let_down(owner, stranger, path)
    assert second_thought(owner, stranger, path, case, engine, shops.linden) == ("resolved", "voucher", "Sent", 9)


@on_postgresql
def test_without_the_lock_it_would_be_overwritten(
    owner: Person, till: Person, stranger: Person, engine: Engine, shops: Shops, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control."""
    path = asked(owner, till, stranger)
    case = let_down(owner, stranger, path)
    monkeypatch.setattr(case_work, "_held", lambda conn, said: cases.of_answer(conn, said.merchant_id, said.id))
    after = second_thought(owner, stranger, path, case, engine, shops.linden)
    assert after[:2] == ("dismissed", "changed_mind")


def erased_meanwhile(owner: Person, engine: Engine, receipt: Body, patch: pytest.MonkeyPatch) -> list[Thread]:
    """As soon as somebody looks who bought, the merchant erases them: by the thread that is then in the list."""
    erasing: list[Thread] = []
    look = receipts_find.private_part

    def looked(conn: Connection, merchant_id: str, receipt_id: str) -> Any:
        found = look(conn, merchant_id, receipt_id)
        if not erasing:
            erasing.append(Thread(target=lambda: owner.delete(f"/v1/receipts/{receipt['id']}/shopper")))
            erasing[0].start()
            if engine.dialect.name == "postgresql":
                wait_until(lambda: somebody_waits(engine) or not erasing[0].is_alive())
        return found

    patch.setattr(receipts_find, "private_part", looked)
    return erasing


def shoppers_left(
    owner: Person, till: Person, stranger: Person, engine: Engine, patch: pytest.MonkeyPatch
) -> list[str | None]:
    """What is known of who answered while they were erased."""
    survey(owner)
    receipt = sold(till, shopper={"email": "anna@example.com"})
    path = path_of(stranger, receipt)
    erasing = erased_meanwhile(owner, engine, receipt, patch)
    answer(stranger, path, 8)
    erasing[0].join()
    with engine.connect() as conn:
        return [each for each in conn.scalars(select(SurveyAsk.shopper)) if each]


def test_who_is_erased_while_they_answer_leaves_no_pseudonym(
    owner: Person, till: Person, stranger: Person, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert shoppers_left(owner, till, stranger, engine, monkeypatch) == []


def unlocked(conn: Connection, merchant_id: str, receipt_id: str) -> bool:
    mine = (Receipt.merchant_id == merchant_id, Receipt.id == receipt_id)
    return conn.scalar(select(Receipt.id).where(*mine)) is not None


@on_postgresql
def test_without_the_lock_a_pseudonym_would_be_left(
    owner: Person, till: Person, stranger: Person, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control."""
    monkeypatch.setattr(receipts_find, "stays", unlocked)
    assert len(shoppers_left(owner, till, stranger, engine, monkeypatch)) == 1


def reviews_left(owner: Person, till: Person, stranger: Person, engine: Engine, patch: pytest.MonkeyPatch) -> int:
    """How many there are of who wrote one while they were erased."""
    owner.put("/v1/review-settings", {"is_on": True}).raise_for_status()
    receipt = bought(till, shopper={"email": "anna@example.com"})
    erasing = erased_meanwhile(owner, engine, receipt, patch)
    send(stranger, receipt, **WORDS)
    erasing[0].join()
    with engine.connect() as conn:
        return conn.scalar(select(func.count()).select_from(Review)) or 0


def test_who_is_erased_while_they_review_leaves_no_words(
    owner: Person, till: Person, stranger: Person, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert reviews_left(owner, till, stranger, engine, monkeypatch) == 0


@on_postgresql
def test_without_the_lock_words_would_be_left(
    owner: Person, till: Person, stranger: Person, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control."""
    monkeypatch.setattr(receipts_find, "stays", unlocked)
    assert reviews_left(owner, till, stranger, engine, monkeypatch) == 1
