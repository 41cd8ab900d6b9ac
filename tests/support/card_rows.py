"""A merchant whose cards are much used: straight rows, as cards.numbers and cards.contacts write them."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice, product
from typing import Any, Final

from sqlalchemy import Connection, insert

from accounts import find as accounts_find
from accounts.manage import StaffProfile, put_staff_member
from cards import manage
from cards.manage import Belongs
from cards.profile import Profile
from cards.tables import CardContact, CardCount, CardVisit, ServiceRating

FEW: Final = 5
_TOGETHER: Final = 5_000

Row = dict[str, Any]


def fill_cards(
    conn: Connection, merchant_id: str, count: int, *, newest: datetime, cards: int = 20, days: int = 30
) -> None:
    """Of mitte emma, with a few of everything; of kreuzberg ``cards`` others, with ``count`` of everything in
    all, the numbers of each on ``days`` days."""
    emma = _card(conn, merchant_id, "emma", "mitte", newest)
    others = [_card(conn, merchant_id, f"other-{number}", "kreuzberg", newest) for number in range(cards)]
    for some, store, together in (([emma], "mitte", FEW), (others, "kreuzberg", count)):
        store_id = accounts_find.store_id(conn, merchant_id, store)
        left = (_left(some[at % len(some)], at, newest) for at in range(together))
        for rows in _batches(left):
            conn.execute(insert(CardContact), [_contact(row, store_id) for row in rows])
            conn.execute(insert(CardVisit), [_visit(row) for row in rows])
            conn.execute(insert(ServiceRating), [_rating(row) for row in rows])
        for counts in _batches(_counts(some, max(1, together // (len(some) * days)), newest, days)):
            conn.execute(insert(CardCount), counts)


def _batches(rows: Iterator[Row]) -> Iterator[list[Row]]:
    while batch := list(islice(rows, _TOGETHER)):
        yield batch


def _card(conn: Connection, merchant_id: str, staff: str, store: str, now: datetime) -> Row:
    put_staff_member(conn, merchant_id, staff, StaffProfile(name=staff, store=store), now=now)
    card_id = manage.create(conn, merchant_id, Belongs(staff=staff, store=store), Profile(name=staff), now=now)
    return {"card_id": card_id, "merchant_id": merchant_id}


def _counts(cards: list[Row], targets: int, newest: datetime, days: int) -> Iterator[Row]:
    for card, before, target in product(cards, range(days), range(targets)):
        day = (newest - timedelta(days=before)).date().isoformat()
        yield card | {"day": day, "act": "tap", "source": "qr", "target": f"way-{target}", "times": 3}


def _left(card: Row, at: int, newest: datetime) -> Row:
    """What somebody did who came to ``card`` by a receipt."""
    mark = f"{at:010d}{card['card_id'][-12:]}"
    return card | {"mark": mark, "receipt_id": f"rct_{mark}", "at": newest - timedelta(seconds=at)}


def _contact(left: Row, store_id: str) -> Row:
    return {
        "id": f"con_{left['mark']}",
        "merchant_id": left["merchant_id"],
        "card_id": left["card_id"],
        "store_id": store_id,
        "name": "Mia Roth",
        "email": "mia@example.com",
        "phone": None,
        "organisation": None,
        "note": "Two loaves weekly?",
        "language": "en",
        "consent_text": "I agree that my contact is kept.",
        "consent_version": "1",
        "source": "receipt",
        "receipt_id": left["receipt_id"],
        "form_id": left["mark"],
        "left_at": left["at"],
    }


def _visit(left: Row) -> Row:
    return _of_receipt(left) | {"act": "view", "times": 1, "first_at": left["at"]}


def _rating(left: Row) -> Row:
    return _of_receipt(left) | {"score": 5, "rated_at": left["at"]}


def _of_receipt(left: Row) -> Row:
    return {name: left[name] for name in ("receipt_id", "card_id", "merchant_id")}
