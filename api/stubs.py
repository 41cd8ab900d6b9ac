"""The stubs of a receipt's page: each part of the house adds its own, in the order in which they hang."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from api import scratch_stub, served_by
from api.contexts import Stub
from api.house import House
from api.scratch_view import Held
from api.served_by import Server
from engagement.surveys.hanging import Hung
from receipts.records import ReceiptRecord


@dataclass(frozen=True, slots=True)
class Hanging:
    """What was found for the stubs of a receipt, before its language is known."""

    server: Server | None
    survey: Hung | None
    cards: Sequence[Held] = ()


def find(conn: Connection, house: House, record: ReceiptRecord) -> Hanging:
    return Hanging(served_by.server_of(conn, house, record), scratch_stub.cards_of(conn, house, record))


def stubs(house: House, record: ReceiptRecord, hanging: Hanging, language: str) -> Sequence[Stub]:
    return [
        *([scratch_stub.stub(house, record, hanging.cards, language)] if hanging.cards else []),
        *([served_by.stub(house, record, hanging.server, language)] if hanging.server else []),
    ]
