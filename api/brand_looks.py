"""How brands look, remembered for a moment: thousands of receipts share one of them."""

import time

from sqlalchemy import Connection

from accounts.find import BrandLook, brand_look
from receipts import find
from receipts.records import ReceiptRecord

_MOST = 1000


class BrandLooks:
    """A change that another process makes is seen after ``seconds``, as with :class:`api.page_cache.PageCache`."""

    def __init__(self, seconds: float = 2.0) -> None:
        self._seconds = seconds
        self._known: dict[str, tuple[float, BrandLook]] = {}

    def with_record(self, conn: Connection, token: str) -> tuple[ReceiptRecord, BrandLook] | None:
        """The receipt behind a link, with its brand's look."""
        record = find.by_token(conn, token)
        return (record, self._of(conn, record)) if record else None

    def clear(self) -> None:
        self._known.clear()

    def _of(self, conn: Connection, record: ReceiptRecord) -> BrandLook:
        at = time.monotonic()
        until, look = self._known.get(record.brand_id, (0.0, None))
        if look is None or until < at:
            look = brand_look(conn, record.merchant_id, record.brand_id)
            if len(self._known) >= _MOST:
                self._known.clear()
            self._known[record.brand_id] = (at + self._seconds, look)
        return look
