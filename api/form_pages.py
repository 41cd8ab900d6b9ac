"""The receipt's other forms behind the same link: PDF, text, JSON, and the codes as pictures."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from accounts.find import BrandLook
from api import forms
from api.house import House
from api.notices import absent
from api.page_cache import Rendered
from api.qr_forms import qr_wish
from api.reader import language_of, wants_copy
from api.served import ASK_AGAIN, respond
from infra.pdf import Page
from infra.storage import StorageDown
from kernel.errors import FieldError, Gone, Invalid, NotFound
from receipts import printed
from receipts.codes import code_svg
from receipts.printed import PdfWish
from receipts.records import ReceiptRecord
from receipts.retention import purged
from receipts.signed import signed_document

# Who has the address of a link has the PDF.
_PASSED_ON: Final = (b"cache-control", b"private, no-store")
Make = Callable[[Request, House, ReceiptRecord, BrandLook], Awaitable[Rendered]]


def routes() -> list[BaseRoute]:
    """They use the convertor that :func:`api.pages.routes` registers."""
    makers: dict[str, Make] = {
        "/r/{token:token}.pdf": _pdf,
        "/r/{token:token}.txt": _text,
        "/r/{token:token}.json": _json,
        "/r/{token:token}.xml": _xml,
        "/r/{token:token}/qr.svg": _qr_svg,
        "/r/{token:token}/qr.png": _qr_png,
        "/r/{token:token}/codes/{name}.svg": _code,
    }
    return [Route(path, partial(_form, make=make)) for path, make in makers.items()]


async def _form(request: Request, make: Make) -> Response:
    """A link that leads nowhere, nowhere yet or no more is refused, and shows a browser a page that says so."""
    house: House = request.app.state.house
    token = request.path_params["token"]
    found = await house.read(lambda conn: house.looks.with_record(conn, token))
    if found is None:
        return respond(request, await _absent(house, request, token))
    return respond(request, await make(request, house, *found))


async def _absent(house: House, request: Request, token: str) -> Rendered:
    if "text/html" in request.headers.get("accept", ""):
        return await absent(house, request, token)
    if await house.read(lambda conn: purged(conn, [token])):
        raise Gone("The receipt behind this link was deleted after the time for which its shop keeps receipts")
    raise NotFound("There is no receipt behind this link, or not yet")


async def _pdf(request: Request, house: House, record: ReceiptRecord, look: BrandLook) -> Rendered:
    """``?format=a4`` is a sheet; ``roll`` is a slip, 80 mm wide and as long as it needs to be."""
    signer = await house.signers.of(record)
    wish = PdfWish(
        url=forms.link_to(house.base_url, record.token),
        language=language_of(request, record, look),
        page=_page(request, record),
        copy=wants_copy(request),
        signed=signed_document(record, signer, base_url=house.base_url),
    )
    name = _file_name(record, "pdf")
    # A link is signed for one method.
    seconds = house.settings.data.s3_link_seconds if request.method == "GET" else 0
    kept = await house.fetching.run(lambda: _kept(house, printed.key(record, look, wish), name, seconds))
    if kept is not None:
        return kept
    make = partial(printed.pdf, house.pdf, house.storage, record, look, wish)
    return _shown(await house.rendering.run(make), name)


def _kept(house: House, key: str, name: str, seconds: int) -> Rendered | None:
    """What the storage has; where ``seconds`` are given, the address at which a bucket gives it away for so long."""
    with suppress(StorageDown):
        if seconds and house.storage.exists(key):
            address = house.storage.link(key, seconds=seconds, filename=name, content_type="application/pdf")
            if address:
                return Rendered(b"", "text/plain", (_PASSED_ON, (b"location", address.encode())), status=307)
        data = house.storage.get(key)
        return None if data is None else _shown(data, name)
    return None


def _shown(pdf: bytes, name: str) -> Rendered:
    inline = (b"content-disposition", f'inline; filename="{name}"'.encode())
    return Rendered(pdf, "application/pdf", (ASK_AGAIN, inline))


def _file_name(record: ReceiptRecord, ending: str) -> str:
    return "".join(each if each.isascii() and each.isalnum() else "-" for each in record.number) + f".{ending}"


def _page(request: Request, record: ReceiptRecord) -> Page:
    match request.query_params.get("format"):
        case None:
            return printed.usual_page(record)
        case "roll":
            return "roll"
        case "a4":
            return "a4"
    raise Invalid(errors=[FieldError("query:format", "must be roll or a4")])


async def _text(request: Request, house: House, record: ReceiptRecord, look: BrandLook) -> Rendered:
    language = language_of(request, record, look)
    body = forms.text(record, look, base_url=house.base_url, language=language, copy=wants_copy(request))
    return Rendered(body.encode(), "text/plain; charset=utf-8", (ASK_AGAIN,))


async def _json(request: Request, house: House, record: ReceiptRecord, look: BrandLook) -> Rendered:
    signer = await house.signers.of(record)
    return Rendered(signed_document(record, signer, base_url=house.base_url), "application/json", (ASK_AGAIN,))


async def _xml(request: Request, house: House, record: ReceiptRecord, look: BrandLook) -> Rendered:
    """The electronic invoice (Factur-X) that the sheet of a sale to a business carries."""
    xml = await house.drawing.run(partial(printed.electronic, record))
    if xml is None:
        raise NotFound("The receipt is no electronic invoice")
    attached = (b"content-disposition", f'attachment; filename="{_file_name(record, "xml")}"'.encode())
    return Rendered(xml, "application/xml", (ASK_AGAIN, attached))


async def _qr_svg(request: Request, house: House, record: ReceiptRecord, look: BrandLook) -> Rendered:
    wish, language = qr_wish(request.query_params), language_of(request, record, look)
    said = {"base_url": house.base_url, "language": language}
    make = partial(forms.qr_svg, record.token, look, wish, storage=house.storage, **said)
    return Rendered(await house.drawing.run(make), "image/svg+xml", (ASK_AGAIN,))


async def _qr_png(request: Request, house: House, record: ReceiptRecord, look: BrandLook) -> Rendered:
    wish = qr_wish(request.query_params)
    make = partial(forms.qr_png, record.token, look, wish, storage=house.storage, base_url=house.base_url)
    return Rendered(await house.drawing.run(make), "image/png", (ASK_AGAIN,))


async def _code(request: Request, house: House, record: ReceiptRecord, look: BrandLook) -> Rendered:
    """A code that the till wants shown: ``fiscal`` for the fiscal device's, a number for the others, from 0."""
    draw = partial(code_svg, record.content, request.path_params["name"])
    svg = await house.drawing.run(draw) if "gift" not in record.content.flags else None
    if svg is None:
        raise NotFound("The receipt has no such code")
    return Rendered(svg.encode(), "image/svg+xml", (ASK_AGAIN,))
