"""What came of offers, what was learned, and what one receipt shows and why."""

from collections.abc import Callable
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, JsonValue
from sqlalchemy import Connection

from accounts.keys import Caller
from api import offer_answers, schemas
from api.answers import csv_answer, json_answer
from api.days import TheDays
from api.house import TheHouse
from api.key_ring import TheCaller
from engagement.offers import books, find, numbers
from engagement.offers.counts import ACTS
from engagement.offers.find import Offer
from engagement.offers.links import Reason
from engagement.offers.numbers import By, Key, Numbers
from infra.csv_text import csv_text
from kernel.clock import iso
from kernel.days import Days
from receipts import find as receipts_find

router = APIRouter(prefix="/v1", tags=["Offers"])


class _Answer(BaseModel):
    model_config = ConfigDict(json_schema_mode_override="serialization")


class OfferNumbers(_Answer):
    """Each offer of a receipt counts once."""

    shown: int = Field(description="Looked at, by somebody.")
    tapped: int
    bought: int = Field(description="By the same shopper after a tap, or on a receipt that carries the offer's mark.")
    returned: int = Field(description="Of what was bought.")
    revenue: dict[str, str] = Field(description="Of what was bought and did not go back, by currency.")


class OfferNumbersRow(OfferNumbers):
    """`product`, `reason` or `day` is there by what was asked; `ally` and `side` where another merchant takes part."""

    product: str | None = None
    reason: Reason | None = None
    day: date | None = None
    ally: str | None = Field(description="The other merchant's slug.")
    side: str | None = Field(description="`ours`: their product, on our receipts. `theirs`: ours, on theirs.")


class OfferNumbersAnswer(_Answer):
    """`from` and `to` are days of UTC, both counted."""

    first: date = Field(alias="from")
    to: date
    by: By
    numbers: list[OfferNumbersRow] = Field(description="What has no number is left out.")
    total: OfferNumbers


class OfferReport(_Answer):
    learned_at: AwareDatetime | None = Field(description="Null before anything was learned.")
    report: dict[str, JsonValue] | None = Field(
        description="How well each way of telling did on the newest receipts, and which was `chosen`."
    )


class ShownOffer(_Answer):
    product: str = Field(description="The SKU.")
    name: dict[str, str]
    price: str | None
    currency: str | None
    reason: Reason
    beside: str | None = Field(description="The line of the receipt that it goes with.")
    count: int = Field(description="On how many receipts both were.")
    ally: str | None = Field(description="The name of the ally whose product it is.")


class ShownOffers(_Answer):
    offers: list[ShownOffer]


@router.get("/offer-numbers", response_model=OfferNumbersAnswer, responses=schemas.READS)
async def offer_numbers(house: TheHouse, caller: TheCaller, days: TheDays, by: By = "product") -> Response:
    """What came of offers in a time: of your own products, of allies' on your receipts, of yours on theirs."""
    look = _asked(caller, days, by)

    def answer(conn: Connection) -> Response:
        found = look(conn)
        rows = [_head(by, key) | _shown(each) for key, each in found.items()]
        return json_answer(days.as_json() | {"by": by, "numbers": rows, "total": _shown(numbers.total(found.values()))})

    return await house.read_long(answer)


@router.get("/offer-numbers.csv", response_class=Response, responses=schemas.CSV)
async def offer_numbers_csv(house: TheHouse, caller: TheCaller, days: TheDays, by: By = "product") -> Response:
    """The same as a table for spreadsheets, with a row for each currency."""
    look = _asked(caller, days, by)

    def table(conn: Connection) -> bytes:
        head = (*_head(by, Key("", "", "")), *ACTS, "currency", "revenue")
        return csv_text(head, [row for key, each in look(conn).items() for row in _rows(by, key, each)])

    return csv_answer(await house.read_long(table), "offer-numbers.csv")


@router.get("/offers/report", response_model=OfferReport, responses=schemas.READS)
async def offer_report(house: TheHouse, caller: TheCaller) -> Response:
    """What was learned of your receipts last: each night, and when much is new."""
    caller.require_whole("offers:read")
    book = await house.read(lambda conn: books.book(conn, caller.merchant_id))
    return json_answer({"learned_at": iso(book.learned_at) if book.learned_at else None, "report": book.report})


@router.get("/offers", response_model=ShownOffers, responses=schemas.READS)
async def list_offers(
    house: TheHouse,
    caller: TheCaller,
    receipt: Annotated[str, Query(pattern=schemas.ID_PATTERN, description="Its `id`, or its token.")],
) -> Response:
    """What the page of a receipt offers now, and why; for a till's own display, say. It counts nothing."""
    caller.require_whole("offers:read")

    def look(conn: Connection) -> list[Offer]:
        record = receipts_find.one(conn, caller.merchant_id, receipt)
        desk = find.desk(conn, caller.merchant_id)
        return find.offers_for(conn, desk, record, key=house.shopper_key)

    return json_answer({"offers": [_offered(each) for each in await house.read(look)]})


def _asked(caller: Caller, days: Days, by: By) -> Callable[[Connection], dict[Key, Numbers]]:
    caller.require_whole("offers:read")
    return lambda conn: numbers.numbers(conn, caller.merchant_id, by, first=days.first, last=days.last)


def _head(by: By, key: Key) -> dict[str, str | None]:
    named = {} if by == "ally" else {str(by): key.name}
    return named | {"ally": key.ally or None, "side": key.side or None}


def _shown(found: Numbers) -> dict[str, Any]:
    return {act: found.acts.get(act, 0) for act in ACTS} | {"revenue": offer_answers.revenue(found)}


def _rows(by: By, key: Key, found: Numbers) -> list[tuple[object, ...]]:
    """What has no revenue stands in one row; of several currencies, the numbers stand in the first."""
    head = tuple(_head(by, key).values())
    revenue: list[tuple[str | None, str | None]] = [*offer_answers.revenue(found).items()] or [(None, None)]
    counts = tuple(found.acts.get(act, 0) for act in ACTS)
    nothing = (None,) * len(ACTS)
    return [(*head, *(counts if at == 0 else nothing), *sums) for at, sums in enumerate(revenue)]


def _offered(offer: Offer) -> dict[str, Any]:
    plain = offer_answers.plain(offer.product)
    return {
        "product": offer.product.sku,
        **{name: plain[name] for name in ("name", "price", "currency")},
        "reason": offer.reason,
        "beside": offer.beside or None,
        "count": offer.count,
        "ally": offer.ally or None,
    }
