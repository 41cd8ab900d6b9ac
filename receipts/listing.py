"""Lists of receipts: newest first, in pages whose cost does not grow with the list."""

import base64
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, UnaryExpression, literal, literal_column, select, tuple_

from infra.database import Instant, unindexed
from kernel.clock import from_microseconds, microseconds
from kernel.errors import FieldError, Invalid
from receipts.tables import Receipt, ReceiptShopper

_CURSOR = re.compile(r"(-?[0-9]{1,18}):(rct_[0-9a-z]{26})")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Filters; what is None does not narrow the list. ``issued_before`` is exclusive, ``issued_from`` inclusive."""

    store_id: str | None = None
    till_id: str | None = None
    staff_id: str | None = None
    kind: str | None = None
    number: str | None = None
    external_id: str | None = None
    email: str | None = None
    issued_from: datetime | None = None
    issued_before: datetime | None = None


def narrowed(wanted: Wanted, *, store_id: str | None, till_id: str | None) -> Wanted:
    """What a caller who is bound to a store or till may see of it."""
    return replace(wanted, store_id=store_id or wanted.store_id, till_id=till_id or wanted.till_id)


@dataclass(frozen=True, slots=True)
class Summary:
    id: str
    token: str
    number: str
    external_id: str | None
    kind: str
    currency: str
    total: int
    issued_at: datetime
    store_id: str
    warnings: str


@dataclass(frozen=True, slots=True)
class Page:
    receipts: Sequence[Summary]
    # Hand it back to get the next page; None on the last.
    next_cursor: str | None


_COLUMNS = tuple(getattr(Receipt, name) for name in Summary.__slots__)


def list_receipts(conn: Connection, merchant_id: str, wanted: Wanted, *, limit: int, cursor: str | None) -> Page:
    """Raises :class:`Invalid` for a cursor that this list did not hand out."""
    query = select(*_COLUMNS).where(*_filters(merchant_id, wanted))
    if wanted.issued_from is not None:
        query = query.where(Receipt.issued_at >= wanted.issued_from)
    if wanted.issued_before is not None:
        query = query.where(Receipt.issued_at < wanted.issued_before)
    if wanted.email is not None:
        of_shopper = select(ReceiptShopper.receipt_id).where(
            ReceiptShopper.merchant_id == merchant_id, ReceiptShopper.email == wanted.email.lower()
        )
        query = query.where(Receipt.id.in_(of_shopper))
    if cursor is not None:
        issued_at, receipt_id = _opened(cursor)
        last = tuple_(literal(issued_at, Instant), literal(receipt_id))
        query = query.where(tuple_(Receipt.issued_at, Receipt.id) < last)
    newest = query.order_by(_by_age(wanted), Receipt.id.desc()).limit(limit + 1)
    found = [Summary(*row) for row in conn.execute(newest)]
    more = _cursor(found[limit - 1]) if len(found) > limit else None
    return Page(found[:limit], more)


def _filters(merchant_id: str, wanted: Wanted) -> Iterator[ColumnElement[bool]]:
    """What is not looked up is only compared: SQLite cannot know which of two filters leaves fewer receipts."""
    looked_up = _looked_up(wanted)
    yield (Receipt.merchant_id if wanted.email is None else unindexed(Receipt.merchant_id)) == merchant_id
    if wanted.kind is not None:
        yield Receipt.kind == wanted.kind
    if "kind" in looked_up:
        # In the words of the index.
        yield Receipt.kind != literal_column("'sale'")
    for name in ("store_id", "till_id", "staff_id", "number", "external_id"):
        if (value := getattr(wanted, name)) is not None:
            column = getattr(Receipt, name)
            yield (column if name in looked_up else unindexed(column)) == value


def _looked_up(wanted: Wanted) -> Sequence[str]:
    """The filters that an index serves. Nearly all receipts are sales: these are found by anything else."""
    if wanted.email is not None:
        return ()
    for name in ("external_id", "number"):
        if getattr(wanted, name) is not None:
            return (name,)
    if wanted.kind not in (None, "sale"):
        return ("kind", "store_id")
    return next(((name,) for name in ("staff_id", "till_id", "store_id") if getattr(wanted, name) is not None), ())


def _by_age(wanted: Wanted) -> UnaryExpression[datetime]:
    """Few receipts have one external id or shopper. Ordered by a sum, they are found by that and sorted; by the column
    itself, SQLite would walk through all receipts of the merchant because they lie in order."""
    is_narrow = wanted.external_id is not None or wanted.email is not None
    return (literal_column("receipts.issued_at + 0", Instant) if is_narrow else Receipt.issued_at).desc()


def _cursor(last: Summary) -> str:
    return base64.urlsafe_b64encode(f"{microseconds(last.issued_at)}:{last.id}".encode()).decode().rstrip("=")


def _opened(cursor: str) -> tuple[datetime, str]:
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
        found = _CURSOR.fullmatch(text)
        if found:
            return from_microseconds(int(found[1])), found[2]
    except (ValueError, OverflowError):
        pass
    raise Invalid(errors=[FieldError("query:cursor", "is not a cursor that this list handed out")])
