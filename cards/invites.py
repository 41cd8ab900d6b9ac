"""Links by which members of staff edit their own cards, without a password.

A link is the invite's id with a mark that only we can make, so nothing that opens it is kept.
"""

import hmac
import re
from base64 import urlsafe_b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, get_args

from pydantic import ValidationError
from sqlalchemy import Connection, insert, select, update

from accounts.refusals import field_errors
from cards import find, manage
from cards.find import CardRecord
from cards.manage import CardRevoked
from cards.profile import Profile, Words
from cards.tables import CardInvite
from cards.template import Editable, locked
from kernel.errors import FieldError, Invalid, pointer_part
from kernel.ids import new_id
from notify.asking import Wanted

# What the key of invites is derived for (infra.secrets.derived).
PURPOSE: Final = "card invites"
VALID: Final = timedelta(days=14)
_MARK_BYTES: Final = 16
_TOKEN: Final = re.compile(r"inv_[0-9a-z]{26}\.[A-Za-z0-9_-]{22}")
# A photo is uploaded, and changed by set_photo.
EDITABLE: Final = frozenset(get_args(Editable)) - {"photo"}
_LOCKED: Final = "is set by the brand, and not yours to change"
_FOREIGN: Final = "is not among what can be changed here; leave it out"


@dataclass(frozen=True, slots=True)
class Invite:
    id: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Invited:
    """An invite that holds, and its card as it is."""

    id: str
    card: CardRecord
    expires_at: datetime


def link_token(key: bytes, invite_id: str) -> str:
    made = hmac.digest(key, invite_id.encode(), "sha256")[:_MARK_BYTES]
    return f"{invite_id}.{urlsafe_b64encode(made).rstrip(b'=').decode()}"


def invite(conn: Connection, merchant_id: str, card: str, *, now: datetime) -> Invite:
    """A new one, which takes the place of those before. Raises :class:`NotFound`, :class:`CardRevoked`."""
    record = manage.hold(conn, merchant_id, card)
    if record.state == "revoked":
        raise CardRevoked("Nobody is invited to it any more")
    withdraw(conn, record, now=now)
    new = Invite(new_id("inv", now), now + VALID)
    row = {"id": new.id, "merchant_id": merchant_id, "card_id": record.id}
    conn.execute(insert(CardInvite).values(row | {"created_at": now, "expires_at": new.expires_at}))
    return new


def withdraw(conn: Connection, record: CardRecord, *, now: datetime) -> None:
    """All links to the card: none of them opens any more."""
    mine = (CardInvite.merchant_id == record.merchant_id, CardInvite.card_id == record.id)
    conn.execute(update(CardInvite).where(*mine, CardInvite.revoked_at.is_(None)).values(revoked_at=now))


def letter(record: CardRecord, new: Invite) -> Wanted:
    """The email that carries the link. Raises :class:`Invalid` where the card has no address."""
    if not record.profile.emails:
        raise Invalid(errors=[FieldError("/send", "needs an email on the card; put one into its profile first")])
    address = record.profile.emails[0].address
    return Wanted(record.merchant_id, new.id, address, language=record.own_language)


def opened(conn: Connection, key: bytes, token: str, *, now: datetime) -> Invited | None:
    """None alike for a link that we did not make, is over, was withdrawn or replaced, or whose card was revoked."""
    if not _TOKEN.fullmatch(token):
        return None
    invite_id, _, _ = token.partition(".")
    return valid(conn, invite_id, now=now) if hmac.compare_digest(token, link_token(key, invite_id)) else None


def valid(conn: Connection, invite_id: str, *, now: datetime) -> Invited | None:
    """The invite, as far as it holds: its link is the right to the card, so no merchant is named."""
    holds = (CardInvite.id == invite_id, CardInvite.revoked_at.is_(None), CardInvite.expires_at > now)
    columns = (CardInvite.merchant_id, CardInvite.card_id, CardInvite.expires_at)
    row = conn.execute(select(*columns).where(*holds)).one_or_none()
    if row is None:
        return None
    record = find.one(conn, row.merchant_id, row.card_id)
    return None if record.state == "revoked" else Invited(invite_id, record, row.expires_at)


def edit(conn: Connection, invited: Invited, changes: Mapping[str, Any], *, now: datetime) -> CardRecord:
    """Write fields of the profile anew, null for none; the card as it then is.

    Raises :class:`Invalid` at each field that is wrong, that is none of a member of staff's, or that the brand locks
    and that is to change.
    """
    foreign = [FieldError(f"/{pointer_part(name)[:100]}", _FOREIGN) for name in changes if name not in EDITABLE]
    if foreign:
        raise Invalid(errors=foreign)
    record = manage.hold(conn, invited.card.merchant_id, invited.card.id)
    new = _with(record.profile, changes)
    refused = list(_refused(record.profile, new, locked(record.template)))
    if refused:
        raise Invalid(errors=refused)
    if new == record.profile:
        return record
    manage.put_profile(conn, record, new, now=now)
    return find.one(conn, record.merchant_id, record.id)


def set_photo(conn: Connection, invited: Invited, key: str | None, *, now: datetime) -> CardRecord:
    """Raises :class:`Invalid` where the brand locks photos."""
    record = manage.hold(conn, invited.card.merchant_id, invited.card.id)
    if "photo" in locked(record.template):
        raise Invalid(errors=[FieldError("/photo", _LOCKED)])
    manage.set_photo(conn, record, key, now=now)
    return find.one(conn, record.merchant_id, record.id)


def _with(before: Profile, changes: Mapping[str, Any]) -> Profile:
    merged = before.model_dump(exclude_defaults=True) | dict(changes)
    try:
        return Profile.model_validate({name: value for name, value in merged.items() if value is not None})
    except ValidationError as error:
        raise Invalid(errors=field_errors(error)) from None


def _refused(before: Profile, after: Profile, fixed: frozenset[str]) -> Iterator[FieldError]:
    """What is locked and differs. In other languages the same fields are, and the organisation always is."""
    yield from (
        FieldError(f"/{name}", _LOCKED)
        for name in Profile.model_fields
        if name in fixed and getattr(before, name) != getattr(after, name)
    )
    for language in sorted({*before.translations, *after.translations}):
        old, new = (each.translations.get(language, Words()) for each in (before, after))
        for name in Words.model_fields:
            if name in fixed | {"organisation"} and getattr(old, name) != getattr(new, name):
                yield FieldError(f"/translations/{language}/{name}", _LOCKED)
