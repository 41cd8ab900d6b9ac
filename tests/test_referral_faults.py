"""A sale in which a code cannot be looked for keeps no other from being counted, and is not lost to a busy database."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import DataError, OperationalError

from engagement.voice import attribution
from engagement.voice.attribution import Keys
from tests.support.inside import Inside, Person
from tests.support.referrals import BEN, look, promoted, uses, with_code
from tests.support.shops import Shops
from tests.support.surveys import sold
from tests.support.workshop import Clock
from worker.workshop import Workshop


@pytest.fixture
def code(owner: Person, till: Person, stranger: Person, inside: Inside, engine: Engine, shops: Shops) -> str:
    return promoted(owner, till, stranger, inside, engine, shops)


@pytest.fixture
def fail_for(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Exception | None], None]:
    """Have it fail whenever a receipt is looked at, or no more."""
    look_at = attribution.attributed

    def fail(receipt_id: str, error: Exception | None) -> None:
        def attributed(conn: Any, keys: Keys, each: attribution.Sold, **rest: Any) -> bool:
            if error is not None and each.row.id == receipt_id:
                raise error
            return look_at(conn, keys, each, **rest)

        monkeypatch.setattr(attribution, "attributed", attributed)

    return fail


@pytest.mark.parametrize("error", [KeyError("lines"), DataError("", {}, Exception("no such number"))], ids=repr)
def test_a_sale_that_cannot_be_read_keeps_no_other_from_being_looked_at(
    till: Person, code: str, shop: Workshop, clock: Clock, engine: Engine, fail_for: Any, error: Exception
) -> None:
    odd = sold(till, shopper=BEN, **with_code(code, "metadata"))
    sold(till, shopper={"email": "cleo@example.com"}, **with_code(code, "metadata"))
    fail_for(odd["id"], error)
    look(shop, clock)
    assert uses(engine) == 1


def test_while_the_database_is_busy_no_sale_is_stepped_over(
    till: Person, code: str, shop: Workshop, clock: Clock, engine: Engine, fail_for: Any
) -> None:
    receipt = sold(till, shopper=BEN, **with_code(code, "metadata"))
    fail_for(receipt["id"], OperationalError("", {}, Exception("it is busy")))
    with pytest.raises(OperationalError):
        look(shop, clock)
    fail_for(receipt["id"], None)
    look(shop, clock)
    assert uses(engine) == 1
