"""A merchant who has given many cards: straight rows, as engagement.rewards writes them."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import orjson
from sqlalchemy import Connection, insert, select, update

from accounts.tables import ApiKey
from cards import manage
from cards.manage import Belongs
from cards.profile import Profile
from cards.tables import Card
from engagement.rewards import managing
from engagement.rewards.definition import read_campaign
from engagement.rewards.tables import Campaign, Prize, PrizeSlot, Redemption, Reward, SeenShopper
from kernel.ids import new_id
from receipts.tables import Receipt, ReceiptShopper
from tests.support.campaigns import campaign

FEW: Final = 5
_TOGETHER: Final = 2_000
Row = dict[str, Any]
SHOPPER: Final = "f" * 32
CODE: Final = "0" * 64


def fill_rewards(conn: Connection, merchant_id: str, count: int, *, newest: datetime) -> None:
    """``count`` cards of a campaign that has ended, all used, and a few of one that runs, scratched, on the newest
    receipts, of one shopper, given by Emma, on whose business card stands who bought last; and as many slots, of which
    a few are free."""
    newest_first = select(Receipt.id).where(Receipt.merchant_id == merchant_id).order_by(Receipt.id.desc())
    receipts = list(conn.scalars(newest_first.limit(FEW)))
    key_id = conn.scalar(select(ApiKey.id).where(ApiKey.merchant_id == merchant_id).limit(1))
    emma = _with_a_card(conn, merchant_id, newest)
    for given, state, hung, now in ((count, "redeemed", [], "ended"), (FEW, "revealed", receipts, "live")):
        campaign_id, prize_id = _launched(conn, merchant_id, newest - timedelta(seconds=given), now)
        cards = [
            _card(merchant_id, campaign_id, prize_id, at, given, state, newest) | _hung(hung, at, emma)
            for at in range(given)
        ]
        _put(conn, Reward, cards)
        _put(conn, PrizeSlot, [_slot(merchant_id, campaign_id, prize_id, at, given) for at in range(given)])
        if state == "redeemed":
            _put(conn, Redemption, [_use(merchant_id, each, key_id) for each in cards])
    seen = [{"merchant_id": merchant_id, "shopper": f"{at:032x}", "receipt_id": f"rct_{at}"} for at in range(count)]
    _put(conn, SeenShopper, seen)


def few(conn: Connection, merchant_id: str) -> str:
    """The campaign that has given few."""
    return _campaigns(conn, merchant_id)[-1]


def many(conn: Connection, merchant_id: str) -> str:
    """The campaign that has given very many."""
    return _campaigns(conn, merchant_id)[0]


def _campaigns(conn: Connection, merchant_id: str) -> Sequence[str]:
    return conn.scalars(select(Campaign.id).where(Campaign.merchant_id == merchant_id).order_by(Campaign.id)).all()


def _put(conn: Connection, table: Any, rows: list[Row]) -> None:
    for start in range(0, len(rows), _TOGETHER):
        conn.execute(insert(table), rows[start : start + _TOGETHER])


def _launched(conn: Connection, merchant_id: str, now: datetime, state: str) -> tuple[str, str]:
    new = read_campaign(campaign(caps={"per_shopper": 9}))
    campaign_id = managing.create(conn, merchant_id, new, now=now)
    mine = (Campaign.merchant_id == merchant_id, Campaign.id == campaign_id)
    conn.execute(update(Campaign).where(*mine).values(state=state, launched_at=now))
    prize = select(Prize.id).where(Prize.merchant_id == merchant_id, Prize.campaign_id == campaign_id)
    return campaign_id, conn.execute(prize).scalar_one()


def _card(merchant_id: str, campaign_id: str, prize_id: str, at: int, many: int, state: str, newest: datetime) -> Row:
    moment = newest - timedelta(hours=many - at)
    is_few = state == "revealed"
    return {
        "id": new_id("rwd", moment),
        "merchant_id": merchant_id,
        "campaign_id": campaign_id,
        "entry": f"rct_{at}/0",
        "origin": "receipt",
        "receipt_id": None,
        "shopper": SHOPPER if is_few else f"{at:032x}",
        "spend": 320,
        "needs": 0,
        "prize_id": prize_id,
        "supplier_id": merchant_id,
        "face_value": 320,
        "currency": "EUR",
        "bearer": "issuer",
        "nonce": 0,
        "gone": "[]",
        "code_digest": CODE if is_few and at == 0 else f"{campaign_id}-{at}",
        "code_hint": "ABCD",
        "state": state,
        "issued_at": moment,
        "revealed_at": moment,
        "expires_at": moment,
    }


def _hung(receipts: list[str], at: int, staff_id: str) -> Row:
    return {"receipt_id": receipts[at], "staff_id": staff_id} if at < len(receipts) else {}


def _with_a_card(conn: Connection, merchant_id: str, now: datetime) -> str:
    """Her id."""
    named = select(ReceiptShopper.details).where(ReceiptShopper.merchant_id == merchant_id)
    details = conn.execute(named.order_by(ReceiptShopper.receipt_id.desc()).limit(1)).scalar_one()
    email = orjson.loads(details)["shopper"]["email"]
    told = Profile.model_validate({"name": "Emma", "emails": [{"address": email}]})
    manage.create(conn, merchant_id, Belongs(staff="emma", store="mitte"), told, now=now)
    return conn.execute(select(Card.staff_id).where(Card.merchant_id == merchant_id)).scalar_one()


def _slot(merchant_id: str, campaign_id: str, prize_id: str, at: int, many: int) -> Row:
    return {
        "campaign_id": campaign_id,
        "position": at,
        "merchant_id": merchant_id,
        "prize_id": prize_id,
        "pool_code_id": None,
        # The last few are free.
        "reward_id": None if at >= many - FEW else f"rwd_{at}",
    }


def _use(merchant_id: str, card: Row, key_id: str | None) -> Row:
    return {
        "id": new_id("rdm", card["issued_at"]),
        "merchant_id": merchant_id,
        "issuer_id": merchant_id,
        "reward_id": card["id"],
        "campaign_id": card["campaign_id"],
        "prize_id": card["prize_id"],
        "bearer": "issuer",
        "amount": 320,
        "face_value": 320,
        "currency": "EUR",
        "fingerprint": "0" * 64,
        "key_id": key_id,
        "redeemed_at": card["issued_at"],
    }
