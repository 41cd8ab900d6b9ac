"""``/i/{token}``: a member of staff edits their own card, without a password. The link is the right to do so."""

from dataclasses import replace
from typing import Any, Final

from sqlalchemy import Connection
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from api import card_photos
from api.card_answers import show_anew, tell
from api.house import House
from api.invite_fields import changes, compact, filled, told
from api.invite_page import VERSION, Draft, invite_page, translations_of, version_of
from api.notices import HTML, content_policy, notice
from api.page_cache import Rendered
from api.reader import own_language, wishes
from api.served import NEVER_KEEP, respond
from api.uploads import Limits, sent_form
from cards import invites, manage
from cards.find import CardRecord
from cards.invites import Invited
from cards.template import locked
from infra import pages
from infra.i18n import voice
from kernel.errors import FieldError, Invalid, NotFound, TooLarge
from kernel.locale import LANGUAGES, choose

_LIMITS: Final = Limits(file_bytes=card_photos.MOST_BYTES, text_bytes=10_000, fields=1_000, more_bytes=200_000)
_LONGEST: Final = 2_500


def routes() -> list[BaseRoute]:
    return [Route("/i/{token}", form, methods=["GET"]), Route("/i/{token}", save, methods=["POST"])]


async def form(request: Request) -> Response:
    """The form with the card as it is. It changes nothing: scanners and previews open every link of a mail."""
    house: House = request.app.state.house
    invited = await house.read(lambda conn: _opened(conn, house, request))
    if invited is None:
        return respond(request, _closed(request))
    draft = Draft(filled(invited.card.profile), is_saved=request.query_params.get("saved") == "1")
    return respond(request, _page(request, house, invited, draft))


async def save(request: Request) -> Response:
    """All or nothing is written. What is wrong is shown in the form, with what was sent."""
    house: House = request.app.state.house
    invited = await house.read(lambda conn: _opened(conn, house, request))
    if invited is None:
        return respond(request, _closed(request))
    fields: dict[str, str] = {}
    try:
        sent = await sent_form(request, _LIMITS)
        texts = _texts(sent)
        fields = compact(texts)
        photo = await _photo(house, sent, invited)
        await house.write(lambda conn: _saved(conn, house, request, texts, photo))
        if "data" in photo:
            await card_photos.stays(house, **photo)
    except TooLarge:
        return respond(request, _refused(request, house, invited, fields, _TOO_LARGE))
    except Invalid as problem:
        errors = problem.errors or (FieldError("/photo", problem.detail or problem.title),)
        return respond(request, _refused(request, house, invited, fields, errors))
    except _Outdated as outdated:
        draft = Draft(fields, is_outdated=True)
        return respond(request, _page(request, house, outdated.invited, draft, status=409))
    except NotFound:
        return respond(request, _closed(request))
    show_anew(house)
    return RedirectResponse(f"?saved=1&lang={_language(request, invited.card)}", 303, {"Cache-Control": "no-store"})


class _Outdated(Exception):
    """Somebody else has changed the card since the form was opened; ``invited`` is with the card as it is."""

    def __init__(self, invited: Invited) -> None:
        super().__init__()
        self.invited = invited


_TOO_LARGE: Final = (FieldError("/photo", "is too large; a picture of at most 8 MB is taken"),)


def _opened(conn: Connection, house: House, request: Request) -> Invited | None:
    return invites.opened(conn, house.invite_key, request.path_params["token"], now=house.clock())


def _texts(sent: FormData) -> dict[str, str]:
    """PostgreSQL keeps no NUL, and lone surrogates are in no text."""
    texts = {name: value for name, value in sent.multi_items() if isinstance(value, str)}
    return {name: value.encode(errors="replace").decode().replace("\0", "")[:_LONGEST] for name, value in texts.items()}


async def _photo(house: House, sent: FormData, invited: Invited) -> dict[str, Any]:
    """What becomes of the photo; empty where it stays. It is read before the transaction: that takes a second."""
    file = sent.get("photo")
    data = await file.read() if isinstance(file, UploadFile) else b""
    is_dropped = sent.get("no_photo") == "1"
    await sent.close()
    if "photo" in locked(invited.card.template):
        return {}
    if data:
        try:
            return {"key": await card_photos.kept(house, invited.card.merchant_id, data), "data": data}
        except (Invalid, TooLarge) as problem:
            raise Invalid(errors=[FieldError("/photo", problem.detail or problem.title)]) from None
    return {"key": None} if is_dropped and invited.card.photo_key else {}


def _saved(conn: Connection, house: House, request: Request, texts: dict[str, str], photo: dict[str, Any]) -> None:
    """Raises :class:`NotFound` where the link was withdrawn meanwhile, and :class:`_Outdated`."""
    now = house.clock()
    invited = _opened(conn, house, request)
    if invited is None:
        raise NotFound
    before = manage.hold(conn, invited.card.merchant_id, invited.card.id)
    if texts.get(VERSION) != version_of(before):
        raise _Outdated(replace(invited, card=before))
    open_ = (invites.EDITABLE - locked(before.template)) & told(texts)
    asked = changes(compact(texts), before.profile, translations_of(before), open_)
    after = invites.edit(conn, invited, asked, now=now)
    if photo:
        after = invites.set_photo(conn, invited, photo["key"], now=now)
    if after != before:
        tell(conn, house, before, after)


def _refused(
    request: Request, house: House, invited: Invited, fields: dict[str, str], errors: tuple[FieldError, ...]
) -> Rendered:
    shown = fields or filled(invited.card.profile)
    return _page(request, house, invited, Draft(shown, errors), status=422)


def _page(request: Request, house: House, invited: Invited, draft: Draft, *, status: int = 200) -> Rendered:
    language = _language(request, invited.card)
    page = invite_page(invited, draft, base_url=house.base_url, language=language)
    html = pages.render("invite.html", page, language)
    names = ("page.css", "card.css", "invite.css")
    policy = pages.policy(page.theme.csp_hash, *map(pages.stylesheet_hash, names))
    headers = (NEVER_KEEP, content_policy(policy), (b"content-language", language.encode()))
    return Rendered(html.encode(), HTML, headers, status=status)


def _language(request: Request, card: CardRecord) -> str:
    return choose([*wishes(request), card.own_language], LANGUAGES, "en")


def _closed(request: Request) -> Rendered:
    """The same for every link that does not open a card: who guesses learns nothing."""
    words = voice(own_language(request)).gettext
    text = words("It has expired, or a newer one has taken its place. Please ask for a new one.")
    return notice(request, words("This link does not open a card"), text, status=404)
