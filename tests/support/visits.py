"""Visitors of cards, as their browsers are."""

from typing import Any, Final

import httpx
from sqlalchemy import Engine, select

from cards.find import CardRecord
from cards.tables import CardCount
from tests.support.inside import Person

PHONE: Final = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 Safari/604.1"
OTHER_PHONE: Final = "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 Chrome/131.0 Mobile Safari/537.36"


def tell(person: Person, card: CardRecord, act: str, *, agent: str = PHONE, **told: Any) -> httpx.Response:
    """What the page of ``card`` tells; ``told`` are s, t and r."""
    headers = {"User-Agent": agent, "Content-Type": "text/plain;charset=UTF-8", "Sec-Fetch-Site": "same-origin"}
    headers |= told.pop("headers", {})
    return person.ask("POST", f"/c/{card.token}/beacon", json={"a": act} | told, headers=headers)


def counted(engine: Engine) -> dict[str, int]:
    """How often each act counts, as ``view`` or ``tap:phone``, over all days and sources."""
    found: dict[str, int] = {}
    with engine.connect() as conn:
        for act, target, times in conn.execute(select(CardCount.act, CardCount.target, CardCount.times)):
            name = f"{act}:{target}" if target else act
            found[name] = found.get(name, 0) + times
    return found


def by_source(engine: Engine, act: str) -> dict[str, int]:
    with engine.connect() as conn:
        rows = conn.execute(select(CardCount.source, CardCount.times).where(CardCount.act == act))
        return {row.source: row.times for row in rows}
