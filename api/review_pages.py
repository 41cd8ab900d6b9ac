"""``/r/{token}/reviews``: a shopper reviews what they bought, as long as their receipt is there."""

from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from accounts.find import BrandLook
from api import review_form
from api.contexts_after_sale import ReviewsPage
from api.form_body import form_fields
from api.house import House
from api.notices import HTML, absent, content_policy, nothing_here
from api.page_cache import Rendered
from api.reader import language_of
from api.receipt_page import brand_view, language_links
from api.review_form import Known, Read
from api.served import NEVER_KEEP, respond
from api.visitors import is_from_our_page, is_person
from engagement import shoppers
from engagement.voice import bought, reviews, settings
from engagement.voice.reviews import Author
from engagement.voice.settings import ReviewSettings
from infra import pages
from infra.i18n import voice
from infra.theme import theme
from kernel.errors import Conflict, Forbidden, NotFound
from kernel.ids import is_token
from kernel.locale import direction
from receipts import find as receipts_find
from receipts.records import ReceiptRecord

# 40 products, each with a text of 2,000 characters that may be written as up to twelve.
_MOST_BYTES: Final = 1_200_000
# A field that people do not see, and programs fill in.
_TRAP: Final = "website"


@dataclass(frozen=True, slots=True)
class _Behind:
    """What is behind the link, and ``mark``, whose reviews these are."""

    record: ReceiptRecord
    look: BrandLook
    mark: str
    known: Known


@dataclass(frozen=True, slots=True)
class _Found:
    """A receipt; ``behind`` is None where nothing on it is to be reviewed."""

    behind: _Behind | None


def routes() -> list[BaseRoute]:
    """They use the convertor that :func:`api.pages.routes` registers."""
    path = "/r/{token:token}/reviews"
    return [Route(path, form, methods=["GET"]), Route(path, review, methods=["POST"])]


async def form(request: Request) -> Response:
    house: House = request.app.state.house
    token = request.path_params["token"]
    found = await house.read(lambda conn: _looked_up(conn, house, token)) if is_token(token) else None
    if found is None:
        return respond(request, await absent(house, request, token))
    if (behind := found.behind) is None:
        return respond(request, nothing_here(request))
    return respond(request, _page(request, house, behind, Read(), is_saved=request.query_params.get("saved") == "1"))


async def review(request: Request) -> Response:
    """303 to the page, which says thanks; where something is to be put right, the page with the form.

    Raises :class:`Forbidden` for a form of another site, :class:`NotFound` where there is nothing to review, and what
    :func:`api.form_body.form_fields` does.
    """
    house: House = request.app.state.house
    sent = await form_fields(request, most=_MOST_BYTES)
    if not is_from_our_page(request, house):
        raise Forbidden("The form must be sent from the receipt's own page")
    token = request.path_params["token"]
    if sent.get(_TRAP):
        return RedirectResponse(f"/r/{token}/reviews?saved=1", 303)
    behind, read = await house.write(lambda conn: _write(conn, request, house, token, sent))
    if read.errors:
        return respond(request, replace(_page(request, house, behind, read, is_saved=False), status=422))
    house.forget_reviews(behind.record.merchant_id)
    return RedirectResponse(f"/r/{token}/reviews?saved=1&lang={_language(request, behind)}", 303)


def _looked_up(conn: Connection, house: House, token: str) -> _Found | None:
    """None where there is no receipt."""
    found = house.looks.with_record(conn, token)
    return _Found(_behind(conn, house, *found)) if found else None


def _behind(conn: Connection, house: House, record: ReceiptRecord, look: BrandLook) -> _Behind | None:
    """None where there is nothing to review."""
    wanted = settings.of(conn, record.merchant_id, ReviewSettings)
    mark, products = mark_of(conn, house, record), bought.named(record)
    written = reviews.of_author(conn, record.merchant_id, [each.sku for each in products], mark)
    is_open = wanted.is_on and bool(bought.products(record))
    if not is_open:
        # What was written before can still be seen and taken back.
        products = [each for each in products if each.sku in written]
    return _Behind(record, look, mark, Known(products, written, wanted, is_open)) if products else None


def mark_of(conn: Connection, house: House, record: ReceiptRecord) -> str:
    """Whose reviews are those of the receipt. Who is given something is not who bought it."""
    if "gift" in record.content.flags:
        return record.id
    private = receipts_find.private_part(conn, record.merchant_id, record.id)
    return shoppers.behind(house.shopper_key, record.merchant_id, private) or record.id


def _write(conn: Connection, request: Request, house: House, token: str, sent: dict[str, str]) -> tuple[_Behind, Read]:
    """All of the form, or nothing where something is wrong in it."""
    found = house.looks.with_record(conn, token) if is_token(token) else None
    # Held before it is looked whose reviews these are: whoever erases them comes before or after.
    stays = found is not None and receipts_find.stays(conn, found[0].merchant_id, found[0].id)
    behind = _behind(conn, house, *found) if found and stays else None
    if behind is None:
        raise NotFound("There is no such receipt, or nothing to review on it")
    now, merchant_id = house.clock(), behind.record.merchant_id
    if (gone := sent.get("remove")) is not None:
        for product in behind.known.products:
            if product.sku == gone:
                reviews.withdraw(conn, merchant_id, gone, behind.mark, now=now)
        return behind, Read()
    if not behind.known.is_open:
        raise NotFound("Nothing can be reviewed here any more")
    language = _language(request, behind)
    read = review_form.read(sent, behind.known, voice(language), now=now)
    if any(sent.get(f"sku-{number}") != behind.known.products[number].sku for number in read.words):
        raise Conflict("The receipt shows something else now; open its page again")
    author = Author(behind.record.id, behind.mark, language, behind.record.brand_id, is_person(request))
    for number, words in sorted(read.words.items()) if not read.errors else ():
        reviews.write(conn, merchant_id, behind.known.products[number], words, author, now=now)
    return behind, read


def _language(request: Request, behind: _Behind) -> str:
    return language_of(request, behind.record, behind.look)


def _page(request: Request, house: House, behind: _Behind, read: Read, *, is_saved: bool) -> Rendered:
    record, look, language = behind.record, behind.look, _language(request, behind)
    title = voice(language).gettext("How did you like it?")
    page = ReviewsPage(
        language=language,
        direction=direction(language),
        title=f"{title} · {look.name}",
        description=title,
        theme=theme(look.colour),
        languages=language_links(look.languages, language),
        brand=brand_view(look, language),
        heading=title,
        action=f"/r/{record.token}/reviews?lang={language}",
        back=f"/r/{record.token}?lang={language}",
        products=review_form.forms(behind.known, read, now=house.clock()),
        name=review_form.name_of(behind.known, read),
        name_error=read.errors.get("name", ""),
        is_saved=is_saved,
        is_open=behind.known.is_open,
        has_errors=bool(read.errors),
    )
    html = pages.render("reviews.html", page, language)
    styles = (page.theme.csp_hash, pages.stylesheet_hash("page.css"), pages.stylesheet_hash("reviews.css"))
    headers = (NEVER_KEEP, content_policy(pages.policy(*styles)), (b"content-language", language.encode()))
    return Rendered(html.encode(), HTML, headers)
