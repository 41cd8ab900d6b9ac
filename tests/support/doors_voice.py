"""Cases, tags, referrals and reviews in the outsider's walk."""

from typing import Any, Final

from sqlalchemy import select

from engagement.surveys.records import Answer
from engagement.voice import case_work, cases, reviews
from engagement.voice.bought import Product
from engagement.voice.reviews import Author, Words
from receipts.tables import Receipt
from tests.support.inside import Person
from tests.support.shops import OPENED

Names = dict[str, str]
_RULE: Final = {"phrases": {"en": ["queue"]}}
# Method, route, status, path with {names} of what is ours, body.
DOORS: Final[list[tuple[str, str, int, str, Any]]] = [
    ("GET", "/v1/cases", 200, "/v1/cases", None),
    ("GET", "/v1/cases", 404, "/v1/cases?store=kreuzberg", None),
    ("GET", "/v1/cases.csv", 200, "/v1/cases.csv", None),
    ("GET", "/v1/cases/{case_id}", 404, "/v1/cases/{case}", None),
    ("PATCH", "/v1/cases/{case_id}", 404, "/v1/cases/{case}", {"state": "dismissed"}),
    ("GET", "/v1/case-numbers", 200, "/v1/case-numbers", None),
    ("GET", "/v1/case-settings", 200, "/v1/case-settings", None),
    ("PUT", "/v1/case-settings", 200, "/v1/case-settings", {"opens": "never", "stores": {"kreuzberg": {}}}),
    ("GET", "/v1/referral-settings", 200, "/v1/referral-settings", None),
    ("PUT", "/v1/referral-settings", 200, "/v1/referral-settings", {"is_on": False}),
    ("GET", "/v1/review-settings", 200, "/v1/review-settings", None),
    ("PUT", "/v1/review-settings", 200, "/v1/review-settings", {"is_on": False}),
    ("GET", "/v1/tag-rules", 200, "/v1/tag-rules", None),
    ("DELETE", "/v1/tag-rules/{tag}", 404, "/v1/tag-rules/ours-only", None),
    ("PUT", "/v1/tag-rules/{tag}", 204, "/v1/tag-rules/ours-only", _RULE),
    ("POST", "/v1/tag-trial", 200, "/v1/tag-trial", {"text": "slow", "language": "en"}),
    ("GET", "/v1/tags", 200, "/v1/tags", None),
    ("GET", "/v1/referrals", 200, "/v1/referrals", None),
    ("GET", "/v1/referrals.csv", 200, "/v1/referrals.csv", None),
    ("GET", "/v1/referral-numbers", 200, "/v1/referral-numbers", None),
    ("GET", "/v1/reviews", 200, "/v1/reviews", None),
    ("GET", "/v1/reviews.csv", 200, "/v1/reviews.csv", None),
    ("GET", "/v1/reviews/{review_id}", 404, "/v1/reviews/{review}", None),
    ("PATCH", "/v1/reviews/{review_id}", 404, "/v1/reviews/{review}", {"state": "approved"}),
    ("GET", "/v1/products/{sku:path}/reviews", 404, "/v1/products/our-bread/reviews", None),
]
# A shopper's form is behind the receipt's link; what is said of a product is for everybody.
LINKS: Final = {"/r/{token:token}/reviews", "/reviews/{merchant}/{sku:path}", "/reviews/{merchant}/{sku:path}.json"}
LEFT_BY_LINK: Final = {("POST", "/r/{token:token}/reviews")}


def ours(owner: Person) -> Names:
    """A case and a review of a receipt, and a rule for tags."""
    owner.put("/v1/tag-rules/ours-only", _RULE).raise_for_status()
    newest = owner.get("/v1/receipts").json()["receipts"][0]["id"]
    with owner.inside.app.state.house.engine.begin() as conn:
        receipt = conn.execute(select(Receipt.__table__).where(Receipt.id == newest)).one()
        answer = _answer(receipt)
        case_work.follow(conn, answer, now=OPENED)
        case = cases.of_answer(conn, receipt.merchant_id, answer.id)
        words, author = Words(5, "Linden", "Sourdough", "Torstra"), Author(newest, newest, "en")
        product = Product("our-bread", "Sourdough")
        review = reviews.write(conn, receipt.merchant_id, product, words, author, now=OPENED)
    assert case is not None
    return {"case": case.id, "review": review.id}


def _answer(receipt: Any) -> Answer:
    return Answer(
        id="ans_01kw0000000000000000000000",
        merchant_id=receipt.merchant_id,
        survey_id="srv_01kw0000000000000000000000",
        brand_id=receipt.brand_id,
        event="transaction",
        receipt_id=receipt.id,
        store_id=receipt.store_id,
        till_id=None,
        staff_id=None,
        score=0,
        segment="detractor",
        text=None,
        wants_call=False,
        contact=None,
        consent=None,
        consent_version=None,
        language="en",
        channel="page",
        held="",
        answered_at=OPENED,
        changed_at=OPENED,
    )
