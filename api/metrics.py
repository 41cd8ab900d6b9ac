"""What operators watch, for Prometheus (docs/decisions/0026-metrics.md says who may read it)."""

import asyncio
from secrets import compare_digest
from urllib.parse import urlsplit

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4

from api.from_here import is_from_here, is_here
from api.house import TheHouse
from infra.settings import Settings
from kernel.errors import Unauthorized

router = APIRouter()


@router.get("/metrics", include_in_schema=False)
async def metrics(request: Request, house: TheHouse) -> Response:
    if not _may_read(request, house.settings):
        raise Unauthorized("Set COUNTERFOIL_METRICS_TOKEN, and send it as Authorization: Bearer …")
    # Not in the threads of requests: those may all wait for a database that is away, and this must not.
    text = await asyncio.to_thread(house.scrape.text)
    return Response(text, headers={"Cache-Control": "no-store", "Content-Type": CONTENT_TYPE_PLAIN_0_0_4})


def _may_read(request: Request, settings: Settings) -> bool:
    token = settings.watch.metrics_token
    if token is not None:
        sent = request.headers.get("authorization", "")
        return compare_digest(sent.encode(), f"Bearer {token.get_secret_value()}".encode())
    return is_here(urlsplit(settings.server.address()).hostname or "") and is_from_here(request)
