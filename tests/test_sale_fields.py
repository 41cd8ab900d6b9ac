"""The fields of a sale: what is read, what is refused, and what the refusal says."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.errors import Invalid
from receipts import totals
from receipts.document import read_content
from receipts.fields import Part, context_for
from receipts.reading import read_sale
from receipts.sale import Content
from tests.support.sales import coffee, example, superset


def refusals(body: Any) -> dict[str, str]:
    with pytest.raises(Invalid) as refused:
        read_sale(body)
    return {error.pointer: error.detail for error in refused.value.errors}


def with_line(**members: Any) -> dict[str, Any]:
    body = coffee()
    return body | {"lines": [body["lines"][0] | members]}


def test_the_example_is_read() -> None:
    sale = read_sale(example())
    assert (sale.total, sale.lines[1].total, sale.payments[1].change) == (3062, 220, 1000)


def test_what_is_kept_is_read_back_as_it_was() -> None:
    sale = read_sale(example())
    content = sale.model_dump_json(include=set(Content.model_fields), context=context_for("EUR"))
    again = read_content(content, "EUR")
    assert {name: getattr(again, name) for name in Content.model_fields} == {
        name: getattr(sale, name) for name in Content.model_fields
    }


def test_the_fullest_sale_says_everything_that_a_sale_can_say() -> None:
    said: dict[type[Part], set[str]] = {}
    waiting: list[Any] = [read_sale(superset(original="000416"))]
    while waiting:
        part = waiting.pop()
        if isinstance(part, Part):
            said.setdefault(type(part), set()).update(part.model_fields_set)
            waiting += [getattr(part, name) for name in type(part).model_fields]
        elif isinstance(part, list):
            waiting += part
    unsaid = {kind.__name__: set(kind.model_fields) - names for kind, names in said.items()}
    assert unsaid.pop("Original") == {"external_id", "token", "number"}
    assert {kind: names for kind, names in unsaid.items() if names} == {}


def test_the_fullest_sale_adds_up() -> None:
    assert totals.check(read_sale(superset())) == []


@pytest.mark.parametrize("body", [None, [], "sale", 3, True])
def test_a_sale_is_an_object(body: Any) -> None:
    assert refusals(body) == {"": "must be a JSON object"}


def test_a_misspelt_member_is_named() -> None:
    assert refusals(coffee(discount=[])) == {"/discount": "is not known here; check its spelling, or leave it out"}
    assert refusals(with_line(tax="19")) == {"/lines/0/tax": "is not known here; check its spelling, or leave it out"}


def test_every_fault_is_named_at_once() -> None:
    body = with_line(total=3.2) | {"total": "3,20", "issued_at": "yesterday", "till": "Till 3", "currency": "euro"}
    assert refusals(body).keys() == {"/lines/0/total", "/total", "/issued_at", "/till", "/currency"}


@pytest.mark.parametrize("missing", ["issued_at", "currency", "total"])
def test_what_is_missing_is_named(missing: str) -> None:
    body = coffee()
    del body[missing]
    assert refusals(body) == {f"/{missing}": "Field required"}


@pytest.mark.parametrize("amount", [3.2, 320, True, None, ["3.20"], {"amount": "3.20"}])
def test_an_amount_is_a_string(amount: Any) -> None:
    right = 'is not a string; a decimal string such as "12.50" is expected'
    assert refusals(coffee(total=amount)) == {"/total": right}


@pytest.mark.parametrize("currency, digits", [("EUR", "2"), ("JPY", "0"), ("BHD", "3")])
def test_an_amount_has_the_digits_of_its_currency(currency: str, digits: str) -> None:
    found = refusals(coffee(currency=currency, total="3.2001", lines=[], taxes=[], payments=[]))
    assert found["/total"].startswith(f"has more than {digits} digits")


def test_amounts_of_an_unknown_currency_are_not_blamed() -> None:
    right = "is not a currency of ISO 4217; EUR, INR or JPY would be one"
    assert refusals(coffee(currency="ZZZ")) == {"/currency": right}


@pytest.mark.parametrize("quantity", ["0.735", "-2", 3, "0.000001"])
def test_a_quantity_is_a_decimal_string_or_an_integer(quantity: Any) -> None:
    line = {"id": "1", "name": "Something", "total": "0", "quantity": quantity}
    assert str(read_sale(coffee(lines=[line])).lines[0].quantity) == str(quantity)


@pytest.mark.parametrize("quantity", [0.735, True, "", "1,5", "1e3", "0.0000001", "1" * 10, "NaN", "Infinity", "٣"])
def test_what_is_no_quantity_is_refused(quantity: Any) -> None:
    assert refusals(with_line(quantity=quantity))["/lines/0/quantity"].startswith("is not a quantity;")


@pytest.mark.parametrize(
    "moment",
    ["2026-11-21T17:42:10+01:00", "2026-11-21 17:42:10.123456+0100", "2026-11-21t16:42:10z", "2026-11-21T17:42+01:00"],
)
def test_a_moment_has_its_offset(moment: str) -> None:
    assert read_sale(coffee(issued_at=moment)).issued_at.utctimetuple()[:5] == (2026, 11, 21, 16, 42)


UNREADABLE = [1_763_743_330, "1763743330", "2026-11-21", "2026-11-21T17:42:10", "21.11.2026 17:42", None, ""]
IMPOSSIBLE = ["2026-13-01T00:00:00Z", "2026-02-29T12:00:00Z", "2026-11-21T25:00:00Z", "2026-11-21T17:42:10+01:00\n"]
FAR_AWAY = ["1969-12-31T23:59:59Z", "2200-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"]


@pytest.mark.parametrize("moment", [*UNREADABLE, *IMPOSSIBLE, *FAR_AWAY])
def test_what_is_no_moment_of_our_time_is_refused(moment: Any) -> None:
    assert refusals(coffee(issued_at=moment)).keys() == {"/issued_at"}


CONTROLS = [chr(code) for code in (*range(32), 127)]


@given(st.text(), st.sampled_from(CONTROLS), st.text())
def test_a_name_holds_no_control_characters(before: str, control: str, after: str) -> None:
    found = refusals(with_line(name=(before + control + after)[:300]))
    assert found == {"/lines/0/name": "holds line breaks or other control characters"}


def test_a_note_may_have_lines() -> None:
    assert read_sale(coffee(notes=["Thank you\nand see you soon"])).notes == ["Thank you\nand see you soon"]
    assert refusals(coffee(notes=["Thank you\0"])) == {"/notes/0": "holds control characters"}


@pytest.mark.parametrize(
    "name", ["Brot 🥖", "नमस्ते", "خبز", "e\u0301", "\u202eevil", "<script>alert(1)</script>", "' OR 1=1 --"]
)
def test_names_are_taken_as_they_are(name: str) -> None:
    body = with_line(name=name)
    assert read_sale(body).lines[0].name == name


@pytest.mark.parametrize(
    "member, value",
    [
        ("image", "javascript:alert(1)"),
        ("image", "//cdn.example/bread.jpg"),
        ("url", "https://shop.example/a b"),
        ("url", "data:text/html,hello"),
        ("gtin", "12"),
        ("staff", "Emma"),
        ("returnable", "no"),
        ("returnable", 0),
        ("return_days", "30"),
        ("return_days", -1),
        ("warranty_months", 1.5),
        ("tax_rate", "-7"),
        ("tax_rate", 7.5),
        ("name", ""),
        ("name", "x" * 301),
        ("type", "thing"),
        ("attributes", {"": "x"}),
        ("attributes", [["a", "b"]]),
        ("options", "walnut"),
    ],
)
def test_what_does_not_fit_a_line_is_refused_where_it_stands(member: str, value: Any) -> None:
    (pointer,) = refusals(with_line(**{member: value}))
    assert pointer.startswith(f"/lines/0/{member}")


def test_a_rate_is_said_once() -> None:
    body = with_line(taxes=[{"rate": "19"}])
    assert refusals(body) == {"/lines/0/taxes": "stands beside tax_rate; one of the two is expected"}


def test_an_original_may_be_named_by_its_id_alone() -> None:
    sale = read_sale(coffee(kind="refund", original="000417"))
    assert sale.original is not None
    assert sale.original.id == "000417"


def test_lines_have_ids_of_their_own_and_parents_among_them() -> None:
    line = coffee()["lines"][0]
    again = [line, line | {"parent": "7"}, line | {"id": "3", "parent": "3"}]
    assert refusals(coffee(lines=again)) == {
        "/lines/1/id": "is the id of an earlier line too; each line needs its own",
        "/lines/1/parent": "names no other line of this sale",
        "/lines/2/parent": "names no other line of this sale",
    }


def test_a_discount_falls_on_lines_of_this_sale() -> None:
    shares = [{"line": "1", "amount": "0.50"}, {"line": "9", "amount": "0.50"}]
    body = coffee(discounts=[{"name": "Loyal", "amount": "1.00", "allocations": shares}])
    assert refusals(body) == {"/discounts/0/allocations/1/line": "names no line of this sale"}


def test_metadata_is_kept_to_eight_levels() -> None:
    deep: Any = "bottom"
    for _ in range(4):
        deep = {"in": [deep]}
    assert read_sale(coffee(metadata=deep)).metadata == deep
    assert refusals(coffee(metadata={"in": deep})) == {"/metadata": "is nested too deeply; 8 levels are kept"}


def test_metadata_of_a_thousand_levels_is_refused_in_one_line() -> None:
    deep: Any = {}
    for _ in range(1000):
        deep = {"in": deep}
    assert refusals(coffee(metadata=deep)) == {"/metadata": "is nested too deeply; 8 levels are kept"}


@pytest.mark.parametrize("part", ["shopper", "original", "fiscal", "lines"])
def test_depth_where_none_is_expected_is_refused(part: str) -> None:
    deep: Any = []
    for _ in range(1000):
        deep = [deep]
    assert refusals(coffee(**{part: deep}))


VISA = "4111111111111111"


@pytest.mark.parametrize(
    "payment, pointer",
    [
        ({"last4": VISA}, "/payments/0/last4"),
        ({"last4": int(VISA)}, "/payments/0/last4"),
        ({"authorization": "4111-1111-1111-1111"}, "/payments/0/authorization"),
        ({"text": ["Thank you", f"Card {VISA}"]}, "/payments/0/text/1"),
        ({"card": {"number": VISA}}, "/payments/0/card/number"),
        ({VISA: "number"}, "/payments/0"),
    ],
)
def test_a_card_number_is_refused_and_not_repeated(payment: dict[str, Any], pointer: str) -> None:
    with pytest.raises(Invalid) as refused:
        read_sale(coffee(payments=[{"method": "card", "amount": "3.20"} | payment]))
    said = str(refused.value.as_json())
    assert refused.value.slug == "card-number"
    assert [error.pointer for error in refused.value.errors] == [pointer]
    assert VISA not in said.replace("-", "")


def test_no_refusal_repeats_what_was_sent() -> None:
    secret = "correct-horse"
    body = coffee(issued_at=secret, total=secret, currency=secret, kind=secret, token=secret, notes=secret)
    body |= {"shopper": {"email": secret, "phone": secret}, "lines": [secret], "metadata": secret, "deliver": [secret]}
    assert secret not in str(refusals(body))
