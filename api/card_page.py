"""The page of ``/c/{token}`` as a typed context."""

from api.card_view import card_view
from api.contexts_of_cards import CardLinks, CardPage, CardView, ExchangeForm
from api.receipt_page import brand_view, language_links
from api.wallets import Wallets
from cards.face import Face
from cards.find import CardRecord, face_of
from cards.links import page_url
from infra.theme import theme
from kernel.locale import base_language, direction


def card_page(
    record: CardRecord,
    *,
    base_url: str,
    language: str,
    exchange: ExchangeForm,
    tags: dict[str, str],
    wallets: Wallets,
) -> CardPage:
    """``tags`` come from the link that was followed."""
    face = face_of(record, base_url=base_url, language=language)
    card = card_view(face, own_language=_written_in(record, language))
    return CardPage(
        language=language,
        direction=direction(language),
        title=f"{card.name} · {card.organisation}",
        description=_description(card),
        theme=theme(record.look.colour),
        languages=language_links(record.languages, language),
        card=card,
        brand=brand_view(record.look, language),
        links=card_links(record, face, base_url=base_url, language=language, wallets=wallets),
        exchange=exchange,
        tags=tags,
    )


def card_links(record: CardRecord, face: Face, *, base_url: str, language: str, wallets: Wallets) -> CardLinks:
    path = f"/c/{record.token}"
    return CardLinks(
        page=page_url(base_url, record.token),
        path=path,
        vcf=f"{path}.vcf?lang={language}",
        qr=f"{path}/qr.svg",
        photo=photo_url(record),
        preview=f"{base_url}{path}/preview.jpg?lang={language}",
        pkpass=f"{path}.pkpass?lang={language}" if wallets.apple else "",
        google=f"{path}/google" if wallets.google else "",
    )


def photo_url(record: CardRecord) -> str:
    """Empty where there is no photo. It changes with the photo, and goes with the card."""
    version = record.photo_key.rpartition("/")[2][:8] if record.photo_key else ""
    return f"/c/{record.token}/photo.webp?v={version}" if version else ""


def _written_in(record: CardRecord, language: str) -> str:
    """The language of what the person wrote: the page's where they wrote in it."""
    return language if base_language(language) in record.profile.translations else record.own_language


def _description(card: CardView) -> str:
    return " · ".join(each for each in (card.role, card.organisation) if each)
