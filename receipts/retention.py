"""How long receipts are kept. What is over is deleted for good, and its link says so.

A receipt and what refers to it (refunds, voids, exchanges, and what refers to those) are a family. It goes as one, once
all of it was both issued and accepted before the merchant's limit: no sale is shown without its refund, and an old
receipt is not deleted on the day that it is brought in.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Engine, bindparam, delete, select, text

from accounts.tables import Merchant
from infra.database import Instant, in_turn, insert_or_ignore, reading, unindexed
from infra.storage import Storage
from kernel.ids import digest
from notify.tables import Message
from receipts.tables import IdempotencyKey, PurgedReceipt, Receipt, ReceiptShopper, ReturnedSum

# Small, so that who writes waits less than a tenth of a second (SQLite).
_TOGETHER: Final = 100
_KEYS_TOGETHER: Final = 2000

_LATER = """
    WITH RECURSIVE later (id, issued_at, accepted_at) AS (
        SELECT id, issued_at, accepted_at FROM receipts
        WHERE merchant_id = :merchant_id AND original_id = root.id
        UNION ALL
        SELECT receipts.id, receipts.issued_at, receipts.accepted_at FROM receipts
        JOIN later ON receipts.original_id = later.id AND receipts.merchant_id = :merchant_id
    ) SELECT {what} FROM later"""
_YOUNG = _LATER.format(what="1") + " WHERE issued_at >= :before OR accepted_at >= :before"
_DUE = f"""
    FROM receipts AS root
    WHERE merchant_id = :merchant_id AND original_id IS NULL AND issued_at < :before AND accepted_at < :before
    AND NOT EXISTS ({_YOUNG})"""
_INSTANTS = (bindparam("before", type_=Instant),)
_ROOTS = text(
    f"SELECT id, issued_at {_DUE} AND (issued_at, id) > (:issued_at, :id) ORDER BY issued_at, id LIMIT :at_most"
).bindparams(*_INSTANTS)
_COUNT = text(f"SELECT COALESCE(SUM(1 + ({_LATER.format(what='count(*)')})), 0) {_DUE}").bindparams(*_INSTANTS)


# What else is to be forgotten with receipts: of a merchant, by their ids.
Forget = Callable[[Connection, str, Collection[str]], None]


def _nothing_else(_conn: Connection, _merchant_id: str, _ids: Collection[str]) -> None:
    """Where nothing hangs on receipts but what is ours."""


@dataclass(frozen=True, slots=True)
class Root:
    """The first of a family. ``issued_at`` is in microseconds, as it is stored."""

    issued_at: int
    id: str


_BEFORE_ALL: Final = Root(-(2**62), "")


def purge_all(
    engine: Engine, storage: Storage, *, now: datetime, stop: Callable[[], bool], forget: Forget = _nothing_else
) -> int:
    """Purge every merchant's receipts and their PDFs, in small transactions with pauses, until ``stop``; how many.

    ``forget`` is asked in the transaction of the receipts that go.
    """
    with reading(engine) as conn:
        limited = list(conn.scalars(select(Merchant.id).where(Merchant.keep_days.is_not(None)).order_by(Merchant.id)))
    return sum(purge_merchant(engine, storage, each, now=now, stop=stop, forget=forget) for each in limited)


def purge_merchant(
    engine: Engine,
    storage: Storage,
    merchant_id: str,
    *,
    now: datetime,
    stop: Callable[[], bool],
    forget: Forget = _nothing_else,
) -> int:
    """As :func:`purge_all`, for one. Where it is killed, the next run does what is left."""
    count, last = 0, _BEFORE_ALL
    while not stop():
        # What is due is looked for outside of the transaction: it may take a while where much is kept.
        with reading(engine) as conn:
            roots = due(conn, merchant_id, now=now, after=last)
            tokens = [row.token for row in _families(conn, merchant_id, [root.id for root in roots])]
        if not roots:
            _forget_keys(engine, merchant_id, stop)
            return count
        # First the PDFs: nobody would find them when this is killed after the commit.
        _forget_pdfs(storage, tokens)
        with in_turn(engine) as conn:
            gone = remove(conn, merchant_id, roots, now=now, forget=forget)
        # And once more: until the commit, who asked for one made it again.
        _forget_pdfs(storage, gone)
        count, last = count + len(gone), roots[-1]
    return count


def pdf_folder(token: str) -> str:
    """Where the PDFs of a receipt are kept: together, so that they can be found; and without telling its token."""
    return f"pdf/{digest(token)}"


def _forget_pdfs(storage: Storage, tokens: Iterable[str]) -> None:
    for token in tokens:
        for key in list(storage.keys(f"{pdf_folder(token)}/")):
            storage.delete(key)


def count_due(conn: Connection, merchant_id: str, *, now: datetime) -> int:
    """How many receipts a purge would delete now."""
    before = _limit(conn, merchant_id, now)
    return int(conn.scalar(_COUNT, {"merchant_id": merchant_id, "before": before}) or 0) if before else 0


def purged(conn: Connection, tokens: Collection[str]) -> set[str]:
    """Those of ``tokens`` whose receipts were purged. Whoever knows a token may know that, so no merchant is named."""
    by_digest = {digest(token): token for token in tokens}
    found = conn.scalars(select(PurgedReceipt.digest).where(PurgedReceipt.digest.in_(by_digest)))
    return {by_digest[each] for each in found}


def erase_shopper(conn: Connection, merchant_id: str, receipt_id: str) -> None:
    """Forget who bought, and all messages to them; what waits is not sent. The receipt stays as it is, held against
    those who write beside it (:func:`receipts.find.stays`)."""
    mine = (Receipt.merchant_id == merchant_id, Receipt.id == receipt_id)
    conn.execute(select(Receipt.id).where(*mine).with_for_update())
    _forget_people(conn, merchant_id, [receipt_id])


def _limit(conn: Connection, merchant_id: str, now: datetime) -> datetime | None:
    """What is older is due; None where everything is kept."""
    days = conn.scalar(select(Merchant.keep_days).where(Merchant.id == merchant_id))
    return None if days is None else now - timedelta(days=days)


def due(conn: Connection, merchant_id: str, *, now: datetime, after: Root = _BEFORE_ALL) -> list[Root]:
    """Some families of which all is over its time, oldest first, from ``after`` on."""
    before = _limit(conn, merchant_id, now)
    if before is None:
        return []
    wanted = {"merchant_id": merchant_id, "before": before, "at_most": _TOGETHER}
    found = conn.execute(_ROOTS, wanted | {"issued_at": after.issued_at, "id": after.id})
    return [Root(row.issued_at, row.id) for row in found]


def remove(
    conn: Connection, merchant_id: str, roots: Sequence[Root], *, now: datetime, forget: Forget = _nothing_else
) -> list[str]:
    """Delete those families of which all is still over its time; the tokens of their receipts.

    Two may do so at once, and refunds may arrive meanwhile: who comes second waits, and then sees what is left.
    """
    before = _limit(conn, merchant_id, now)
    if before is None:
        return []
    ids = [root.id for root in roots]
    # A refund that arrives waits from here on, or is seen below: to refer to a receipt is to lock it (PostgreSQL), and
    # SQLite lets one write at a time. Always in the same order, or two that purge could wait for each other.
    family = sorted(row.id for row in _families(conn, merchant_id, ids))
    conn.execute(select(Receipt.id).where(_of(merchant_id, family)).order_by(Receipt.id).with_for_update())
    rows = _families(conn, merchant_id, ids)
    young = {row.root for row in rows if row.issued_at >= before or row.accepted_at >= before}
    going = {row.id: row.token for row in rows if row.root not in young}
    if not going:
        return []
    _forget_people(conn, merchant_id, going)
    forget(conn, merchant_id, going)
    conn.execute(delete(ReturnedSum).where(ReturnedSum.merchant_id == merchant_id, ReturnedSum.receipt_id.in_(going)))
    gone = [{"digest": digest(each), "merchant_id": merchant_id, "purged_at": now} for each in going.values()]
    conn.execute(insert_or_ignore(conn, PurgedReceipt), gone)
    conn.execute(delete(Receipt).where(_of(merchant_id, going)))
    return list(going.values())


def _of(merchant_id: str, ids: Collection[str]) -> ColumnElement[bool]:
    return (unindexed(Receipt.merchant_id) == merchant_id) & Receipt.id.in_(ids)


def _families(conn: Connection, merchant_id: str, roots: Sequence[str]) -> Sequence[Any]:
    """Rows of ``root``, id, token, issued_at and accepted_at: each root, and all that came after it."""
    columns = (Receipt.id, Receipt.token, Receipt.issued_at, Receipt.accepted_at)
    first = select(Receipt.id.label("root"), *columns).where(_of(merchant_id, roots)).cte("family", recursive=True)
    later = select(first.c.root, *columns).join(first, Receipt.original_id == first.c.id)
    family = first.union_all(later.where(Receipt.merchant_id == merchant_id))
    return conn.execute(select(family)).all()


def _forget_people(conn: Connection, merchant_id: str, ids: Collection[str]) -> None:
    mine = (unindexed(ReceiptShopper.merchant_id) == merchant_id) & ReceiptShopper.receipt_id.in_(ids)
    conn.execute(delete(ReceiptShopper).where(mine))
    conn.execute(delete(Message).where(Message.merchant_id == merchant_id, Message.subject_id.in_(ids)))


def _forget_keys(engine: Engine, merchant_id: str, stop: Callable[[], bool]) -> None:
    """Delete the idempotency keys whose receipts are gone. They have no index by receipt, which would cost each sale:
    all keys of the merchant are read, page by page, and few deleted."""
    last: str | None = ""
    while last is not None and not stop():
        with reading(engine) as conn:
            last, lost = _lost_keys(conn, merchant_id, last)
        if lost:
            with in_turn(engine) as conn:
                mine = (IdempotencyKey.merchant_id == merchant_id) & IdempotencyKey.key.in_(lost)
                conn.execute(delete(IdempotencyKey).where(mine, IdempotencyKey.receipt_id.in_(set(lost.values()))))


def _lost_keys(conn: Connection, merchant_id: str, after: str) -> tuple[str | None, dict[str, str]]:
    """The last key of a page, if it is not the last page, and those of the page that lead to no receipt."""
    mine = (IdempotencyKey.merchant_id == merchant_id) & (IdempotencyKey.key > after)
    wanted = select(IdempotencyKey.key, IdempotencyKey.receipt_id).where(mine).order_by(IdempotencyKey.key)
    page = {row.key: row.receipt_id for row in conn.execute(wanted.limit(_KEYS_TOGETHER))}
    there = set(conn.scalars(select(Receipt.id).where(_of(merchant_id, set(page.values())))))
    last = list(page)[-1] if len(page) == _KEYS_TOGETHER else None
    return last, {key: receipt_id for key, receipt_id in page.items() if receipt_id not in there}
