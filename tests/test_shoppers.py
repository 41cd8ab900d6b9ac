"""One shopper is told from another by a pseudonym of the surest mark that the till has."""

from engagement.shoppers import pseudonym
from receipts.sale import Shopper

KEY = b"k" * 32


def of(key: bytes = KEY, merchant: str = "mer_1", **marks: str) -> str | None:
    return pseudonym(key, merchant, Shopper.model_validate(marks))


def test_the_same_mark_is_the_same_shopper() -> None:
    assert of(email="Anna@Example.com") == of(email="anna@example.com") == of(email="anna@example.com", name="Anna")
    assert of(phone="+49 30 5550") == of(phone="+49305550")


def test_the_surest_mark_decides() -> None:
    assert of(customer_id="7", email="anna@example.com") == of(customer_id="7", email="other@example.com")
    assert of(loyalty_id="7") != of(customer_id="7")


def test_it_says_nothing_at_another_merchant_or_without_the_key() -> None:
    assert len({of(customer_id="7"), of(merchant="mer_2", customer_id="7"), of(key=b"x" * 32, customer_id="7")}) == 3


def test_who_left_no_mark_is_nobody() -> None:
    assert of(name="Anna") is None
    assert pseudonym(KEY, "mer_1", None) is None
