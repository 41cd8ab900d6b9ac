"""Who has a card in their wallet, and how they hear of its changes.

A phone with a pass of Apple Wallet registers itself; for Google Wallet we keep an object that shows the card. Both hear
of a change by a job, which is enqueued where the change is written, and only where there is somebody to hear it.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, Connection, Select, delete, select, update

from cards.find import CardRecord
from cards.tables import Card, CardTemplate, GoogleObject, PassRegistration
from infra.database import insert_or_ignore, unindexed
from infra.jobs import Jobs
from kernel.errors import TooMany
from kernel.ids import new_id

# The kinds of the jobs that tell phones to ask for a pass again, and that write objects anew.
PUSH: Final = "push-passes"
GOOGLE: Final = "google-objects"
# Seconds for which a change may be under way.
_UNSEEN: Final = 5.0
# Devices that may be new to one pass within a day.
_MOST_A_DAY: Final = 1_000


@dataclass(frozen=True, slots=True)
class Device:
    """``push_token`` is where Apple reaches it."""

    id: str
    push_token: str


@dataclass(frozen=True, slots=True)
class Held:
    """A pass that a device has."""

    serial: str
    device: str
    push_token: str

    @property
    def place(self) -> str:
        """Among all, in the order in which they are told. Neither part has a blank."""
        return f"{self.serial} {self.device}"


@dataclass(frozen=True, slots=True)
class Change:
    """What changed: one pass, by its serial number, or all cards of a brand or of a store. Where it is news to one
    ``device`` alone, that is told."""

    merchant_id: str
    serial: str | None = None
    brand_id: str | None = None
    store_id: str | None = None
    device: str | None = None


def register(conn: Connection, merchant_id: str, serial: str, device: Device, *, now: datetime) -> bool:
    """Whether the device is new to this pass. Of those who come at once, one is; a known one may have moved. An upsert
    would not say which of both it did.

    Raises :class:`TooMany` where many were new to it today: whoever has a link has the pass, and may register devices
    that are none, each of which costs a push for every change.
    """
    named = {"device": device.id, "serial": serial}
    row = {**named, "merchant_id": merchant_id, "push_token": device.push_token, "registered_at": now}
    new = insert_or_ignore(conn, PassRegistration).values(row).returning(PassRegistration.serial)
    is_new = conn.scalar(new) is not None
    if is_new:
        _require_few(conn, merchant_id, serial, now)
    _move(conn, device)
    return is_new


def _move(conn: Connection, device: Device) -> None:
    """A device that has another token has it for all its passes, which are of any merchant; its id is known to it
    alone."""
    has_another = (PassRegistration.device == device.id) & (PassRegistration.push_token != device.push_token)
    conn.execute(update(PassRegistration).where(has_another).values(push_token=device.push_token))


def _require_few(conn: Connection, merchant_id: str, serial: str, now: datetime) -> None:
    """Counted up to the limit, the newest first. Some that come at once may pass it together."""
    moments = select(PassRegistration.registered_at).filter_by(merchant_id=merchant_id, serial=serial)
    moment = conn.scalar(moments.order_by(PassRegistration.registered_at.desc()).offset(_MOST_A_DAY).limit(1))
    if moment is not None and moment > now - timedelta(days=1):
        raise TooMany("Many devices were registered for this pass today")


def unregister(conn: Connection, serial: str, device: str) -> None:
    """Whoever asks has the pass, and may ask when its subject is gone: so no merchant is named."""
    conn.execute(delete(PassRegistration).filter_by(serial=serial, device=device))


def forget_token(conn: Connection, push_token: str) -> None:
    """Apple says that nobody is there any more. The token may stand for passes of several merchants."""
    conn.execute(delete(PassRegistration).where(PassRegistration.push_token == push_token))


def serials_of(conn: Connection, device: str) -> list[str]:
    """Of all passes that the device has. It has passes of any merchant, and its id is known to it alone."""
    return list(conn.scalars(select(PassRegistration.serial).where(PassRegistration.device == device)))


def changed_cards(conn: Connection, serials: Collection[str]) -> dict[str, datetime]:
    """When each of these cards was last changed, itself or by its brand's template."""
    query = select(Card.id, Card.changed_at, CardTemplate.changed_at.label("template_changed_at"))
    query = query.outerjoin(CardTemplate, CardTemplate.brand_id == Card.brand_id).where(Card.id.in_(serials))
    return {row.id: max(row.changed_at, row.template_changed_at or row.changed_at) for row in conn.execute(query)}


def held(conn: Connection, change: Change, *, after: str, limit: int) -> list[Held]:
    """The passes that show what changed, one for each device that has one, after the ``place`` of the last one seen.

    A device that has several is told of each: to tell it once, all had to be gone through for every hundred. So one
    card after the other is looked up, from the last one on.
    """
    serial, _, device = after.partition(" ")
    query = select(PassRegistration.serial, PassRegistration.device, PassRegistration.push_token)
    if change.serial is not None:
        mine = unindexed(PassRegistration.merchant_id) == change.merchant_id
        query = query.where(mine, PassRegistration.serial == change.serial, PassRegistration.device > device)
        query = query.where(PassRegistration.device == change.device) if change.device is not None else query
        query = query.order_by(PassRegistration.device)
    else:
        rest = (Card.id > serial) | (PassRegistration.device > device)
        query = query.join(Card, Card.id == PassRegistration.serial).where(shows(change), Card.id >= serial, rest)
        query = query.order_by(Card.id, PassRegistration.device)
    return [Held(*row) for row in conn.execute(query.limit(limit))]


def objects(conn: Connection, change: Change, *, after: str, limit: int) -> Sequence[str]:
    """Ids of the cards among what changed of which Google Wallet has an object, from ``after`` on."""
    query = select(GoogleObject.card_id).where(_shown(change), GoogleObject.card_id > after)
    return conn.scalars(query.order_by(GoogleObject.card_id).limit(limit)).all()


def note_object(conn: Connection, record: CardRecord) -> bool:
    """From here on the object hears of changes. Whether it shows the card as it is in ``record``.

    Who changes the card meanwhile waits, or is waited for: they see that it is noted, or are seen.
    """
    _lock(conn, record)
    row = {"card_id": record.id, "merchant_id": record.merchant_id}
    conn.execute(insert_or_ignore(conn, GoogleObject).values(row))
    mine = select(GoogleObject.written_as_of).filter_by(**row)
    return conn.scalar(mine) == record.changed_at


def _lock(conn: Connection, record: CardRecord) -> None:
    mine = (Card.merchant_id == record.merchant_id, Card.id == record.id)
    conn.execute(select(Card.id).where(*mine).with_for_update())


def note_written(conn: Connection, record: CardRecord) -> None:
    """The object shows the card as it is in ``record``, or as it was changed to since."""
    mine = update(GoogleObject).filter_by(card_id=record.id, merchant_id=record.merchant_id)
    conn.execute(mine.values(written_as_of=record.changed_at))


def tell_wallets(conn: Connection, jobs: Jobs, record: CardRecord, *, now: datetime) -> None:
    """After a change of the card that its readers see: of its profile, photo, place or state."""
    tell(conn, jobs, Change(record.merchant_id, serial=record.id), now=now)


def tell_new(conn: Connection, jobs: Jobs, merchant_id: str, serial: str, device: str, *, now: datetime) -> None:
    """A device that registers has the pass as it was when it was loaded, which may be long ago, and nobody told it of
    what changed since. So it is told once, when a change that is being committed meanwhile can be seen."""
    told = {"merchant": merchant_id, "serial": serial, "device": device}
    jobs.enqueue(conn, PUSH, told, job_id=new_id(PUSH, now), delay=_UNSEEN)


def tell_wallets_of_brand(conn: Connection, jobs: Jobs, merchant_id: str, brand_id: str, *, now: datetime) -> None:
    """After a change of all cards of a brand, as of its template."""
    tell(conn, jobs, Change(merchant_id, brand_id=brand_id), now=now)


def tell(conn: Connection, jobs: Jobs, change: Change, *, now: datetime) -> None:
    """One job each for Apple's and Google's, where anything of the change is in such a wallet."""
    told = {"merchant": change.merchant_id, "serial": change.serial}
    told |= {"brand": change.brand_id, "store": change.store_id}
    for kind, held in ((PUSH, _registered(change)), (GOOGLE, _shown(change))):
        if _is_any(conn, select(1).where(held).limit(1)):
            jobs.enqueue(conn, kind, told, job_id=new_id(kind, now))


def _is_any(conn: Connection, query: Select[int]) -> bool:
    return conn.scalar(query) is not None


def _registered(change: Change) -> ColumnElement[bool]:
    mine = PassRegistration.merchant_id == change.merchant_id
    if change.serial is not None:
        return mine & (PassRegistration.serial == change.serial)
    return mine & PassRegistration.serial.in_(select(Card.id).where(shows(change)))


def _shown(change: Change) -> ColumnElement[bool]:
    mine = GoogleObject.merchant_id == change.merchant_id
    if change.serial is not None:
        return mine & (GoogleObject.card_id == change.serial)
    return mine & GoogleObject.card_id.in_(select(Card.id).where(shows(change)))


def shows(change: Change) -> ColumnElement[bool]:
    """Of a change of a brand or store: whether a card shows it. One that is revoked stays as it was put away."""
    mine = (Card.merchant_id == change.merchant_id) & (Card.state != "revoked")
    if change.store_id is not None:
        return mine & (unindexed(Card.store_id) == change.store_id)
    return mine & (unindexed(Card.brand_id) == change.brand_id)
