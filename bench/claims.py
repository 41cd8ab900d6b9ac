"""How fast many give cards of one campaign at once, against doing so with nothing that keeps its stock and caps.

The other side writes the same rows, but takes no lock and looks for no free slot: each claim knows its own beforehand.
"""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from time import perf_counter
from typing import Any, Final

from sqlalchemy import Connection, Engine, func, select, update

from bench.table import Limit, Ratio, Row
from engagement.rewards import drawing, launching, locks, managing
from engagement.rewards.definition import read_campaign
from engagement.rewards.keys import RewardKeys
from engagement.rewards.tables import PrizeSlot, Reward
from infra import secrets
from infra.database import connect, migrate
from infra.settings import Data, Settings
from kernel.clock import utc_now
from tests.support import postgres
from tests.support.campaigns import campaign, prize
from tests.support.claims import Crowd
from tests.support.postgres import Server
from tests.support.shops import open_shops

_THREADS: Final = 40
# Cards that a shopper may have, and claims of each.
_CAP: Final = 3
_EACH: Final = 4
# So many claims for each second that the bench may take.
_A_SECOND: Final = 400


def rows(seconds: float) -> Iterator[Row]:
    server, claims = postgres.start(owner=os.getpid(), durable=True), int(seconds * _A_SECOND)
    for stock, what in ((50, "50 prizes"), (2 * claims, "a prize for each")):
        # In turn, so that what else the machine does falls on both; the better of two.
        runs = [(_run(server, claims, stock, nothing), _run(server, claims, stock, unguarded)) for _ in range(2)]
        ours, other = (max(run[side][0] for run in runs) for side in (0, 1))
        yield Ratio(f"claims/s, PostgreSQL, {_THREADS} threads, {what} : without locks", ours, other, at_least=0.5)
        wins = min(stock, claims * _CAP // _EACH)
        for given in sorted({run[0][1] for run in runs}):
            yield Limit(f"prizes given, where {wins} may be", given, at_most=wins, at_least=wins)
        yield Limit("most cards of one shopper", max(run[0][2] for run in runs), at_most=_CAP)


@contextmanager
def nothing() -> Iterator[None]:
    """As it is."""
    yield


@contextmanager
def unguarded() -> Iterator[None]:
    """Neither locks nor a search: the next position is known without asking."""
    positions = count()

    def take(conn: Connection, live: Any, reward_id: str, _prize_id: str | None = None) -> Any:
        at = next(positions)
        if at >= live.prizes[0].stock:
            return None
        slot = (PrizeSlot.campaign_id == live.id, PrizeSlot.position == at)
        columns = (PrizeSlot.position, PrizeSlot.prize_id, PrizeSlot.pool_code_id)
        return conn.execute(update(PrizeSlot).where(*slot).values(reward_id=reward_id).returning(*columns)).one()

    before = drawing._take, locks._take
    of_drawing: Any = drawing
    of_drawing._take, locks._take = take, lambda *_: None
    yield
    of_drawing._take, locks._take = before


def _run(server: Server, claims: int, stock: int, guard: Callable[[], Any]) -> tuple[float, int, int]:
    """Claims a second, prizes given, and the most cards that one shopper got."""
    url = server.create(f"claims_{perf_counter():.6f}".replace(".", "_"))
    migrate(url)
    engine = connect(url)
    shops = open_shops(engine)
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(Data(data_dir=Path(folder), database_url=url))
        _launch(engine, shops.linden, settings, stock)
        with guard(), Crowd(url, shops.linden, settings, threads=_THREADS) as crowd:
            sold, began = crowd.sales(claims, shoppers=claims // _EACH), perf_counter()
            failed = crowd.claim(sold)
            rate = claims / (perf_counter() - began)
    given, most = _given(engine)
    engine.dispose()
    if failed:
        raise failed[0]
    return rate, given, most


def _launch(engine: Engine, merchant_id: str, settings: Settings, stock: int) -> None:
    keys = RewardKeys.of(settings.data, secrets.box(settings.data))
    body = campaign(caps={"per_shopper": _CAP}, prizes=[prize(stock=stock)])
    with engine.begin() as conn:
        campaign_id = managing.create(conn, merchant_id, read_campaign(body), now=utc_now())
        launching.launch(conn, merchant_id, campaign_id, sealer=keys.sealer, now=utc_now())


def _given(engine: Engine) -> tuple[int, int]:
    each = select(func.count().label("cards")).select_from(Reward).group_by(Reward.shopper).subquery()
    with engine.connect() as conn:
        given = conn.scalar(select(func.count()).select_from(Reward)) or 0
        return given, conn.scalar(select(func.max(each.c.cards))) or 0
