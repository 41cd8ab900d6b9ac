"""Prizes that an ally is asked to hand out."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, select, update

from accounts import find as accounts_find
from accounts.find import BrandLook
from engagement import events
from engagement.rewards import find, pool
from engagement.rewards.definition import restored, restored_prize, terms_digest
from engagement.rewards.records import CampaignRecord, PrizeRecord
from engagement.rewards.tables import Campaign, Prize
from kernel.errors import Conflict, NotFound


def asked(
    conn: Connection, merchant_id: str, *, at_most: int, after: str = ""
) -> tuple[list[tuple[CampaignRecord, str, PrizeRecord]], str | None]:
    """The prizes that the merchant is to hand out for others, with their campaigns and the slugs of who issues them;
    oldest first. And the id behind which there are more, None where there are none."""
    found = find.to_supply(conn, merchant_id, at_most=at_most + 1, after=after)
    more = found[at_most - 1][1].id if len(found) > at_most else None
    campaigns = find.of_prizes(conn, merchant_id, [prize.id for _, prize in found])
    # Two statements: a draft that was deleted between them is gone.
    told = ((*campaigns[campaign_id], prize) for campaign_id, prize in found[:at_most] if campaign_id in campaigns)
    return list(told), more


def consent(conn: Connection, merchant_id: str, prize_id: str, *, terms: str, now: datetime) -> None:
    """The merchant will hand out a prize of another's draft, on the terms that it read and that ``terms`` is the digest
    of. Twice is the same as once.

    Raises :class:`NotFound` for a prize that it is not asked for, and :class:`Conflict` where the terms are others by
    now, or the campaign was launched without it.
    """
    asked = (Prize.supplier_id == merchant_id, Prize.merchant_id != merchant_id, Prize.id == prize_id)
    columns = (Prize.consented_at, Prize.campaign_id, Prize.merchant_id, Prize.definition, Prize.currency)
    state, framing = _locked(conn, asked)
    row = conn.execute(select(*columns).where(*asked)).one_or_none()
    if row is None:
        raise NotFound("There is no such prize")
    told, prize = restored(framing), restored_prize(row.definition, row.currency)
    if terms != terms_digest(told, prize, codes=pool.count(conn, row.merchant_id, prize_id)):
        raise Conflict("The terms are others by now; read them again at GET /v1/prizes-to-supply")
    if row.consented_at is not None:
        return
    if state != "draft":
        raise Conflict("The campaign is no draft any more")
    conn.execute(update(Prize).where(*asked, Prize.consented_at.is_(None)).values(consented_at=now))
    events.tell(conn, row.merchant_id, "prize.consented", {"prize": prize_id, "campaign": row.campaign_id}, now=now)


def ally_of(conn: Connection, merchant_id: str, prize: PrizeRecord) -> BrandLook | None:
    """The first brand of who hands out a prize of the merchant, where that is another one."""
    if prize.supplier_id == merchant_id:
        return None
    return next(iter(accounts_find.brands(conn, prize.supplier_id)), None)


def _locked(conn: Connection, asked: Sequence[ColumnElement[bool]]) -> tuple[str, str]:
    """State and definition of the prize's campaign. Its row is what changes of it lock, so nobody consents to terms
    that are being changed. In a statement of its own: what is read after it is as the last change left it, while what
    is read together with it may be as it was before the wait. Raises :class:`NotFound`."""
    of_prize = select(Prize.campaign_id).where(*asked).scalar_subquery()
    query = select(Campaign.state, Campaign.definition).where(Campaign.id == of_prize)
    row = conn.execute(query.with_for_update()).one_or_none()
    if row is None:
        raise NotFound("There is no such prize")
    return row.state, row.definition
