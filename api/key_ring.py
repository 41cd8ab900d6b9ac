"""Who calls: bearer keys, looked up at most once a second each."""

from typing import Annotated

from fastapi import Depends, Request
from fastapi.concurrency import run_in_threadpool
from sqlalchemy import Engine

from accounts.keys import Caller, authenticate
from infra.changes import Remembered
from infra.database import reading
from kernel.errors import Unauthorized
from kernel.ids import digest


class KeyRing:
    """Valid keys, remembered for ``seconds`` under their hash; a key revoked elsewhere works no longer than that."""

    def __init__(self, engine: Engine, seconds: float = 1.0) -> None:
        self._engine = engine
        self._known: Remembered[Caller] = Remembered(seconds)

    async def caller(self, key: str) -> Caller:
        """Raises :class:`Unauthorized`."""
        hashed, mark = digest(key), self._known.mark()
        caller = self._known.get(hashed)
        if caller is None:
            caller = await run_in_threadpool(self._asked, key)
            self._known.put(hashed, caller, mark)
        return caller

    def _asked(self, key: str) -> Caller:
        with reading(self._engine) as conn:
            return authenticate(conn, key)

    def forget(self) -> None:
        """After a key was revoked in this process: at once."""
        self._known.forget()


async def _caller(request: Request) -> Caller:
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not key:
        raise Unauthorized("Send a key: Authorization: Bearer cf_live_…")
    ring: KeyRing = request.app.state.house.keys
    return await ring.caller(key.strip())


TheCaller = Annotated[Caller, Depends(_caller)]
