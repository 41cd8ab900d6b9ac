"""What came of cards: views, saves, taps, contacts, ratings, by card, day or source."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from sqlalchemy import Connection

from accounts.fields import SLUG
from accounts.keys import Caller
from api import card_answers, schemas
from api.answers import csv_answer, json_answer
from api.house import TheHouse
from api.key_ring import TheCaller
from cards import tally
from cards.numbers import ACTS
from cards.tally import By, CardName, Numbers, Wanted
from infra.csv_text import csv_text
from kernel.errors import FieldError, Invalid

router = APIRouter(prefix="/v1", tags=["Cards"])
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DAYS: Final = 30
_MOST_DAYS: Final = 366
ASSUMES: Final = "Each save and each pass added to a wallet stands for one printed card that was not handed out."
_HEAD: Final = (
    "views", "visitors", "saves", "wallet_adds", "shares", "taps", "exchanges", "ratings", "rating_average",
    "receipt_views", "receipt_saves", "paper_cards_saved",
)  # fmt: skip


def _written_as_a_day(told: object) -> object:
    """Pydantic would take a number for seconds since 1970."""
    if isinstance(told, str) and not _DAY.fullmatch(told):
        raise ValueError("is no day; 2026-11-28 would be one")
    return told


Day = Annotated[date, BeforeValidator(_written_as_a_day)]


class _Answer(BaseModel):
    model_config = ConfigDict(json_schema_mode_override="serialization")


class Ratings(_Answer):
    count: int
    average: str | None = Field(description="From 1.00 to 5.00; null where there is none.")


class CardNumbers(_Answer):
    """What was done with cards, each once a day by one visitor, a view up to 20 times."""

    views: int
    visitors: int = Field(description="Each once a day: nobody is recognised on another.")
    saves: int
    wallet_adds: int
    shares: int
    taps: dict[str, int] = Field(description="By what was tapped, such as `phone` or `linkedin`.")
    exchanges: int = Field(description="Contacts that visitors left.")
    ratings: Ratings
    receipts: dict[str, int] = Field(description="Of how many receipts each came: `view`, `save` and so on.")
    paper_cards_saved: int = Field(description=ASSUMES)


class CardNumbersRow(CardNumbers):
    """`card`, `staff`, `name` and `store` are there by card, `day` by day, `source` by source."""

    card: str | None = None
    staff: str | None = None
    name: str | None = None
    store: str | None = None
    day: date | None = None
    source: str | None = None


class CardNumbersAnswer(_Answer):
    """`from` and `to` are days of UTC, both counted."""

    first: date = Field(alias="from")
    to: date
    by: By
    numbers: list[CardNumbersRow] = Field(description="What has no number is left out.")
    total: CardNumbers
    assumes: str = Field(description="What `paper_cards_saved` takes for granted.")


def _wanted(
    house: TheHouse,
    first: Annotated[Day | None, Query(alias="from", description="Default: 29 days before `to`.")] = None,
    to: Annotated[Day | None, Query(description="Counted too. Default: today, by UTC.")] = None,
    by: By = "card",
) -> Wanted:
    """Raises :class:`Invalid` for a time that ends before it begins, or is longer than a year."""
    last = to or house.clock().date()
    if first is None and last - date.min < timedelta(days=_DAYS):
        first = last
    first = first or last - timedelta(days=_DAYS - 1)
    if not 0 <= (last - first).days < _MOST_DAYS:
        detail = f"must not be after `to`, nor more than {_MOST_DAYS - 1} days before it"
        raise Invalid(errors=[FieldError("query:from", detail)])
    return Wanted(first, last, by)


Asked = Annotated[Wanted, Depends(_wanted)]
Store = Annotated[str | None, Query(pattern=SLUG)]
Staff = Annotated[str | None, Query(pattern=SLUG)]


@router.get("/card-numbers", response_model=CardNumbersAnswer, responses=schemas.READS)
async def card_numbers(
    house: TheHouse, caller: TheCaller, asked: Asked, store: Store = None, staff: Staff = None
) -> Response:
    """What came of cards in a time. A key that is bound to a store sees the cards of that store."""
    look = _asked(caller, asked, store, staff)

    def answer(conn: Connection) -> Response:
        found, named = look(conn)
        rows = [_head(asked, key, named) | _shown(numbers) for key, numbers in found.items()]
        told = {"from": asked.first.isoformat(), "to": asked.last.isoformat(), "by": asked.by}
        return json_answer(told | {"numbers": rows, "total": _shown(tally.total(found.values())), "assumes": ASSUMES})

    return await house.read_long(answer)


@router.get("/card-numbers.csv", response_class=Response, responses=schemas.CSV)
async def card_numbers_csv(
    house: TheHouse, caller: TheCaller, asked: Asked, store: Store = None, staff: Staff = None
) -> Response:
    """The same as a table for spreadsheets."""
    look = _asked(caller, asked, store, staff)

    def table(conn: Connection) -> bytes:
        found, named = look(conn)
        head = ("card", "staff", "name", "store") if asked.by == "card" else (asked.by,)
        rows = [(*_head(asked, key, named).values(), *_row(numbers)) for key, numbers in found.items()]
        return csv_text((*head, *_HEAD), rows)

    return csv_answer(await house.read_long(table), "card-numbers.csv")


def _asked(
    caller: Caller, asked: Wanted, store: str | None, staff: str | None
) -> Callable[[Connection], tuple[dict[str, Numbers], dict[str, CardName]]]:
    caller.require("cards:read")

    def look(conn: Connection) -> tuple[dict[str, Numbers], dict[str, CardName]]:
        card_id = card_answers.of_staff(conn, caller, staff) if staff else None
        wanted = replace(asked, store_id=card_answers.within(conn, caller, store), card_id=card_id)
        found = tally.tally(conn, caller.merchant_id, wanted)
        if asked.by != "card":
            return found, {}
        named = tally.names(conn, caller.merchant_id, card_id)
        return {key: found[key] for key in sorted(found, key=lambda key: named[key].staff)}, named

    return look


def _head(asked: Wanted, key: str, named: dict[str, CardName]) -> dict[str, Any]:
    if asked.by != "card":
        return {asked.by: key}
    card = named[key]
    return {"card": card.id, "staff": card.staff, "name": card.name, "store": card.store}


def _shown(numbers: Numbers) -> dict[str, Any]:
    plain = dict(zip(_HEAD, _row(numbers), strict=True))
    plain = {name: plain[name] for name in CardNumbers.model_fields if name in plain}
    return plain | {
        "taps": dict(sorted(numbers.taps.items())),
        "ratings": {"count": numbers.ratings, "average": numbers.average},
        "receipts": dict(sorted(numbers.receipts.items())),
    }


def _row(numbers: Numbers) -> tuple[Any, ...]:
    acts = [numbers.acts.get(act, 0) for act in ACTS]
    receipts = [numbers.receipts.get(act, 0) for act in ("view", "save")]
    return (*acts, numbers.ratings, numbers.average, *receipts, numbers.paper_cards_saved)
