"""Reviews of products: the queue in which they wait, what is decided on them, and what is said of a product."""

from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection

from accounts.fields import LINE, Text
from accounts.keys import Caller
from api import review_shapes, schemas
from api.answers import csv_answer, json_answer
from api.body import model_body
from api.cards import ChangedMeanwhile, IfMatch
from api.cases import CHANGES, etag
from api.house import House, TheHouse
from api.key_ring import TheCaller
from api.review_shapes import shown
from engagement.voice import bought, product_reviews, reviews
from engagement.voice.reviews import ReviewRecord, State, Wanted
from infra.csv_text import csv_text
from kernel.errors import FieldError, Invalid, NotFound

router = APIRouter(prefix="/v1", tags=["Cases and reviews"])
_MOST_ROWS: Final = 10_000
Cursor = Annotated[str | None, Query(pattern=r"^rev_[0-9a-z]{26}$")]
Sku = Annotated[str | None, Query(min_length=1, max_length=128, pattern=LINE)]
SkuPath = Annotated[str, Path(min_length=1, max_length=128, pattern=LINE, description="The product's `sku`.")]


class ReviewDecision(BaseModel):
    """What a moderator decides, what the merchant replies, or both."""

    model_config = ConfigDict(extra="forbid")

    state: Literal["approved", "rejected"] | None = None
    reason: Text | None = Field(None, description="Why it is rejected; its shopper is shown it.")
    reply: Text | None = Field(None, description="What the merchant says below it in public; null takes that away.")


@router.get("/reviews", response_model=review_shapes.ReviewList, responses=schemas.READS)
async def list_reviews(
    house: TheHouse,
    caller: TheCaller,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    cursor: Cursor = None,
    state: State | None = None,
    sku: Sku = None,
    stars: Annotated[int | None, Query(ge=1, le=5)] = None,
) -> Response:
    """Newest first; `state=waiting` is the queue. Follow `next_cursor` until it is null."""
    caller.require_whole("surveys:read")
    wanted = Wanted(state, sku, stars)

    def look(conn: Connection) -> Response:
        found = reviews.listed(conn, caller.merchant_id, wanted, limit=limit + 1, after=cursor)
        more = found[limit - 1].id if len(found) > limit else None
        return json_answer({"reviews": _told(conn, caller, found[:limit]), "next_cursor": more})

    return await house.read(look)


@router.get("/reviews.csv", response_class=Response, responses=schemas.CSV)
async def reviews_csv(
    house: TheHouse,
    caller: TheCaller,
    limit: Annotated[int, Query(ge=1, le=_MOST_ROWS)] = _MOST_ROWS,
    cursor: Cursor = None,
    state: State | None = None,
    sku: Sku = None,
    stars: Annotated[int | None, Query(ge=1, le=5)] = None,
) -> Response:
    """The same as a table for spreadsheets, the newest 10,000; for older ones, the last row's `id` is the `cursor`."""
    caller.require_whole("surveys:read")
    wanted = Wanted(state, sku, stars)

    def table(conn: Connection) -> bytes:
        found = reviews.listed(conn, caller.merchant_id, wanted, limit=limit, after=cursor)
        rows = [each | {"holds": " ".join(each["holds"])} for each in _told(conn, caller, found)]
        return csv_text(tuple(review_shapes.ReviewSummary.model_fields), [tuple(each.values()) for each in rows])

    return csv_answer(await house.read_long(table), "reviews.csv")


@router.get("/reviews/{review_id}", response_model=review_shapes.ReviewSummary, responses=schemas.READS)
async def get_review(review_id: schemas.Id, house: TheHouse, caller: TheCaller) -> Response:
    """With the `ETag` that a decision on it names."""
    caller.require_whole("surveys:read")
    return await house.read(lambda conn: _answer(conn, caller, reviews.one(conn, caller.merchant_id, review_id)))


@router.patch(
    "/reviews/{review_id}",
    response_model=review_shapes.ReviewSummary,
    responses=CHANGES,
    openapi_extra=schemas.body("ReviewDecision"),
)
async def decide_on_review(
    review_id: schemas.Id, request: Request, house: TheHouse, caller: TheCaller, if_match: IfMatch = None
) -> Response:
    """Approve or reject it, and reply to it.

    `If-Match` must name its `ETag`: its shopper may have changed it, and another moderator have decided (412).
    """
    caller.require_whole("surveys:write")
    decision = await model_body(request, ReviewDecision)

    def change(conn: Connection) -> Response:
        before = reviews.one(conn, caller.merchant_id, review_id)
        if not _decided(conn, house, caller, before, decision, _revision(if_match)):
            raise ChangedMeanwhile("Get it again, and read what it says now")
        return _answer(conn, caller, reviews.one(conn, caller.merchant_id, review_id))

    answer = await house.write(change)
    house.forget_reviews(caller.merchant_id)
    return answer


@router.get("/products/{sku:path}/reviews", response_model=review_shapes.ProductReviewsAnswer, responses=schemas.READS)
async def product_reviews_of(
    sku: SkuPath,
    house: TheHouse,
    caller: TheCaller,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    cursor: Cursor = None,
) -> Response:
    """Approved reviews of a product, newest first, with their number, average and how often each number of stars was
    given."""
    caller.require_whole("surveys:read")
    found = await house.read(
        lambda conn: product_reviews.of_product(conn, caller.merchant_id, sku, limit=limit, after=cursor)
    )
    if found is None:
        raise NotFound("Nobody has said anything of such a product that is shown")
    return json_answer(review_shapes.of_product(found))


def _revision(if_match: str | None) -> int:
    """That which was read; a number that no review has where it is something else."""
    if if_match is None:
        raise Invalid(errors=[FieldError("header:If-Match", "is missing; it names the ETag of what was read")])
    tag = if_match.strip().strip('"')
    return int(tag) if tag.isascii() and tag.isdigit() and len(tag) < 10 else 0


def _decided(
    conn: Connection, house: House, caller: Caller, before: ReviewRecord, decision: ReviewDecision, revision: int
) -> bool:
    """Whether it was still as the moderator had read it."""
    now, told = house.clock(), decision.model_fields_set
    if decision.reason is not None and decision.state != "rejected":
        raise Invalid(errors=[FieldError("/reason", "belongs to a review that is rejected")])
    if decision.state is not None:
        wish = (decision.state, decision.reason)
        if not reviews.decide(conn, before, *wish, revision=revision, by=caller.key_id, now=now):
            return False
        revision += 1
    if "reply" in told:
        return reviews.answer(conn, before, decision.reply or None, revision=revision, now=now)
    return before.revision == revision or decision.state is not None


def _answer(conn: Connection, caller: Caller, record: ReviewRecord) -> Response:
    [told] = _told(conn, caller, [record])
    return json_answer(told, headers={"ETag": etag(record)})


def _told(conn: Connection, caller: Caller, found: list[ReviewRecord]) -> list[dict[str, Any]]:
    pairs = {(each.receipt_id, each.sku) for each in found if each.receipt_id}
    back = bought.went_back(conn, caller.merchant_id, pairs)
    return [shown(each, is_returned=(each.receipt_id, each.sku) in back) for each in found]
