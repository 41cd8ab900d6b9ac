"""``/s/{token}``: a shopper answers a survey. The link is the right to do so.

It writes on POST only: scanners and previews open every link of a mail, and none of them shall have an opinion.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from accounts.find import BrandLook, brand_look
from api import referral_view, survey_form, survey_stub, survey_view
from api.answers import no_content
from api.form_body import form_fields
from api.house import House
from api.notices import HTML, content_policy, nothing_here
from api.page_cache import Rendered
from api.reader import wishes
from api.served import NEVER_KEEP, respond
from api.survey_page import survey_page
from api.survey_shown import SurveyPart
from api.survey_view import Shown
from api.visitors import is_from_our_page, is_person
from engagement.surveys import answers, asking, find, hanging, links, manage, service
from engagement.surveys.links import Linked
from engagement.surveys.manage import SurveyRecord
from engagement.surveys.records import Answer
from engagement.voice.referrals import Offered
from infra import pages
from kernel.errors import Forbidden, Invalid, NotFound
from kernel.locale import LANGUAGES, choose
from receipts import find as receipts_find
from receipts.records import ReceiptRecord

# A text of 2,000 characters, each written as up to twelve, and the rest.
_MOST_BYTES: Final = 32_000
Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class About:
    """What a link leads to, as it is."""

    linked: Linked
    survey: SurveyRecord
    record: ReceiptRecord
    look: BrandLook
    answer: Answer | None
    is_open: bool
    offered: Offered | None


def routes() -> list[BaseRoute]:
    return [
        Route("/s/{token}", page, methods=["GET"]),
        Route("/s/{token}", give, methods=["POST"]),
        Route("/s/{token}/more", page, methods=["GET"]),
        Route("/s/{token}/more", add, methods=["POST"]),
        Route("/s/{token}/seen", seen, methods=["POST"]),
    ]


async def page(request: Request) -> Response:
    """The step at which the shopper is; with ``?score=7`` that score is chosen, and nothing is written."""
    about = await _about(request)
    if about is None:
        return respond(request, nothing_here(request))
    told = request.query_params
    is_again, is_given, is_done, is_trap = (told.get(name) == "1" for name in ("again", "given", "done", "trap"))
    shown = replace(_shown(about, is_given=is_given, is_done=is_done), is_again=is_again, is_trap=is_trap)
    return respond(request, _page(request, replace(shown, chosen=_chosen(request, about)), about))


async def give(request: Request) -> Response:
    """303 to the next step; for a script the stub as it then is. Raises :class:`Invalid`, :class:`Forbidden`."""
    sent, about = await _sent(request)
    if about is None:
        return respond(request, nothing_here(request))
    given = survey_form.given(request, sent, about.survey, about.linked.channel, _language(request, about))

    def write(conn: Connection, house: House) -> None:
        # Held before it is looked who bought: whoever erases them comes before or after.
        receipts_find.stays(conn, about.survey.merchant_id, about.record.id)
        who = hanging.who_is(conn, survey_stub.keys(house), about.record)()
        answer, became = answers.give(conn, about.survey, about.record, given, who, now=house.clock())
        if became == "counted":
            service.rate(conn, answer, now=house.clock())

    return await _written(request, about, write, is_given=bool(given.held) and not given.by_itself)


async def add(request: Request) -> Response:
    """As :func:`give`; what is to be put right is shown in the form again."""
    sent, about = await _sent(request)
    if about is None:
        return respond(request, nothing_here(request))
    if about.answer is None:
        return await _written(request, about, None)
    read = survey_form.read(sent, about.survey, about.look.name, about.answer, _language(request, about))
    if read.errors:
        shown = replace(_shown(about, is_given=True), values=read.values, errors=read.errors)
        return respond(request, _page(request, shown, about, status=422))
    answer = about.answer

    def write(conn: Connection, house: House) -> None:
        answers.add(conn, answer, read.more, about.survey, now=house.clock())

    # A program adds nothing to what a person said, nor vouches for what a page sent by itself.
    is_said = not sent.get(survey_form.TRAP) and (is_person(request) or not answer.is_counted)
    return await _written(request, about, write if is_said else None, is_done=True)


async def seen(request: Request) -> Response:
    """Somebody looks at the question: 204, whether it is noted or not."""
    about, house = await _about(request), _house(request)
    if about is not None and about.is_open and is_person(request) and is_from_our_page(request, house):
        await house.write(lambda conn: _note(conn, house, about))
    return no_content()


def _note(conn: Connection, house: House, about: About) -> None:
    if receipts_find.stays(conn, about.survey.merchant_id, about.record.id):
        who = hanging.who_is(conn, survey_stub.keys(house), about.record)()
        asking.ask(conn, about.survey, about.record, who, about.linked.channel, now=house.clock())


async def _sent(request: Request) -> tuple[dict[str, str], About | None]:
    """The form, and what it is about. Raises :class:`Forbidden` for a form of another site."""
    sent = await form_fields(request, most=_MOST_BYTES)
    about = await _about(request)
    if about is not None and not is_from_our_page(request, _house(request)):
        raise Forbidden("The form must be sent from the survey's own page")
    return sent, about


async def _written(
    request: Request,
    about: About,
    write: Callable[[Connection, House], None] | None,
    *,
    is_given: bool = False,
    is_done: bool = False,
) -> Response:
    """After ``write``, where there is something to write and it is not over."""
    house = _house(request)
    if write is not None:
        try:
            await house.write(lambda conn: write(conn, house))
        except NotFound:
            is_given = is_done = False
    house.pages.forget(about.record.token)
    if request.query_params.get("part") == "1":
        now = await _about(request)
        if now is None:
            return respond(request, nothing_here(request))
        return respond(request, _page(request, _shown(now, is_given=is_given, is_done=is_done), now))
    language, step = _language(request, about), "&done=1" if is_done else "&given=1" if is_given else ""
    address = f"/s/{request.path_params['token']}?lang={language}{step}#survey"
    return RedirectResponse(address, 303, {"Cache-Control": "no-store"})


async def _about(request: Request) -> About | None:
    house = _house(request)
    linked = links.opened(house.survey_key, request.path_params["token"])
    return await house.read(lambda conn: _looked_up(conn, house, linked)) if linked else None


def _looked_up(conn: Connection, house: House, linked: Linked) -> About | None:
    """None where the survey was deleted, or the receipt purged."""
    survey = manage.behind(conn, linked.survey_id)
    if survey is None:
        return None
    try:
        record = receipts_find.one(conn, survey.merchant_id, linked.receipt_id)
    except NotFound:
        return None
    asks = asking.of_receipt(conn, survey.merchant_id, record.id)
    answer = find.last_of(conn, survey.merchant_id, survey.id, record.id)
    return About(
        linked=linked,
        survey=survey,
        record=record,
        look=brand_look(conn, survey.merchant_id, record.brand_id),
        answer=answer,
        is_open=asking.is_open(survey, record, asks.get(survey.id), now=house.clock()),
        offered=referral_view.offered(conn, house, answer) if answer else None,
    )


def _shown(about: About, *, is_given: bool = False, is_done: bool = False) -> Shown:
    """Who has just given one that is held back is asked why as if it counted, so that nobody learns by trying what
    does, and a person whose browser calls itself a program can say more. Later the question stands there again: it
    may be a program that answered, before the shopper did."""
    is_shown = about.answer is not None and (about.answer.is_counted or is_given or is_done)
    return Shown(
        about.survey,
        about.record.id,
        about.look.name,
        about.linked.channel,
        about.answer if is_shown else None,
        is_open=about.is_open,
        is_done=is_done,
        is_there=about.answer is not None,
        offered=about.offered if is_shown else None,
    )


def _chosen(request: Request, about: About) -> int | None:
    try:
        return survey_form.score_in(request.query_params.get("score", ""), about.survey)
    except Invalid:
        return None


def _page(request: Request, shown: Shown, about: About, *, status: int = 200) -> Rendered:
    house, language = _house(request), _language(request, about)
    if request.query_params.get("part") == "1" and request.method == "POST":
        stub = survey_view.stub(house, shown, language, now=house.clock())
        part = pages.render(stub.template, SurveyPart(stub), language)
        return Rendered(part.encode(), HTML, (NEVER_KEEP,), status=status)
    context = survey_page(house, shown, about.record, about.look, language=language, clock=house.clock)
    html = pages.render("survey.html", context, language)
    policy = pages.policy(context.theme.csp_hash, pages.stylesheet_hash("page.css"), asks=True)
    headers = (NEVER_KEEP, content_policy(policy), (b"content-language", language.encode()))
    return Rendered(html.encode(), HTML, headers, status=status)


def _language(request: Request, about: About) -> str:
    return choose([*wishes(request), about.record.content.language, *about.look.languages], LANGUAGES, "en")


def _house(request: Request) -> House:
    house: House = request.app.state.house
    return house
