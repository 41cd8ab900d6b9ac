"""One idea of an address, wherever one is told: what is taken can be written to, and kept on both databases."""

from typing import Any

import pytest
from sqlalchemy import update

from accounts.tables import Brand
from infra.mail_address import is_address, is_deliverable, routable
from infra.pdf import PdfUnavailable
from notify.tables import Message
from tests.support.inside import Person, on_sqlite
from tests.support.sales import Body, coffee
from tests.support.workshop import Clock, Postman
from worker.deliver import deliver
from worker.workshop import Workshop

ANNA = "anna@example.com"
# 254 characters, and more in lower case.
GROWING = "\u0130" * 64 + "@" + ".".join(["a" * 60] * 3) + ".test"


def sale(email: str, **more: Any) -> Body:
    return coffee(shopper={"email": email}, **more)


def work(shop: Workshop, clock: Clock) -> None:
    clock.pass_by(hours=2)
    deliver(shop, "job", {})


def told(person: Person, receipt: Body) -> tuple[str, str | None]:
    [found] = person.get(f"/v1/receipts/{receipt['id']}/deliveries").json()["deliveries"]
    return found["state"], found["detail"]


@pytest.mark.parametrize("text", ["a,b@example.com", "a@b@c.test", "a b@c.test", "a@" + "b" * 64 + "é.test", "a@b..é"])
def test_what_is_no_address_is_none_for_all(text: str) -> None:
    assert not is_address(text)
    with pytest.raises(ValueError, match="bare address"):
        routable(text)


def test_an_address_that_grows_in_lower_case_is_too_long_to_keep() -> None:
    assert len(GROWING) <= 254 < len(GROWING.lower())
    assert is_address(GROWING)
    assert not is_deliverable(GROWING)


@on_sqlite
@pytest.mark.parametrize("email", ["a,b@example.com", "a;b@example.com", '"a"@example.com', "a@b..é"])
def test_a_sale_is_not_promised_an_email_to_what_is_no_address(till: Person, email: str) -> None:
    answer = till.post("/v1/receipts", sale(email, deliver=["email"]))
    assert (answer.status_code, [each["pointer"] for each in answer.json()["errors"]]) == (422, ["/shopper/email"])
    assert till.post("/v1/receipts", sale(email)).status_code == 201


@pytest.mark.parametrize("deliver", [[], ["email"]])
def test_a_sale_with_an_address_that_grows_is_refused_with_the_field(till: Person, deliver: list[str]) -> None:
    answer = till.post("/v1/receipts", sale(GROWING, deliver=deliver))
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/shopper/email")


@on_sqlite
def test_a_receipt_is_not_sent_later_to_what_is_no_address(owner: Person) -> None:
    receipt = owner.post("/v1/receipts", sale("a,b@example.com")).json()
    for body in ({}, {"to": "a,b@example.com"}, {"to": GROWING}):
        answer = owner.post(f"/v1/receipts/{receipt['id']}/deliveries", body)
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/to")


@on_sqlite
def test_a_brand_answers_at_an_address_that_mail_programs_understand(owner: Person) -> None:
    brand = {"name": "Linden & Rye", "support_email": "help,us@linden-rye.example"}
    answer = owner.put("/v1/brands/linden-rye", brand)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/support_email")


@on_sqlite
def test_a_support_address_of_old_that_is_none_does_not_keep_the_letter(
    owner: Person, shop: Workshop, clock: Clock, postman: Postman
) -> None:
    receipt = owner.post("/v1/receipts", sale(ANNA, deliver=["email"])).json()
    shop.write(lambda conn: conn.execute(update(Brand).values(support_email="help,us@linden-rye.example")))
    work(shop, clock)
    assert told(owner, receipt)[0] == "sent"
    assert b"Reply-To" not in postman.taken[0].data


@on_sqlite
def test_a_message_of_old_to_what_is_no_address_is_refused_at_once(owner: Person, shop: Workshop, clock: Clock) -> None:
    receipt = owner.post("/v1/receipts", sale(ANNA, deliver=["email"])).json()
    shop.write(lambda conn: conn.execute(update(Message).values(address="a,b@example.com")))
    work(shop, clock)
    assert told(owner, receipt) == ("refused", "the address cannot be written to")


@on_sqlite
def test_a_letter_whose_pdf_cannot_be_made_goes_without_it_at_the_fourth_try(
    owner: Person, shop: Workshop, clock: Clock, postman: Postman, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(*_: Any, **__: Any) -> bytes:
        raise PdfUnavailable("Pango is missing")

    monkeypatch.setattr("worker.receipt_letters.printed.pdf", none)
    receipt = owner.post("/v1/receipts", sale(ANNA, deliver=["email"], deliver_pdf=True)).json()
    for _ in range(3):
        work(shop, clock)
    assert told(owner, receipt) == ("waiting", "Pango is missing")
    work(shop, clock)
    assert told(owner, receipt)[0] == "sent"
    assert b"application/pdf" not in postman.taken[0].data
