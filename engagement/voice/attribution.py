"""Which sales came of a code that a promoter handed on: looked for by the clock, out of the way of the tills."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import orjson
import structlog
from sqlalchemy import Connection, Engine, Select, and_, bindparam, delete, select, update
from sqlalchemy.orm import aliased

from engagement import events, scratch, shoppers
from engagement.offers.ledger import OVERLAP
from engagement.offers.tables import Basket
from engagement.surveys.tables import SurveyAnswer
from engagement.voice import referrals
from engagement.voice.tables import Referral, ReferralRun, ReferralUse, VoiceSettings
from infra.database import in_turn, insert_or_ignore, unindexed
from infra.trouble import is_of_its_values, reason
from kernel.ids import least_id, new_id
from receipts import find as receipts_find
from receipts.tables import Receipt, ReceiptShopper

_log = structlog.get_logger()
_TOGETHER: Final = 200
_MOST_CODES: Final = 20
_LOOKED_AT: Final = ("id", "merchant_id", "kind", "total", "currency", "issued_at", "original_id")
# None where the answer was deleted before its code was minted.
_ANSWER_THERE: Final = (
    select(SurveyAnswer.id)
    .where(SurveyAnswer.merchant_id == Referral.merchant_id, SurveyAnswer.id == Referral.answer_id)
    .scalar_subquery()
)
# There is one, for all merchants.
_THE_RUN: Final = 1
_VOIDING: Final = aliased(Receipt)
# What shoppers bought since a sale that counted for them, and is voided by one of some receipts. Only the ledger knows
# it by the shopper; what that has not seen by then is found by the look back.
_KEPT_OUT: Final = (
    select(Basket.receipt_id)
    .select_from(Receipt)
    .join(
        ReferralUse,
        and_(unindexed(ReferralUse.merchant_id) == Receipt.merchant_id, ReferralUse.receipt_id == Receipt.original_id),
    )
    .join(Basket, and_(Basket.merchant_id == ReferralUse.merchant_id, Basket.shopper == ReferralUse.shopper))
    .where(Receipt.id.in_(bindparam("ids", expanding=True)), unindexed(Receipt.kind) == "void")
    .where(unindexed(Basket.receipt_id) > ReferralUse.receipt_id)
    # A void comes soon, and it is the first of these that counts.
    .order_by(Basket.receipt_id)
    .limit(_TOGETHER)
)


@dataclass(frozen=True, slots=True)
class Keys:
    """``codes`` is derived for :data:`referrals.PURPOSE`, ``shoppers`` for :data:`shoppers.PURPOSE`."""

    codes: bytes
    shoppers: bytes


@dataclass(frozen=True, slots=True)
class Sold:
    """A receipt, and what of it is private."""

    row: Any
    details: dict[str, Any]


def mint(engine: Engine, keys: Keys, *, stop: Callable[[], bool]) -> int:
    """Make the hashes of codes that were offered, of all merchants, which only the clock asks for, until ``stop``; how
    many."""
    count, done = 0, _TOGETHER
    while done == _TOGETHER and not stop():
        with in_turn(engine) as conn:
            done = _mint_some(conn, keys)
        count += done
    return count


def attribute(engine: Engine, keys: Keys, *, now: datetime, stop: Callable[[], bool]) -> int:
    """Go through the receipts that are new since, of all merchants who ever gave codes, until ``stop``; how many came
    of one. Codes are minted first, so that none is looked for before it is known."""
    mint(engine, keys, stop=stop)
    count, is_more = 0, True
    while is_more and not stop():
        with in_turn(engine) as conn:
            found, is_more = _attribute_some(conn, keys, now)
        count += found
    return count


def look_back(engine: Engine, *, now: datetime, days: int) -> None:
    """Have the receipts of the last days looked at again, such as those of a long import; none counts twice."""
    since = least_id("rct", now - timedelta(days=days))
    with engine.begin() as conn:
        conn.execute(update(ReferralRun).where(ReferralRun.after > since).values(after=since))


def _mint_some(conn: Connection, keys: Keys) -> int:
    new = (Referral.digest.is_(None), ~Referral.is_retired, Referral.answer_id.is_not(None))
    columns = (Referral.id, Referral.merchant_id, Referral.answer_id, Referral.receipt_id)
    rows = conn.execute(select(*columns).where(*new).order_by(Referral.id).limit(_TOGETHER)).all()
    # In order, as a purge holds them: whoever purges one or erases its shopper comes before, or finds who this is.
    pairs = sorted((row.receipt_id, row.merchant_id) for row in rows if row.receipt_id)
    held = {receipt_id for receipt_id, merchant_id in pairs if receipts_find.stays(conn, merchant_id, receipt_id)}
    for row in rows:
        code = referrals.code_of(keys.codes, row.answer_id)
        values: dict[str, Any] = {
            "digest": referrals.hashed(keys.codes, row.merchant_id, code),
            "last4": code[-4:],
            "answer_id": _ANSWER_THERE,
        }
        values["shopper"] = _shopper(conn, keys, row.merchant_id, row.receipt_id) if row.receipt_id in held else None
        mine = (Referral.merchant_id == row.merchant_id, Referral.id == row.id, ~Referral.is_retired)
        conn.execute(update(Referral).where(*mine).values(values))
    return len(rows)


def _attribute_some(conn: Connection, keys: Keys, now: datetime) -> tuple[int, bool]:
    """How many of some receipts came of a code, and whether there are more. The newest are left for later: an id is
    drawn before its transaction ends, so a receipt may still come before one that is there."""
    after = _begun(conn)
    if after is None:
        return 0, False
    new = new_after(conn, after, now=now)
    count = sum(_attributed(conn, keys, each, now) for each in held(conn, new))
    is_more = len(new) == _TOGETHER
    reached = new[-1] if is_more else max(after, _settled(now))
    conn.execute(update(ReferralRun).values(after=reached))
    return count, is_more


def _attributed(conn: Connection, keys: Keys, sold: Sold, now: datetime) -> bool:
    """One that cannot be read, or what it says not be written, is stepped over: it does not keep all merchants' others
    for ever."""
    try:
        with conn.begin_nested():
            return attributed(conn, keys, sold, now=now)
    except Exception as error:
        if not is_of_its_values(error):
            raise
        _log.error("referral_not_looked_for", receipt=sold.row.id, **reason(error))
        return False


def new_after(conn: Connection, after: str, *, now: datetime) -> list[str]:
    """The ids of the next receipts of all merchants who ever gave codes."""
    # All new ones are few: they are found by their ids, once for all merchants.
    theirs = select(VoiceSettings.merchant_id).where(VoiceSettings.referrals.is_not(None))
    new = (Receipt.id > after, Receipt.id < _settled(now), unindexed(Receipt.merchant_id).in_(theirs))
    return list(conn.scalars(select(Receipt.id).where(*new).order_by(Receipt.id).limit(_TOGETHER)))


def held(conn: Connection, receipt_ids: Sequence[str]) -> list[Sold]:
    """These, voids first, and with them the sales for which a void makes room: they were looked at before it. Both rows
    are held until the transaction ends: whoever purges or erases them meanwhile waits, and then finds what is written
    beside them."""
    ids = [*receipt_ids, *conn.scalars(_KEPT_OUT, {"ids": receipt_ids})]
    columns = [getattr(Receipt, name) for name in _LOOKED_AT]
    query = select(*columns, Receipt.content).where(Receipt.id.in_(ids)).order_by(Receipt.id)
    rows = conn.execute(query.with_for_update(read=True, key_share=True)).all()
    private = select(ReceiptShopper.receipt_id, ReceiptShopper.details)
    private = private.where(ReceiptShopper.receipt_id.in_([row.id for row in rows]))
    named = conn.execute(private.order_by(ReceiptShopper.receipt_id).with_for_update(read=True))
    details = {each.receipt_id: orjson.loads(each.details) for each in named}
    return [Sold(row, details.get(row.id, {})) for row in sorted(rows, key=lambda each: each.kind != "void")]


def _settled(now: datetime) -> str:
    return least_id("rct", now - OVERLAP)


def _begun(conn: Connection) -> str | None:
    """Behind which receipt to go on, held until the transaction ends; None before any code was offered."""
    the_run = select(ReferralRun.after).with_for_update()
    if (after := conn.scalar(the_run)) is not None:
        return str(after)
    # Ids sort by age.
    first = conn.scalar(select(Referral.offered_at).order_by(Referral.id).limit(1))
    if first is None:
        return None
    conn.execute(insert_or_ignore(conn, ReferralRun).values(id=_THE_RUN, after=least_id("rct", first)))
    return str(conn.scalar(the_run))


def attributed(conn: Connection, keys: Keys, sold: Sold, *, now: datetime) -> bool:
    """Whether it came of a code, and was not counted before. What is voided counts no more, and makes room for what
    is rung up in its place."""
    row, details, content = sold.row, sold.details, orjson.loads(sold.row.content)
    if row.kind == "void" and row.original_id is not None:
        mine = (ReferralUse.merchant_id == row.merchant_id, ReferralUse.receipt_id == row.original_id)
        conn.execute(delete(ReferralUse).where(*mine))
    if row.kind != "sale" or "training" in content.get("flags", ()) or _is_void(conn, row):
        return False
    found = _referral(conn, keys, row.merchant_id, [*_codes(content, details)][:_MOST_CODES])
    if found is None or found.receipt_id == row.id:
        return False
    shopper = shoppers.behind(keys.shoppers, row.merchant_id, details)
    if shopper is not None and shopper == found.shopper:
        return False
    use = {"id": new_id("use", now), "merchant_id": row.merchant_id, "referral_id": found.id, "receipt_id": row.id}
    is_new = shopper is not None and not _bought_before(conn, row, shopper)
    use |= {"shopper": shopper, "is_known": shopper is not None, "is_new": is_new}
    use |= {"total": row.total, "currency": row.currency, "used_at": now}
    # Each receipt once, and each shopper once at a merchant: the two unique constraints decide.
    new = insert_or_ignore(conn, ReferralUse).values(use).returning(ReferralUse.id)
    is_counted = conn.scalar(new) is not None
    if is_counted:
        data = {"referral_id": found.id, "answer_id": found.answer_id, "is_known": use["is_known"], "is_new": is_new}
        events.tell(conn, row.merchant_id, "referral.used", data, now=now, receipt_id=row.id)
    return is_counted


def _is_void(conn: Connection, row: Any) -> bool:
    return conn.scalar(_voids(row.merchant_id, row.id).limit(1)) is not None


def _bought_before(conn: Connection, row: Any, shopper: str) -> bool:
    """As far as the ledger of baskets goes back. What was voided was not bought."""
    theirs = (Basket.merchant_id == row.merchant_id, Basket.shopper == shopper, Basket.at < row.issued_at)
    query = select(Basket.receipt_id).join(Receipt, Receipt.id == Basket.receipt_id)
    query = query.where(*theirs, Basket.receipt_id != row.id, unindexed(Receipt.kind) != "void")
    return conn.scalar(query.where(~_voids(row.merchant_id, Basket.receipt_id).exists()).limit(1)) is not None


def _voids(merchant_id: str, receipt_id: Any) -> Select[Any]:
    mine = (_VOIDING.merchant_id == merchant_id, _VOIDING.original_id == receipt_id, _VOIDING.kind == "void")
    return select(_VOIDING.id).where(*mine)


def _codes(content: Mapping[str, Any], details: Mapping[str, Any]) -> Iterator[str]:
    """What of a sale looks like a code: of its metadata, its discounts and those of its lines."""
    discounts = [*content.get("discounts", ()), *(one for each in content.get("lines", ()) for one in _of_line(each))]
    told = [details.get("metadata", {}).get("referral_code"), *(each.get("code") for each in discounts)]
    for each in told:
        if isinstance(each, str) and (code := scratch.tidy(each)) is not None:
            yield code


def _of_line(line: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return list(line.get("discounts", ()))


def _referral(conn: Connection, keys: Keys, merchant_id: str, codes: list[str]) -> Any:
    """The first code of the sale that is one of ours."""
    if not codes:
        return None
    hashes = [referrals.hashed(keys.codes, merchant_id, code) for code in codes]
    columns = (Referral.id, Referral.answer_id, Referral.receipt_id, Referral.shopper, Referral.digest)
    live = (Referral.merchant_id == merchant_id, Referral.digest.in_(hashes), ~Referral.is_retired)
    return min(conn.execute(select(*columns).where(*live)), key=lambda row: hashes.index(row.digest), default=None)


def _shopper(conn: Connection, keys: Keys, merchant_id: str, receipt_id: str) -> str | None:
    return shoppers.behind(keys.shoppers, merchant_id, receipts_find.private_part(conn, merchant_id, receipt_id))
