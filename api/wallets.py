"""Passes of cards and receipts as answers: which wallets are set up, and the signed file."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from typing import Final

import structlog
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from accounts.find import BrandLook
from api.house import House
from api.page_cache import Rendered
from api.served import NEVER_KEEP
from cards.find import CardRecord
from cards.passes import card_pass
from infra import pkpass
from infra.pass_parts import PassOffice, PassParts
from infra.pass_signer import PassesUnsigned
from infra.storage import Storage
from kernel.errors import NotFound
from pos.wallets import changed_receipts
from receipts.passes import receipt_pass
from receipts.records import ReceiptRecord

_log = structlog.get_logger()
# Times of HTTP have no parts of a second: until a second is over, another change of it may come.
_SETTLED: Final = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class Wallets:
    """Which are set up, so that a page can have their buttons."""

    apple: bool
    google: bool


def buttons(house: House) -> Wallets:
    wallet = house.settings.wallet
    return Wallets(apple=not wallet.lacking_for_apple, google=not wallet.lacking_for_google)


def require_apple(house: House) -> PassOffice:
    """Raises :class:`NotFound` where no passes are made."""
    if not buttons(house).apple:
        raise NotFound("This service makes no passes")
    return house.pass_office


@dataclass(frozen=True, slots=True)
class Subject:
    """What a pass shows: a card, or a receipt with its brand."""

    record: CardRecord | ReceiptRecord
    look: BrandLook
    changed_at: datetime

    def parts(self, office: PassOffice, storage: Storage) -> PassParts:
        if isinstance(self.record, CardRecord):
            return card_pass(self.record, office, storage)
        return receipt_pass(self.record, self.look, office, storage)


def of_card(record: CardRecord) -> Subject:
    return Subject(record, record.look, record.changed_at)


def of_receipt(conn: Connection, house: House, token: str) -> Subject | None:
    found = house.looks.with_record(conn, token)
    if found is None:
        return None
    record, look = found
    return Subject(record, look, changed_receipts(conn, [record.id])[record.id])


async def signed_pass(house: House, subject: Subject) -> Rendered:
    """Raises :class:`PassesUnsigned`, and :class:`kernel.errors.Unavailable` where too many ask."""
    office = require_apple(house)

    def make() -> bytes:
        parts = subject.parts(office, house.storage)
        return pkpass.build(house.pass_signer, parts.content, parts.images, parts.strings)

    try:
        data = await house.drawing.run(make)
    except PassesUnsigned as error:
        _log.error("pass_not_signed", why=error.why)
        raise
    kept = (b"cache-control", b"private, no-cache")
    # A name that ends so is opened by Wallet wherever it comes from.
    named = (b"content-disposition", f'attachment; filename="{subject.record.id}.pkpass"'.encode())
    modified = (b"last-modified", _http(last_modified(subject.changed_at, house.clock())).encode())
    return Rendered(data, pkpass.MEDIA_TYPE, (kept, named, modified))


def led_to(address: str) -> Response:
    """To where Google Wallet takes an object."""
    response = Response(status_code=303)
    response.raw_headers = [NEVER_KEEP, (b"location", address.encode()), (b"content-length", b"0")]
    return response


def last_modified(changed_at: datetime, now: datetime) -> datetime:
    """To the second; one second earlier while another change within it may come, so that who has this gets that."""
    second = changed_at.replace(microsecond=0)
    return second if now - second >= _SETTLED else second - timedelta(seconds=1)


def is_unchanged(request: Request, changed_at: datetime) -> bool:
    """Whether the phone has the newest (RFC 9110 section 13.1.3)."""
    try:
        since = parsedate_to_datetime(request.headers.get("if-modified-since", ""))
    except (ValueError, OverflowError):
        # A number may be larger than any day or year.
        return False
    since = since if since.tzinfo else since.replace(tzinfo=UTC)
    return changed_at.replace(microsecond=0) <= since


def _http(moment: datetime) -> str:
    return format_datetime(moment.astimezone(UTC), usegmt=True)
