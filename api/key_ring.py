"""Who calls: bearer keys, looked up at most once a second each."""

import time
from typing import Annotated

from fastapi import Depends, Request
from fastapi.concurrency import run_in_threadpool
from sqlalchemy import Engine

from accounts.keys import Caller, authenticate
from infra.database import reading
from kernel.errors import Unauthorized
from kernel.ids import digest

_MOST = 1000


class KeyRing:
    """Valid keys, remembered for ``seconds`` under their hash; a key revoked elsewhere works no longer than that."""

    def __init__(self, engine: Engine, seconds: float = 1.0) -> None:
        self._engine = engine
        self._seconds = seconds
        self._known: dict[str, tuple[float, Caller]] = {}

    async def caller(self, key: str) -> Caller:
        """Raises :class:`Unauthorized`."""
        hashed, at = digest(key), time.monotonic()
        until, caller = self._known.get(hashed, (0.0, None))
        if caller is not None and at < until:
            return caller
        self._known.pop(hashed, None)
        caller = await run_in_threadpool(self._asked, key)
        if len(self._known) >= _MOST:
            self._known.clear()
        self._known[hashed] = (at + self._seconds, caller)
        return caller

    def _asked(self, key: str) -> Caller:
        with reading(self._engine) as conn:
            return authenticate(conn, key)

    def forget(self) -> None:
        """After a key was revoked in this process: at once."""
        self._known.clear()


async def _caller(request: Request) -> Caller:
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not key:
        raise Unauthorized("Send a key: Authorization: Bearer cf_live_…")
    ring: KeyRing = request.app.state.house.keys
    return await ring.caller(key.strip())


TheCaller = Annotated[Caller, Depends(_caller)]
