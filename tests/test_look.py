"""What scripts/look takes pictures of is there, and fits a small phone."""

from playwright.sync_api import Browser
from sqlalchemy import Engine

from cli import demo_shops
from infra.settings import Settings
from infra.storage import open_storage
from kernel.clock import utc_now
from tests.look import WAYS, _ways
from tests.support import gallery_after_sale
from tests.support.inside import on_sqlite
from tests.support.served import served
from tests.support.shopper import AGENT, somebody, width

NARROW = {"width": 320, "height": 640}


@on_sqlite
def test_every_page_after_a_sale_is_there_and_fits(engine: Engine, settings: Settings, chromium: Browser) -> None:
    with engine.begin() as conn:
        shops = demo_shops.put_all(conn, open_storage(settings.data), now=utc_now())
    pages = gallery_after_sale.put_all(engine, settings.data, shops)
    with served(settings.data) as address:
        for shopper in somebody(chromium, user_agent=AGENT, viewport=NARROW):
            for name, path in pages.items():
                answer = shopper.page.goto(address + path)
                assert answer
                assert answer.status == 200, name
                assert width(shopper.page) <= NARROW["width"], name
            assert shopper.complaints == []


def test_every_page_is_looked_at_in_ways_that_there_are() -> None:
    for name in ("sale", "gift", *gallery_after_sale.NAMES):
        assert set(_ways(name)) <= set(WAYS)
