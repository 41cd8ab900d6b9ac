"""Surveys to test with, and shoppers who answer them."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import httpx

from tests.support.inside import Person
from tests.support.sales import coffee

AGENT: Final = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
_ACTION: Final = re.compile(r'action="(/s/[^"?]+)\?')


def survey(owner: Person, event: str = "transaction", **settings: Any) -> dict[str, Any]:
    """One of Linden & Rye."""
    body = {"brand": "linden-rye", "event": event} | settings
    return dict(owner.post("/v1/surveys", body).raise_for_status().json())


def sold(person: Person, *, hours_ago: float = 1, **changes: Any) -> dict[str, Any]:
    """A coffee, an hour ago."""
    issued_at = (datetime.now(UTC) - timedelta(hours=hours_ago)).isoformat(timespec="seconds")
    return dict(person.post("/v1/receipts", coffee(issued_at=issued_at, **changes)).raise_for_status().json())


def page_of(stranger: Person, receipt: dict[str, Any]) -> str:
    return stranger.get(f"/r/{receipt['token']}", lang="en").text


def path_of(stranger: Person, receipt: dict[str, Any]) -> str:
    """Where the survey on the receipt's page is sent to."""
    [path] = _ACTION.findall(page_of(stranger, receipt))
    return str(path)


def answer(stranger: Person, path: str, score: Any, *, agent: str = AGENT, **fields: str) -> httpx.Response:
    """A press of a button, from a browser."""
    data = {"score": str(score)} | fields
    return stranger.ask("POST", f"{path}?lang=en", data=data, headers={"User-Agent": agent})


def add(stranger: Person, path: str, **fields: str) -> httpx.Response:
    return stranger.ask("POST", f"{path}/more?lang=en", data=fields, headers={"User-Agent": AGENT})


def responses(owner: Person, **query: Any) -> list[dict[str, Any]]:
    return list(owner.get("/v1/survey-responses", **query).raise_for_status().json()["responses"])
