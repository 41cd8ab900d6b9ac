"""How brands look, remembered for a moment: thousands of receipts share one of them."""

from sqlalchemy import Connection

from accounts.find import BrandLook, brand_look
from infra.changes import Remembered
from receipts import find
from receipts.records import ReceiptRecord


class BrandLooks:
    """A change that another process makes is seen after ``seconds``, as with :class:`api.page_cache.PageCache`."""

    def __init__(self, seconds: float = 2.0) -> None:
        self._known: Remembered[BrandLook] = Remembered(seconds)

    def with_record(self, conn: Connection, token: str) -> tuple[ReceiptRecord, BrandLook] | None:
        """The receipt behind a link, with its brand's look."""
        record = find.by_token(conn, token)
        return (record, self._of(conn, record)) if record else None

    def forget(self) -> None:
        """After a brand was changed in this process."""
        self._known.forget()

    def _of(self, conn: Connection, record: ReceiptRecord) -> BrandLook:
        mark = self._known.mark()
        look = self._known.get(record.brand_id)
        if look is None:
            look = brand_look(conn, record.merchant_id, record.brand_id)
            self._known.put(record.brand_id, look, mark)
        return look
