"""Campaigns that give no cards, since it is over with an ally who hands out a prize of theirs."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import Connection, select

from engagement import alliances, events
from engagement.rewards import locks
from engagement.rewards.records import CampaignRecord, CampaignState
from engagement.rewards.tables import Campaign, Prize


def missing_allies(campaign: CampaignRecord, allies: Collection[str]) -> list[str]:
    """The slugs of those who hand out its prizes and are none of the merchant's ``allies``, which are ids."""
    if campaign.state == "ended":
        return []
    own = {campaign.merchant_id, *allies}
    return sorted({each.supplier for each in campaign.prizes if each.supplier_id not in own})


def end_alliance(conn: Connection, merchant_id: str, alliance_id: str, *, now: datetime) -> None:
    """As :func:`engagement.alliances.end`, while no card of a campaign of the two is being given that has prizes of the
    other: each hears which of its own gives nothing any more. Raises :class:`kernel.errors.NotFound`."""
    ally_id = alliances.one(conn, merchant_id, alliance_id).ally_id
    pairs = ((merchant_id, ally_id), (ally_id, merchant_id))
    locks.alone(conn, *(each for issuer, supplier in pairs for each in _supplied(conn, issuer, supplier, "draft")))
    # Anew: a draft may have been launched before it could be held.
    running = [(issuer, each) for issuer, supplier in pairs for each in _supplied(conn, issuer, supplier)]
    if alliances.end(conn, merchant_id, alliance_id, now=now):
        for issuer, campaign_id in running:
            data = {"campaign": campaign_id, "alliance": alliance_id}
            events.tell(conn, issuer, "campaign.halted", data, now=now)


def _supplied(conn: Connection, issuer: str, supplier: str, *more: CampaignState) -> Sequence[str]:
    """The issuer's campaigns that run, or are in one of ``more`` states, and have prizes of the supplier."""
    theirs = (Campaign.merchant_id == issuer, Campaign.state.in_(["live", "paused", *more]))
    supplied = select(Prize.campaign_id).where(Prize.supplier_id == supplier, Prize.campaign_id == Campaign.id)
    return conn.scalars(select(Campaign.id).where(*theirs, supplied.exists()).order_by(Campaign.id)).all()
