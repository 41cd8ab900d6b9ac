"""Scratch cards are given: with a receipt, in its own transaction, or for the asking.

What a shopper has is counted while nobody else gives them more (locks), what a prize has left is a slot that one
transaction takes (drawing), and caps of the whole campaign are one row each (tallies). So no cap, stock or budget is
broken, however many servers give at once.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Connection, case, func, insert, select, union_all

from engagement import events, scratch
from engagement.rewards import drawing, find, first, holdout, locks, tallies
from engagement.rewards.drawing import Outcome
from engagement.rewards.keys import RewardKeys, hint_of
from engagement.rewards.live import Live, has_its_allies, with_seed
from engagement.rewards.marks import mark_of
from engagement.rewards.records import Origin, RewardRecord
from engagement.rewards.rules import Facts, holds, least_spend, truths
from engagement.rewards.sold import Sold, facts_of
from engagement.rewards.tables import Campaign, PoolCode, Reward
from infra import secrets
from infra.database import unindexed
from kernel.errors import Conflict, NotFound, TooMany
from kernel.ids import new_id

_FREE: Final = "free"


@dataclass(frozen=True, slots=True)
class _Claim:
    """A card that is earned, if no cap stands against it."""

    live: Live
    entry: str
    shopper: str | None
    sold: Sold | None = None
    spend: int = 0
    needs: int = 0
    truths: str | None = None

    @property
    def order(self) -> tuple[str, str, str]:
        return self.live.id, self.shopper or "", self.entry

    @property
    def origin(self) -> Origin:
        return "receipt" if self.sold else "free"


def grant(
    conn: Connection,
    keys: RewardKeys,
    campaigns: dict[str, tuple[Live, ...]],
    sold: Sequence[Sold],
    *,
    now: datetime,
) -> list[str]:
    """The ids of the rewards that ``sold`` has earned, all of which are new receipts of this transaction."""
    counting = [each for each in sold if each.counts and each.merchant_id in campaigns]
    asking = {merchant for merchant, lives in campaigns.items() if any(each.asks_for_first_purchase for each in lives)}
    new = first.among(conn, [each for each in counting if each.merchant_id in asking])
    claims = [
        claim
        for each in counting
        for live in campaigns[each.merchant_id]
        if live.gives
        for claim in _earned(live, each, now, is_first=each.receipt_id in new)
    ]
    return _give(conn, keys, _with_cards(conn, keys, claims, now), now)


def tell_not_granted(conn: Connection, sold: Sold, *, now: datetime) -> None:
    """To the merchant: what went wrong may have cost a card, and the sale does not come again."""
    events.tell(conn, sold.merchant_id, "reward.not_granted", {}, now=now, receipt_id=sold.receipt_id)


def _with_cards(conn: Connection, keys: RewardKeys, claims: Sequence[_Claim], now: datetime) -> list[_Claim]:
    """Without those of shoppers who go without, which are remembered."""
    having = []
    for each in claims:
        if each.sold and each.shopper and holdout.is_withheld(keys, each.live, each.shopper):
            holdout.remember(conn, each.live, each.shopper, each.sold.receipt_id, now=now)
        else:
            having.append(each)
    return having


def grant_free_entry(
    conn: Connection, keys: RewardKeys, merchant_id: str, campaign_id: str, *, shopper: str, now: datetime
) -> RewardRecord:
    """A card without a purchase, for who is known by the pseudonym ``shopper``.

    Raises :class:`NotFound` where the campaign gives none, :class:`TooMany` where the shopper has had theirs, and
    :class:`Conflict` where nothing is left.
    """
    record = find.campaign(conn, merchant_id, campaign_id)
    free = record.definition.free_entry
    is_time = record.state == "live" and record.starts_at <= now < record.ends_at
    if free is None or not is_time or not has_its_allies(conn, record):
        raise NotFound("There are no free entries just now")
    live = with_seed(conn, keys, record)
    if live is None:
        raise NotFound("There are no free entries just now")
    claim = _Claim(live, new_id(_FREE, now), shopper)
    mine = (unindexed(Reward.merchant_id) == merchant_id, Reward.campaign_id == record.id, Reward.shopper == shopper)
    entries = select(func.count()).select_from(Reward).where(*mine, Reward.origin == _FREE)

    def give() -> list[str]:
        if (conn.scalar(entries) or 0) >= free.per_shopper:
            raise TooMany("Each person has so many free entries, and these are used")
        return _give_in_order(conn, keys, [claim], now)

    given = locks.giving(conn, [record.id], [(record.id, shopper)], give)
    if not given:
        raise Conflict("There is no card left for you today")
    return find.reward(conn, merchant_id, given[0])


def _earned(live: Live, sold: Sold, now: datetime, *, is_first: bool) -> Iterator[_Claim]:
    told = live.record.definition
    # Who is given a gift receipt is not to learn what was spent.
    if "gift" in sold.sale.flags or not live.takes(sold.sale.issued_at, now):
        return
    if (told.brands and sold.brand not in told.brands) or (told.countries and sold.country not in told.countries):
        return
    facts, rule = facts_of(sold, is_first=is_first), told.eligibility.rule if told.eligibility else None
    if not holds(rule, facts):
        return
    needs, told_of_goods = least_spend(rule, facts), truths(rule, facts)
    for number in range(_cards(live, facts)):
        least = max(needs, (number + 1) * told.for_each) if told.for_each else needs
        yield _Claim(live, f"{sold.receipt_id}/{number}", sold.shopper, sold, facts.spend, least, told_of_goods)


def _cards(live: Live, facts: Facts) -> int:
    told = live.record.definition
    if told.for_each is None:
        return 1
    return min(facts.spend // told.for_each, told.caps.per_receipt) if facts.currency == told.currency else 0


def _give(conn: Connection, keys: RewardKeys, claims: Sequence[_Claim], now: datetime) -> list[str]:
    if not claims:
        return []
    ordered = sorted(claims, key=lambda each: each.order)
    campaign_ids = {each.live.id for each in ordered}
    shoppers = {(each.live.id, each.shopper) for each in ordered if each.shopper}
    return locks.giving(conn, campaign_ids, shoppers, lambda: _give_in_order(conn, keys, ordered, now))


def _give_in_order(conn: Connection, keys: RewardKeys, ordered: Sequence[_Claim], now: datetime) -> list[str]:
    still = _still_live(conn, ordered)
    claims = [each for each in ordered if each.live.id in still]
    have = _what_they_have(conn, claims, now)
    rows = [row for each in claims if (row := _given(conn, keys, each, have, now)) is not None]
    if rows:
        conn.execute(insert(Reward), rows)
        events.tell_all(conn, [_told(row, now) for row in rows])
    return [row["id"] for row in rows]


def _still_live(conn: Connection, claims: Sequence[_Claim]) -> set[str]:
    """Asked under the lock: a campaign that was paused or has ended, or in which an ally has a part with whom it is
    over, gives nothing, whatever is remembered of it."""
    lives = {each.live.id: each.live for each in claims}
    merchants = {each.live.record.merchant_id for each in claims}
    live = (Campaign.merchant_id.in_(merchants), Campaign.id.in_(lives), Campaign.state == "live")
    found = conn.scalars(select(Campaign.id).where(*live)).all()
    return {each for each in found if has_its_allies(conn, lives[each].record)}


def _what_they_have(conn: Connection, claims: Sequence[_Claim], now: datetime) -> Counter[tuple[str, str, bool]]:
    """By campaign, shopper and whether of today only: cards that who is known earned by buying, where a cap asks for
    them. Free ones are counted apart: whoever knows an address can ask for its free card."""
    have: Counter[tuple[str, str, bool]] = Counter()
    for live in {each.live.id: each.live for each in claims}.values():
        caps = live.record.definition.caps
        shoppers = {each.shopper for each in claims if each.live.id == live.id and each.shopper and each.sold}
        if shoppers and (caps.per_shopper is not None or caps.per_shopper_per_day is not None):
            marked = {mark_of(live.id, each): each for each in shoppers}
            for told, whole, today in conn.execute(_counted(live, shoppers, marked, now)):
                have[live.id, marked.get(told, told), False] += whole
                have[live.id, marked.get(told, told), True] += today
    return have


def _counted(live: Live, shoppers: Collection[str], marks: Collection[str], now: datetime) -> Any:
    """By shopper, and by the marks of cards whose receipts were purged. In one statement: else a card that is purged
    meanwhile might count twice, or not at all."""
    local = now.astimezone(ZoneInfo(live.record.definition.timezone))
    # The first midnight, also in the hour that the clock shows twice.
    begin = local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    today = func.sum(case((Reward.issued_at >= begin, 1), else_=0))
    mine: tuple[ColumnElement[bool], ...] = (
        unindexed(Reward.merchant_id) == live.record.merchant_id,
        Reward.campaign_id == live.id,
        Reward.origin == "receipt",
    )
    named = ((Reward.shopper, shoppers), (Reward.mark, marks))
    return union_all(
        *(select(of, func.count(), today).where(*mine, of.in_(values)).group_by(of) for of, values in named)
    )


def _given(
    conn: Connection, keys: RewardKeys, claim: _Claim, have: Counter[tuple[str, str, bool]], now: datetime
) -> dict[str, Any] | None:
    """The row of the card; None where a cap stands against it, or nothing is left."""
    if not _has_room(claim, have) or not tallies.count_card(conn, claim.live, now):
        return None
    reward_id = new_id("rwd", now)
    outcome = drawing.draw(conn, claim.live, claim.entry, reward_id)
    if outcome is None:
        tallies.discount_card(conn, claim.live, now)
        return None
    if claim.shopper and claim.sold:
        have[claim.live.id, claim.shopper, False] += 1
        have[claim.live.id, claim.shopper, True] += 1
    return _row(claim, reward_id, outcome, now) | _code(conn, keys, claim.live, reward_id, outcome)


def _has_room(claim: _Claim, have: Counter[tuple[str, str, bool]]) -> bool:
    if claim.shopper is None or claim.sold is None:
        return True
    caps = claim.live.record.definition.caps
    limits = ((caps.per_shopper, False), (caps.per_shopper_per_day, True))
    return all(most is None or have[claim.live.id, claim.shopper, today] < most for most, today in limits)


def _row(claim: _Claim, reward_id: str, outcome: Outcome, now: datetime) -> dict[str, Any]:
    record, prize, sold = claim.live.record, outcome.prize, claim.sold
    return {
        "id": reward_id,
        "merchant_id": record.merchant_id,
        "campaign_id": record.id,
        "entry": claim.entry,
        "origin": claim.origin,
        "receipt_id": sold.receipt_id if sold else None,
        "shopper": claim.shopper,
        "store_id": sold.store_id if sold else None,
        "staff_id": sold.staff_id if sold else None,
        "spend": claim.spend,
        "needs": claim.needs,
        "truths": claim.truths,
        "prize_id": prize.id if prize else None,
        "supplier_id": prize.supplier_id if prize else None,
        "face_value": prize.face_value if prize else 0,
        "currency": prize.currency if prize else None,
        "bearer": prize.bearer if prize else None,
        "nonce": outcome.nonce,
        "gone": str(list(outcome.gone)),
        "position": outcome.position,
        "pool_code_id": outcome.pool_code_id,
        "state": "issued",
        "issued_at": now,
        "expires_at": now + timedelta(days=record.definition.scratch_days),
    }


def _code(conn: Connection, keys: RewardKeys, live: Live, reward_id: str, outcome: Outcome) -> dict[str, Any]:
    if outcome.prize is None:
        return {"code_digest": None, "code_hint": None}
    if outcome.pool_code_id is None:
        code = scratch.code_of(keys.code, reward_id)
        return {"code_digest": keys.digest(code), "code_hint": hint_of(code)}
    mine = (PoolCode.merchant_id == live.record.merchant_id) & (PoolCode.id == outcome.pool_code_id)
    row = conn.execute(select(PoolCode.digest, PoolCode.sealed).where(mine)).one()
    return {"code_digest": row.digest, "code_hint": hint_of(secrets.unseal(keys.sealer, row.sealed))}


def _told(row: dict[str, Any], now: datetime) -> dict[str, Any]:
    """Not what is in it: nobody knows before it is scratched."""
    data = {"reward": row["id"], "campaign": row["campaign_id"], "origin": row["origin"]}
    return events.row(row["merchant_id"], "reward.issued", data, now=now, receipt_id=row["receipt_id"])
