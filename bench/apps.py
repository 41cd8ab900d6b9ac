"""The applications that are compared: each is the real one, with one part of it put in another way."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from fastapi import FastAPI
from sqlalchemy.orm import Session

from accounts.places import Directory, directories
from api.app import create_app
from infra.settings import Settings
from kernel.clock import utc_now
from kernel.errors import Problem
from pos.intake import Arrival, draft_of
from receipts.issue import Issued
from receipts.tables import Receipt, ReceiptShopper


def real() -> FastAPI:
    return create_app(Settings())


def only_validated() -> FastAPI:
    """The same request, read, checked and answered, but nothing is written: the floor of intake."""
    return _with_writer(_OnlyValidated)


def orm() -> FastAPI:
    """The naive way: each request adds the same rows through the ORM and commits them by itself."""
    return _with_writer(_Orm)


class _OnlyValidated:
    def __init__(self, _engine: Any) -> None:
        pass

    async def submit(self, arrival: Arrival) -> Issued:
        return Issued(arrival.id, arrival.token, arrival.sale.number or "", "[]", True)


class _Orm:
    def __init__(self, engine: Any) -> None:
        self._engine = engine
        self._directories: dict[str, Directory] = {}

    async def submit(self, arrival: Arrival) -> Issued | Problem:
        with Session(self._engine) as session:
            if not self._directories:
                self._directories = directories(session.connection(), [arrival.merchant_id])
            made = draft_of(arrival, self._directories, utc_now())
            session.add(Receipt(**made.row))
            session.flush()
            if made.shopper:
                session.add(ReceiptShopper(**made.shopper))
            session.commit()
        return Issued(arrival.id, arrival.token, arrival.sale.number or "", "[]", True)


def _with_writer(kind: type[Any]) -> FastAPI:
    app = create_app(Settings())
    opened = app.router.lifespan_context

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with opened(app):
            house = app.state.house
            app.state.house = replace(house, writer=kind(house.engine))
            yield

    app.router.lifespan_context = lifespan
    return app
