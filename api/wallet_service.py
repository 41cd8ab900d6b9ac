"""Apple's web service: phones register the passes that they hold, and ask which have changed.

https://developer.apple.com/documentation/walletpasses/adding-a-web-service-to-update-passes. Its addresses and statuses
are Apple's. Who has a pass has its token; what a phone may ask for without one is known by the phone's id alone.
"""

import re
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from functools import partial
from hmac import compare_digest
from typing import Any, Final

import structlog
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from api.answers import json_answer
from api.body import json_body
from api.house import House
from api.served import respond
from api.visitors import address_of
from api.wallets import Subject, is_unchanged, of_card, of_receipt, require_apple, signed_pass
from cards import find as cards
from cards import numbers, wallets
from cards.find import CardRecord
from cards.wallets import Device
from infra.pass_parts import PassOffice
from kernel.clock import from_microseconds, microseconds
from kernel.errors import BadRequest, NotFound, Unauthorized
from pos import wallets as receipts

_log = structlog.get_logger()
_DEVICE: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_PUSH_TOKEN: Final = re.compile(r"[A-Za-z0-9+/=_-]{1,200}")
_TAG: Final = re.compile(r"[0-9]{1,17}")
# A change that is being committed meanwhile may be so much older than the newest that is seen.
_UNSETTLED: Final = timedelta(seconds=10)
_MOST_LINES: Final = 5
_LONGEST_LINE: Final = 500
_UNSEEN: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")

Answer = Callable[[Request, House, PassOffice], Awaitable[Response]]


def routes() -> list[BaseRoute]:
    registration = "/wallet/v1/devices/{device}/registrations/{kind}/{serial}"
    answers: list[tuple[str, str, Answer]] = [
        ("POST", registration, register),
        ("DELETE", registration, unregister),
        ("GET", "/wallet/v1/devices/{device}/registrations/{kind}", changed),
        ("GET", "/wallet/v1/passes/{kind}/{serial}", newest),
        ("POST", "/wallet/v1/log", log),
    ]
    return [Route(path, partial(_answered, answer=answer), methods=[method]) for method, path, answer in answers]


async def _answered(request: Request, answer: Answer) -> Response:
    house: House = request.app.state.house
    office = require_apple(house)
    if request.path_params.get("kind", office.pass_type) != office.pass_type:
        raise NotFound("This service makes no passes of this type")
    return await answer(request, house, office)


async def register(request: Request, house: House, office: PassOffice) -> Response:
    """201 for a phone that is new to the pass, 200 for one that is known. Raises :class:`kernel.errors.TooMany`."""
    serial, device = _authorized(request, office), Device(_device(request), await _push_token(request))
    subject = await _subject(house, serial)
    address = address_of(request, trusted=house.settings.server.trusted_proxies)
    is_new = await house.write(lambda conn: _registered(conn, house, subject, device, address))
    return json_answer({}, 201 if is_new else 200)


def _registered(conn: Connection, house: House, subject: Subject, device: Device, address: str) -> bool:
    """The device's id is its own word, as the name of a browser is: what it counts is limited by its network."""
    record, now = subject.record, house.clock()
    is_new = wallets.register(conn, record.merchant_id, record.id, device, now=now)
    if is_new:
        wallets.tell_new(conn, house.post.jobs, record.merchant_id, record.id, device.id, now=now)
    if is_new and isinstance(record, CardRecord) and record.is_active:
        visitor = numbers.visitor_of(conn, record.merchant_id, address, device.id, now)
        numbers.count(conn, record, "wallet", source="wallet", visitor=visitor, receipt_id=None, now=now)
    return is_new


async def unregister(request: Request, house: House, office: PassOffice) -> Response:
    serial, device = _authorized(request, office), _device(request)
    await house.write(lambda conn: wallets.unregister(conn, serial, device))
    return json_answer({})


async def changed(request: Request, house: House, office: PassOffice) -> Response:
    """The serial numbers of what changed after ``passesUpdatedSince``, which is the tag of an earlier answer; 204 where
    nothing did."""
    device, since = _device(request), _since(request)
    times = await house.read(lambda conn: _times(conn, device))
    serials = sorted(serial for serial, moment in times.items() if since is None or moment > since)
    if not serials:
        return Response(status_code=204, headers={"Cache-Control": "no-store"})
    # What changed a moment ago is told once more: a phone that has it already is answered 304.
    tag = min(max(times.values()), house.clock() - _UNSETTLED)
    return json_answer({"serialNumbers": serials, "lastUpdated": str(microseconds(tag))})


def _times(conn: Connection, device: str) -> dict[str, datetime]:
    serials = wallets.serials_of(conn, device)
    return wallets.changed_cards(conn, serials) | receipts.changed_receipts(conn, serials)


async def newest(request: Request, house: House, office: PassOffice) -> Response:
    subject = await _subject(house, _authorized(request, office))
    if is_unchanged(request, subject.changed_at):
        return Response(status_code=304, headers={"Cache-Control": "private, no-cache"})
    return respond(request, await signed_pass(house, subject))


async def log(request: Request, house: House, office: PassOffice) -> Response:
    """What phones complain of. Anybody may send it, so it is short, on one line, marked as theirs, and alarms none."""
    told = await json_body(request)
    lines: Any = told.get("logs") if isinstance(told, dict) else None
    if not isinstance(lines, list):
        raise BadRequest("Send logs, a list of lines")
    _log.info("wallet_said", lines=[_UNSEEN.sub(" ", str(line)[:_LONGEST_LINE]) for line in lines[:_MOST_LINES]])
    return json_answer({})


def _authorized(request: Request, office: PassOffice) -> str:
    """The serial number. Raises :class:`Unauthorized` for a token that is not its pass's."""
    serial = str(request.path_params["serial"])
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme != "ApplePass" or not compare_digest(token.strip().encode(), office.token(serial).encode()):
        raise Unauthorized("Send the token of the pass: Authorization: ApplePass …")
    return serial


async def _subject(house: House, serial: str) -> Subject:
    """The card or the receipt. The token that opens it is made of its id alone, so no merchant is named."""
    found = await house.read(lambda conn: _found(conn, house, serial))
    if found is None:
        raise NotFound("What this pass shows is kept no more")
    return found


def _found(conn: Connection, house: House, serial: str) -> Subject | None:
    card = cards.by_serial(conn, serial)
    if card is not None:
        return of_card(card)
    token = receipts.token_of(conn, serial)
    return of_receipt(conn, house, token) if token else None


def _device(request: Request) -> str:
    device = str(request.path_params["device"])
    if not _DEVICE.fullmatch(device):
        raise BadRequest("The device's id has up to 64 letters and digits")
    return device


async def _push_token(request: Request) -> str:
    told = await json_body(request)
    token = told.get("pushToken") if isinstance(told, dict) else None
    if not isinstance(token, str) or not _PUSH_TOKEN.fullmatch(token):
        raise BadRequest("Send the device's pushToken")
    return token


def _since(request: Request) -> datetime | None:
    """A tag that is none of ours is as none: then all passes are told."""
    tag = request.query_params.get("passesUpdatedSince", "")
    if not _TAG.fullmatch(tag):
        return None
    try:
        return from_microseconds(int(tag))
    except (OverflowError, ValueError, OSError):
        return None
