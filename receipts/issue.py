"""Accepting receipts: many at once, each exactly once."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, cast

from sqlalchemy import ColumnElement, Connection, Table, delete, select, union_all, update

from infra.bulk import insert_new
from kernel.errors import Conflict, FieldError, Problem
from receipts.tables import IdempotencyKey, Receipt, ReceiptShopper

_RECEIPTS, _SHOPPERS, _KEYS = (cast("Table", each.__table__) for each in (Receipt, ReceiptShopper, IdempotencyKey))


@dataclass(frozen=True, slots=True)
class Draft:
    """A receipt that is ready to be written."""

    row: dict[str, Any]
    shopper: dict[str, Any] | None = None
    idempotency_key: str | None = None
    # Whether the till minted the token, and so has printed it.
    is_minted: bool = False


@dataclass(frozen=True, slots=True)
class Issued:
    id: str
    token: str
    number: str
    # A JSON array.
    warnings: str
    is_new: bool
    # Of the receipt that this one amends.
    original_token: str | None = None


def issue(conn: Connection, drafts: Sequence[Draft], *, now: datetime) -> list[Issued | Problem]:
    """Write what is new; answer a repetition with the receipt that is there, a contradiction with a :class:`Conflict`.

    Two statements serve any number of drafts. The unique constraints decide every race, so two tills, two processes and
    two drafts of one call are all the same case.
    """
    if not drafts:
        return []
    ours = _claim_keys(conn, drafts, now)
    rows = [draft.row for draft, is_ours in zip(drafts, ours, strict=True) if is_ours]
    written = insert_new(conn, _RECEIPTS, rows, _RECEIPTS.c.id)
    shoppers = [draft.shopper for draft in drafts if draft.shopper and draft.row["id"] in written]
    insert_new(conn, _SHOPPERS, shoppers, _SHOPPERS.c.receipt_id)
    return [_issued(draft.row, True) if draft.row["id"] in written else _earlier(conn, draft) for draft in drafts]


def _claim_keys(conn: Connection, drafts: Sequence[Draft], now: datetime) -> list[bool]:
    """Which drafts hold their idempotency key, or need none."""
    rows = [
        {
            "merchant_id": draft.row["merchant_id"],
            "key": draft.idempotency_key,
            "receipt_id": draft.row["id"],
            "created_at": now,
        }
        for draft in drafts
        if draft.idempotency_key is not None
    ]
    claimed = insert_new(conn, _KEYS, rows, _KEYS.c.receipt_id)
    return [draft.idempotency_key is None or draft.row["id"] in claimed for draft in drafts]


def warn(conn: Connection, merchant_id: str, issued: Issued, warnings: str) -> Issued:
    """Add to the warnings of a receipt that is being accepted in this very transaction."""
    mine = (Receipt.merchant_id == merchant_id) & (Receipt.id == issued.id)
    conn.execute(update(Receipt).where(mine).values(warnings=warnings))
    return replace(issued, warnings=warnings)


def _issued(row: Any, is_new: bool) -> Issued:
    return Issued(row["id"], row["token"], row["number"], row["warnings"], is_new)


def _earlier(conn: Connection, draft: Draft) -> Issued | Problem:
    """The receipt that was there before ``draft``, if it is the same; what stands against it, if not."""
    same = repetition(conn, draft)
    _settle_key(conn, draft, same.id if same else None)
    return same or _contradiction(_before(conn, draft), draft)


def _before(conn: Connection, draft: Draft) -> Sequence[Any]:
    """What is there under the key, external id or token of ``draft``, or was written by a lost try."""
    row, merchant_id = draft.row, draft.row["merchant_id"]
    same: list[ColumnElement[bool]] = [Receipt.id == row["id"], Receipt.token == row["token"]]
    if row["external_id"] is not None:
        same.append((Receipt.source == row["source"]) & (Receipt.external_id == row["external_id"]))
    if draft.idempotency_key is not None:
        ours = (IdempotencyKey.merchant_id == merchant_id) & (IdempotencyKey.key == draft.idempotency_key)
        same.append(Receipt.id == select(IdempotencyKey.receipt_id).where(ours).scalar_subquery())
    mine = select(Receipt.__table__).where(Receipt.merchant_id == merchant_id)
    # Each condition has an index of its own; joined by OR they would read all receipts of the merchant.
    found = conn.execute(union_all(*(mine.where(condition) for condition in same))).mappings()
    return list({each["id"]: each for each in found}.values())


def repetition(conn: Connection, draft: Draft) -> Issued | None:
    """The receipt that was made of the very same sale before, if it was."""
    found = _before(conn, draft)
    is_same = len(found) == 1 and found[0]["fingerprint"] == draft.row["fingerprint"]
    return _issued(found[0], False) if is_same and not _is_printed(draft, found) else None


def _is_printed(draft: Draft, found: Sequence[Any]) -> bool:
    """Whether the till gave out another token for the one receipt that was found."""
    return draft.is_minted and len(found) == 1 and bool(found[0]["token"] != draft.row["token"])


def _settle_key(conn: Connection, draft: Draft, receipt_id: str | None) -> None:
    """A key claimed for a receipt that then was not written leads to the one that is there, or is free again."""
    if draft.idempotency_key is None:
        return
    claimed = (
        IdempotencyKey.merchant_id == draft.row["merchant_id"],
        IdempotencyKey.key == draft.idempotency_key,
        IdempotencyKey.receipt_id == draft.row["id"],
    )
    if receipt_id is None:
        conn.execute(delete(IdempotencyKey).where(*claimed))
    else:
        conn.execute(update(IdempotencyKey).where(*claimed).values(receipt_id=receipt_id))


def _contradiction(found: Sequence[Any], draft: Draft) -> Conflict:
    row, printed = draft.row, _is_printed(draft, found)
    if printed or not found or any(each["token"] == row["token"] for each in found):
        wrong = "is not the one of this receipt" if printed else "leads to another receipt; mint a new one"
        return Conflict("The token does not fit the receipt", errors=[FieldError("/token", wrong)])
    if any(each["external_id"] == row["external_id"] is not None for each in found):
        right = "is taken by a sale with different content; send the same body, or a new id"
        return Conflict("Another sale was accepted under this external_id", errors=[FieldError("/external_id", right)])
    right = "was used with a different body; use a new key for a new sale"
    return Conflict("Another sale was accepted under this key", errors=[FieldError("header:Idempotency-Key", right)])
