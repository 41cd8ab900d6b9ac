"""A card on paper and on screens: for a printer, for links that are shared, behind somebody in a call."""

from collections.abc import Callable
from functools import partial

from starlette.requests import Request
from starlette.routing import BaseRoute, Route

from api.card_behind import face_for
from api.card_pictures import Make, is_still, of_card
from api.house import House
from api.page_cache import Rendered
from api.rendering import Rendering
from api.served import ASK_AGAIN
from cards import kept, paper, pictures
from cards.face import Face
from cards.find import CardRecord
from cards.links import page_url
from cards.pictures import Sitter
from infra.pdf import Page
from infra.storage import at_hand
from kernel.errors import FieldError, Invalid


def routes() -> list[BaseRoute]:
    """They use the convertor that :func:`api.pages.routes` registers."""
    makers: dict[str, Make] = {
        "/c/{token:token}/preview.jpg": _preview,
        "/c/{token:token}/background.jpg": _background,
        "/c/{token:token}/print.pdf": _print,
    }
    return [Route(path, partial(of_card, make=make)) for path, make in makers.items()]


async def _preview(request: Request, house: House, record: CardRecord) -> Rendered:
    data = await _made(request, house, record, "preview.jpg", pictures.preview, house.drawing)
    return Rendered(data, "image/jpeg", (ASK_AGAIN,))


async def _background(request: Request, house: House, record: CardRecord) -> Rendered:
    draw = partial(pictures.backdrop, link=_coded(house, record))
    data = await _made(request, house, record, "background.jpg", draw, house.drawing)
    return Rendered(data, "image/jpeg", (ASK_AGAIN, _named(record, "background.jpg")))


async def _print(request: Request, house: House, record: CardRecord) -> Rendered:
    page = _page(request)
    website = record.look.website or ""
    draw = partial(paper.pdf, house.pdf, link=_coded(house, record), website=website, page=page)
    data = await _made(request, house, record, f"{page}.pdf", draw, house.rendering)
    return Rendered(data, "application/pdf", (ASK_AGAIN, _named(record, f"{page}.pdf")))


async def _made(
    request: Request, house: House, record: CardRecord, form: str, draw: Callable[[Sitter], bytes], turns: Rendering
) -> bytes:
    """What is kept is fetched without waiting for others' turns to make something."""
    face = face_for(request, house, record)
    key = kept.key(record.token, form, face, record.look, record.photo_key)
    found = await house.fetching.run(lambda: at_hand(house.storage, key))
    if found is not None:
        return found
    return await turns.run(partial(_drawn, house, record, face, key, draw))


def _drawn(house: House, record: CardRecord, face: Face, key: str, draw: Callable[[Sitter], bytes]) -> bytes:
    photo, logo = (at_hand(house.storage, each) if each else None for each in (record.photo_key, record.look.logo_key))
    sitter = Sitter(face, record.look.colour, photo, logo)
    if (record.photo_key and photo is None) or (record.look.logo_key and logo is None):
        # Drawn without them, but not kept so: the next time they may be there again.
        return draw(sitter)
    return kept.once(house.storage, key, partial(draw, sitter), is_still_so=partial(is_still, house, record))


def _coded(house: House, record: CardRecord) -> str:
    return page_url(house.base_url, record.token, "qr")


def _page(request: Request) -> Page:
    match request.query_params.get("sheet", "0"):
        case "0":
            return "card"
        case "1":
            return "sheet"
    raise Invalid(errors=[FieldError("query:sheet", "must be 0 or 1")])


def _named(record: CardRecord, name: str) -> tuple[bytes, bytes]:
    return (b"content-disposition", f'inline; filename="{record.staff}-{name}"'.encode())
