"""A merchant about whom much is said: straight rows, as engagement.voice writes them."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, insert, select

from accounts import find as accounts_find
from accounts import manage
from engagement.voice.tables import Case, CaseChange, Referral, ReferralUse, Review, VoiceSettings
from kernel.ids import new_id
from receipts.tables import Receipt

FEW: Final = 5
_TOGETHER: Final = 2_000
Row = dict[str, Any]


def fill_voice(conn: Connection, merchant_id: str, count: int, *, newest: datetime) -> None:
    """``count`` cases, codes and reviews of one store and product, and a few of another; few cases are open, beside
    ``count`` of another merchant's that were escalated long ago. The oldest few hang on receipts."""
    stores = [accounts_find.store_id(conn, merchant_id, slug) for slug in ("kreuzberg", "mitte")]
    receipts = list(
        conn.scalars(
            select(Receipt.id).where(Receipt.merchant_id == merchant_id).order_by(Receipt.id.desc()).limit(FEW)
        )
    )
    conn.execute(insert(VoiceSettings).values(merchant_id=merchant_id, referrals="{}"))
    for store_id, sku, together in ((stores[0], "much-said", count), (stores[1], "little-said", FEW)):
        hung = receipts if store_id == stores[1] else []
        for table, row in ((Case, _case), (Referral, _referral), (Review, _review)):
            made = _rows(row, merchant_id, store_id, sku, together, hung, newest)
            for start in range(0, together, _TOGETHER):
                conn.execute(insert(table), made[start : start + _TOGETHER])
    used = [_use(merchant_id, row) for row in conn.scalars(select(Referral.id).limit(count))]
    conn.execute(insert(ReferralUse), used)
    changes = [_change(merchant_id, row) for row in conn.scalars(select(Case.id).limit(count))]
    conn.execute(insert(CaseChange), changes)
    _fill_escalated(conn, count, newest)


def _fill_escalated(conn: Connection, count: int, newest: datetime) -> None:
    other = manage.create_merchant(conn, "quiet", manage.MerchantProfile(name="Quiet"), now=newest)
    made = _rows(_case, other, None, "", count, [], newest - timedelta(days=400))
    open_still = {"state": "open", "outcome": None, "resolved_at": None, "escalated_at": newest}
    conn.execute(insert(Case), [row | open_still for row in made])


def _rows(
    row: Callable[..., Row],
    merchant_id: str,
    store_id: str | None,
    sku: str,
    count: int,
    hung: list[str],
    newest: datetime,
) -> list[Row]:
    moments = [newest - timedelta(minutes=at) for at in range(count)]
    about = [hung[at] if at < len(hung) else None for at in range(count)]
    return [row(merchant_id, store_id, sku, at, receipt) for at, receipt in zip(moments, about, strict=True)]


def _case(merchant_id: str, store_id: str | None, sku: str, at: datetime, receipt_id: str | None) -> Row:
    is_open = receipt_id is not None
    return {
        "id": new_id("cas", at),
        "merchant_id": merchant_id,
        "answer_id": new_id("ans", at),
        "survey_id": "srv_1",
        "receipt_id": receipt_id,
        "store_id": store_id,
        "score": 2,
        "state": "open" if is_open else "resolved",
        "is_closed_by_itself": False,
        "outcome": None if is_open else "fixed",
        "revision": 1,
        "opened_at": at,
        "begun_at": at,
        "due_at": at,
        "changed_at": at,
        "told_at": at,
        "resolved_at": None if is_open else at + timedelta(hours=1),
    }


def _referral(merchant_id: str, store_id: str, sku: str, at: datetime, receipt_id: str | None) -> Row:
    row_id = new_id("ref", at)
    row = {"id": row_id, "merchant_id": merchant_id, "answer_id": row_id, "receipt_id": receipt_id}
    return row | {"store_id": store_id, "digest": row_id, "last4": "7KXF", "offered_at": at, "is_retired": False}


def _review(merchant_id: str, store_id: str, sku: str, at: datetime, receipt_id: str | None) -> Row:
    row_id = new_id("rev", at)
    row: Row = {"id": row_id, "merchant_id": merchant_id, "receipt_id": receipt_id, "author": row_id, "sku": sku}
    row |= {"product": sku, "stars": 4, "title": "", "text": "", "display_name": "", "language": "en", "holds": "[]"}
    state = "waiting" if receipt_id else "approved"
    return row | {"state": state, "revision": 1, "written_at": at, "changed_at": at, "is_by_hand": False}


def _use(merchant_id: str, referral_id: str) -> Row:
    row: Row = {"id": f"use{referral_id[3:]}", "merchant_id": merchant_id, "referral_id": referral_id}
    row |= {"is_known": False, "is_new": False, "total": 100, "currency": "EUR"}
    return row | {"used_at": datetime.fromisoformat("2026-11-20T00:00:00+00:00")}


def _change(merchant_id: str, case_id: str) -> Row:
    row: Row = {"id": f"cch{case_id[3:]}", "merchant_id": merchant_id, "case_id": case_id, "by": "key_1", "what": "{}"}
    return row | {"changed_at": datetime.fromisoformat("2026-11-20T00:00:00+00:00")}
