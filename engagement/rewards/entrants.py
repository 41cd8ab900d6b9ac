"""How many free entries may come from one network in a day: a family, but no farm."""

import hmac
from datetime import UTC, datetime
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any, ClassVar, Final

from sqlalchemy import Connection, delete

from engagement.rewards.records import CampaignRecord
from engagement.rewards.tables import FreeEntrant
from infra.database import upsert
from kernel.errors import TooMany

_MOST_A_DAY: Final = 10
_VISITOR: Final = 32
# What one household gets of IPv6 at the least (RFC 6177); each of its devices has as many addresses as it likes.
_HOUSEHOLD: Final = 64


class TooManyHere(TooMany):
    slug: ClassVar[str] = "too-many-entries"
    title: ClassVar[str] = "Many free entries came from this network today"


def count(conn: Connection, key: bytes, campaign: CampaignRecord, address: str, *, now: datetime) -> None:
    """One more from the network of ``address``. What is kept of that tells nothing without ``key``, and is gone a day
    later. Raises :class:`TooManyHere`."""
    day = now.astimezone(UTC).date().isoformat()
    mine = (FreeEntrant.merchant_id == campaign.merchant_id, FreeEntrant.campaign_id == campaign.id)
    conn.execute(delete(FreeEntrant).where(*mine, FreeEntrant.day < day))
    visitor = hmac.digest(key, f"{campaign.id}\n{day}\n{network_of(address)}".encode(), "sha256").hex()[:_VISITOR]
    row = {"campaign_id": campaign.id, "day": day, "visitor": visitor, "merchant_id": campaign.merchant_id, "times": 1}
    if conn.scalar(_one_more(conn, row)) is None:
        raise TooManyHere


def network_of(address: str) -> str:
    """The address itself, or the first half of one of IPv6; what is no address is its own network."""
    try:
        told = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if not isinstance(told, IPv6Address):
        return str(told)
    return str(told.ipv4_mapped or ip_network((int(told), _HOUSEHOLD), strict=False))


def _one_more(conn: Connection, row: dict[str, Any]) -> Any:
    """One statement decides every race for the last."""
    return (
        upsert(conn, FreeEntrant)
        .values(row)
        .on_conflict_do_update(
            index_elements=[FreeEntrant.campaign_id, FreeEntrant.day, FreeEntrant.visitor],
            set_={"times": FreeEntrant.times + 1},
            where=FreeEntrant.times < _MOST_A_DAY,
        )
        .returning(FreeEntrant.times)
    )
