"""The addresses to which other systems post their events, one for each connection of a store."""

import secrets
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from cryptography.fernet import Fernet
from sqlalchemy import Connection, delete, insert, select, update

from accounts.tables import Store
from infra.secrets import Unsealable, opens, seal, unseal
from kernel.errors import FieldError, Invalid, NotFound
from kernel.ids import new_id
from pos.adapters import ADAPTERS
from pos.tables import HookEndpoint, InboundEvent

_LEAST_SECRET: Final = 8
_MOST_SECRET: Final = 500


@dataclass(frozen=True, slots=True)
class Endpoint:
    id: str
    source: str
    slug: str
    store: str
    created_at: datetime

    @property
    def path(self) -> str:
        return f"/hooks/{self.source}/{self.slug}"


@dataclass(frozen=True, slots=True)
class Door:
    """An endpoint as a delivery finds it; ``secrets`` are the present one and, after a rotation, the previous one."""

    id: str
    merchant_id: str
    store_id: str
    secrets: tuple[str, ...]


def create(
    conn: Connection, merchant_id: str, *, source: str, store_id: str, secret: str, sealer: Fernet, now: datetime
) -> Endpoint:
    """A new address. ``secret`` is what the other system signs with: it is kept sealed, and shown nowhere."""
    if source not in ADAPTERS:
        raise Invalid(errors=[FieldError("/source", f"must be one of {', '.join(ADAPTERS)}")])
    endpoint_id = new_id("hep", now)
    values: dict[str, Any] = {
        "id": endpoint_id,
        "merchant_id": merchant_id,
        "source": source,
        "slug": secrets.token_urlsafe(16),
        "store_id": store_id,
        "secret": seal(sealer, _checked(secret)),
        "created_at": now,
    }
    conn.execute(insert(HookEndpoint).values(values))
    return find(conn, merchant_id, endpoint_id)


def _checked(secret: str) -> str:
    """Copied from a page, a secret often brings blanks along."""
    bare = secret.strip()
    if not _LEAST_SECRET <= len(bare) <= _MOST_SECRET:
        raise Invalid(errors=[FieldError("/secret", f"must have {_LEAST_SECRET} to {_MOST_SECRET} characters")])
    return bare


def find(conn: Connection, merchant_id: str, endpoint_id: str) -> Endpoint:
    found = [each for each in list_endpoints(conn, merchant_id) if each.id == endpoint_id]
    if not found:
        raise NotFound("There is no such hook endpoint")
    return found[0]


def list_endpoints(conn: Connection, merchant_id: str) -> Sequence[Endpoint]:
    """Oldest first."""
    columns = (HookEndpoint.id, HookEndpoint.source, HookEndpoint.slug, Store.slug, HookEndpoint.created_at)
    every = select(*columns).join(Store, Store.id == HookEndpoint.store_id)
    mine = every.where(HookEndpoint.merchant_id == merchant_id).order_by(HookEndpoint.id)
    return [Endpoint(*row) for row in conn.execute(mine)]


def rotate(conn: Connection, merchant_id: str, endpoint_id: str, *, secret: str, sealer: Fernet) -> None:
    """Sign with ``secret`` from now on; deliveries under the one before are still taken until the next rotation."""
    mine = (HookEndpoint.merchant_id == merchant_id) & (HookEndpoint.id == endpoint_id)
    new = {"secret": seal(sealer, _checked(secret)), "previous_secret": HookEndpoint.secret}
    if conn.execute(update(HookEndpoint).where(mine).values(new)).rowcount != 1:
        raise NotFound("There is no such hook endpoint")


def remove(conn: Connection, merchant_id: str, endpoint_id: str) -> None:
    """The address and its inbox. Receipts stay; what still waits is forgotten."""
    events = (InboundEvent.merchant_id == merchant_id) & (InboundEvent.endpoint_id == endpoint_id)
    mine = (HookEndpoint.merchant_id == merchant_id) & (HookEndpoint.id == endpoint_id)
    conn.execute(delete(InboundEvent).where(events))
    if conn.execute(delete(HookEndpoint).where(mine)).rowcount != 1:
        raise NotFound("There is no such hook endpoint")


def door(conn: Connection, source: str, slug: str, *, sealer: Fernet) -> Door | None:
    """Where a delivery belongs. The slug itself says which merchant, so this query names none.

    Raises :class:`Unsealable` where the secret key does not open its secret.
    """
    wanted = select(HookEndpoint.__table__).where(HookEndpoint.source == source, HookEndpoint.slug == slug)
    row = conn.execute(wanted).one_or_none()
    if row is None:
        return None
    return Door(row.id, row.merchant_id, row.store_id, _opened(sealer, row.secret, row.previous_secret))


def _opened(sealer: Fernet, secret: bytes, previous: bytes | None) -> tuple[str, ...]:
    """After the secret key was lost, a new secret is taken though the one before it cannot be opened any more."""
    now = unseal(sealer, secret)
    with suppress(Unsealable):
        return (now, unseal(sealer, previous)) if previous else (now,)
    return (now,)


def unopened(conn: Connection, sealer: Fernet) -> list[str]:
    """The ids of all merchants' endpoints whose secret this secret key does not open."""
    rows = conn.execute(select(HookEndpoint.id, HookEndpoint.secret).order_by(HookEndpoint.id))
    return [row.id for row in rows if not opens(sealer, row.secret)]
