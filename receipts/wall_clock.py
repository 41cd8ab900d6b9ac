"""The clock on the wall of the shop that issued a receipt."""

from datetime import UTC, timedelta, tzinfo
from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from receipts.records import ReceiptRecord


def zone_of(record: ReceiptRecord) -> tzinfo | None:
    """The till's own offset; the store's timezone where the till writes UTC."""
    own = record.content.issued_at.tzinfo
    if record.content.issued_at.utcoffset() == timedelta(0):
        return _named(record.issuer.timezone) or own
    return own


@cache
def _named(timezone: str) -> tzinfo | None:
    """None for a name that the tz database does not have: a receipt is shown all the same."""
    try:
        return ZoneInfo(timezone) if timezone != "UTC" else UTC
    except (ZoneInfoNotFoundError, ValueError):
        return None
