"""Keys with which a merchant's receipts are signed: Ed25519 (RFC 8032), the private part sealed."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Final

import structlog
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection, exists, select, update

from accounts.tables import Merchant, SigningKey
from infra.database import insert_or_ignore
from infra.secrets import Unsealable, opens, seal, unseal
from kernel.errors import Conflict, NotFound, Unavailable
from kernel.ids import new_id

_log = structlog.get_logger(__name__)
_COLUMNS: Final = (
    SigningKey.id,
    SigningKey.merchant_id,
    Merchant.slug,
    Merchant.name,
    SigningKey.public,
    SigningKey.active_from,
    SigningKey.distrusted_at,
)
_KID: Final = re.compile(r"[a-z]{3}_[0-9a-z]{26}")
_PUBLIC: Final = select(*_COLUMNS).join(Merchant).order_by(SigningKey.merchant_id, SigningKey.active_from)


class NoSigningKey(Unavailable):
    slug: ClassVar[str] = "no-signing-key"
    title: ClassVar[str] = "This merchant has no key to sign with"


@dataclass(frozen=True, slots=True)
class PublicKey:
    """``slug`` and ``name`` are the merchant's, ``public`` is 32 bytes."""

    kid: str
    merchant_id: str
    slug: str
    name: str
    public: bytes
    active_from: datetime
    distrusted_at: datetime | None


@dataclass(frozen=True, slots=True)
class Signer:
    """A key that signs, unsealed. ``slug`` is its merchant's."""

    kid: str
    slug: str
    active_from: datetime
    private: Ed25519PrivateKey = field(repr=False)


def ensure(conn: Connection, *, sealer: Fernet) -> int:
    """Give a key to each merchant that has none, active from the merchant's first day; how many got one.

    It goes through all merchants. Of processes that start at once, one writes the key and the others leave it.
    """
    lacking = select(Merchant.id, Merchant.created_at).where(~exists().where(SigningKey.merchant_id == Merchant.id))
    found = conn.execute(lacking).all()
    for merchant_id, created_at in found:
        _write(conn, merchant_id, sealer=sealer, active_from=created_at)
    return len(found)


def rotate(conn: Connection, merchant_id: str, *, sealer: Fernet, now: datetime) -> str:
    """The kid of a new key, which signs what is accepted from now on. Earlier receipts keep theirs.

    Raises :class:`Conflict` where another key is active from that very moment.
    """
    kid = _write(conn, merchant_id, sealer=sealer, active_from=now)
    if kid is None:
        raise Conflict("Another key was made at this very moment. Please try again.")
    return kid


def distrust(conn: Connection, merchant_id: str, kid: str, *, sealer: Fernet, now: datetime) -> None:
    """Say that somebody else may hold this key: what it signed proves nothing any more.

    Its receipts are signed by another key when they are next read, a new one where no other is left. Distrusting twice
    keeps the first time. Raises :class:`NotFound` for a key that is not the merchant's.
    """
    mine = (SigningKey.merchant_id == merchant_id) & (SigningKey.id == kid)
    if conn.scalar(select(SigningKey.id).where(mine)) is None:
        raise NotFound("There is no such signing key")
    conn.execute(update(SigningKey).where(mine, SigningKey.distrusted_at.is_(None)).values(distrusted_at=now))
    if all(key.distrusted_at for key in public_keys(conn, merchant_id)):
        rotate(conn, merchant_id, sealer=sealer, now=now)


def all_public_keys(conn: Connection) -> list[PublicKey]:
    """Of all merchants, for whoever verifies a receipt before its merchant is known."""
    return [PublicKey(*row) for row in conn.execute(_PUBLIC)]


def public_keys(conn: Connection, merchant_id: str) -> list[PublicKey]:
    """A merchant's, oldest first, distrusted ones included."""
    return [PublicKey(*row) for row in conn.execute(_PUBLIC.where(SigningKey.merchant_id == merchant_id))]


def public_key(conn: Connection, kid: str) -> PublicKey | None:
    """Whose a key is, for a ``kid`` from anywhere: it names no merchant, it finds one."""
    row = conn.execute(_PUBLIC.where(SigningKey.id == kid)).one_or_none() if _KID.fullmatch(kid) else None
    return PublicKey(*row) if row else None


def signers(conn: Connection, merchant_id: str, *, sealer: Fernet) -> list[Signer]:
    """A merchant's trusted keys, oldest first, without those that another secret key sealed, which the log names.

    Raises :class:`infra.secrets.Unsealable` where there are keys and none can be opened.
    """
    columns = select(SigningKey.id, Merchant.slug, SigningKey.active_from, SigningKey.private).join(Merchant)
    trusted = (SigningKey.merchant_id == merchant_id) & SigningKey.distrusted_at.is_(None)
    found, closed = [], dict[str, Unsealable]()
    for row in conn.execute(columns.where(trusted).order_by(SigningKey.active_from)):
        try:
            found.append(_signer(row, sealer))
        except Unsealable as problem:
            closed[row.id] = problem
    if closed and not found:
        raise next(iter(closed.values()))
    if closed:
        _log.warning("signing_keys_left_out", kids=list(closed), setting="COUNTERFOIL_SECRET_KEY")
    return found


def openable(conn: Connection, *, sealer: Fernet) -> dict[str, list[bool]]:
    """Of all merchants, for who runs the service: by slug, whether each trusted key can be opened, oldest first."""
    columns = select(Merchant.slug, SigningKey.private).join(Merchant).where(SigningKey.distrusted_at.is_(None))
    found: dict[str, list[bool]] = {}
    for slug, sealed in conn.execute(columns.order_by(Merchant.slug, SigningKey.active_from)):
        found.setdefault(slug, []).append(opens(sealer, sealed))
    return found


def signer_for(keys: Sequence[Signer], accepted_at: datetime) -> Signer:
    """The last of ``keys`` (of :func:`signers`) that was active when a receipt was accepted, else the first.

    Raises :class:`NoSigningKey`.
    """
    if not keys:
        raise NoSigningKey("Restart the server: it makes a key for each merchant that has none")
    return next((key for key in reversed(keys) if key.active_from <= accepted_at), keys[0])


def _signer(row: Any, sealer: Fernet) -> Signer:
    kid, slug, active_from, sealed = row
    private = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(unseal(sealer, sealed)))
    return Signer(kid, slug, active_from, private)


def _write(conn: Connection, merchant_id: str, *, sealer: Fernet, active_from: datetime) -> str | None:
    """The new key's kid; None where another is active from that very moment, and nothing is written."""
    private, kid = Ed25519PrivateKey.generate(), new_id("sgk", active_from)
    sealed = seal(sealer, private.private_bytes_raw().hex())
    values = {"id": kid, "merchant_id": merchant_id, "public": private.public_key().public_bytes_raw()}
    new = insert_or_ignore(conn, SigningKey).values(values | {"private": sealed, "active_from": active_from})
    written: str | None = conn.scalar(new.returning(SigningKey.id))
    return written
