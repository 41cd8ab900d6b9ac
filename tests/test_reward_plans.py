"""What is asked of cards and codes reads as much where very many were given as where few were (see
tests/test_query_plans.py)."""

import uuid
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import Connection, select

from bench.fill import NEWEST, Shop, filled
from engagement.rewards import (
    drawing,
    expiring,
    find,
    first,
    forgetting,
    granting,
    liability,
    managing,
    marks,
    pool,
    redeemed_numbers,
    redeeming,
    settlement,
    stock,
    uplift,
    watching,
    withdrawing,
)
from engagement.rewards.definition import read_campaign
from engagement.rewards.keys import RewardKeys
from engagement.rewards.live import Live
from engagement.rewards.tables import Reward
from infra.database import connect, unindexed
from receipts.tables import Receipt
from tests.support import postgres
from tests.support.campaigns import campaign, prize
from tests.support.reward_rows import CODE, FEW, SHOPPER, few, fill_rewards, many
from tests.test_query_plans import AT_MOST, LARGE, SMALL, Question, Town

LATER: Final = NEWEST + timedelta(days=9)
HOUR: Final = timedelta(hours=1)


def receipt(conn: Connection, shop: Shop) -> str:
    mine = unindexed(Receipt.merchant_id) == shop.merchant_id
    return conn.execute(select(Receipt.id).where(mine).order_by(Receipt.id.desc()).limit(1)).scalar_one()


def campaign_of_many(conn: Connection, shop: Shop) -> str:
    return many(conn, shop.merchant_id)


def campaign_of_few(conn: Connection, shop: Shop) -> str:
    return few(conn, shop.merchant_id)


def listed(found: int, **where: Any) -> Question:
    def ask(conn: Connection, shop: Shop) -> None:
        told = {name: value(conn, shop) if callable(value) else value for name, value in where.items()}
        assert len(find.listed(conn, shop.merchant_id, at_most=20, **told)) == found

    return ask


def looked_up(conn: Connection, shop: Shop) -> None:
    class Keys:
        digest = staticmethod(lambda _code: CODE)

    assert redeeming.look_up(conn, Keys(), shop.merchant_id, "any").state == "revealed"  # type: ignore[arg-type]


def live(conn: Connection, shop: Shop) -> Live:
    return Live(find.campaign(conn, shop.merchant_id, few(conn, shop.merchant_id)), bytes(32))


def counted(conn: Connection, shop: Shop) -> None:
    of = live(conn, shop)
    [(_, whole, _)] = conn.execute(granting._counted(of, [SHOPPER], ["0" * 32], NEWEST)).all()
    assert whole == FEW


def next_slot(mode: str) -> Question:
    """Of the campaign that has given very many."""

    def ask(conn: Connection, shop: Shop) -> None:
        [of, *_] = find.campaigns(conn, shop.merchant_id, at_most=1)
        prize_id = None if mode == "deck" else of.prizes[0].id
        assert drawing._take(conn, Live(of, bytes(32)), "rwd_new", prize_id) is not None

    return ask


def expired(conn: Connection, _shop: Shop) -> None:
    assert len(expiring.expire(conn, now=LATER)) == FEW
    assert expiring.expire(conn, now=LATER) == []


def taken_back(conn: Connection, shop: Shop) -> None:
    withdrawing.after_amendments(conn, shop.merchant_id, [receipt(conn, shop)], now=NEWEST)
    withdrawing.look_again(conn, shop.merchant_id, receipt(conn, shop), now=NEWEST)


def forgotten(conn: Connection, shop: Shop) -> None:
    forgetting.forget_receipts(conn, shop.merchant_id, [receipt(conn, shop)])
    assert find.of_receipt(conn, shop.merchant_id, receipt(conn, shop)) == []


def unmarked(conn: Connection, shop: Shop) -> None:
    assert marks.of_ended(conn) == []
    assert not marks.forget_some(conn, shop.merchant_id, few(conn, shop.merchant_id))


def looked_back(conn: Connection, shop: Shop) -> None:
    """Two pages, and all since a moment ago."""
    keys = RewardKeys(b"", b"", b"", Fernet(Fernet.generate_key()))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(first, "_TOGETHER", 10)
        middle = first.page(conn, keys, shop.merchant_id, after=None)
        assert middle is not None
        first.page(conn, keys, shop.merchant_id, after=middle)
        first.catch_up(conn, keys, shop.merchant_id, since=NEWEST)


def gone(conn: Connection, shop: Shop) -> None:
    """Of the campaign that has given very many, as long as there are prizes left."""
    [of, *_] = find.campaigns(conn, shop.merchant_id, at_most=1)
    assert not stock.is_gone(conn, of, now=NEWEST)


def seen(conn: Connection, shop: Shop) -> None:
    """Of the last days: cards are an hour apart."""
    keys = RewardKeys(b"", b"", b"", Fernet(Fernet.generate_key()))
    assert "self_award" in {each.kind for each in watching.seen(conn, shop.merchant_id, keys, now=NEWEST)}


def came_back(conn: Connection, shop: Shop) -> None:
    of = find.campaign(conn, shop.merchant_id, few(conn, shop.merchant_id))
    assert uplift.uplift(conn, of, days=1, now=LATER).with_cards.shoppers == 1


def drawn(conn: Connection, shop: Shop) -> None:
    assert len(find.draws(conn, shop.merchant_id, few(conn, shop.merchant_id), now=NEWEST, at_most=20)) == FEW


def drafted(conn: Connection, shop: Shop) -> None:
    """Prizes and codes come, and go: nothing of others hangs on them."""
    new = read_campaign(campaign(prizes=[prize(codes="pool", stock=None), prize(slug="tea")]))
    campaign_id = managing.create(conn, shop.merchant_id, new, now=LATER)
    prize_id = find.campaign(conn, shop.merchant_id, campaign_id).prizes[0].id
    for digest in ("a", "b"):
        codes = [pool.SealedCode(at, f"{digest}{at}", b"") for at in range(20)]
        pool.begin(conn, shop.merchant_id, prize_id, now=LATER)
        assert not pool.drop_some(conn, shop.merchant_id, prize_id)
        pool.add(conn, shop.merchant_id, prize_id, codes, now=LATER)
        pool.finish(conn, shop.merchant_id, prize_id)
    assert pool.count(conn, shop.merchant_id, prize_id) == 20
    managing.put(conn, shop.merchant_id, campaign_id, read_campaign(campaign(prizes=[])), now=LATER)
    managing.remove(conn, shop.merchant_id, campaign_id)


def liable(conn: Connection, shop: Shop) -> None:
    of_few = few(conn, shop.merchant_id)
    [found] = liability.liabilities(conn, shop.merchant_id, now=NEWEST, campaign_id=of_few).prizes.values()
    assert found.cards["expired"] == FEW


def liable_for_all(conn: Connection, shop: Shop) -> None:
    """Of a campaign that has ended, and of which no card can be used, nothing is due."""
    [key] = liability.liabilities(conn, shop.merchant_id, now=NEWEST).prizes
    assert key.campaign_id == few(conn, shop.merchant_id)


def settled(conn: Connection, shop: Shop) -> None:
    """A period of very many: what a merchant hands out for itself is no matter between two."""
    assert settlement.settlement(conn, shop.merchant_id, since=NEWEST - FEW * HOUR, until=NEWEST) == {}


def used(conn: Connection, shop: Shop) -> None:
    period = {"since": NEWEST - FEW * HOUR, "until": NEWEST}
    assert redeemed_numbers.becoming(conn, shop.merchant_id, "campaign", **period)
    [at_store] = redeemed_numbers.by_store(conn, shop.merchant_id, **period)
    assert at_store.used == FEW


def counted_draws(conn: Connection, shop: Shop) -> None:
    assert find.count_draws(conn, shop.merchant_id, few(conn, shop.merchant_id), now=NEWEST) == (FEW, 0)


QUESTIONS: Final[Mapping[str, Question]] = {
    "cards": listed(20),
    "cards of a receipt": listed(1, receipt_id=receipt),
    "cards of a campaign": listed(FEW, campaign_id=campaign_of_few),
    "cards of a campaign in a state that is rare there": listed(0, campaign_id=campaign_of_many, state="revealed"),
    "cards that are open": listed(FEW, state="revealed"),
    "the card of a page": lambda c, shop: find.of_receipt(c, shop.merchant_id, receipt(c, shop)),
    "a code": looked_up,
    "what a shopper has": counted,
    "the next slot of a prize": next_slot("draw"),
    "the next card of a deck": next_slot("deck"),
    "what is over": expired,
    "a refund": taken_back,
    "forgotten": forgotten,
    "marks that are left": unmarked,
    "who has bought before": looked_back,
    "whether prizes are left": gone,
    "what does not look right": seen,
    "who came back": came_back,
    "draws": drawn,
    "how many draws": counted_draws,
    "what may still be asked for": liable,
    "what may still be asked for of all campaigns": liable_for_all,
    "what is owed for a period": settled,
    "what was used in a period": used,
    "a draft, its codes, and its end": drafted,
}


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def town(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    folder: Path = tmp_path_factory.mktemp("gifts")
    server: postgres.Server | None = request.getfixturevalue("postgresql") if request.param == "postgresql" else None
    names = [f"gifts_{uuid.uuid4().hex[:8]}_{count}" for count in (SMALL, LARGE)]
    urls = [server.create(name) if server else f"sqlite:///{folder}/{name}.db" for name in names]
    shops = (filled(urls[0], SMALL), filled(urls[1], LARGE))
    engines = (connect(urls[0]), connect(urls[1]))
    for engine, shop in zip(engines, shops, strict=True):
        with engine.begin() as conn:
            fill_rewards(conn, shop.merchant_id, shop.count, newest=NEWEST)
        if server:
            with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
                conn.exec_driver_sql("VACUUM ANALYZE")
    yield Town(engines, shops)
    for engine, name in zip(engines, names, strict=True):
        engine.dispose()
        if server:
            server.drop(name)


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_question_reads_as_much_where_very_many_cards_were_given(town: Town, question: str) -> None:
    assert town.growth(QUESTIONS[question]) <= AT_MOST


def test_a_question_that_reads_all_cards_is_found_out(town: Town) -> None:
    def careless(conn: Connection, shop: Shop) -> None:
        conn.execute(select(Reward.id).where(Reward.merchant_id == shop.merchant_id, Reward.code_hint == "none"))

    assert town.growth(careless) > 2 * AT_MOST
