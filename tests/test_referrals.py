"""Promoters hand on a code; a sale that carries it is counted for them, once for each shopper and never their own."""

import csv
import io
import re
from typing import Any

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Engine, func, select

from engagement import scratch, shoppers
from engagement.voice import attribution, referrals
from engagement.voice.attribution import Keys
from engagement.voice.tables import Referral, ReferralRun, ReferralUse
from infra import secrets
from receipts import find as receipts_find
from tests.support.aged import limit
from tests.support.inside import Inside, Person, on_sqlite
from tests.support.referrals import ANNA, BEN, look, offered, promoted, told, uses, with_code
from tests.support.sales import refund
from tests.support.shops import Shops
from tests.support.surveys import answer, path_of, sold, survey
from tests.support.workshop import Clock
from tests.test_races import at_once
from worker.cases import keys_of, look_back_for_referrals, look_for_referrals
from worker.chores import purge
from worker.offers import write_baskets
from worker.workshop import Workshop


@pytest.fixture
def code(owner: Person, till: Person, stranger: Person, inside: Inside, engine: Engine, shops: Shops) -> str:
    return promoted(owner, till, stranger, inside, engine, shops)


def test_a_promoter_gets_a_code_with_a_check_sign_and_only_its_hash_is_kept(
    code: str, shop: Workshop, engine: Engine
) -> None:
    assert re.fullmatch(r"[2-9A-HJ-NP-TV-Z]{4}(-[2-9A-HJ-NP-TV-Z]{4}){2}", code)
    plain = scratch.tidy(code)
    assert plain is not None
    look_for_referrals(shop, "job", {})
    with engine.connect() as conn:
        row = conn.execute(select(Referral.__table__)).mappings().one()
    assert row["last4"] == plain[-4:]
    assert not any(plain in str(value) for value in row.values())


def test_the_same_code_is_shown_again_and_another_answer_has_another(
    code: str, inside: Inside, engine: Engine, shops: Shops
) -> None:
    assert offered(inside, engine, shops) == code
    key = secrets.derived(inside.app.state.house.settings.data, referrals.PURPOSE)
    assert len({referrals.code_of(key, f"ans_{number}") for number in range(500)}) == 500


@pytest.mark.parametrize("score, is_on, count", [(8, True, 0), (0, True, 0), (10, False, 0), (9, True, 1)])
@on_sqlite
def test_codes_are_for_promoters_where_the_merchant_gives_some(
    owner: Person, till: Person, stranger: Person, engine: Engine, score: int, is_on: bool, count: int
) -> None:
    owner.put("/v1/referral-settings", {"is_on": is_on}).raise_for_status()
    survey(owner)
    answer(stranger, path_of(stranger, sold(till)), score)
    with engine.connect() as conn:
        assert conn.scalar(select(func.count()).select_from(Referral)) == count


@pytest.mark.parametrize("where", ["metadata", "line", "order"])
def test_a_sale_that_carries_the_code_is_counted_for_it(
    owner: Person, till: Person, code: str, shop: Workshop, clock: Clock, engine: Engine, where: str
) -> None:
    sold(till, shopper=BEN, **with_code(code.lower().replace("-", " "), where))
    look(shop, clock)
    [found] = owner.get("/v1/referrals").json()["referrals"]
    total = "3.20" if where == "metadata" else "2.20"
    expected = {"sales": 1, "shoppers": 1, "new_shoppers": 1, "revenue": {"EUR": total}, "store": "mitte"}
    assert {name: found[name] for name in expected} == expected
    assert told(engine) == 1


def test_nothing_is_counted_before_what_was_sold_has_settled(
    till: Person, code: str, shop: Workshop, clock: Clock, engine: Engine
) -> None:
    sold(till, shopper=BEN, **with_code(code, "metadata"))
    look_for_referrals(shop, "job", {})
    assert uses(engine) == 0
    look(shop, clock)
    assert uses(engine) == 1


def test_each_shopper_counts_once_and_nobody_known_each_time(
    owner: Person, till: Person, code: str, shop: Workshop, clock: Clock, engine: Engine
) -> None:
    for shopper in (BEN, BEN, None, None):
        sold(till, shopper=shopper, **with_code(code, "metadata"))
    for _ in range(3):
        look(shop, clock)
    [found] = owner.get("/v1/referrals").json()["referrals"]
    assert (found["sales"], found["shoppers"], told(engine)) == (3, 1, 3)


def test_a_promoters_own_purchase_does_not_count(
    till: Person, code: str, shop: Workshop, clock: Clock, engine: Engine
) -> None:
    sold(till, shopper={"email": " Anna@Example.com ".strip()}, **with_code(code, "metadata"))
    look(shop, clock)
    assert uses(engine) == 0


def test_who_had_bought_before_counts_but_is_not_new(
    owner: Person, till: Person, code: str, shop: Workshop, clock: Clock
) -> None:
    sold(till, shopper=BEN, hours_ago=5)
    write_baskets(shop, "job", {})
    sold(till, shopper=BEN, **with_code(code, "metadata"))
    look(shop, clock)
    numbers = owner.get("/v1/referral-numbers").json()
    assert (numbers["offered"], numbers["used"], numbers["shoppers"], numbers["new_shoppers"]) == (1, 1, 1, 0)


def test_what_goes_back_is_taken_off_the_revenue(
    owner: Person, till: Person, code: str, shop: Workshop, clock: Clock
) -> None:
    sale = sold(till, shopper=BEN, **with_code(code, "metadata"))
    till.post("/v1/receipts", refund(sale["id"], "1.20")).raise_for_status()
    look(shop, clock)
    assert owner.get("/v1/referral-numbers").json()["revenue"] == {"EUR": "2.00"}


@pytest.mark.parametrize("is_minted", [False, True], ids=["before it is minted", "after"])
def test_a_code_stays_good_when_its_answer_is_deleted(
    owner: Person, till: Person, code: str, shop: Workshop, clock: Clock, is_minted: bool
) -> None:
    if is_minted:
        look_for_referrals(shop, "job", {})
    [answered] = owner.get("/v1/survey-responses").json()["responses"]
    owner.delete(f"/v1/survey-responses/{answered['id']}").raise_for_status()
    sold(till, shopper=BEN, **with_code(code, "metadata"))
    look(shop, clock)
    [found] = owner.get("/v1/referrals").json()["referrals"]
    assert (found["answer_id"], found["sales"]) == (None, 1)


def test_who_is_purged_while_their_code_is_minted_is_not_known_by_it(
    code: str, shop: Workshop, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receipts_find, "stays", lambda *_: False)
    look_for_referrals(shop, "job", {})
    with engine.connect() as conn:
        assert conn.execute(select(Referral.shopper, Referral.digest.is_(None))).all() == [(None, False)]


@on_sqlite
@pytest.mark.parametrize(
    "told", ["", "22222222222", "AAAA-AAAA-AAAA", "x" * 200, 7, None, ["x"], {"code": "x"}], ids=str
)
def test_what_is_no_code_of_ours_counts_nothing(
    till: Person, code: str, shop: Workshop, clock: Clock, engine: Engine, told: Any
) -> None:
    sold(till, metadata={"referral_code": told, "other": code})
    look(shop, clock)
    assert uses(engine) == 0


def test_a_code_of_one_merchant_counts_at_no_other(
    outsider: Person, owner: Person, code: str, shop: Workshop, clock: Clock, engine: Engine
) -> None:
    outsider.put("/v1/referral-settings", {"is_on": True}).raise_for_status()
    sold(outsider, **with_code(code, "metadata"))
    look(shop, clock)
    assert uses(engine) == 0
    assert outsider.get("/v1/referrals").json() == {"referrals": [], "next_cursor": None}
    assert outsider.get("/v1/referral-numbers").json()["offered"] == 0


def test_a_look_back_counts_nothing_twice(
    till: Person, code: str, shop: Workshop, clock: Clock, engine: Engine
) -> None:
    sold(till, **with_code(code, "metadata"))
    for _ in range(2):
        look(shop, clock)
        look_back_for_referrals(shop, "job", {})
    look(shop, clock)
    assert (uses(engine), told(engine)) == (1, 1)


def attribute_at_once(shop: Workshop, clock: Clock, engine: Engine) -> int:
    """Two workers who go through the same receipts; how many sales they count."""
    clock.pass_by(minutes=6)
    attribution.mint(engine, keys_of(shop), stop=lambda: False)

    def attribute(_index: int) -> int:
        with engine.begin() as conn:
            found = attribution.held(conn, attribution.new_after(conn, "rct_", now=clock()))
            return sum(attribution.attributed(conn, keys_of(shop), each, now=clock()) for each in found)

    return sum(at_once(2, attribute))


def test_two_workers_count_a_sale_once(till: Person, code: str, shop: Workshop, clock: Clock, engine: Engine) -> None:
    for _ in range(5):
        sold(till, **with_code(code, "metadata"))
    assert attribute_at_once(shop, clock, engine) == 5
    assert (uses(engine), told(engine)) == (5, 5)


def test_without_the_constraint_they_would_count_it_twice(
    till: Person, code: str, shop: Workshop, clock: Clock, engine: Engine
) -> None:
    """The control."""
    with engine.begin() as conn, Operations(MigrationContext.configure(conn)).batch_alter_table("referral_uses") as one:
        one.drop_constraint("uq_referral_uses_receipt_id", type_="unique")
    sold(till, **with_code(code, "metadata"))
    assert attribute_at_once(shop, clock, engine) == 2


def test_the_table_for_spreadsheets(owner: Person, till: Person, code: str, shop: Workshop, clock: Clock) -> None:
    sold(till, shopper=BEN, **with_code(code, "metadata"))
    look(shop, clock)
    answered = owner.get("/v1/referrals.csv")
    assert answered.headers["content-disposition"] == 'attachment; filename="referrals.csv"'
    [row] = csv.DictReader(io.StringIO(answered.content.decode("utf-8-sig")))
    assert (row["sales"], row["revenue"], row["is_retired"]) == ("1", "3.20 EUR", "False")


def test_who_is_erased_has_a_code_no_more_and_what_came_of_it_stays(
    owner: Person, till: Person, code: str, shop: Workshop, clock: Clock, engine: Engine
) -> None:
    sold(till, shopper=BEN, **with_code(code, "metadata"))
    look(shop, clock)
    [found] = owner.get("/v1/referrals").json()["referrals"]
    assert owner.delete(f"/v1/receipts/{found['receipt_id']}/shopper").status_code == 204
    sold(till, **with_code(code, "metadata"))
    look(shop, clock)
    [after] = owner.get("/v1/referrals").json()["referrals"]
    assert (after["is_retired"], after["answer_id"], after["last4"], after["sales"]) == (True, None, None, 1)


def test_who_was_erased_gets_no_code_again(owner: Person, till: Person, stranger: Person) -> None:
    owner.put("/v1/referral-settings", {"is_on": True}).raise_for_status()
    survey(owner)
    receipt = sold(till, shopper=ANNA)
    path = path_of(stranger, receipt)
    answer(stranger, path, 10)
    assert owner.delete(f"/v1/receipts/{receipt['id']}/shopper").status_code == 204
    answer(stranger, path, 9)
    assert [each["is_retired"] for each in owner.get("/v1/referrals").json()["referrals"]] == [True]


def test_one_look_goes_through_the_receipts_of_all_merchants_once(
    outsider: Person, till: Person, code: str, shop: Workshop, clock: Clock, engine: Engine
) -> None:
    outsider.put("/v1/referral-settings", {"is_on": True}).raise_for_status()
    sold(outsider)
    for _ in range(3):
        sold(till, **with_code(code, "metadata"))
    look(shop, clock)
    with engine.connect() as conn:
        assert len(conn.execute(select(ReferralRun.after)).all()) == 1
    assert uses(engine) == 3


def test_a_purge_leaves_the_sums_and_no_pointers(
    owner: Person, till: Person, code: str, shop: Workshop, clock: Clock, engine: Engine, shops: Shops
) -> None:
    sale = sold(till, shopper=BEN, **with_code(code, "metadata"))
    till.post("/v1/receipts", refund(sale["id"], "1.20")).raise_for_status()
    look(shop, clock)
    limit(engine, shops.linden)
    clock.pass_by(days=40)
    purge(shop, "job", {})
    [after] = owner.get("/v1/referrals").json()["referrals"]
    assert (after["receipt_id"], after["sales"], after["revenue"]) == (None, 1, {"EUR": "2.00"})
    with engine.connect() as conn:
        assert conn.execute(select(ReferralUse.shopper, ReferralUse.receipt_id)).all() == [(None, None)]
        assert conn.scalars(select(Referral.shopper)).all() == [None]


def test_keys_of_the_worker_are_those_of_the_server(shop: Workshop, inside: Inside) -> None:
    data = inside.app.state.house.settings.data
    expected = Keys(secrets.derived(data, referrals.PURPOSE), secrets.derived(data, shoppers.PURPOSE))
    assert keys_of(shop) == expected


@on_sqlite
def test_a_merchant_without_codes_has_no_receipts_looked_at(
    till: Person, shop: Workshop, clock: Clock, engine: Engine
) -> None:
    sold(till)
    look(shop, clock)
    with engine.connect() as conn:
        assert conn.execute(select(ReferralRun.after)).all() == []


@on_sqlite
def test_it_takes_a_key_with_the_scope(reader: Person) -> None:
    for path in ("/v1/referrals", "/v1/referrals.csv", "/v1/referral-numbers", "/v1/referral-settings"):
        assert reader.get(path).status_code == 403


def test_a_promoter_is_shown_their_code_where_the_survey_says_thanks(
    owner: Person, till: Person, stranger: Person
) -> None:
    owner.put("/v1/referral-settings", {"is_on": True, "text": {"en": "10% <off>"}}).raise_for_status()
    survey(owner)
    receipt = sold(till)
    path = path_of(stranger, receipt)
    assert 'class="referral"' not in stranger.get(path, lang="en").text
    answer(stranger, path, 10)
    for address in (path, f"/r/{receipt['token']}"):
        shown = stranger.get(address, lang="en").text
        assert re.search(r'<p class="number" dir="ltr">[2-9A-Z]{4}-[2-9A-Z]{4}-[2-9A-Z]{4}</p>', shown)
        assert "10% &lt;off&gt;" in shown
    answer(stranger, path, 3)
    assert 'class="referral"' not in stranger.get(path, lang="en").text
