"""``POST /r/{token}/service``: the shopper says how they were served, by whom the receipt names."""

from typing import Final
from urllib.parse import quote

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from api import served_by, survey_stub
from api.form_body import form_fields
from api.house import House
from api.notices import nothing_here
from api.reader import wishes
from api.served import respond
from api.visitors import is_from_our_page, is_person
from cards import find, ratings
from cards.find import CardRecord
from engagement.surveys import hanging, service
from engagement.surveys.records import Given
from kernel.errors import FieldError, Forbidden, Invalid, NotFound
from kernel.ids import is_token
from kernel.locale import LANGUAGES, choose
from receipts import find as receipts_find
from receipts.records import ReceiptRecord

_MOST_BYTES: Final = 1024


def routes() -> list[BaseRoute]:
    return [Route("/r/{token}/service", back, methods=["GET"]), Route("/r/{token}/service", rate, methods=["POST"])]


async def back(request: Request) -> Response:
    """Of who loads the address anew: to the receipt. It rates nothing."""
    return _to_receipt(request) if is_token(request.path_params["token"]) else respond(request, nothing_here(request))


async def rate(request: Request) -> Response:
    """303 to the receipt; another answer takes the place of the one before.

    Raises :class:`Invalid`, :class:`Forbidden` for a form of another site, and :class:`NotFound` where there is no such
    receipt, or nobody with a card served.
    """
    house: House = request.app.state.house
    sent = await form_fields(request, most=_MOST_BYTES)
    token, score = request.path_params["token"], _score(sent.get("score", ""))
    if not is_from_our_page(request, house):
        raise Forbidden("The form must be sent from the receipt's own page")
    await house.write(lambda conn: _rate(conn, house, request, token, score))
    house.pages.forget(token)
    return _to_receipt(request)


def _to_receipt(request: Request) -> Response:
    token, language = quote(request.path_params["token"], safe=""), request.query_params.get("lang")
    return RedirectResponse(f"/r/{token}{f'?lang={language}' if language in LANGUAGES else ''}#card", 303)


def _score(told: str) -> int:
    for score in ratings.SCORES:
        if told == str(score):
            return score
    raise Invalid(errors=[FieldError("/score", f"must be from {ratings.SCORES[0]} to {ratings.SCORES[-1]}")])


def _rate(conn: Connection, house: House, request: Request, token: str, score: int) -> None:
    record = receipts_find.by_token(conn, token) if is_token(token) else None
    card = _server_of(conn, record) if record and served_by.is_rated(record) else None
    if record is None or card is None or not receipts_find.stays(conn, record.merchant_id, record.id):
        raise NotFound("There is no such receipt, or nobody to rate on it")
    # The stars are the answer to the brand's survey of its service, if it has one.
    language = choose([*wishes(request), record.content.language], LANGUAGES, "en")
    given = Given(score, "page", language, held="" if is_person(request) else "robot")
    who = hanging.who_is(conn, survey_stub.keys(house), record)
    if service.answered(conn, record, given, who, now=house.clock()):
        ratings.rate(conn, record.merchant_id, card.id, record.id, score, now=house.clock())


def _server_of(conn: Connection, record: ReceiptRecord) -> CardRecord | None:
    card = find.of_staff(conn, record.merchant_id, record.staff_id) if record.staff_id else None
    return card if card and card.is_active else None
