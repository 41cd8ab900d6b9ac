"""The text form: never wider than a till's paper, and nothing lost on the way."""

import re
import unicodedata
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.formats import Moment, formats
from kernel.locale import LANGUAGES
from receipts.columns import WIDTH, width, wrapped
from receipts.records import ReceiptRecord
from receipts.shapes import Fiscal, Item, Party, ReceiptView, Related, Row, State, Sums, TaxRow, TaxTable, Tender
from receipts.text import plain
from receipts.view import view
from tests.support.records import BREAD, COFFEE, INDIRANAGAR, JUMEIRAH, SILK, TOKEN, record, related

PLAIN = {"issued_at": BREAD["issued_at"], "currency": "EUR"}
URL = f"https://receipts.linden-rye.example/r/{TOKEN}"
CONTROLS = dict.fromkeys(map(ord, "\u200e\u200f\u2066\u2067\u2068\u2069"))
BREAD_IN_ENGLISH = """\
               Linden & Rye
            Linden & Rye Mitte
        Linden & Rye Handels GmbH
              Torstraße 112
               10119 Berlin
             +49 30 5550 1234
          Tax ID: DE 123 456 789

Receipt 000417
Sat, 21 Nov 2026, 17:42
Number                              000417
Served by                             Emma
Till                                Till 3
------------------------------------------
Sourdough loaf                    A   4.32
  1 × €5.40
  Evening 20%                        −1.08
  Tax: MwSt 7%
  Item number: 4006381333931
  Category: bakery
  Return: not possible
Apples, loose                     A   2.20
  0.735 kg × €2.99
  Tax: MwSt 7%
  Item number: 2000123
Bread knife                       B  24.90
  walnut handle
  Tax: MwSt 19%
  Item number: 9783161484100
  Serial number: BK-77120
------------------------------------------
3 items
Subtotal                             31.42
Loyalty                              −1.00
Paper bag                             0.20
==========================================
Total                               €30.62
==========================================
Visa •••• 4242                       20.62
  contactless
  Application: VISA DEBIT
  AID: A0000000031010
  Authorisation: 104522
Cash                                 10.00
  given 20.00 · change 10.00
Paid
------------------------------------------
Taxes included
Tax                     Net  Amount  Gross
A MwSt 7%              6.09    0.43   6.52
B MwSt 19%            20.25    3.85  24.10
------------------------------------------
TSE-Transaktion 18812
Start 17:41:32 Ende 17:42:10
V0;till-3;Kassenbeleg-V1;example
------------------------------------------
        Thank you and see you soon
------------------------------------------
https://receipts.linden-rye.example/r/
Zm9yZ2V0LW1lLW5vdC0wMQ
"""


def text(of: ReceiptRecord, language: str = "en", *, copy: bool = False) -> str:
    return plain(view(of, language=language, copy=copy), url=URL)


def test_a_receipt_reads_like_a_tills_paper() -> None:
    assert text(record(BREAD)).replace("\u00a0", " ") == BREAD_IN_ENGLISH


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "of", [record(BREAD), record(SILK, issuer=INDIRANAGAR), record(COFFEE, issuer=JUMEIRAH)], ids=["EUR", "INR", "AED"]
)
def test_no_line_is_wider_than_the_paper_in_any_language(of: ReceiptRecord, language: str) -> None:
    lines = text(of, language).split("\n")

    assert max(map(width, lines)) == WIDTH
    assert lines[-1] == ""


def test_a_long_name_is_wrapped_beside_its_price() -> None:
    line = {"id": "1", "name": "Hand-forged bread knife with a walnut handle and a leather sheath", "total": "24.90"}

    assert "Hand-forged bread knife with a       24.90\nwalnut handle and a leather sheath\n" in text(
        record(PLAIN | {"lines": [line], "total": line["total"]})
    )


def test_indian_amounts_keep_their_groups_and_end_in_one_column() -> None:
    lines = text(record(SILK, issuer=INDIRANAGAR), "hi").splitlines()

    silk = next(line for line in lines if "साड़ी" in line)
    assert silk.endswith(" 12,34,567.50")
    assert width(silk) == WIDTH


def test_devanagari_is_wrapped_between_letters_and_never_inside_one() -> None:
    lines = list(wrapped("क्षत्रिय" * 12, 10))

    assert "".join(lines) == "क्षत्रिय" * 12
    assert all(width(line) <= 10 for line in lines)
    assert not any(unicodedata.category(line[0])[0] == "M" or line[-1] == "\u094d" for line in lines)


def test_wide_letters_take_two_columns_and_accents_none() -> None:
    assert [width(each) for each in ("東京", "ｱ", "e\u0301", "👩", "❤\ufe0f", "a\u200db")] == [4, 1, 1, 2, 2, 2]


def test_arabic_stays_in_logical_order_and_every_piece_is_isolated() -> None:
    lines = text(record(COFFEE, issuer=JUMEIRAH), "ar").splitlines()
    coffee = next(line for line in lines if "قهوة" in line)

    assert coffee.startswith("\u200f\u2068قهوة عربية بالهيل\u200f\u2069 ")
    assert coffee.endswith(" \u206836.00\u200e\u2069")
    assert all(opened(line) == line.count("\u2069") for line in lines)


def test_an_arabic_name_on_a_german_receipt_does_not_move_its_price() -> None:
    line = {"id": "1", "name": "تمر مجدول 2", "total": "58.50"}

    assert "\u2068تمر مجدول 2\u200f\u2069" in text(record(PLAIN | {"lines": [line], "total": "58.50"}), "de")


def test_an_override_cannot_show_an_amount_backwards() -> None:
    line = {"id": "1", "name": "Tea \u202e12.00", "total": "21.00"}

    assert "\u202e" not in text(record(PLAIN | {"lines": [line], "total": line["total"]}))


def test_a_copy_says_so() -> None:
    assert "This is a copy of the receipt." in text(record(BREAD), copy=True)


def test_a_gift_receipt_holds_no_price_no_tender_and_no_tax() -> None:
    gift = text(record(BREAD | {"flags": ["gift"]}))

    assert "Gift receipt" in gift
    assert "Bread knife" in gift
    assert not re.search(r"\d[.,]\d\d\b|€|Visa|MwSt|Total", gift)


def test_a_refund_names_what_it_refunds_and_why() -> None:
    back = BREAD | {"kind": "refund", "reason": "Does not cut"}
    said = text(record(back, number="000418", original=related("sale", 3062, number="000417")))

    assert "Refund 000418" in said
    assert re.search(r"Receipt 000417 · Tue, 24 Nov 2026 +€30\.62", said)
    assert re.search(r"Reason +Does not cut", said)


def test_a_refunded_receipt_lists_what_came_back() -> None:
    said = text(record(BREAD, amendments=(related("refund", 2490),)))

    assert re.search(r"Refund 000418 · Tue, 24 Nov 2026 +−€24\.90", said)
    assert said.count("€24.90 of €30.62 went back.") >= 1


@pytest.mark.parametrize(
    "body, word", [(BREAD | {"flags": ["training"]}, "Training"), (BREAD | {"kind": "void"}, "Cancellation")]
)
def test_what_is_not_an_ordinary_receipt_says_so_before_its_lines(body: dict[str, object], word: str) -> None:
    said = text(record(body))

    assert re.search(rf"\*\n +{word}\n", said[: said.index("Sourdough")])


def test_a_cancelled_receipt_says_so() -> None:
    said = text(record(BREAD, amendments=(related("void", 3062),)))

    assert "This receipt was cancelled on Tue, 24 Nov 2026." in re.sub(r"\s+", " ", said)


def test_a_long_fiscal_string_is_wrapped_and_can_be_put_together_again() -> None:
    signature = "".join(f"{number:03}" for number in range(300))
    lines = text(record(BREAD | {"fiscal": {"lines": [signature, "Two  spaces"]}})).splitlines()
    start = next(at for at, line in enumerate(lines) if signature.startswith(line) and len(line) == WIDTH)

    assert "".join(lines[start : start + 22]) == signature
    assert "Two  spaces" in lines


def test_tax_columns_that_do_not_fit_are_set_below_each_other() -> None:
    row = {
        "name": "MwSt",
        "rate": "19",
        "net": "9999999999999.99",
        "tax": "9999999999999.99",
        "gross": "9999999999999.99",
    }
    said = text(record(BREAD | {"taxes": [row]}))

    assert re.search(r"MwSt 19%\n  Net +9,999,999,999,999\.99\n  Amount +9,9", said)


def test_a_receipt_without_lines_is_still_one() -> None:
    assert re.search(r"0 items\n=+\nTotal +€0\.00\n=+\n", text(record(PLAIN | {"total": "0.00"})))


def opened(line: str) -> int:
    return sum(line.count(isolate) for isolate in "\u2066\u2067\u2068")


WORDS = st.text(max_size=60) | st.text("ab \u00a0漢ङ्क\u0301\u064bسב❤\ufe0f\u200d\u2068\u2069\u202e\n-/", max_size=150)
AMOUNTS = st.builds(
    lambda tag, minor, currency: formats(tag).money(minor, currency),
    st.sampled_from(["en_GB", "de_CH", "fr", "es", "hi_IN", "ar_EG"]),
    st.integers(-(10**15), 10**15),
    st.sampled_from(["EUR", "INR", "JPY", "KWD", "AED", "XOF"]),
)
ROWS = st.builds(Row, WORDS, AMOUNTS)
MOMENTS = st.builds(Moment, WORDS, WORDS, WORDS, WORDS)
RELATED = st.builds(Related, WORDS, WORDS, WORDS, AMOUNTS, MOMENTS)
PARTIES = st.builds(Party, WORDS, st.tuples(WORDS), WORDS, st.tuples(ROWS))


def items(parts: st.SearchStrategy[tuple[Item, ...]]) -> st.SearchStrategy[Item]:
    return st.builds(
        Item,
        id=WORDS,
        name=WORDS,
        price=AMOUNTS,
        was=st.just("") | AMOUNTS,
        measure=WORDS,
        mark=st.text("AB ", max_size=5),
        discounts=st.tuples(ROWS),
        notes=st.tuples(WORDS),
        details=st.tuples(ROWS),
        parts=parts,
        comes_back=st.booleans(),
        url=WORDS,
    )


SUMS = st.builds(
    Sums,
    figure=st.just(formats("en").figure(1, "EUR")),
    status=WORDS,
    savings=WORDS,
    summary=st.tuples(ROWS, ROWS),
    total=ROWS,
    taxes=st.none()
    | st.builds(
        TaxTable,
        st.tuples(st.builds(TaxRow, WORDS, st.just("A"), AMOUNTS, AMOUNTS, AMOUNTS, WORDS)),
        st.just(True),
        st.just(True),
        st.just(True),
        st.booleans(),
    ),
    tenders=st.tuples(st.builds(Tender, WORDS, WORDS, AMOUNTS, WORDS, st.tuples(ROWS), st.tuples(WORDS))),
    balance_due=st.none() | ROWS,
    loyalty=st.tuples(ROWS),
    returned=WORDS,
)
VIEWS = st.builds(
    ReceiptView,
    token=WORDS,
    number=WORDS,
    kind=WORDS,
    currency=st.just("EUR"),
    language=st.sampled_from(list(LANGUAGES)),
    direction=st.sampled_from(["ltr", "rtl"]),
    content_language=WORDS,
    is_gift=st.booleans(),
    title=WORDS,
    states=st.tuples(st.builds(State, st.just("copy"), WORDS, WORDS)),
    brand=WORDS,
    store=PARTIES,
    issued=MOMENTS,
    facts=st.tuples(ROWS),
    header=st.tuples(WORDS),
    items=st.tuples(items(st.tuples(items(st.just(()))))),
    item_count=WORDS,
    sums=st.none() | SUMS,
    buyer=st.none() | PARTIES,
    fiscal=st.none() | st.builds(Fiscal, st.tuples(WORDS), st.tuples(ROWS), WORDS, st.booleans()),
    codes=st.just(()),
    notes=st.tuples(WORDS),
    footer=st.tuples(WORDS),
    reason=WORDS,
    original=st.none() | RELATED,
    amendments=st.tuples(RELATED),
)


@given(VIEWS)
def test_no_receipt_is_too_wide_and_none_loses_an_amount(receipt: ReceiptView) -> None:
    said = plain(receipt, url=URL)

    assert all(width(line) <= WIDTH for line in said.split("\n"))
    assert all(opened(line) == line.count("\u2069") for line in said.split("\n"))
    bare = said.translate(CONTROLS)
    assert all(amount.translate(CONTROLS) in bare for amount in amounts(receipt))


def amounts(receipt: ReceiptView) -> Iterator[str]:
    for item in (*receipt.items, *(part for top in receipt.items for part in top.parts)):
        yield from (item.price, item.was, *(row.value for row in item.discounts))
    yield from (each.amount for each in receipt.amendments)
    if receipt.original:
        yield receipt.original.amount
    if receipt.sums:
        yield from _sums(receipt.sums)


def _sums(sums: Sums) -> Iterator[str]:
    yield from (row.value for row in (*sums.summary, sums.total, *sums.loyalty))
    yield from (tender.amount for tender in sums.tenders)
    if sums.balance_due:
        yield sums.balance_due.value
    for row in sums.taxes.rows if sums.taxes else ():
        yield from (row.net, row.tax, row.gross)
