"""The card of who served, remembered for a moment: thousands of receipts share one member of staff."""

from typing import Final

from sqlalchemy import Connection

from cards import find
from cards.find import CardRecord
from infra.changes import Remembered

_SECONDS: Final = 2.0


class StaffCards:
    """A change that another process makes is seen after ``seconds``, as with :class:`api.page_cache.PageCache`."""

    def __init__(self, seconds: float = _SECONDS) -> None:
        # That somebody has none is worth remembering too.
        self._known: Remembered[tuple[CardRecord | None]] = Remembered(seconds)

    def active(self, conn: Connection, merchant_id: str, staff_id: str | None) -> CardRecord | None:
        """Their card, where it may be shown."""
        if staff_id is None:
            return None
        mark = self._known.mark()
        known = self._known.get(staff_id)
        if known is None:
            found = find.of_staff(conn, merchant_id, staff_id)
            known = (found if found and found.is_active else None,)
            self._known.put(staff_id, known, mark)
        return known[0]

    def forget(self) -> None:
        """After a card was changed in this process."""
        self._known.forget()
