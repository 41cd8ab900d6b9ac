"""Is the process up, and can it serve?"""

from fastapi import APIRouter, Response
from fastapi.concurrency import run_in_threadpool
from sqlalchemy import text

from api import schemas
from api.answers import json_answer
from api.house import House, TheHouse
from infra.database import reading
from infra.folder import Folder
from kernel.errors import Unavailable

router = APIRouter(tags=["Operation"])


@router.get("/healthz")
async def healthz() -> Response:
    """The process answers. It says nothing of the database, so that a restart is not asked for in vain."""
    return json_answer({"status": "ok"})


@router.get("/readyz", responses=schemas.problems(503))
async def readyz(house: TheHouse) -> Response:
    """The database answers and sales are taken: send traffic here. `storage` is `down` while a bucket is."""
    return json_answer(await run_in_threadpool(_look, house))


def _look(house: House) -> dict[str, str]:
    if not house.writer.is_alive:
        raise Unavailable("The writer has ended; this process must be started again")
    with reading(house.engine) as conn:
        conn.execute(text("SELECT 1"))
    if house.storage.is_writable():
        return {"status": "ready"}
    if isinstance(house.storage, Folder):
        raise Unavailable("The object storage does not take objects", retry_after=5)
    # It is down for every server alike. Sales and pages do without it, so no server is to be passed over.
    return {"status": "ready", "storage": "down"}
