"""The receipt's page as a typed context: the receipt, its brand, its links, and the stubs that hang below it."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from markupsafe import Markup

from accounts.find import BrandLook
from api import catalogue_said
from api.contexts import BrandView, ErrorPage, LanguageLink, Logo, PendingPage, ReceiptLinks, ReceiptPage, Stub
from engagement.offers.about import Said
from infra.i18n import voice
from infra.theme import theme
from kernel.locale import LANGUAGES, direction
from receipts import jsonld
from receipts.codes import number_code
from receipts.printed import is_invoice
from receipts.records import ReceiptRecord
from receipts.view import view

_COPY = "&copy=1"
# Where no brand is known: our own paper and ink.
OWN_COLOUR = "#3f4a5a"
# The box in which the page shows a logo of any shape, as in page.css.
_LOGO_BOX = 44
_NOTHING: Final[Mapping[str, Said]] = MappingProxyType({})


def receipt_page(
    record: ReceiptRecord,
    look: BrandLook,
    *,
    base_url: str,
    language: str,
    copy: bool,
    stubs: tuple[Stub, ...] = (),
    said: Mapping[str, Said] = _NOTHING,
    has_pass: bool = False,
) -> ReceiptPage:
    """``said`` is what the catalogue says of lines; ``has_pass`` where passes for wallets are made."""
    receipt = catalogue_said.beside(view(record, language=language, copy=copy), record, said)
    page = f"{base_url}/r/{record.token}"
    return ReceiptPage(
        language=language,
        direction=direction(language),
        title=f"{receipt.title} · {look.name}",
        description=f"{receipt.title} · {receipt.store.name}",
        theme=theme(look.colour),
        languages=language_links(look.languages, language, copy=copy),
        receipt=receipt,
        brand=brand_view(look, language),
        links=_links(record, page, f"?lang={language}{_COPY if copy else ''}", has_pass=has_pass),
        json_ld=Markup(jsonld.script(jsonld.order(record, url=page))),  # noqa: S704 - escaped for its element
        number_code=Markup(number_code(record.number)),  # noqa: S704 - our own drawing
        stubs=stubs,
    )


def pending_page(token: str, *, language: str) -> PendingPage:
    words = voice(language).gettext
    return PendingPage(
        language=language,
        direction=direction(language),
        title=words("Your receipt is on its way"),
        description=words("Your receipt is on its way"),
        theme=theme(OWN_COLOUR),
        languages=language_links(tuple(LANGUAGES), language),
        ready_url=f"/r/{token}",
    )


def error_page(heading: str, text: str, *, language: str) -> ErrorPage:
    return ErrorPage(
        language=language,
        direction=direction(language),
        title=heading,
        description=heading,
        theme=theme(OWN_COLOUR),
        languages=(),
        heading=heading,
        text=text,
    )


def language_links(offered: Sequence[str], current: str, *, copy: bool = False) -> tuple[LanguageLink, ...]:
    """Without a cookie, the choice stands in the address."""
    rest = _COPY if copy else ""
    return tuple(LanguageLink(tag, LANGUAGES[tag], f"?lang={tag}{rest}", tag == current) for tag in offered)


def _links(record: ReceiptRecord, page: str, wish: str, *, has_pass: bool) -> ReceiptLinks:
    """``wish`` hands the language and the mark of a copy on to the forms that have words."""
    here = f"/r/{record.token}"
    return ReceiptLinks(
        page=page,
        pdf=f"{here}.pdf{wish}",
        text=f"{here}.txt{wish}",
        json=f"{here}.json",
        xml=f"{here}.xml" if is_invoice(record) else "",
        qr=f"{here}/qr.svg",
        codes=f"{here}/codes",
        pkpass=f"{here}.pkpass{wish}" if has_pass else "",
    )


def brand_view(look: BrandLook, language: str) -> BrandView:
    written_in = next((tag for tag in (language, *look.languages) if look.return_text.get(tag)), "")
    return BrandView(
        name=look.name,
        initial=look.name[:1].upper(),
        logo=Logo(_small(look.logo_key), _LOGO_BOX, _LOGO_BOX) if look.logo_key else None,
        website=look.website or "",
        support_email=look.support_email or "",
        support_phone=look.support_phone or "",
        support_url=look.support_url or "",
        return_text=look.return_text.get(written_in, ""),
        return_language=written_in if written_in != language else "",
    )


def _small(logo_key: str) -> str:
    return f"/media/{logo_key.removesuffix('.png')}.webp"
