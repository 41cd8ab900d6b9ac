"""PDFs and pictures are made in threads of their own: nobody else waits for those who wait for them."""

import asyncio
from concurrent.futures import Future
from functools import partial
from threading import Event
from typing import Any

import httpx
import pytest

from api.house import House
from api.rendering import Rendering
from infra.pdf import PdfPool
from kernel.errors import Unavailable
from tests.support.inside import Person, on_sqlite
from tests.support.sales import coffee


def test_whoever_comes_when_too_many_wait_is_refused_at_once() -> None:
    async def crowd() -> tuple[list[str], int | None]:
        rendering, free = Rendering(threads=1, waiting=1), Event()
        both = [asyncio.create_task(rendering.run(partial(_after, free, name))) for name in ("first", "second")]
        await asyncio.sleep(0)
        with pytest.raises(Unavailable) as refused:
            await rendering.run(lambda: "third")
        free.set()
        made = await asyncio.gather(*both)
        return [*made, await rendering.run(lambda: "fourth")], refused.value.retry_after

    assert asyncio.run(crowd()) == (["first", "second", "fourth"], 3)


def _after(free: Event, name: str) -> str:
    assert free.wait(60)
    return name


@on_sqlite
def test_sales_are_taken_and_pages_shown_while_a_crowd_waits_for_its_pdfs(
    owner: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The crowd is larger than the pool of threads that everybody shares."""
    free, under_way = Event(), Event()

    def slow(_pool: PdfPool, *_: Any, **__: Any) -> bytes:
        under_way.set()
        assert free.wait(60)
        return b"%PDF-"

    monkeypatch.setattr(PdfPool, "render", slow)
    link = owner.post("/v1/receipts", coffee()).json()["url"]
    crowd = [_asked(owner, f"{link}.pdf") for _ in range(60)]
    assert under_way.wait(60)
    assert owner.post("/v1/receipts", coffee()).status_code == 201
    assert owner.get(link).status_code == 200
    assert owner.put("/v1/staff/jonas", {"name": "Jonas"}).status_code == 204
    refused = [answer.result() for answer in crowd if answer.done()]
    assert not free.is_set()
    free.set()

    answers = [answer.result(60) for answer in crowd]
    assert {answer.status_code for answer in answers} == {200, 503}
    assert len(refused) == sum(answer.status_code == 503 for answer in answers) > 40
    assert all(answer.headers["retry-after"] == "3" for answer in refused)


@on_sqlite
def test_a_pdf_that_was_made_is_served_while_others_wait(owner: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PdfPool, "render", lambda *_, **__: b"%PDF-")
    link = owner.post("/v1/receipts", coffee()).json()["url"]
    assert owner.get(f"{link}.pdf").status_code == 200
    house: House = owner.inside.app.state.house
    monkeypatch.setattr(house.rendering, "_most", 0)

    assert owner.get(f"{link}.pdf").status_code == 200
    assert owner.get(f"{link}.pdf", format="a4").status_code == 503


def _asked(person: Person, url: str) -> "Future[httpx.Response]":
    inside = person.inside
    return asyncio.run_coroutine_threadsafe(inside.client.get(url), inside._loop)
