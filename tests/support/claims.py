"""Many who earn cards at once, each in a transaction of their own, past the writer that would let one at a time
through."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Self

from sqlalchemy import Engine

from accounts.places import directories
from engagement.rewards import granting
from engagement.rewards.keys import RewardKeys
from engagement.rewards.live import Live, LiveCampaigns
from engagement.rewards.sold import Sold
from infra import secrets
from infra.database import connect, reading
from infra.settings import Settings
from kernel.clock import utc_now
from pos.intake import arrive, draft_of
from receipts.issue import issue
from receipts.reading import read_sale
from tests.support.sales import coffee


class Crowd:
    """Shoppers of one merchant, on connections of their own. Their receipts are written first, so that what is timed
    and raced is the giving."""

    def __init__(self, url: str, merchant_id: str, settings: Settings, *, threads: int = 40) -> None:
        self.threads, self._merchant_id = threads, merchant_id
        self._engine = connect(url, pool_size=threads)
        self.keys = RewardKeys.of(settings.data, secrets.box(settings.data))
        with reading(self._engine) as conn:
            self._places = directories(conn, [merchant_id])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._engine.dispose()

    def sales(self, many: int, *, shoppers: int | None) -> list[Sold]:
        """New receipts, by so many known shoppers in turn, or by nobody known."""
        now, sold, drafts = utc_now(), [], []
        place = self._places[self._merchant_id].stores["mitte"]
        for number in range(many):
            arrival = arrive(self._merchant_id, read_sale(coffee()), now=now)
            drafts.append(draft_of(arrival, self._places, now))
            shopper = None if shoppers is None else f"{number % shoppers:032x}"
            sold.append(
                Sold(
                    merchant_id=self._merchant_id,
                    receipt_id=arrival.id,
                    sale=arrival.sale,
                    source="api",
                    shopper=shopper,
                    store_id=place.id,
                    store=place.slug,
                    brand=place.brand,
                    country="DE",
                    timezone=place.timezone,
                    staff_id=None,
                )
            )
        with self._engine.begin() as conn:
            issue(conn, drafts, now=now)
        return sold

    def campaigns(self) -> dict[str, tuple[Live, ...]]:
        with reading(self._engine) as conn:
            return LiveCampaigns().of(conn, self.keys, [self._merchant_id])

    def claim(self, sold: Sequence[Sold], *, alone: bool = False, together: int = 1) -> list[Exception]:
        """All at once, so many ``together`` in a transaction; what went wrong. ``alone``: on SQLite each statement by
        itself, since its transactions take turns by their nature."""
        campaigns, start = self.campaigns(), threading.Barrier(self.threads)
        engine = self._engine.execution_options(reads_only=True) if alone else self._engine
        shares = [sold[at :: self.threads] for at in range(self.threads)]

        def run(share: Sequence[Sold]) -> list[Exception]:
            failed: list[Exception] = []
            start.wait(60)
            for at in range(0, len(share), together):
                try:
                    self._give(engine, campaigns, share[at : at + together])
                except Exception as error:
                    failed.append(error)
            return failed

        with ThreadPoolExecutor(self.threads) as pool:
            return [error for failed in pool.map(run, shares) for error in failed]

    def _give(self, engine: Engine, campaigns: dict[str, tuple[Live, ...]], together: Sequence[Sold]) -> None:
        with engine.begin() as conn:
            granting.grant(conn, self.keys, campaigns, together, now=utc_now())
