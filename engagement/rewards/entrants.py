"""How many free entries may come from one network in a day: a family, but no farm."""

import hmac
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any, ClassVar, Final

from sqlalchemy import Connection, delete, select

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


@dataclass(frozen=True, slots=True)
class Visit:
    """What is kept of one: it tells nothing without the key, and is gone a day later."""

    merchant_id: str
    campaign_id: str
    day: str
    visitor: str


def visit(key: bytes, campaign: CampaignRecord, address: str, *, now: datetime) -> Visit:
    """From the network of ``address``."""
    day = _day(now)
    visitor = hmac.digest(key, f"{campaign.id}\n{day}\n{network_of(address)}".encode(), "sha256").hex()[:_VISITOR]
    return Visit(campaign.merchant_id, campaign.id, day, visitor)


def require_room(conn: Connection, visit: Visit) -> None:
    """Raises :class:`TooManyHere`."""
    if (conn.scalar(select(FreeEntrant.times).filter_by(**asdict(visit))) or 0) >= _MOST_A_DAY:
        raise TooManyHere


def count(conn: Connection, visit: Visit) -> None:
    """One more, whether a card comes of it or not: the transaction has to be committed. Raises
    :class:`TooManyHere`."""
    if conn.scalar(_one_more(conn, asdict(visit) | {"times": 1})) is None:
        raise TooManyHere


def forget(conn: Connection, *, now: datetime) -> None:
    """All but today's. Of all merchants: the clock asks."""
    conn.execute(delete(FreeEntrant).where(FreeEntrant.day < _day(now)))


def network_of(address: str) -> str:
    """The address itself, or the first half of one of IPv6; what is no address is its own network."""
    try:
        told = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if not isinstance(told, IPv6Address):
        return str(told)
    return str(told.ipv4_mapped or ip_network((int(told), _HOUSEHOLD), strict=False))


def _day(now: datetime) -> str:
    return now.astimezone(UTC).date().isoformat()


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
