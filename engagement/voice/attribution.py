"""Which sales came of a code that a promoter handed on: looked for by the clock, out of the way of the tills."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import orjson
import structlog
from sqlalchemy import Connection, Engine, delete, select, update

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
    found = receipts_after(conn, after, now=now)
    count = sum(_attributed(conn, keys, each, now) for each in found)
    is_more = len(found) == _TOGETHER
    reached = found[-1].row.id if is_more else max(after, _settled(now))
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


def receipts_after(conn: Connection, after: str, *, now: datetime) -> list[Sold]:
    """The next ones of all merchants who ever gave codes. Both rows are held until the transaction ends: whoever purges
    or erases them meanwhile waits, and then finds what is written beside them."""
    columns = [getattr(Receipt, name) for name in _LOOKED_AT]
    # All new ones are few: they are found by their ids, once for all merchants.
    theirs = select(VoiceSettings.merchant_id).where(VoiceSettings.referrals.is_not(None))
    new = (Receipt.id > after, Receipt.id < _settled(now), unindexed(Receipt.merchant_id).in_(theirs))
    query = select(*columns, Receipt.content).where(*new).order_by(Receipt.id).limit(_TOGETHER)
    rows = conn.execute(query.with_for_update(read=True, key_share=True, of=Receipt)).all()
    private = select(ReceiptShopper.receipt_id, ReceiptShopper.details)
    private = private.where(ReceiptShopper.receipt_id.in_([row.id for row in rows]))
    held = conn.execute(private.order_by(ReceiptShopper.receipt_id).with_for_update(read=True))
    details = {each.receipt_id: orjson.loads(each.details) for each in held}
    return [Sold(row, details.get(row.id, {})) for row in rows]


def _settled(now: datetime) -> str:
    return least_id("rct", now - OVERLAP)


def _begun(conn: Connection) -> str | None:
    """Behind which receipt to go on, held until the transaction ends; None before any code was offered."""
    held = select(ReferralRun.after).with_for_update()
    if (after := conn.scalar(held)) is not None:
        return str(after)
    # Ids sort by age.
    first = conn.scalar(select(Referral.offered_at).order_by(Referral.id).limit(1))
    if first is None:
        return None
    conn.execute(insert_or_ignore(conn, ReferralRun).values(id=_THE_RUN, after=least_id("rct", first)))
    return str(conn.scalar(held))


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
    later = (Receipt.merchant_id == row.merchant_id, Receipt.original_id == row.id, Receipt.kind == "void")
    return conn.scalar(select(Receipt.id).where(*later).limit(1)) is not None


def _bought_before(conn: Connection, row: Any, shopper: str) -> bool:
    """As far as the ledger of baskets goes back."""
    theirs = (Basket.merchant_id == row.merchant_id, Basket.shopper == shopper, Basket.at < row.issued_at)
    return conn.scalar(select(Basket.receipt_id).where(*theirs, Basket.receipt_id != row.id).limit(1)) is not None


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
