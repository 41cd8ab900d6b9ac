"""A card's photo, and the QR codes that lead to it. What is behind them goes with the card."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from api import qr_forms
from api.card_behind import card_behind, face_for, language_of
from api.house import House
from api.page_cache import Rendered
from api.qr_forms import Coded, qr_wish
from api.served import ASK_AGAIN, respond
from cards import find, kept
from cards.codes import offline_level
from cards.face import Face
from cards.find import CardRecord
from cards.links import Source, page_url
from cards.vcard import vcard
from infra.database import reading
from infra.i18n import voice
from infra.making import made_by
from infra.portraits import Form, portrait_form
from infra.qr import Ecc
from infra.storage import content_key
from kernel.errors import FieldError, Invalid, NotFound

_VARIANTS: Final = ("plain", "logo", "vcard")
_SOURCES: Final[tuple[Source, ...]] = ("qr", "nfc", "link")
# Pixels a side: twice what the page shows; what a mail's signature and other services take.
_SIDES: Final[dict[Form, int]] = {"webp": 224, "jpg": 480}
_MEDIA: Final[dict[Form, str]] = {"webp": "image/webp", "jpg": "image/jpeg"}
Make = Callable[[Request, House, CardRecord], Awaitable[Rendered]]


def routes() -> list[BaseRoute]:
    """They use the convertor that :func:`api.pages.routes` registers."""
    makers: dict[str, Make] = {
        "/c/{token:token}/photo.webp": partial(_photo, form="webp"),
        "/c/{token:token}/photo.jpg": partial(_photo, form="jpg"),
        "/c/{token:token}/qr.svg": _qr_svg,
        "/c/{token:token}/qr.png": _qr_png,
    }
    return [Route(path, partial(of_card, make=make)) for path, make in makers.items()]


async def of_card(request: Request, make: Make) -> Response:
    """What ``make`` gives of an active card. Raises as :func:`card_behind` does."""
    house: House = request.app.state.house
    record = await card_behind(house, request.path_params["token"])
    return respond(request, await make(request, house, record))


def is_still(house: House, record: CardRecord) -> bool:
    """Whether the card is as it was read. Blocks."""
    with reading(house.engine) as conn:
        return find.by_token(conn, record.token) == record


async def _photo(request: Request, house: House, record: CardRecord, *, form: Form) -> Rendered:
    data = await house.drawing.run(partial(_portrait, house, record, form))
    if data is None:
        raise NotFound("The card has no photo")
    return Rendered(data, _MEDIA[form], (ASK_AGAIN,))


def _portrait(house: House, record: CardRecord, form: Form) -> bytes | None:
    photo = house.storage.get(record.photo_key) if record.photo_key else None
    if photo is None:
        return None
    key = content_key(kept.folder(record.token), photo, made_by("infra"), suffix=f".{form}")
    make = partial(portrait_form, photo, form, _SIDES[form])
    return kept.once(house.storage, key, make, is_still_so=partial(is_still, house, record))


async def _qr_svg(request: Request, house: House, record: CardRecord) -> Rendered:
    wish, coded = await _wished(request, house, record)
    title = voice(language_of(request, record)).gettext("QR code")
    make = partial(qr_forms.qr_svg, coded, record.look, wish, storage=house.storage, title=title)
    return Rendered(await house.drawing.run(make), "image/svg+xml", (ASK_AGAIN,))


async def _qr_png(request: Request, house: House, record: CardRecord) -> Rendered:
    wish, coded = await _wished(request, house, record)
    make = partial(qr_forms.qr_png, coded, record.look, wish, storage=house.storage)
    return Rendered(await house.drawing.run(make), "image/png", (ASK_AGAIN,))


async def _wished(request: Request, house: House, record: CardRecord) -> tuple[qr_forms.QrWish, Coded]:
    """The link, or with ``variant=vcard`` what a phone saves without asking anybody."""
    wish, source = qr_wish(request.query_params, variants=_VARIANTS), request.query_params.get("s", "qr")
    known = next((each for each in _SOURCES if each == source), None)
    if known is None:
        raise Invalid(errors=[FieldError("query:s", f"must be {' or '.join(_SOURCES)}")])
    if not wish.is_offline:
        return wish, Coded(page_url(house.base_url, record.token, known))
    # Beside the loop, since the first one loads vobject, and its level is tried.
    text, level = await to_thread.run_sync(_offline, face_for(request, house, record))
    return wish, Coded(text, level)


def _offline(face: Face) -> tuple[str, Ecc]:
    text = vcard(face, is_short=True).decode()
    return text, offline_level(text)
