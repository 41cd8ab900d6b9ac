"""What a worker does by the clock."""

import pytest
from sqlalchemy import Engine, func, select, update

from accounts.tables import Merchant
from infra.settings import Settings, Work
from receipts.tables import Receipt
from tests.support.inside import Person, on_sqlite
from tests.support.sales import coffee
from tests.support.shops import Shops
from tests.support.workshop import Clock, Postman, workshop
from worker.chores import purge
from worker.kinds import kinds, schedules
from worker.work import working


@pytest.mark.parametrize("is_stopping", [False, True])
def test_receipts_are_purged_at_night_unless_the_worker_is_to_stop(
    settings: Settings, engine: Engine, shops: Shops, till: Person, is_stopping: bool
) -> None:
    till.post("/v1/receipts", coffee(issued_at="2020-01-01T08:00:00+01:00")).raise_for_status()
    clock = Clock()
    clock.pass_by(days=31)
    with workshop(settings, Postman(), clock) as shop:
        with engine.begin() as conn:
            conn.execute(update(Merchant).where(Merchant.id == shops.linden).values(keep_days=30))
        if is_stopping:
            shop.ended.set()
        purge(shop, "job", {})
    with engine.connect() as conn:
        assert conn.scalar(select(func.count()).select_from(Receipt)) == int(is_stopping)


def test_what_the_clock_asks_for_is_known_to_the_worker(settings: Settings) -> None:
    with workshop(settings, Postman(), Clock()) as shop:
        assert {each.kind for each in schedules(shop)} <= {each.name for each in kinds(shop)}


@on_sqlite
@pytest.mark.parametrize(
    "beside_sales, wished, sent", [(True, None, 1), (False, None, 4), (True, "3", 3), (False, "3", 3)]
)
def test_a_server_lets_sales_come_first_and_sends_one_message_at_a_time(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, beside_sales: bool, wished: str | None, sent: int
) -> None:
    if wished:
        monkeypatch.setenv("COUNTERFOIL_MAIL_AT_ONCE", wished)
    settings.work = Work()
    with working(settings, beside_sales=beside_sales) as shop:
        assert shop.mail_at_once == sent
