"""API keys: ``cf_live_`` and 32 random characters, of which only a hash is stored."""

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, insert, select, update

from accounts.tables import ApiKey, Till
from kernel.errors import FieldError, Forbidden, Invalid, NotFound, Unauthorized
from kernel.ids import digest, new_id

PREFIX: Final = "cf_live_"
SCOPES: Final = {
    "receipts:write": "post receipts",
    "receipts:read": "read receipts of the merchant",
    "accounts:read": "read brands, stores, tills and staff",
    "accounts:write": "change brands, stores, tills and staff",
    "cards:read": "read cards and their numbers",
    "cards:write": "create and change cards and their templates, invite staff",
    "contacts:read": "read what visitors left of themselves on cards",
    "surveys:read": "read surveys, answers, cases and reviews",
    "surveys:write": "create and change surveys, work on cases, moderate reviews",
    "offers:read": "read products, offers and what came of them",
    "offers:write": "create and change products and the rules of offers",
    "rewards:read": "read campaigns, rewards and reports",
    "rewards:write": "create and change campaigns, and draw up alliances with other merchants",
    "rewards:redeem": "look up, reserve and redeem rewards by their codes, as a till does",
    "events:read": "read what happened: answers, cases, taps, rewards",
    "hooks:write": "create addresses for inbound webhooks",
    "keys:write": "create, list and revoke keys",
}


@dataclass(frozen=True, slots=True)
class Caller:
    """Whom a valid key speaks for, and what it may do."""

    key_id: str
    merchant_id: str
    scopes: frozenset[str]
    store_id: str | None = None
    till_id: str | None = None

    def require(self, scope: str) -> None:
        if scope not in self.scopes:
            raise Forbidden(f"This needs a key with the scope {scope}")

    def require_whole(self, scope: str) -> None:
        """For what belongs to the whole merchant: a key that is bound to a store neither sees nor changes it."""
        self.require(scope)
        if self.store_id is not None:
            raise Forbidden("This needs a key that is not bound to a store or till")


@dataclass(frozen=True, slots=True)
class KeyInfo:
    id: str
    name: str
    hint: str
    scopes: tuple[str, ...]
    store_id: str | None
    till_id: str | None
    created_at: datetime
    revoked_at: datetime | None


def create(
    conn: Connection,
    merchant_id: str,
    *,
    name: str,
    scopes: Sequence[str],
    now: datetime,
    store_id: str | None = None,
    till_id: str | None = None,
) -> tuple[str, KeyInfo]:
    """The key itself, to be shown once, and what is kept of it. A till's key is bound to the till's store too."""
    unknown = sorted(set(scopes) - set(SCOPES))
    if unknown or not scopes:
        raise Invalid(errors=[FieldError("/scopes", f"must be one or more of {', '.join(SCOPES)}")])
    if till_id is not None:
        store_id = _store_of(conn, merchant_id, till_id)
    key = PREFIX + secrets.token_urlsafe(24)
    info = KeyInfo(
        new_id("key", now), name, key[: len(PREFIX) + 4], tuple(sorted(set(scopes))), store_id, till_id, now, None
    )
    values: dict[str, Any] = {"id": info.id, "merchant_id": merchant_id, "name": name, "digest": digest(key)}
    values["hint"] = info.hint
    values |= {"scopes": list(info.scopes), "store_id": store_id, "till_id": till_id, "created_at": now}
    conn.execute(insert(ApiKey).values(values))
    return key, info


def _store_of(conn: Connection, merchant_id: str, till_id: str) -> str:
    found = conn.scalar(select(Till.store_id).where(Till.merchant_id == merchant_id, Till.id == till_id))
    if found is None:
        raise NotFound("There is no such till")
    return found


def authenticate(conn: Connection, key: str) -> Caller:
    """Raises :class:`Unauthorized` for a key that is unknown, malformed or revoked, without telling which."""
    columns = (ApiKey.id, ApiKey.merchant_id, ApiKey.scopes, ApiKey.store_id, ApiKey.till_id)
    known = select(*columns).where(ApiKey.digest == digest(key), ApiKey.revoked_at.is_(None))
    row = conn.execute(known).one_or_none() if key.startswith(PREFIX) else None
    if row is None:
        raise Unauthorized("The key is not valid. Send it as: Authorization: Bearer cf_live_…")
    return Caller(row.id, row.merchant_id, frozenset(row.scopes), row.store_id, row.till_id)


def list_keys(conn: Connection, merchant_id: str) -> list[KeyInfo]:
    """Oldest first, revoked ones included."""
    rows = conn.execute(select(ApiKey.__table__).where(ApiKey.merchant_id == merchant_id).order_by(ApiKey.id))
    return [
        KeyInfo(r.id, r.name, r.hint, tuple(r.scopes), r.store_id, r.till_id, r.created_at, r.revoked_at) for r in rows
    ]


def revoke(conn: Connection, merchant_id: str, key_id: str, *, now: datetime) -> None:
    """Revoking twice keeps the first time. Raises :class:`NotFound` for a key that is not the merchant's."""
    mine = (ApiKey.merchant_id == merchant_id) & (ApiKey.id == key_id)
    if conn.scalar(select(ApiKey.id).where(mine)) is None:
        raise NotFound("There is no such key")
    conn.execute(update(ApiKey).where(mine, ApiKey.revoked_at.is_(None)).values(revoked_at=now))


def covers(caller: Caller, scopes: Collection[str]) -> bool:
    """Whether ``caller`` may hand these scopes on: nobody creates a key that can do more than their own."""
    return set(scopes) <= caller.scopes
