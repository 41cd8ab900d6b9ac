"""The page of ``/u/{token}`` as a typed context."""

from accounts.find import BrandLook
from api.contexts import StopPage
from api.receipt_page import brand_view, language_links
from infra.i18n import voice
from infra.theme import theme
from kernel.locale import LANGUAGES, direction, isolated
from notify.stopping import Addressee


def stop_page(addressee: Addressee, look: BrandLook, *, language: str) -> StopPage:
    words = voice(language)
    _, brand = words.gettext, {"brand": isolated(look.name, words.direction)}
    if addressee.is_stopped:
        heading, text = _("No more emails"), _("%(brand)s no longer writes to this address:") % brand
        hint = _("Was that a mistake? Please ask in the shop.")
    else:
        heading, text = _("Stop these emails?"), _("%(brand)s will no longer send receipts to this address:") % brand
        hint = _("The receipts that you already have can still be opened.")
    return StopPage(
        language=language,
        direction=direction(language),
        title=f"{heading} · {look.name}",
        description=heading,
        theme=theme(look.colour),
        languages=language_links(tuple(LANGUAGES), language),
        brand=brand_view(look, language),
        heading=heading,
        text=text,
        address=masked(addressee.address),
        hint=hint,
        is_stopped=addressee.is_stopped,
    )


def masked(address: str) -> str:
    """``a…@example.com``: who gets a forwarded mail shall not learn more from its link."""
    local, at, domain = address.rpartition("@")
    return f"{local[:1] if len(local) > 1 else ''}…{at}{domain}"
