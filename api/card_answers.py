"""A card as the API shows it, and what else is to be done when one was changed."""

from collections.abc import Callable
from typing import Any

from fastapi import Response
from sqlalchemy import Connection

from accounts import find as accounts_find
from accounts.keys import Caller
from api.answers import json_answer
from api.house import House
from cards import find, manage, profile, stale, wallets
from cards.find import CardRecord
from cards.links import page_url
from kernel.clock import iso, microseconds
from kernel.errors import FieldError, Invalid, NotFound


def shown(house: House, record: CardRecord) -> dict[str, Any]:
    url = page_url(house.base_url, record.token)
    has_pass = not house.settings.wallet.lacking_for_apple
    return {
        "id": record.id,
        "token": record.token,
        "state": record.state,
        "staff": record.staff,
        "store": record.store,
        "brand": record.brand,
        "url": url,
        "vcf_url": f"{url}.vcf",
        "json_url": f"{url}.json",
        "nfc_url": page_url(house.base_url, record.token, "nfc"),
        "qr": {"svg_url": f"{url}/qr.svg", "png_url": f"{url}/qr.png"},
        "photo_url": f"{url}/photo.jpg" if record.photo_key else None,
        "pkpass_url": f"{url}.pkpass" if has_pass else None,
        "profile": profile.plain(record.profile),
        "created_at": iso(record.created_at),
        "changed_at": iso(record.changed_at),
    }


def answer(house: House, record: CardRecord, status: int = 200) -> Response:
    headers = {"ETag": etag(record)}
    return json_answer(
        shown(house, record), status, headers | ({"Location": f"/v1/cards/{record.id}"} if status == 201 else {})
    )


def etag(record: CardRecord) -> str:
    return f'"{microseconds(record.changed_at)}"'


def seen(conn: Connection, caller: Caller, card: str) -> CardRecord:
    """A key that is bound to a store sees the cards of that store."""
    record = find.one(conn, caller.merchant_id, card)
    if caller.store_id not in (None, record.store_id):
        raise NotFound("There is no such card")
    return record


def within(conn: Connection, caller: Caller, store: str | None) -> str | None:
    """The id of the store that is asked for, or else of the one that the key is bound to.

    Raises :class:`Invalid` where these are two.
    """
    if store is None:
        return caller.store_id
    store_id = accounts_find.store_id(conn, caller.merchant_id, store)
    if caller.store_id not in (None, store_id):
        raise Invalid(errors=[FieldError("query:store", "is not the store that this key is bound to")])
    return store_id


def of_staff(conn: Connection, caller: Caller, staff: str) -> str:
    """The id of their card, as far as :func:`seen` would show it. ``staff`` is a slug."""
    record = find.of_staff_named(conn, caller.merchant_id, staff)
    if record is None or caller.store_id not in (None, record.store_id):
        raise NotFound("There is no such member of staff, or they have no card")
    return record.id


async def changed(
    house: House, caller: Caller, card: str, change: Callable[[Connection, CardRecord], None]
) -> CardRecord:
    """The card after ``change``, in one transaction with what is to be told of it. Cards belong to the whole merchant:
    a key that is bound to one store may not change them."""
    require_writer(caller)

    def write(conn: Connection) -> CardRecord:
        before = manage.hold(conn, caller.merchant_id, card)
        change(conn, before)
        after = find.one(conn, caller.merchant_id, before.id)
        if after != before:
            tell(conn, house, before, after)
        return after

    record = await house.write(write)
    show_anew(house)
    return record


def tell(conn: Connection, house: House, before: CardRecord, after: CardRecord) -> None:
    """After a card was changed, in the same transaction: wallets show it anew, and what showed it before goes."""
    now = house.clock()
    wallets.tell_wallets(conn, house.post.jobs, after, now=now)
    stale.let_go(conn, house.post.jobs, stale.changed(after.merchant_id, [(before, after)]), now=now)


def show_anew(house: House) -> None:
    """After cards were changed: receipts show them too, so nothing of any page comes from memory."""
    house.pages.clear()
    house.staff_cards.forget()


def require_writer(caller: Caller) -> None:
    caller.require_whole("cards:write")
