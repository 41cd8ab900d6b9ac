"""Whether the secret key is the one that campaigns were launched with: by another, their codes would be other ones, and
none could be found."""

from cryptography.fernet import Fernet
from sqlalchemy import Connection, and_, exists, or_, select

from accounts.tables import Merchant
from engagement.rewards.tables import OPEN_STATES, Campaign, Prize, Reward
from infra.secrets import Unsealable, opens

_UNTOLD = (Campaign.state == "ended", Campaign.sealed_seed.is_not(None))
_HAS_OPEN = exists().where(
    Reward.merchant_id == Campaign.merchant_id, Reward.campaign_id == Campaign.id, Reward.state.in_(OPEN_STATES)
)
# It gives cards, or has given some that are still good, though it has ended.
_COUNTS = or_(Campaign.state.in_(["live", "paused"]), and_(*_UNTOLD, _HAS_OPEN))


def require_own_key(conn: Connection, sealer: Fernet, merchant_id: str) -> None:
    """Raises :class:`Unsealable` where a campaign of which cards are good, the merchant's or with a prize that it
    supplies, was launched with another key."""
    supplied = select(Prize.campaign_id).where(Prize.supplier_id == merchant_id)
    theirs = or_(Campaign.merchant_id == merchant_id, Campaign.id.in_(supplied))
    seeds = conn.scalars(select(Campaign.sealed_seed).where(theirs, _COUNTS))
    if not all(opens(sealer, each or b"") for each in seeds):
        raise Unsealable("COUNTERFOIL_SECRET_KEY (or secret.key) is not the key that a campaign was launched with")


def to_tell(conn: Connection, sealer: Fernet) -> list[tuple[str, str]]:
    """Merchant and campaign, of those that ended while the key of their seed was not there, and it is there again. Of
    all merchants: the clock asks."""
    query = select(Campaign.merchant_id, Campaign.id, Campaign.sealed_seed).where(*_UNTOLD)
    return [(row.merchant_id, row.id) for row in conn.execute(query) if opens(sealer, row.sealed_seed)]


def untold(conn: Connection) -> list[str]:
    """The slugs of merchants with a campaign that has ended, and whose seed nobody could tell. Of all merchants: who
    runs the server asks."""
    query = select(Merchant.slug).join(Campaign, Campaign.merchant_id == Merchant.id).where(*_UNTOLD)
    return list(conn.scalars(query.distinct().order_by(Merchant.slug)))


def unopened(conn: Connection, sealer: Fernet) -> list[str]:
    """The slugs of merchants with a campaign of which cards are good, and which was launched with another key. Of all
    merchants: who runs the server asks."""
    query = select(Merchant.slug, Campaign.sealed_seed).join(Merchant, Merchant.id == Campaign.merchant_id)
    rows = conn.execute(query.where(_COUNTS).order_by(Merchant.slug)).all()
    return list(dict.fromkeys(row.slug for row in rows if not opens(sealer, row.sealed_seed or b"")))
