"""A process that kills itself, at the very place where a kill hurts most."""

import os
import signal
from collections.abc import Iterator
from typing import Any

from infra import archive_rows


def in_the_middle_of_receipts(function: str) -> None:
    """SIGKILL once ``lines`` or ``load`` of :mod:`infra.archive_rows` has handled some receipts, with more to come."""
    whole = getattr(archive_rows, function)

    def dying(conn: Any, table: Any, *rest: Any) -> Iterator[Any]:
        is_at_receipts = getattr(table, "name", None) == "receipts" or getattr(table, "table", None) == "receipts"
        for number, each in enumerate(whole(conn, table, *rest)):
            if is_at_receipts and number == 2:
                os.kill(os.getpid(), signal.SIGKILL)
            yield each

    setattr(archive_rows, function, dying)
