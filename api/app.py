"""The web application: routes, and what a process opens at start and closes at the end."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    AsyncExitStack,
    asynccontextmanager,
    nullcontext,
)
from functools import cache
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.concurrency import contextmanager_in_threadpool, run_in_threadpool
from pydantic import BaseModel

from accounts import manage
from api import (
    accounts,
    alliances,
    campaign_shapes,
    campaigns,
    card_import,
    card_invites,
    card_numbers,
    card_photos,
    card_schemas,
    card_templates,
    cards,
    case_settings,
    case_tags,
    cases,
    contacts,
    deliveries,
    docs_page,
    events,
    fairness_proof,
    health,
    hooks,
    keys,
    link_paths,
    metrics,
    offer_numbers,
    offer_rules,
    pages,
    problems,
    product_import,
    products,
    receipts,
    referrals,
    reviews,
    reward_reports,
    rewards,
    schemas,
    suppressions,
    survey_links,
    survey_numbers,
    survey_responses,
    survey_shapes,
    surveys,
)
from api.brand_looks import BrandLooks
from api.house import House
from api.key_ring import KeyRing
from api.middleware import Edge
from api.page_cache import PageCache
from api.signers import Signers
from engagement.offers import catalogue, rules
from engagement.rewards.keys import RewardKeys
from engagement.voice import case_work, tag_rules
from engagement.voice import settings as voice_settings
from infra import secrets
from infra.database import connect
from infra.jobs import Jobs
from infra.metrics import watch_pool
from infra.pages import warm
from infra.pdf import open_pool
from infra.settings import Settings
from infra.storage import open_storage
from infra.tracing import tracing
from kernel.clock import Clock, utc_now
from notify import figures, stopping
from notify.asking import Post
from pos.gifts import Giver
from pos.writer import Writer
from receipts.sale import Sale

_MOST_BYTES = 24_000_000
_BODIES: tuple[type[BaseModel], ...] = (
    Sale,
    schemas.Batch,
    schemas.ProblemDetails,
    deliveries.NewDelivery,
    keys.NewKey,
    hooks.NewHookEndpoint,
    hooks.NewSecret,
    manage.MerchantProfile,
    manage.BrandProfile,
    manage.StoreProfile,
    manage.TillProfile,
    manage.StaffProfile,
    *card_schemas.BODIES,
    survey_shapes.NewSurvey,
    survey_shapes.SurveyChange,
    survey_links.NewSurveyLink,
    survey_responses.NewSurveyResponse,
    alliances.NewAlliance,
    *campaign_shapes.BODIES,
    catalogue.ProductContent,
    products.ProductBatch,
    rules.RuleWish,
    offer_rules.OfferSettings,
    case_work.CaseWork,
    voice_settings.CaseSettings,
    voice_settings.ReferralSettings,
    voice_settings.ReviewSettings,
    tag_rules.TagContent,
    case_tags.TextToTag,
    reviews.ReviewDecision,
)
# In the order in which the document tells of them.
_PARTS = (
    receipts,
    deliveries,
    suppressions,
    accounts,
    keys,
    cards,
    card_photos,
    card_invites,
    card_import,
    card_templates,
    card_numbers,
    contacts,
    surveys,
    survey_links,
    survey_responses,
    survey_numbers,
    cases,
    case_settings,
    case_tags,
    referrals,
    reviews,
    products,
    product_import,
    offer_rules,
    offer_numbers,
    fairness_proof,
    campaigns,
    rewards,
    reward_reports,
    alliances,
    events,
    hooks,
    health,
    metrics,
    docs_page,
)
_DESCRIPTION = """\
Post a sale, get a link and a QR code; behind the link is an interactive receipt.

Amounts are decimal strings at the currency's exponent (`"4.30"` EUR, `"430"` JPY). Errors are
`application/problem+json` (RFC 9457) and name the fields at fault. Send the key as `Authorization: Bearer cf_live_…`.
"""


# Something that runs beside the server for as long as it does.
Beside = Callable[[], AbstractContextManager[object]]


def create_app(
    settings: Settings, *, clock: Clock = utc_now, warm_pdf: bool = False, beside: Beside = nullcontext
) -> FastAPI:
    """``warm_pdf`` starts the PDF process with the server, as one that is there to stay should."""
    app = FastAPI(
        title="Counterfoil",
        version="0.1.0",
        description=_DESCRIPTION,
        lifespan=_lifespan(settings, clock, warm_pdf, beside),
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
        # A redirect would name whatever host the request gave, with the link's token behind it.
        redirect_slashes=False,
    )
    app.router.routes.extend(_endpoints().routes)
    # First, since they are asked for most: a request passes the routes in order.
    app.router.routes[:0] = pages.routes()
    problems.install(app)
    app.add_middleware(Edge, most_bytes=_MOST_BYTES)
    app.openapi = _document(app)  # type: ignore[method-assign]
    return app


@cache
def _endpoints() -> APIRouter:
    """Those of all parts, the same for each application: FastAPI works out what they take when the first request
    comes, which for all of them is a tenth of a second."""
    together = APIRouter(redirect_slashes=False)
    for part in _PARTS:
        together.include_router(part.router)
    return together


def _lifespan(
    settings: Settings, clock: Clock, warm_pdf: bool, beside: Beside
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        warm()
        # What was opened is closed again, in the reverse order, also where something after it does not open.
        async with AsyncExitStack() as opened:
            house = _open(opened, settings, clock)
            await run_in_threadpool(house.signers.ensure)
            house.writer.start()
            opened.push_async_callback(house.writer.stop)
            app.state.house = house
            opened.callback(house.scrape.close)
            opened.callback(house.close)
            if warm_pdf:
                # Beside the start, not before it: the first PDF would wait seconds for its process and fonts.
                asyncio.get_running_loop().run_in_executor(None, house.pdf.warm)
            await opened.enter_async_context(hooks.sweeping(house))
            await opened.enter_async_context(contextmanager_in_threadpool(beside()))
            yield

    return lifespan


def _open(opened: AsyncExitStack, settings: Settings, clock: Clock) -> House:
    url = settings.data.where_database()
    engine = connect(url)
    watch_pool(engine)
    opened.callback(engine.dispose)
    opened.enter_context(tracing(settings.watch, engine))
    figures.register()
    jobs = Jobs(url)
    opened.callback(jobs.close)
    post = Post(jobs, settings.mail.channels())
    sealer = secrets.box(settings.data)
    return House(
        settings=settings,
        engine=engine,
        writer=Writer(engine, clock, post, Giver(RewardKeys.of(settings.data, sealer))),
        post=post,
        storage=open_storage(settings.data),
        sealer=sealer,
        stop_key=secrets.derived(settings.data, stopping.PURPOSE),
        keys=KeyRing(engine),
        looks=BrandLooks(),
        signers=Signers(engine, sealer),
        pages=PageCache(),
        pdf=opened.enter_context(open_pool(settings)),
        clock=clock,
    )


def _document(app: FastAPI) -> Callable[[], dict[str, Any]]:
    """FastAPI's document, with the bodies that the endpoints read by themselves and the key."""
    made = app.openapi

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            schema = made()
            schema["paths"] |= link_paths.paths()
            schema["components"]["schemas"] |= schemas.components(_BODIES)
            # FastAPI's short name of what two parts of the house call alike: the bodies' long names are what is meant.
            schema["components"]["schemas"].pop("Address", None)
            schema["components"]["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
            for path, operations in schema["paths"].items():
                for operation in operations.values():
                    operation["security"] = [{"key": []}] if path.startswith("/v1/") else []
            app.openapi_schema = schema
        return app.openapi_schema

    return document
