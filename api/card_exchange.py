"""``POST /c/{token}/exchange``: a visitor leaves their contact, and its member of staff hears of it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from api.card_behind import card_behind, language_of
from api.card_pages import shown
from api.contexts_of_cards import ExchangeForm
from api.exchange_form import exchange_form, read
from api.form_body import form_fields
from api.house import House
from api.served import respond
from api.visitors import is_from_our_page, receipt_behind, visitor_of
from cards import contacts, links
from cards.contacts import ContactForm
from cards.find import CardRecord
from infra.i18n import later, voice
from kernel.errors import Forbidden, TooMany

# A message of 2,000 characters, each written as up to twelve, and the rest.
_MOST_BYTES: Final = 32_000
# A field that people do not see, and programs fill in.
_TRAP: Final = "website"
_TOO_MANY: Final = later("Many contacts were left here today. Please try again tomorrow.")


def routes() -> list[BaseRoute]:
    return [Route("/c/{token:token}/exchange", exchange, methods=["POST"])]


async def exchange(request: Request) -> Response:
    """303 to the card's page, which says thanks; where something is to be put right, the page with the form.

    Raises :class:`Forbidden` for a form of another site, and what :func:`api.form_body.form_fields` and
    :func:`api.card_behind.card_behind` do.
    """
    house: House = request.app.state.house
    sent = await form_fields(request, most=_MOST_BYTES)
    record = await card_behind(house, request.path_params["token"])
    if not is_from_our_page(request, house):
        raise Forbidden("The form must be sent from the card's own page")
    language = language_of(request, record)
    form = exchange_form(record, language)
    found = read(sent, form, language)
    if found.errors:
        return _again(request, record, sent, replace(form, values=found.values, errors=found.errors), 422)
    if not sent.get(_TRAP):
        try:
            await house.write(lambda conn: _leave(conn, house, request, record, sent, found.checked, form))
        except TooMany:
            full = {"form": voice(language).gettext(_TOO_MANY)}
            return _again(request, record, sent, replace(form, values=found.values, errors=full), 429)
    return RedirectResponse(f"/c/{record.token}?left=1&lang={language}#exchange", 303)


def _again(request: Request, record: CardRecord, sent: Mapping[str, str], form: ExchangeForm, status: int) -> Response:
    house: House = request.app.state.house
    return respond(request, shown(request, house, record, exchange=form, tags=sent, status=status))


def _leave(
    conn: Connection,
    house: House,
    request: Request,
    record: CardRecord,
    sent: Mapping[str, str],
    checked: Mapping[str, str],
    form: ExchangeForm,
) -> None:
    left = ContactForm(
        name=checked["name"],
        email=checked.get("email"),
        phone=checked.get("phone"),
        organisation=checked.get("organisation"),
        note=checked.get("note"),
        language=language_of(request, record),
        consent_text=form.consent,
        consent_version=form.version,
        form_id=form.form_id,
        source=links.source_of(sent.get("s", "")),
        receipt_id=receipt_behind(conn, house, record, sent.get("r", "")),
        visitor=visitor_of(conn, house, request, record),
    )
    contacts.leave(conn, house.post, record, left, now=house.clock())
