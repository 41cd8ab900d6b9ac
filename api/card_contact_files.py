"""What a phone saves of a card, and what a program reads of it: ``.vcf`` and ``.json`` behind its link."""

import json
from functools import partial
from typing import Final

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from api.card_behind import card_behind, face_for
from api.house import House
from api.page_cache import Rendered
from api.served import ASK_AGAIN, respond
from cards import vcard
from cards.find import CardRecord
from cards.jscontact import jscontact
from cards.vcard_words import labels
from infra.portraits import for_vcard
from infra.storage import Storage, at_hand
from kernel.errors import FieldError, Invalid

_VERSIONS: Final[dict[str, vcard.Version]] = {"": "3.0", "3": "3.0", "3.0": "3.0", "4": "4.0", "4.0": "4.0"}
# RFC 9553 section 3.1.
_JSCONTACT: Final = "application/jscontact+json;type=card"


def routes() -> list[BaseRoute]:
    """They use the convertor that :func:`api.pages.routes` registers."""
    return [Route("/c/{token:token}.vcf", _vcf), Route("/c/{token:token}.json", _json)]


async def _vcf(request: Request) -> Response:
    """``?photo=0`` leaves the photo out, for address books that stumble over it; ``?version=4`` is RFC 6350's."""
    house: House = request.app.state.house
    version = _version(request)
    record = await card_behind(house, request.path_params["token"])
    face = face_for(request, house, record)
    photo = await _photo(house, record) if request.query_params.get("photo") != "0" else None
    # Beside the loop: the first one loads vobject, for which all other requests would wait.
    make = partial(vcard.vcard, face, photo=photo, version=version, labels=labels(face.language))
    made = await to_thread.run_sync(make)
    attached = (b"content-disposition", vcard.attached(face))
    return respond(request, Rendered(made, vcard.MEDIA_TYPE, (ASK_AGAIN, attached)))


async def _json(request: Request) -> Response:
    house: House = request.app.state.house
    record = await card_behind(house, request.path_params["token"])
    face = face_for(request, house, record)
    photo_url = f"{face.url}/photo.jpg" if record.photo_key else ""
    made = json.dumps(jscontact(face, photo_url=photo_url), ensure_ascii=False).encode()
    return respond(request, Rendered(made, _JSCONTACT, (ASK_AGAIN,)))


def _version(request: Request) -> vcard.Version:
    version = _VERSIONS.get(request.query_params.get("version", ""))
    if version is None:
        raise Invalid(errors=[FieldError("query:version", "must be 3 or 4")])
    return version


async def _photo(house: House, record: CardRecord) -> bytes | None:
    """Made small for address books; remembered for a while, since making it takes longer than all the rest."""
    if record.photo_key is None:
        return None
    key = ("vcard", record.photo_key)
    kept, mark = house.logos.get(key), house.logos.mark()
    if kept is None:
        data = await house.drawing.run(partial(_small, house.storage, record.photo_key))
        if data is None:
            return None
        kept = Rendered(data, "image/jpeg")
        house.logos.put(key, kept, mark)
    return kept.body


def _small(storage: Storage, key: str) -> bytes | None:
    """None where the storage does not have it, or is down: a card without a photo is better than none."""
    photo = at_hand(storage, key)
    return None if photo is None else for_vcard(photo)
