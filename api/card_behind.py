"""The card behind a link, for all that is not its page."""

from starlette.requests import Request

from api.house import House
from api.reader import wishes
from cards import find
from cards.face import Face
from cards.find import CardRecord
from kernel.errors import Gone, NotFound
from kernel.ids import is_token
from kernel.locale import choose


async def card_behind(house: House, token: str) -> CardRecord:
    """An active card. Raises :class:`NotFound` where there is none or it is paused, :class:`Gone` where it was
    revoked."""
    record = await house.read(lambda conn: find.by_token(conn, token)) if is_token(token) else None
    if record is None or record.state == "paused":
        raise NotFound("There is no such card, or it is paused")
    if record.state == "revoked":
        raise Gone("This card was revoked")
    return record


def language_of(request: Request, record: CardRecord) -> str:
    """The reader's choice in the address, then their browser's, then the card's own."""
    return choose(wishes(request), record.languages, record.own_language)


def face_for(request: Request, house: House, record: CardRecord) -> Face:
    return find.face_of(record, base_url=house.base_url, language=language_of(request, record))
