"""Campaigns are written, changed while they are drafts, and thrown away."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import Connection, delete, insert, select, update

from accounts.tables import Brand
from engagement import alliances
from engagement.rewards import find
from engagement.rewards.definition import (
    NewCampaign,
    PrizeDefinition,
    instant,
    stored,
    stored_prize,
    terms_digest,
)
from engagement.rewards.records import CampaignRecord, PrizeRecord
from engagement.rewards.tables import Campaign, PoolCode, Prize
from kernel.errors import Conflict, FieldError, Invalid, NotFound
from kernel.ids import new_id


class CampaignStarted(Conflict):
    slug: ClassVar[str] = "campaign-started"
    title: ClassVar[str] = "The campaign was launched: what it gives stands"


def create(conn: Connection, merchant_id: str, new: NewCampaign, *, now: datetime) -> str:
    """The id of a draft. Raises :class:`Invalid` where it names a brand or an ally that the merchant does not have."""
    suppliers = _suppliers(conn, merchant_id, new)
    campaign_id = new_id("cmp", now)
    row = {"id": campaign_id, "merchant_id": merchant_id, "state": "draft", "created_at": now}
    conn.execute(insert(Campaign).values(row | _values(new, now)))
    for position, prize in enumerate(new.prizes):
        _add(conn, merchant_id, campaign_id, new, _Placed(prize, position, suppliers), now)
    return campaign_id


def put(conn: Connection, merchant_id: str, campaign_id: str, new: NewCampaign, *, now: datetime) -> None:
    """Replace a draft. A prize of the same slug stays the same one: it keeps its codes, and, where its terms stay as
    they were, the ally's consent. Raises as :func:`create`, :class:`NotFound` and :class:`CampaignStarted`."""
    suppliers = _suppliers(conn, merchant_id, new)
    lock_draft(conn, merchant_id, campaign_id)
    before = find.campaign(conn, merchant_id, campaign_id)
    mine = (Campaign.merchant_id == merchant_id) & (Campaign.id == campaign_id)
    conn.execute(update(Campaign).where(mine).values(_values(new, now)))
    known = {each.slug: each for each in before.prizes}
    _remove(conn, merchant_id, [each.id for slug, each in known.items() if slug not in {p.slug for p in new.prizes}])
    for position, prize in enumerate(new.prizes):
        placed = _Placed(prize, position, suppliers)
        if prize.slug in known:
            _change(conn, before, known[prize.slug], new, placed)
        else:
            _add(conn, merchant_id, campaign_id, new, placed, now)


def remove(conn: Connection, merchant_id: str, campaign_id: str) -> None:
    """A draft, with its prizes and codes. Raises :class:`NotFound` and :class:`CampaignStarted`."""
    lock_draft(conn, merchant_id, campaign_id)
    ids = list(conn.scalars(select(Prize.id).where(Prize.merchant_id == merchant_id, Prize.campaign_id == campaign_id)))
    _remove(conn, merchant_id, ids)
    conn.execute(delete(Campaign).where(Campaign.merchant_id == merchant_id, Campaign.id == campaign_id))


def lock_draft(conn: Connection, merchant_id: str, campaign_id: str, *, take_over: bool = False) -> None:
    """Nobody else changes or launches it meanwhile. Raises :class:`NotFound`, :class:`CampaignStarted`, and
    :class:`Conflict` where somebody has it in hand (engagement.rewards.hands), unless it is to be taken over."""
    mine = (Campaign.merchant_id == merchant_id) & (Campaign.id == campaign_id)
    row = conn.execute(select(Campaign.state, Campaign.in_hand).where(mine).with_for_update()).one_or_none()
    if row is None:
        raise NotFound("There is no such campaign")
    if row.state != "draft":
        raise CampaignStarted("Only a draft can be changed; end it and draw up another")
    if row.in_hand is not None and not take_over:
        raise Conflict("It is being launched, or its codes imported, just now")


class _Placed:
    """A prize at its place in the table, with who supplies it."""

    def __init__(self, prize: PrizeDefinition, position: int, suppliers: Sequence[str]) -> None:
        self.prize, self.position, self.supplier_id = prize, position, suppliers[position]


def require_known(conn: Connection, merchant_id: str, new: NewCampaign) -> None:
    """Raises :class:`Invalid` as :func:`put` would, before anything of the draft is touched."""
    _suppliers(conn, merchant_id, new)


def _suppliers(conn: Connection, merchant_id: str, new: NewCampaign) -> list[str]:
    """The merchant of each prize."""
    allies = alliances.allies(conn, merchant_id)
    brands = set(conn.scalars(select(Brand.slug).where(Brand.merchant_id == merchant_id)))
    wrong = [
        FieldError(f"/brands/{index}", "is not a brand of this merchant")
        for index, slug in enumerate(new.brands)
        if slug not in brands
    ]
    for index, prize in enumerate(new.prizes):
        if prize.supplier is not None and prize.supplier not in allies:
            wrong.append(FieldError(f"/prizes/{index}/supplier", "is not a merchant with whom an alliance is agreed"))
        if prize.bearer == "ally" and prize.supplier is None:
            wrong.append(FieldError(f"/prizes/{index}/bearer", "must be issuer, or the prize needs a supplier"))
    if wrong:
        raise Invalid(errors=wrong)
    return [allies[each.supplier] if each.supplier else merchant_id for each in new.prizes]


def _values(new: NewCampaign, now: datetime) -> dict[str, Any]:
    return {
        "starts_at": instant(new.starts_at, new.timezone),
        "ends_at": instant(new.ends_at, new.timezone, is_end=True),
        "definition": stored(new),
        "changed_at": now,
    }


def _terms(new: NewCampaign, placed: _Placed) -> dict[str, Any]:
    prize = placed.prize
    currency = prize.currency or new.currency
    return {
        "position": placed.position,
        "supplier_id": placed.supplier_id,
        "definition": stored_prize(prize, currency),
        "face_value": prize.face_value,
        "currency": currency,
        "bearer": prize.bearer,
        "stock": prize.stock or 0,
        "weight": prize.weight or 0,
    }


def _add(
    conn: Connection, merchant_id: str, campaign_id: str, new: NewCampaign, placed: _Placed, now: datetime
) -> None:
    row = {"id": new_id("prz", now), "merchant_id": merchant_id, "campaign_id": campaign_id, "slug": placed.prize.slug}
    conn.execute(insert(Prize).values(row | _terms(new, placed)))


def _change(conn: Connection, before: CampaignRecord, known: PrizeRecord, new: NewCampaign, placed: _Placed) -> None:
    values = _terms(new, placed)
    told = terms_digest(before.definition, known.definition, codes=known.codes)
    if told != terms_digest(new, placed.prize, codes=known.codes):
        values["consented_at"] = None
    mine = (Prize.merchant_id == before.merchant_id) & (Prize.id == known.id)
    conn.execute(update(Prize).where(mine).values(values))


def _remove(conn: Connection, merchant_id: str, prize_ids: Sequence[str]) -> None:
    conn.execute(delete(PoolCode).where(PoolCode.merchant_id == merchant_id, PoolCode.prize_id.in_(prize_ids)))
    conn.execute(delete(Prize).where(Prize.merchant_id == merchant_id, Prize.id.in_(prize_ids)))
