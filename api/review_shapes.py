"""What the OpenAPI document says of reviews, and how one is written."""

from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from engagement.voice.held import Hold
from engagement.voice.product_reviews import ProductReviews
from engagement.voice.reviews import STARS, ReviewRecord, State
from kernel.clock import iso


class _Answer(BaseModel):
    model_config = ConfigDict(json_schema_mode_override="serialization")


class ShownReview(_Answer):
    """As everybody may read it. All are by who bought the product."""

    id: str
    stars: int
    title: str
    text: str
    display_name: str
    language: str
    written_at: AwareDatetime
    is_verified: bool
    reply: str | None
    replied_at: AwareDatetime | None


class ReviewSummary(_Answer):
    id: str
    receipt_id: str | None = Field(description="Null once the receipt was purged.")
    sku: str
    product: str = Field(description="Its name, as it stood on the receipt.")
    stars: int
    title: str
    text: str
    display_name: str = Field(description="What the shopper wants to be called; empty for no name.")
    language: str
    state: State
    holds: list[Hold] = Field(description="What rules found in it.")
    is_returned: bool = Field(description="Whether the product went back since. This is not shown in public.")
    reason: str | None
    reply: str | None
    written_at: AwareDatetime
    changed_at: AwareDatetime
    decided_at: AwareDatetime | None
    decided_by: str | None = Field(description="The id of a key; `rules` where it was published at once.")


class ReviewList(_Answer):
    reviews: list[ReviewSummary]
    next_cursor: str | None


class ProductReviewsAnswer(_Answer):
    sku: str
    name: str
    count: int
    average: str | None = Field(description="To hundredths.")
    stars: dict[str, int] = Field(description="How often each number of stars was given.")
    reviews: list[ShownReview]
    next_cursor: str | None


def shown(record: ReviewRecord, *, is_returned: bool) -> dict[str, Any]:
    """In the order of :class:`ReviewSummary`."""
    values: dict[str, Any] = {name: getattr(record, name, None) for name in ReviewSummary.model_fields}
    return values | {
        "holds": list(record.holds),
        "is_returned": is_returned,
        "written_at": iso(record.written_at),
        "changed_at": iso(record.changed_at),
        "decided_at": iso(record.decided_at) if record.decided_at else None,
    }


def of_product(told: ProductReviews) -> dict[str, Any]:
    average = told.stars.average
    return {
        "sku": told.sku,
        "name": told.name,
        "count": told.stars.count,
        "average": str(average) if average is not None else None,
        "stars": {str(stars): count for stars, count in zip(STARS, told.stars.counts, strict=True)},
        "reviews": [_public(each) for each in told.reviews],
        "next_cursor": told.more,
    }


def _public(record: ReviewRecord) -> dict[str, Any]:
    names = ("id", "stars", "title", "text", "display_name", "language")
    return {name: getattr(record, name) for name in names} | {
        "written_at": iso(record.written_at),
        "is_verified": True,
        "reply": record.reply,
        "replied_at": iso(record.replied_at) if record.replied_at else None,
    }
