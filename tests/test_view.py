"""What a receipt says to a reader: the till's figures in the reader's words, and nothing that a gift must hide."""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.locale import LANGUAGES
from receipts.shapes import Item, ReceiptView, Row, Sums
from receipts.view import view
from tests.support.records import BREAD, COFFEE, INDIRANAGAR, JUMEIRAH, MITTE, SILK, record, related


def sums(receipt: ReceiptView) -> Sums:
    assert receipt.sums
    return receipt.sums


def texts(part: Any) -> Iterator[str]:
    """Every string of a view, however deep."""
    if isinstance(part, str):
        yield part
    elif is_dataclass(part):
        for field in fields(part):
            yield from texts(getattr(part, field.name))
    elif isinstance(part, tuple):
        for each in part:
            yield from texts(each)


def item(receipt: ReceiptView, name: str) -> Item:
    return next(each for each in receipt.items if each.name == name)


def sale(*lines: dict[str, Any], total: str, **more: Any) -> dict[str, Any]:
    numbered = [{"id": str(number), "name": "Thing"} | line for number, line in enumerate(lines, start=1)]
    return {"issued_at": "2026-11-21T17:42:10+01:00", "currency": "EUR", "lines": numbered, "total": total} | more


def test_the_total_comes_in_pieces_for_a_large_figure() -> None:
    figure = sums(view(record(BREAD), language="de")).figure
    assert (figure.whole, figure.fraction, figure.after, figure.text) == ("30", ",62", "\u00a0€", "30,62\u00a0€")


def test_a_weighed_line_tells_weight_and_price() -> None:
    assert item(view(record(BREAD), language="en"), "Apples, loose").measure == "0.735\u00a0kg × €2.99"


def test_one_piece_at_its_price_needs_no_more_words() -> None:
    assert item(view(record(BREAD), language="en"), "Bread knife").measure == ""


def test_a_discounted_piece_tells_its_price_before() -> None:
    loaf = item(view(record(BREAD), language="en"), "Sourdough loaf")
    assert (loaf.measure, loaf.price) == ("1 × €5.40", "4.32")
    assert loaf.discounts == (Row("Evening 20%", "\u22121.08", "less"),)


def test_a_percentage_is_told_where_the_name_does_not() -> None:
    discounts = [
        {"name": "Staff", "amount": "1.00", "percent": "10"},
        {"name": "Minus 5 %", "amount": "0.50", "percent": "5"},
    ]
    body = sale({"unit_price": "10.00", "total": "8.50", "discounts": discounts}, total="8.50")
    labels = [row.label for row in view(record(body), language="en").items[0].discounts]
    assert labels == ["Staff (10%)", "Minus 5 %"]


def test_a_marked_down_price_stands_beside_the_old_one() -> None:
    body = sale({"unit_price": "30.00", "list_price": "45.00", "total": "30.00"}, total="30.00")
    thing = view(record(body), language="en").items[0]
    assert (thing.was, thing.measure, thing.price) == ("€45.00", "1 × €30.00", "30.00")


def test_a_price_finer_than_the_currency_keeps_its_digits() -> None:
    body = sale({"quantity": "40.12", "unit": "l", "unit_price": "1.789", "total": "71.77"}, total="71.77")
    assert view(record(body), language="de").items[0].measure == "40,12\u00a0l × 1,789\u00a0€"


def test_letters_lead_from_the_lines_to_the_tax_table() -> None:
    receipt = view(record(BREAD), language="en")
    assert [each.mark for each in receipt.items] == ["A", "A", "B"]
    table = sums(receipt).taxes
    assert table
    assert [(row.mark, row.label, row.tax) for row in table.rows] == [
        ("A", "MwSt 7%", "0.43"),
        ("B", "MwSt 19%", "3.85"),
    ]


def test_tax_codes_too_long_for_their_column_give_way_to_letters() -> None:
    taxes = [{"rate": "4", "name": "State", "code": "STATE"}, {"rate": "4.5", "name": "City", "code": "CITY"}]
    rows = [dict(tax, tax=amount) for tax, amount in zip(taxes, ("0.40", "0.45"), strict=True)]
    body = sale({"total": "10.00", "taxes": taxes}, total="10.85", prices_include_tax=False, taxes=rows)
    assert view(record(body), language="en").items[0].mark == "A B"


def test_the_tills_own_tax_codes_are_kept() -> None:
    taxes = [{"rate": "6.5", "name": "State", "code": "S"}, {"rate": "3.85", "name": "County", "code": "C"}]
    rows = [{"rate": "6.5", "name": "State", "code": "S", "tax": "0.65"}, {"rate": "3.85", "code": "C", "tax": "0.39"}]
    body = sale({"total": "10.00", "taxes": taxes}, total="11.04", prices_include_tax=False, taxes=rows)
    receipt = view(record(body), language="en")
    assert receipt.items[0].mark == "S C"
    assert [row.label for row in sums(receipt).summary] == ["Subtotal", "State 6.5%", "Tax 3.85%"]


def test_included_taxes_are_not_on_the_way_to_the_total() -> None:
    summary = sums(view(record(BREAD), language="en")).summary
    assert summary == (
        Row("Subtotal", "31.42"),
        Row("Loyalty", "\u22121.00", "less"),
        Row("Paper bag", "0.20", "more"),
    )


def test_lines_that_are_the_total_need_no_subtotal() -> None:
    assert sums(view(record(COFFEE, issuer=JUMEIRAH), language="ar")).summary == ()


def test_indian_figures_are_grouped_as_in_india() -> None:
    receipt = view(record(SILK, issuer=INDIRANAGAR), language="hi")
    assert sums(receipt).total == Row("कुल", "₹12,98,816.00")
    assert Row("HSN", "5007") in receipt.items[0].details
    assert Row("GSTIN", "29ABCDE1234F1Z5") in receipt.store.details


def test_a_tax_number_that_names_itself_is_not_named_twice() -> None:
    issuer = INDIRANAGAR.model_copy(update={"tax_id": "GSTIN: 29ABCDE1234F1Z5"})
    assert view(record(SILK, issuer=issuer), language="en").store.details == (Row("GSTIN", "29ABCDE1234F1Z5"),)


def test_a_card_is_told_by_its_scheme_and_last_digits() -> None:
    card, cash = sums(view(record(BREAD), language="de")).tenders
    assert (card.label, card.amount, card.note) == ("Visa •••• 4242", "20,62", "kontaktlos")
    assert Row("AID", "A0000000031010") in card.details
    assert (cash.label, cash.note) == ("Bar", "gegeben 20,00 · zurück 10,00")


def test_a_gift_card_tells_what_is_left_on_it() -> None:
    payment = {"method": "gift_card", "amount": "5.00", "last4": "7721", "balance": "43.94"}
    tender = sums(view(record(sale({"total": "5.00"}, total="5.00", payments=[payment])), language="en")).tenders[0]
    assert (tender.label, tender.note) == ("Gift card •••• 7721", "€43.94 left")


def test_money_of_a_country_that_is_no_more_is_shown_all_the_same() -> None:
    payment = {"method": "cash", "amount": "5.00", "foreign": {"currency": "QQQ", "amount": "12.5", "rate": "0.4"}}
    tender = sums(view(record(sale({"total": "5.00"}, total="5.00", payments=[payment])), language="en")).tenders[0]
    assert tender.note == "QQQ\u00a012.5"


def test_parts_hang_below_what_they_belong_to_however_deep() -> None:
    lines = [
        {"id": "menu", "name": "Menu", "total": "9.00"},
        {"id": "burger", "name": "Burger", "parent": "menu", "total": "0.00"},
        {"id": "cheese", "name": "Extra cheese", "parent": "burger", "total": "1.00"},
        {"id": "water", "name": "Water", "total": "2.00"},
    ]
    receipt = view(record(sale(*lines, total="12.00")), language="en")
    assert [each.name for each in receipt.items] == ["Menu", "Water"]
    assert [(part.name, part.price) for part in receipt.items[0].parts] == [("Burger", ""), ("Extra cheese", "1.00")]
    assert receipt.item_count == "2 items"


@given(parents=st.lists(st.integers(0, 7), min_size=1, max_size=8))
def test_every_line_is_shown_once_whatever_belongs_to_what(parents: list[int]) -> None:
    """Also where lines name each other in a circle."""
    lines = [
        {"name": f"line {number}", "total": "1.00"}
        | ({"parent": str(parent)} if 0 < parent <= len(parents) and parent != number else {})
        for number, parent in enumerate(parents, start=1)
    ]
    receipt = view(record(sale(*lines, total=f"{len(lines)}.00")), language="en")
    shown = [name for each in receipt.items for name in (each.name, *(part.name for part in each.parts))]
    assert sorted(shown) == sorted(str(line["name"]) for line in lines)


def test_a_promise_to_take_back_is_a_date() -> None:
    body = sale({"total": "5.00", "return_days": 14, "warranty_months": 24}, total="5.00")
    details = view(record(body), language="en").items[0].details
    assert Row("Return until", "Sat, 5 Dec 2026") in details
    assert Row("Warranty", "24 months") in details


def test_the_time_is_that_on_the_tills_clock() -> None:
    assert view(record(BREAD | {"issued_at": "2026-11-21T08:15:00-08:00"}), language="en").issued.time == "08:15"


def test_a_till_that_writes_utc_is_read_on_the_clock_of_its_store() -> None:
    assert view(record(BREAD | {"issued_at": "2026-11-21T16:42:10Z"}), language="en").issued.time == "17:42"


def test_a_timezone_that_nobody_knows_does_no_harm() -> None:
    issuer = MITTE.model_copy(update={"timezone": "Mars/Olympus"})
    assert (
        view(record(BREAD | {"issued_at": "2026-11-21T16:42:10Z"}, issuer=issuer), language="en").issued.time == "16:42"
    )


def states(receipt: ReceiptView) -> dict[str, str]:
    return {state.kind: state.text for state in receipt.states}


def test_a_plain_sale_has_nothing_to_announce() -> None:
    assert states(view(record(BREAD), language="en")) == {}


def test_a_sale_tells_what_went_back_and_leads_there() -> None:
    receipt = view(record(BREAD, amendments=(related("refund", 2490),)), language="en")
    assert states(receipt) == {"partly-refunded": "€24.90 of €30.62 went back."}
    assert [(each.label, each.amount, each.when.time) for each in receipt.amendments] == [
        ("Refund 000418", "\u2212€24.90", "11:15")
    ]


def test_a_refund_counts_whatever_sign_its_till_gave_it() -> None:
    receipt = view(record(BREAD, amendments=(related("refund", -2490), related("refund", 572))), language="en")
    assert set(states(receipt)) == {"refunded"}


def test_a_voided_sale_says_so() -> None:
    receipt = view(record(BREAD, amendments=(related("void", 3062),)), language="de")
    assert states(receipt) == {"voided": "Dieser Beleg wurde am Di., 24. Nov. 2026 storniert."}


@pytest.mark.parametrize("kind, status", [("refund", "Refunded"), ("void", "Cancelled"), ("exchange", "Exchanged")])
def test_what_amends_names_its_original(kind: str, status: str) -> None:
    body = BREAD | {"kind": kind, "original": {"number": "000410"}}
    receipt = view(record(body, original=related("sale", 12800, number="000410")), language="en")
    assert states(receipt) == {kind: "Receipt 000410 · Tue, 24 Nov 2026"}
    assert sums(receipt).status == status


@pytest.mark.parametrize(
    "changes, status",
    [
        ({}, "Paid"),
        ({"balance_due": "5.00"}, "Partly paid"),
        ({"payments": [], "balance_due": "30.62"}, "Not yet paid"),
    ],
)
def test_the_status_is_what_the_till_says_of_payment(changes: dict[str, Any], status: str) -> None:
    assert sums(view(record(BREAD | changes), language="en")).status == status


def test_where_the_till_says_nothing_of_payment_neither_do_we() -> None:
    assert sums(view(record(BREAD | {"payments": []}), language="en")).status == ""


def test_copies_and_training_are_announced() -> None:
    assert set(states(view(record(BREAD | {"flags": ["training"]}), language="en", copy=True))) == {"training", "copy"}


TELLTALE = BREAD | {
    "tip": "1.23",
    "savings": "7.77",
    "balance_due": "3.33",
    "loyalty": {"earned": "31", "balance": "412"},
    "buyer": {"name": "Ravi Traders"},
    "barcodes": [{"type": "qr", "value": "paid=30.62"}],
    "header": ["Since 1994", "All at 9.99 today"],
    "footer": ["You saved € 5"],
    "notes": ["Thank you", "Today: 2,00 off"],
    "reason": "Price match 4.32",
    "lines": [
        *BREAD["lines"],
        {
            "id": "4",
            "name": "Tea",
            "total": "6.66",
            "list_price": "8.88",
            "notes": ["was ₹500"],
            "attributes": {"RRP": "9.49"},
        },
    ],
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_gift_tells_no_amount_anywhere(language: str) -> None:
    stands_beside = (related("refund", 2490),)
    receipt = view(record(TELLTALE | {"flags": ["gift"]}, amendments=stands_beside), language=language)
    assert receipt.sums is None
    assert receipt.is_gift
    said = " ".join(texts(receipt))
    amounts = (
        "30.62",
        "4.32",
        "5.40",
        "1.08",
        "24.90",
        "2.99",
        "20.62",
        "9.99",
        "9.49",
        "6.66",
        "8.88",
        "500",
        "412",
        "7%",
        "19%",
    )
    assert [amount for amount in amounts if amount in said or amount.replace(".", ",") in said] == []
    assert "4242" not in said
    assert stands_beside[0].token not in said


def test_a_gift_still_tells_what_it_is() -> None:
    receipt = view(record(TELLTALE | {"flags": ["gift"]}), language="en")
    assert [each.name for each in receipt.items] == ["Sourdough loaf", "Apples, loose", "Bread knife", "Tea"]
    assert receipt.items[1].measure == "0.735\u00a0kg"
    assert Row("Serial number", "BK-77120") in receipt.items[2].details
    assert (receipt.header, receipt.notes, receipt.footer) == (("Since 1994",), ("Thank you",), ())


def test_tags_unfold_with_a_line() -> None:
    body = sale({"total": "5.00", "tags": ["vegan", "local"]}, total="5.00")
    assert view(record(body), language="en").items[0].details == (Row("Tags", "vegan, local"),)


def test_nobody_reads_the_slug_of_who_sold_a_line() -> None:
    body = sale({"total": "5.00", "staff": "emma-07"}, total="5.00")
    assert not any("emma-07" in text for text in texts(view(record(body), language="en")))


def test_a_value_keeps_its_direction_inside_an_arabic_sentence() -> None:
    receipt = view(record(COFFEE, issuer=JUMEIRAH, number="T3-2026/417"), language="ar")
    assert receipt.direction == "rtl"
    assert receipt.title == "إيصال \u2068T3-2026/417\u2069"


def test_a_sale_in_another_language_is_marked() -> None:
    assert view(record(COFFEE, issuer=JUMEIRAH), language="en").content_language == "ar"
    assert view(record(COFFEE, issuer=JUMEIRAH), language="ar").content_language == ""


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("body", [BREAD, SILK, COFFEE, sale(total="0.00")], ids=["bread", "silk", "coffee", "nothing"])
def test_every_receipt_can_be_told_in_every_language(language: str, body: dict[str, Any]) -> None:
    receipt = view(record(body), language=language)
    assert receipt.title
    assert not any("%(" in text for text in texts(receipt))
