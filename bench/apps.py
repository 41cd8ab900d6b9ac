"""The applications that are compared: each is the real one, with one part of it put in another way."""

import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.concurrency import run_in_threadpool
from sqlalchemy import text
from sqlalchemy.orm import Session
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from accounts import find as accounts_find
from accounts.places import Directory, directories
from api.app import create_app
from api.house import House
from api.page_cache import PageCache
from api.receipt_page import receipt_page
from infra import logs, pages
from infra.database import connect, reading
from infra.settings import Settings
from kernel.clock import utc_now
from kernel.errors import Problem
from pos.intake import Arrival, draft_of
from receipts import find
from receipts.issue import Issued
from receipts.tables import Receipt, ReceiptShopper
from worker.work import working


def real() -> FastAPI:
    """As ``counterfoil serve`` runs it, its log included."""
    settings = Settings()
    logs.configure(settings.log)
    return create_app(settings)


def ordinary() -> FastAPI:
    """As ``counterfoil serve`` runs it, with its worker inside."""
    settings = Settings()
    logs.configure(settings.log)
    return create_app(settings, beside=partial(working, settings, beside_sales=True))


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
        """In a thread, where FastAPI would run an ordinary ``def`` endpoint."""
        return await run_in_threadpool(self._commit, arrival)

    def _commit(self, arrival: Arrival) -> Issued | Problem:
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


def never_remembers() -> FastAPI:
    """Every page is made anew."""
    return _changed(lambda house: replace(house, pages=PageCache(seconds=-1)))


def bare_page() -> Starlette:
    """What a page cannot do without: its queries, their rows unread, and its template with a context made before."""
    engine = connect(Settings().data.where_database())
    token = os.environ["TOKEN"]
    with reading(engine) as conn:
        record = find.by_token(conn, token)
        assert record is not None
        look = accounts_find.brand_look(conn, record.merchant_id, record.brand_id)
    context = receipt_page(record, look, base_url="http://127.0.0.1", language="de", copy=False)

    of_receipt = text("SELECT * FROM receipts WHERE token = :token")
    beside = text("SELECT id, token, kind, total FROM receipts WHERE merchant_id = :merchant_id AND original_id = :id")
    of_brand = text("SELECT * FROM brands WHERE id = :id")

    async def page(request: Request) -> Response:
        with reading(engine) as conn:
            row = conn.execute(of_receipt, {"token": request.path_params["token"]}).one()
            conn.execute(beside, {"merchant_id": row.merchant_id, "id": row.id}).all()
            conn.execute(of_brand, {"id": row.brand_id}).one()
        return Response(pages.render("receipt.html", context, "de"), media_type="text/html")

    return Starlette(routes=[Route("/r/{token}", page)])


def same_bytes() -> Starlette:
    """Starlette, answering the bytes of PAGE_FILE."""
    body = Path(os.environ["PAGE_FILE"]).read_bytes()

    async def page(request: Request) -> Response:
        return Response(body, media_type="text/html")

    return Starlette(routes=[Route("/r/{token}", page)])


def _with_writer(kind: type[Any]) -> FastAPI:
    return _changed(lambda house: replace(house, writer=kind(house.engine)))


def _changed(change: Callable[[House], House]) -> FastAPI:
    app = real()
    opened = app.router.lifespan_context

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with opened(app):
            whole = app.state.house
            app.state.house = change(whole)
            yield
            app.state.house = whole

    app.router.lifespan_context = lifespan
    return app
