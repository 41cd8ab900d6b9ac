"""Two merchants become allies: one proposes, the other agrees, and either may end it."""

from threading import Thread

import pytest
from sqlalchemy import Engine, func, select

from engagement import alliances
from engagement.tables import Alliance
from kernel.errors import Conflict, Invalid, NotFound
from tests.support.inside import Person
from tests.support.shops import OPENED, Shops


@pytest.fixture
def proposed(engine: Engine, shops: Shops) -> str:
    """The id of what Linden & Rye proposed to Moor."""
    with engine.begin() as conn:
        return alliances.propose(conn, shops.linden, "moor", now=OPENED).id


def test_nothing_is_agreed_before_the_other_agrees(engine: Engine, shops: Shops, proposed: str) -> None:
    with engine.begin() as conn:
        assert alliances.allies(conn, shops.linden) == alliances.allies(conn, shops.moor) == {}
        alliances.agree(conn, shops.moor, proposed, now=OPENED)
        assert alliances.allies(conn, shops.linden) == {"moor": shops.moor}
        assert alliances.allies(conn, shops.moor) == {"linden-rye": shops.linden}


def test_who_proposes_cannot_agree_for_the_other(engine: Engine, shops: Shops, proposed: str) -> None:
    with engine.begin() as conn, pytest.raises(Conflict):
        alliances.agree(conn, shops.linden, proposed, now=OPENED)


def test_to_propose_what_was_proposed_to_oneself_is_to_agree(engine: Engine, shops: Shops, proposed: str) -> None:
    with engine.begin() as conn:
        answered = alliances.propose(conn, shops.moor, "linden-rye", now=OPENED)
    assert (answered.id, answered.state, answered.by_us) == (proposed, "agreed", False)


def test_either_ends_it_and_either_proposes_anew(engine: Engine, shops: Shops, proposed: str) -> None:
    with engine.begin() as conn:
        alliances.agree(conn, shops.moor, proposed, now=OPENED)
        alliances.end(conn, shops.linden, proposed, now=OPENED)
        assert not alliances.is_agreed(conn, shops.moor, shops.linden)
        again = alliances.propose(conn, shops.moor, "linden-rye", now=OPENED)
        assert (again.id, again.state, again.by_us) == (proposed, "proposed", True)


@pytest.mark.parametrize("slug", ["linden-rye", "nobody"])
def test_an_ally_is_another_merchant_of_this_service(engine: Engine, shops: Shops, slug: str) -> None:
    with engine.begin() as conn, pytest.raises(Invalid) as refused:
        alliances.propose(conn, shops.linden, slug, now=OPENED)
    assert [each.pointer for each in refused.value.errors] == ["/ally"]


def test_a_third_merchant_sees_none_of_it(engine: Engine, shops: Shops, proposed: str) -> None:
    with engine.begin() as conn:
        assert alliances.listed(conn, "mer_other") == []
        with pytest.raises(NotFound):
            alliances.end(conn, "mer_other", proposed, now=OPENED)


def test_two_who_propose_to_each_other_at_once_make_one_alliance(engine: Engine, shops: Shops) -> None:
    def propose(merchant: str, ally: str) -> None:
        with engine.begin() as conn:
            alliances.propose(conn, merchant, ally, now=OPENED)

    pairs = [(shops.linden, "moor"), (shops.moor, "linden-rye")]
    threads = [Thread(target=propose, args=pair) for pair in pairs * 4]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with engine.connect() as conn:
        assert conn.scalar(select(func.count()).select_from(Alliance)) == 1
        assert alliances.is_agreed(conn, shops.linden, shops.moor)


def test_over_the_api_two_merchants_come_to_terms(owner: Person, outsider: Person) -> None:
    made = owner.post("/v1/alliances", {"ally": "moor"}).json()
    assert (made["ally"], made["state"], made["by_us"]) == ("moor", "proposed", True)
    [theirs] = outsider.get("/v1/alliances").json()["alliances"]
    assert (theirs["ally"], theirs["name"], theirs["by_us"]) == ("linden-rye", "Linden & Rye", False)
    assert outsider.post(f"/v1/alliances/{made['id']}/agreement", None).json()["state"] == "agreed"
    assert owner.delete(f"/v1/alliances/{made['id']}").status_code == 204
    assert outsider.get("/v1/alliances").json()["alliances"][0]["state"] == "ended"


def test_an_unknown_ally_is_named_as_what_is_wrong(owner: Person) -> None:
    answer = owner.post("/v1/alliances", {"ally": "nobody"})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/ally"


def test_it_takes_a_key_with_the_scope(reader: Person) -> None:
    assert reader.get("/v1/alliances").status_code == 403
    assert reader.post("/v1/alliances", {"ally": "moor"}).status_code == 403
