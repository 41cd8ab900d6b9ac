"""What is said of one product in public: approved reviews, their stars and average, as schema.org tells them."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final
from urllib.parse import quote

from sqlalchemy import Connection, func, select

from engagement.offers import products
from engagement.voice import reviews
from engagement.voice.reviews import STARS, ReviewRecord, Wanted
from engagement.voice.tables import Review

_HUNDREDTHS: Final = Decimal("0.01")
VERIFIED: Final = "Verified purchase"


@dataclass(frozen=True, slots=True)
class Stars:
    """``counts`` are of 1 to 5 stars."""

    counts: tuple[int, int, int, int, int]

    @property
    def count(self) -> int:
        return sum(self.counts)

    @property
    def average(self) -> Decimal | None:
        """To hundredths, halves up; None without any."""
        whole = sum(stars * count for stars, count in zip(STARS, self.counts, strict=True))
        exact = Decimal(whole) / self.count if self.count else None
        return exact.quantize(_HUNDREDTHS, ROUND_HALF_UP) if exact is not None else None


@dataclass(frozen=True, slots=True)
class ProductReviews:
    """``name`` is the catalogue's; where it has none, as on the newest receipt of which a review was written. ``more``
    is the cursor of what follows."""

    sku: str
    name: str
    stars: Stars
    reviews: Sequence[ReviewRecord]
    more: str | None
    # Who makes it, by the catalogue; None where that does not say.
    brand: str | None
    # Of ours, on whose receipt the newest was written; None where that is not known.
    brand_id: str | None = None


def stars_of(conn: Connection, merchant_id: str, sku: str) -> Stars:
    """Of approved reviews."""
    query = select(Review.stars, func.count().label("times"))
    query = query.where(Review.merchant_id == merchant_id, Review.sku == sku, Review.state == "approved")
    found = {row.stars: row.times for row in conn.execute(query.group_by(Review.stars))}
    one, two, three, four, five = (found.get(stars, 0) for stars in STARS)
    return Stars((one, two, three, four, five))


def of_product(
    conn: Connection, merchant_id: str, sku: str, *, limit: int, after: str | None = None, stars: Stars | None = None
) -> ProductReviews | None:
    """Newest first; None where nobody has said anything of it that is shown. ``stars`` are those of
    :func:`stars_of`, where the caller has them."""
    stars = stars or stars_of(conn, merchant_id, sku)
    if not stars.count:
        return None
    wanted = Wanted(state="approved", sku=sku)
    found = reviews.listed(conn, merchant_id, wanted, limit=limit + 1, after=after)
    newest = reviews.listed(conn, merchant_id, wanted, limit=1)
    more = found[limit - 1].id if len(found) > limit else None
    known = products.with_skus(conn, merchant_id, [sku]).get(sku)
    # A line's own name may be of one shopper alone, as one with an engraving is: the catalogue's goes first.
    name = known.named("") if known else (newest[0].product if newest else "") or sku
    brand, brand_id = known.content.brand if known else None, newest[0].brand_id if newest else None
    return ProductReviews(sku, name, stars, found[:limit], more, brand, brand_id)


def path_of(merchant: str, sku: str) -> str:
    """Where everybody reads it; ``merchant`` is a slug."""
    return f"/reviews/{merchant}/{quote(sku, safe='')}"


def as_json_ld(told: ProductReviews, *, brand: str, url: str) -> dict[str, Any]:
    """The `Product <https://schema.org/Product>`_ with its ratings. ``url`` is the page that shows them, ``brand``
    that of the shop."""
    product: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "Product",
        "@id": url,
        "sku": told.sku,
        "name": told.name,
        "brand": {"@type": "Brand", "name": told.brand or brand},
        "aggregateRating": {
            "@type": "AggregateRating",
            "ratingValue": str(told.stars.average),
            "reviewCount": told.stars.count,
            "bestRating": STARS[-1],
            "worstRating": STARS[0],
        },
    }
    return product | {"review": [_review(each, brand) for each in told.reviews]}


def _review(record: ReviewRecord, brand: str) -> dict[str, Any]:
    review: dict[str, Any] = {
        "@type": "Review",
        "datePublished": record.written_at.date().isoformat(),
        "reviewRating": {"@type": "Rating", "ratingValue": record.stars, "bestRating": 5, "worstRating": 1},
        # Who gives no name is told apart from nobody by what we know of them.
        "author": {"@type": "Person", "name": record.display_name or VERIFIED},
        "inLanguage": record.language,
        # schema.org has no member of its own for it.
        "keywords": VERIFIED,
    }
    review |= {"name": record.title} if record.title else {}
    review |= {"reviewBody": record.text} if record.text else {}
    if record.reply:
        author = {"@type": "Organization", "name": brand}
        review["comment"] = {"@type": "Comment", "text": record.reply, "author": author}
    return review
