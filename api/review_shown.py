"""``/reviews/{merchant}/{sku}``: what is said of a product, for everybody, as a page and as schema.org's Product."""

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

import orjson
from markupsafe import Markup
from sqlalchemy import Connection, select
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from accounts import find as accounts_find
from accounts.find import BrandLook
from accounts.tables import Merchant
from api.contexts import Moment
from api.contexts_after_sale import ProductPage, ReviewShown, StarBar
from api.house import House
from api.notices import HTML, content_policy, nothing_here
from api.page_cache import Rendered
from api.reader import wishes
from api.receipt_page import brand_view, language_links
from api.served import respond
from engagement.voice import product_reviews
from engagement.voice.product_reviews import ProductReviews, Stars
from engagement.voice.reviews import STARS, ReviewRecord
from infra import pages
from infra.i18n import Voice, voice
from infra.theme import theme
from kernel.locale import choose, direction
from receipts import jsonld

_ON_PAGE: Final = 20
_SHARED: Final = (b"cache-control", b"public, max-age=60")
# Any page may ask for it, and show the page in a frame of its own: there is nothing to press on it.
_ANYWHERE: Final = (b"access-control-allow-origin", b"*")
_LONGEST_SKU: Final = 128
_CURSOR: Final = re.compile("rev_[0-9a-z]{26}")


@dataclass(frozen=True, slots=True)
class _Said:
    merchant_id: str
    merchant: str
    look: BrandLook
    told: ProductReviews
    url: str


def routes() -> list[BaseRoute]:
    path = "/reviews/{merchant}/{sku:path}"
    return [Route(f"{path}.json", json_ld), Route(path, page)]


async def page(request: Request) -> Response:
    """``?after=`` is the cursor of the page before."""
    return await _shown(request, "page")


async def json_ld(request: Request) -> Response:
    """To be put into the shop's own page of the product."""
    return await _shown(request, "json")


async def _shown(request: Request, form: str) -> Response:
    house: House = request.app.state.house
    merchant, sku = request.path_params["merchant"], request.path_params["sku"]
    told = request.query_params.get("after", "")
    # What is no cursor, or no language of the answer, must not push others out of the cache; and anybody can make
    # cursors up, so only first pages are in it.
    after = told if _CURSOR.fullmatch(told) else None
    key = (form, merchant, sku, wishes(request) if form == "page" else ())
    mark = house.shown_reviews.mark()
    rendered = house.shown_reviews.get(key) if after is None else None
    if rendered is None:
        is_askable = 0 < len(sku) <= _LONGEST_SKU and sku.isprintable() and merchant.isprintable()
        said = await house.read(lambda conn: _said(conn, house, merchant, sku, after)) if is_askable else None
        if said is None:
            return respond(request, nothing_here(request))
        rendered = _page(request, said) if form == "page" else _json(said)
        if after is None:
            house.shown_reviews.put(key, rendered, mark)
    return respond(request, rendered)


def _said(conn: Connection, house: House, merchant: str, sku: str, after: str | None) -> _Said | None:
    merchant_id = conn.scalar(select(Merchant.id).where(Merchant.slug == merchant))
    stars = _stars(conn, house, merchant_id, sku) if merchant_id else None
    if merchant_id is None or stars is None:
        return None
    told = product_reviews.of_product(conn, merchant_id, sku, limit=_ON_PAGE, after=after, stars=stars)
    if told is None:
        return None
    look = _look(conn, merchant_id, told)
    url = f"{house.base_url}{product_reviews.path_of(merchant, sku)}"
    return _Said(merchant_id, merchant, look, told, url)


def _stars(conn: Connection, house: House, merchant_id: str, sku: str) -> Stars | None:
    """Counted once for all pages; None where there are none, which is not remembered."""
    known, mark, name = house.counted_stars, house.counted_stars.mark(), f"{merchant_id} {sku}"
    if (stars := known.get(name)) is None:
        stars = product_reviews.stars_of(conn, merchant_id, sku)
        if not stars.count:
            return None
        known.put(name, stars, mark)
    return stars


def _look(conn: Connection, merchant_id: str, told: ProductReviews) -> BrandLook:
    """Of the merchant's brand that the catalogue names as the product's; else of that which sold it last to somebody
    who wrote of it; else of the first."""
    ours = accounts_find.brands(conn, merchant_id)
    named = (told.brand or "").casefold()
    for each in ours:
        if named in (each.slug, each.name.casefold()):
            return each
    return accounts_find.brand_look(conn, merchant_id, told.brand_id) if told.brand_id else ours[0]


def _json(said: _Said) -> Rendered:
    document = product_reviews.as_json_ld(said.told, brand=said.look.name, url=said.url)
    headers = (_SHARED, _ANYWHERE)
    return Rendered(orjson.dumps(document), "application/ld+json", headers, subject=said.merchant_id)


def _page(request: Request, said: _Said) -> Rendered:
    look, told = said.look, said.told
    language = choose(wishes(request), look.languages, look.languages[0])
    spoken = voice(language)
    here = product_reviews.path_of(said.merchant, told.sku)
    document = product_reviews.as_json_ld(told, brand=look.name, url=said.url)
    count = spoken.formats.number(Decimal(told.stars.count))
    context = ProductPage(
        language=language,
        direction=direction(language),
        title=f"{told.name} · {look.name}",
        description=told.name,
        theme=theme(look.colour),
        languages=language_links(look.languages, language),
        brand=brand_view(look, language),
        product=told.name,
        average=spoken.formats.number(told.stars.average or Decimal()),
        summary=spoken.ngettext("%(num)s review", "%(num)s reviews", told.stars.count) % {"num": count},
        bars=tuple(_bars(told, spoken)),
        reviews=tuple(_review(each, spoken) for each in told.reviews),
        more=f"{here}?after={told.more}&lang={language}" if told.more else "",
        json_url=f"{here}.json",
        json_ld=Markup(jsonld.script(document)),  # noqa: S704 - escaped for its element
    )
    html = pages.render("product.html", context, language)
    styles = (context.theme.csp_hash, pages.stylesheet_hash("page.css"), pages.stylesheet_hash("reviews.css"))
    policy = content_policy(pages.policy(*styles, is_framed=True))
    headers = (_SHARED, policy, (b"content-language", language.encode()))
    return Rendered(html.encode(), HTML, headers, subject=said.merchant_id)


def _bars(told: ProductReviews, spoken: Voice) -> list[StarBar]:
    """The best first."""
    found = []
    for stars, count in reversed(list(zip(STARS, told.stars.counts, strict=True))):
        said = spoken.ngettext("%(num)d star", "%(num)d stars", stars) % {"num": stars}
        text = spoken.formats.number(Decimal(count))
        found.append(StarBar(spoken.formats.number(Decimal(stars)), f"{said}: {text}", count, told.stars.count, text))
    return found


def _review(record: ReviewRecord, spoken: Voice) -> ReviewShown:
    return ReviewShown(
        stars=record.stars,
        said=spoken.ngettext("%(num)d star", "%(num)d stars", record.stars) % {"num": record.stars},
        title=record.title,
        text=record.text,
        name=record.display_name,
        language=record.language,
        written=Moment(record.written_at.date().isoformat(), spoken.formats.moment(record.written_at).date),
        reply=record.reply or "",
    )
