"""What is known of merchants' offers, remembered for a moment: thousands of receipts share it."""

from typing import Final

from sqlalchemy import Connection

from engagement.offers import find
from engagement.offers.find import Desk
from infra.changes import Remembered

_SECONDS: Final = 2.0


class OfferDesks:
    """A change that another process makes is seen after ``seconds``, as with :class:`api.page_cache.PageCache`."""

    def __init__(self, seconds: float = _SECONDS) -> None:
        self._known: Remembered[Desk] = Remembered(seconds)

    def of(self, conn: Connection, merchant_id: str) -> Desk:
        mark = self._known.mark()
        desk = self._known.get(merchant_id)
        if desk is None:
            desk = find.desk(conn, merchant_id)
            self._known.put(merchant_id, desk, mark)
        return desk

    def forget(self) -> None:
        """After products, rules or wishes were changed in this process."""
        self._known.forget()
