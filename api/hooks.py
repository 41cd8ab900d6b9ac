"""Webhooks: the addresses for other systems, and the door at which their deliveries arrive."""

import asyncio
import re
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, ClassVar, Final

import structlog
from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, SecretStr
from sqlalchemy import Connection
from starlette.background import BackgroundTask

from accounts import find
from accounts.fields import Slug
from api import hook_work, schemas
from api.answers import json_answer, no_content
from api.body import binary_body, model_body
from api.house import House, TheHouse
from api.key_ring import TheCaller
from infra.secrets import Unsealable, seal, unseal
from kernel.clock import iso
from kernel.errors import Unauthorized
from pos import endpoints, inbox, masking
from pos.adapters import ADAPTERS
from pos.endpoints import Door, Endpoint
from pos.event import Delivery
from receipts.issue import Issued

router = APIRouter(tags=["Webhooks"])
EndpointId = schemas.Id

_MOST_BYTES: Final = 5_000_000
_SWEEP_SECONDS: Final = 60
_SLUG: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_RECEIVES: Final = schemas.problems(401, 413, 422, 503)

_log = structlog.get_logger()


class WrongSignature(Unauthorized):
    slug: ClassVar[str] = "wrong-signature"
    title: ClassVar[str] = "The delivery is not signed with the secret of this address"


class HookEndpoint(BaseModel):
    id: str
    source: str
    store: str
    url: str = Field(description="What the other system posts to. Whoever knows it can still post nothing unsigned.")
    created_at: AwareDatetime


class HookEndpointList(BaseModel):
    hook_endpoints: list[HookEndpoint]


_NEW: Final[dict[int | str, dict[str, Any]]] = {
    201: {"model": HookEndpoint, "description": "The new address."},
    **schemas.WRITES,
}


class NewHookEndpoint(BaseModel):
    """Where the events come from, the store whose sales they are, and the secret that signs them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    source: str = Field(max_length=20, description="One of: " + ", ".join(ADAPTERS))
    store: Slug
    secret: SecretStr = Field(description="What the other system signs with. It is kept sealed and shown nowhere.")


class NewSecret(BaseModel):
    """The secret that signs from now on."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    secret: SecretStr


@router.post(
    "/v1/hook-endpoints",
    status_code=201,
    responses=_NEW,
    openapi_extra=schemas.body("NewHookEndpoint"),
)
async def create_endpoint(request: Request, house: TheHouse, caller: TheCaller) -> Response:
    """An address for another system's webhooks. Its sales become receipts of the store."""
    caller.require_whole("hooks:write")
    wanted = await model_body(request, NewHookEndpoint)

    def create(conn: Connection) -> Endpoint:
        return endpoints.create(
            conn,
            caller.merchant_id,
            source=wanted.source,
            store_id=find.store_id(conn, caller.merchant_id, wanted.store),
            secret=wanted.secret.get_secret_value(),
            sealer=house.sealer,
            now=house.clock(),
        )

    return json_answer(_shown(house, await house.write(create)), 201)


@router.get("/v1/hook-endpoints", response_model=HookEndpointList, responses=schemas.READS)
async def list_endpoints(house: TheHouse, caller: TheCaller) -> Response:
    """Oldest first. No secret is shown."""
    caller.require_whole("hooks:write")
    found = await house.read(lambda conn: endpoints.list_endpoints(conn, caller.merchant_id))
    return json_answer({"hook_endpoints": [_shown(house, each) for each in found]})


@router.put(
    "/v1/hook-endpoints/{endpoint_id}/secret",
    status_code=204,
    responses=schemas.WRITES,
    openapi_extra=schemas.body("NewSecret"),
)
async def rotate_secret(endpoint_id: EndpointId, request: Request, house: TheHouse, caller: TheCaller) -> Response:
    """Deliveries under the secret before this one are taken until the next rotation."""
    caller.require_whole("hooks:write")
    secret = (await model_body(request, NewSecret)).secret.get_secret_value()
    merchant_id, sealer = caller.merchant_id, house.sealer
    await house.write(lambda conn: endpoints.rotate(conn, merchant_id, endpoint_id, secret=secret, sealer=sealer))
    return no_content()


@router.delete("/v1/hook-endpoints/{endpoint_id}", status_code=204, responses=schemas.READS)
async def remove_endpoint(endpoint_id: EndpointId, house: TheHouse, caller: TheCaller) -> Response:
    """Its receipts stay; deliveries to it are refused from now on."""
    caller.require_whole("hooks:write")
    await house.write(lambda conn: endpoints.remove(conn, caller.merchant_id, endpoint_id))
    return no_content()


@router.post("/hooks/{source}/{slug}", responses=_RECEIVES)
async def receive(source: str, slug: str, request: Request, house: TheHouse) -> Response:
    """A delivery: verified, written down, answered, and only then worked on.

    What is signed rightly is answered with 200, also where it cannot be read: the sender would only send it again.
    """
    body = await binary_body(request, most=_MOST_BYTES)
    try:
        door = await house.read(lambda conn: _door(house, conn, source, slug))
    except Unsealable as problem:
        _log.error("hook_secret_unsealable", setting="COUNTERFOIL_SECRET_KEY", detail=problem.detail)
        raise
    delivery = _verified(house, source, door, request.headers, body)
    if door is None or delivery is None:
        raise WrongSignature
    kept = await run_in_threadpool(masking.kept, body)
    event_id = await house.write(lambda conn: inbox.put(conn, door, delivery, kept, now=house.clock()))
    work = BackgroundTask(_work_on, house, door.merchant_id, event_id) if event_id else None
    return Response(status_code=200, headers={"Cache-Control": "no-store"}, background=work)


@asynccontextmanager
async def sweeping(house: House) -> AsyncIterator[None]:
    """Meanwhile, at start and every minute, work on what a crash left behind and on what waits for another event."""
    stop = asyncio.Event()
    sweeper = asyncio.create_task(_sweep_until(stop, house))
    try:
        yield
    finally:
        # Not cancelled: that would leave its thread at work in a database that is about to be closed.
        stop.set()
        await sweeper


async def _sweep_until(stop: asyncio.Event, house: House) -> None:
    while not stop.is_set():
        is_more = False
        try:
            issued, is_more = await run_in_threadpool(
                hook_work.sweep, house.engine, now=house.clock(), giver=house.writer.giver
            )
            _show_at_once(house, issued)
        except Exception as error:
            # The database may be away for a while; the next round finds the same events.
            _log.error("hook_sweep_failed", error=type(error).__name__)
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), 0 if is_more else _SWEEP_SECONDS)


def _door(house: House, conn: Connection, source: str, slug: str) -> Door | None:
    is_known = source in ADAPTERS and _SLUG.fullmatch(slug)
    return endpoints.door(conn, source, slug, sealer=house.sealer) if is_known else None


def _verified(house: House, source: str, door: Door | None, headers: Mapping[str, str], body: bytes) -> Delivery | None:
    """Where there is no such address the same is done with a secret that nobody has, so that time does not tell."""
    adapter = ADAPTERS.get(source, ADAPTERS["shopify"])
    if door is not None:
        return adapter.verify(headers, body, door.secrets)
    return adapter.verify(headers, body, [unseal(house.sealer, seal(house.sealer, secrets.token_urlsafe(24)))])


async def _work_on(house: House, merchant_id: str, event_id: str) -> None:
    """The answer is out: a failure is logged, and the sweep tries again."""
    try:
        now, giver = house.clock(), house.writer.giver
        issued = await run_in_threadpool(hook_work.work_on, house.engine, merchant_id, event_id, now=now, giver=giver)
    except Exception as error:
        _log.error("hook_event_failed", hook_event=event_id, error=type(error).__name__)
        return
    _show_at_once(house, issued)


def _show_at_once(house: House, issued: Sequence[Issued]) -> None:
    """The page of a receipt that was refunded must not come from memory."""
    for each in issued:
        if each.original_token:
            house.pages.forget(each.original_token)


def _shown(house: House, endpoint: Endpoint) -> dict[str, str]:
    return {
        "id": endpoint.id,
        "source": endpoint.source,
        "store": endpoint.store,
        "url": f"{house.base_url}{endpoint.path}",
        "created_at": iso(endpoint.created_at),
    }
