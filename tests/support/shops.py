"""The people of the tests: a bakery in Berlin, and somebody who has no business in it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import Connection, Engine, RowMapping, Table, insert, select

from accounts import find, keys, manage
from accounts.manage import BrandProfile, MerchantProfile, PostalAddress, StaffProfile, StoreProfile, TillProfile
from pos.all_tables import METADATA

OPENED: Final = datetime(2026, 11, 1, 8, 0, tzinfo=UTC)
ALL: Final = tuple(keys.SCOPES)


@dataclass(frozen=True)
class Shops:
    """``linden`` sold what is in the example, in the store mitte, at till-3, by emma; ``moor`` is another merchant."""

    linden: str
    moor: str
    # Every scope of Linden & Rye.
    owner: str
    # Writes and reads receipts at till-3 of the store mitte.
    till: str
    # Reads receipts of Linden & Rye, and that is all.
    reader: str
    # Every scope, but of the other merchant.
    outsider: str


# The first shops that were opened in this process, with their rows.
_first: list[tuple[Shops, list[tuple[Table, Sequence[RowMapping]]]]] = []


def open_shops(engine: Engine) -> Shops:
    """Put together by the service once; after that the same rows again, which takes a fraction of the time."""
    if not _first:
        shops = _open(engine)
        with engine.connect() as conn:
            rows = [(table, conn.execute(select(table)).mappings().all()) for table in METADATA.sorted_tables]
        _first.append((shops, [(table, found) for table, found in rows if found]))
        return shops
    shops, held = _first[0]
    with engine.begin() as conn:
        for table, found in held:
            conn.execute(insert(table), [dict(row) for row in found])
    return shops


def _open(engine: Engine) -> Shops:
    with engine.begin() as conn:
        linden, moor = _linden_and_rye(conn), _moor(conn)
        mitte = find.store_id(conn, linden, "mitte")
        return Shops(
            linden=linden,
            moor=moor,
            owner=key_for(conn, linden),
            till=key_for(
                conn, linden, ["receipts:write", "receipts:read"], till=find.till_id(conn, linden, mitte, "till-3")
            ),
            reader=key_for(conn, linden, ["receipts:read"]),
            outsider=key_for(conn, moor),
        )


def key_for(conn: Connection, merchant: str, scopes: Sequence[str] = ALL, *, till: str | None = None) -> str:
    return keys.create(conn, merchant, name="test", scopes=scopes, now=OPENED, till_id=till)[0]


def _linden_and_rye(conn: Connection) -> str:
    merchant = manage.create_merchant(conn, "linden-rye", MerchantProfile(name="Linden & Rye"), now=OPENED)
    look = BrandProfile(name="Linden & Rye", colour="#1f5c47", languages=["de", "en"])
    manage.put_brand(conn, merchant, "linden-rye", look, now=OPENED)
    address = PostalAddress(lines=["Torstraße 112"], postal_code="10119", city="Berlin", country="DE")
    for slug, name in (("mitte", "Linden & Rye Mitte"), ("kreuzberg", "Linden & Rye Kreuzberg")):
        store = StoreProfile(name=name, brand="linden-rye", address=address, timezone="Europe/Berlin")
        manage.put_store(conn, merchant, slug, store, now=OPENED)
        for till in ("till-1", "till-3"):
            manage.put_till(conn, merchant, slug, till, TillProfile(name=till.capitalize()), now=OPENED)
    manage.put_staff_member(conn, merchant, "emma", StaffProfile(name="Emma", store="mitte"), now=OPENED)
    return merchant


def _moor(conn: Connection) -> str:
    """The outsider's own shop. Its names are the other's, so that only the merchant tells them apart."""
    merchant = manage.create_merchant(conn, "moor", MerchantProfile(name="Moor"), now=OPENED)
    manage.put_brand(conn, merchant, "moor", BrandProfile(name="Moor"), now=OPENED)
    manage.put_store(conn, merchant, "mitte", StoreProfile(name="Moor", brand="moor"), now=OPENED)
    manage.put_till(conn, merchant, "mitte", "till-3", TillProfile(name="Till 3"), now=OPENED)
    manage.put_staff_member(conn, merchant, "emma", StaffProfile(name="Another Emma"), now=OPENED)
    return merchant
