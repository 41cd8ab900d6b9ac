"""The surveys of a brand, remembered for a moment: thousands of receipts share them."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import Connection

from engagement.surveys import manage
from engagement.surveys.manage import SurveyRecord
from infra.changes import Remembered

_SECONDS: Final = 2.0


class Surveys:
    """A change that another process makes is seen after ``seconds``, as with :class:`api.page_cache.PageCache`."""

    def __init__(self, seconds: float = _SECONDS) -> None:
        self._known: Remembered[Sequence[SurveyRecord]] = Remembered(seconds)

    def active(self, conn: Connection, merchant_id: str, brand_id: str) -> Sequence[SurveyRecord]:
        mark = self._known.mark()
        known = self._known.get(brand_id)
        if known is None:
            known = manage.active(conn, merchant_id, brand_id)
            self._known.put(brand_id, known, mark)
        return known

    def forget(self) -> None:
        """After a survey was changed in this process."""
        self._known.forget()
