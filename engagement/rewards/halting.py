"""Campaigns that give no cards, since it is over with an ally who hands out a prize of theirs."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, select

from engagement import events
from engagement.rewards.records import CampaignRecord
from engagement.rewards.tables import Campaign, Prize


def missing_allies(campaign: CampaignRecord, allies: Collection[str]) -> list[str]:
    """The slugs of those who hand out its prizes and are none of the merchant's ``allies``, which are ids."""
    if campaign.state == "ended":
        return []
    own = {campaign.merchant_id, *allies}
    return sorted({each.supplier for each in campaign.prizes if each.supplier_id not in own})


def tell(conn: Connection, merchant_id: str, ally_id: str, alliance_id: str, *, now: datetime) -> None:
    """It is over between the two: each hears which of its campaigns gives nothing any more."""
    for issuer, supplier in ((merchant_id, ally_id), (ally_id, merchant_id)):
        theirs = (Campaign.merchant_id == issuer, Campaign.state.in_(["live", "paused"]))
        supplied = select(Prize.campaign_id).where(Prize.supplier_id == supplier, Prize.campaign_id == Campaign.id)
        for campaign_id in conn.scalars(select(Campaign.id).where(*theirs, supplied.exists()).order_by(Campaign.id)):
            data = {"campaign": campaign_id, "alliance": alliance_id}
            events.tell(conn, issuer, "campaign.halted", data, now=now)
