"""Products out of tables: what becomes of each row, and that twice is the same as once."""

from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, func, select

from engagement.offers import table, table_names
from engagement.offers.tables import Product
from kernel.errors import Problem
from tests.support.inside import Person, on_sqlite
from tests.support.products import product, stocked

JSON = dict[str, Any]
LIST = """\
Artikelnummer;Bezeichnung;name.en;Preis;Währung;Bestand;Pflege;Passt zu;Regal
KN-20;Kochmesser;Chef's knife;79,00;EUR;12;Von Hand spülen;BR-1, TU-1;7
BR-1;Brett;;39,9 €;;0;;;8
"""


def sent(person: Person, data: bytes, kind: str = "text/csv", **query: Any) -> httpx.Response:
    return person.ask("POST", "/v1/products/import", content=data, params=query, headers={"Content-Type": kind})


def imported(person: Person, text: str, **query: Any) -> JSON:
    answer = sent(person, text.encode(), **query)
    assert answer.status_code == 200, answer.text
    report: JSON = answer.json()
    return report


def states(report: JSON) -> list[str]:
    return [each["state"] for each in report["rows"]]


def faults(report: JSON) -> list[tuple[str | None, str]]:
    return [(each["column"], each["pointer"]) for row in report["rows"] for each in row["errors"]]


def count(engine: Engine) -> int:
    with engine.connect() as conn:
        return conn.scalar(select(func.count()).select_from(Product)) or 0


def test_a_table_makes_products_and_the_same_table_again_changes_nothing(owner: Person) -> None:
    report = imported(owner, LIST, language="de", currency="EUR")
    assert [(each["row"], each["sku"], each["errors"]) for each in report["rows"]] == [
        (2, "KN-20", []),
        (3, "BR-1", []),
    ]
    assert report["counts"] == {"created": 2, "changed": 0, "unchanged": 0, "refused": 0}
    knife, board = (owner.get(f"/v1/products/{sku}").json() for sku in ("KN-20", "BR-1"))
    assert knife["name"] == {"de": "Kochmesser", "en": "Chef's knife"}
    assert (knife["price"], knife["stock"], knife["complements"]) == ("79.00", 12, ["BR-1", "TU-1"])
    assert (knife["care"], board["price"], board["stock"]) == ({"de": "Von Hand spülen"}, "39.90", 0)
    assert states(imported(owner, LIST, language="de", currency="EUR")) == ["unchanged", "unchanged"]


@on_sqlite
def test_the_report_tells_what_each_column_was_taken_for(owner: Person) -> None:
    columns = {each["column"]: each["field"] for each in imported(owner, LIST, language="de")["columns"]}
    assert columns == {
        "Artikelnummer": "sku", "Bezeichnung": "name.de", "name.en": "name.en", "Preis": "price", "Währung": "currency",
        "Bestand": "stock", "Pflege": "care.de", "Passt zu": "complements", "Regal": None,
    }  # fmt: skip


@on_sqlite
def test_a_column_is_what_it_is_mapped_to(owner: Person) -> None:
    report = imported(owner, "Code-Nr,Text,Preis\nA,It,x\n", map=["Code-Nr:sku", '{"Text": "name.fr", "Preis": ""}'])
    assert states(report) == ["created"]
    assert owner.get("/v1/products/A").json()["name"] == {"fr": "It"}


@on_sqlite
@pytest.mark.parametrize("told", ["Nothing:sku", "sku:colour", "sku:name.xx", "sku"])
def test_a_mapping_that_does_not_fit_is_refused(owner: Person, told: str) -> None:
    answer = sent(owner, b"sku,name\nA,It\n", map=told)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "query:map")


def test_what_a_row_says_nothing_of_stays_as_it_is(owner: Person) -> None:
    owner.put("/v1/products/rye", product("Rye", stock=5, care={"en": "Keep dry."}, again=True)).raise_for_status()
    assert states(imported(owner, "sku,price,care.de\nrye,6.00,Trocken lagern.\n")) == ["changed"]
    found = owner.get("/v1/products/rye").json()
    assert (found["price"], found["currency"], found["stock"], found["again"]) == ("6.00", "EUR", 5, True)
    assert (found["name"], found["care"]) == ({"en": "Rye"}, {"en": "Keep dry.", "de": "Trocken lagern."})


@on_sqlite
def test_each_row_stands_by_itself_and_what_is_wrong_is_named_by_its_column(owner: Person, engine: Engine) -> None:
    bad = ["B,B,five,EUR,-1,perhaps", ",C,1,EUR,1,1", "D,,1,EUR,,no", "E,E,1,,,"]
    rows = "\n".join(["SKU,Name,Price,Currency,Stock,Active", "A,A,5,EUR,1,yes", *bad])
    report = imported(owner, rows)
    assert states(report) == ["created", "refused", "refused", "refused", "refused"]
    assert faults(report) == [
        ("Price", "/price"), ("Stock", "/stock"), ("Active", "/active"), (None, "/sku"), (None, "/name"), (None, ""),
    ]  # fmt: skip
    assert count(engine) == 1


@on_sqlite
def test_a_price_for_a_while_stands_before_the_one_that_was(owner: Person) -> None:
    imported(owner, "sku,title,regular price,sale price,currency\nA,A,20.00,15.00,EUR\nB,B,20.00,,EUR\n")
    prices = [[owner.get(f"/v1/products/{sku}").json()[name] for name in ("price", "list_price")] for sku in "AB"]
    assert prices == [["15.00", "20.00"], ["20.00", None]]


@on_sqlite
def test_of_three_prices_the_one_that_is_not_taken_is_told(owner: Person) -> None:
    report = imported(
        owner,
        "sku,title,list price,price,sale price,currency\nA,A,30.00,20.00,15.00,EUR\nB,B,20.00,20.00,15.00,EUR\n",
    )
    found = [owner.get(f"/v1/products/{sku}").json() for sku in "AB"]
    assert [(each["price"], each["list_price"]) for each in found] == [("15.00", "20.00")] * 2
    lost = "list price: price fills the same field, and was taken"
    assert [each["lost"] for each in report["rows"]] == [[lost], []]


@on_sqlite
@pytest.mark.parametrize("told", ["eur", "EURO", "ABC", ""])
def test_a_currency_that_there_is_not_is_refused_before_any_row(owner: Person, told: str) -> None:
    answer = sent(owner, b"sku,name,price\nA,It,1.00\n", currency=told)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "query:currency")


@on_sqlite
def test_of_one_product_there_is_one_row(owner: Person) -> None:
    report = imported(owner, "sku,name\nA,One\nA,One\nA,Other\n")
    assert states(report) == ["created", "unchanged", "refused"]
    assert report["rows"][2]["errors"] == [
        {"column": "sku", "pointer": "/sku", "detail": "is in row 2 too; each belongs there once"}
    ]


def test_a_dry_run_gives_the_same_report_and_writes_nothing(owner: Person, engine: Engine) -> None:
    stocked(owner, "B")
    rows = "sku,name,price,currency\na,A,1,EUR\nb,B,7,EUR\nc,,1,EUR\n"
    dry = imported(owner, rows, dry_run=True)
    assert (dry.pop("dry_run"), count(engine)) == (True, 1)
    wet = imported(owner, rows)
    assert (wet.pop("dry_run"), states(wet)) == (False, ["created", "changed", "refused"])
    assert dry == wet


@on_sqlite
def test_more_rows_than_share_a_transaction_are_all_written(owner: Person, engine: Engine) -> None:
    rows = "sku,name\n" + "".join(f"p{at},P {at}\n" for at in range(450))
    assert set(states(imported(owner, rows))) == {"created"}
    assert count(engine) == 450


@on_sqlite
@pytest.mark.parametrize(
    "data, kind, status",
    [
        (b"", "text/csv", 422),
        (b'sku,name\n"A,It\nB,It\n', "text/csv", 422),
        (b"sku,name\n" + b"A,It\n" * 20_001, "text/csv", 413),
        (b"{}", "application/json", 415),
    ],
    ids=["empty", "quotes", "long", "json"],
)
def test_what_is_no_table_is_refused(owner: Person, data: bytes, kind: str, status: int) -> None:
    assert sent(owner, data, kind).status_code == status


def test_it_takes_a_key_of_the_whole_merchant_with_the_scope(till: Person, reader: Person, stranger: Person) -> None:
    for person, status in ((till, 403), (reader, 403), (stranger, 401)):
        assert sent(person, b"sku,name\nA,It\n").status_code == status


def test_two_merchants_may_have_the_same_sku(owner: Person, outsider: Person) -> None:
    stocked(owner, "Rye")
    assert states(imported(outsider, "sku,name,price,currency\nrye,Theirs,9.90,EUR\n")) == ["created"]
    assert owner.get("/v1/products/rye").json()["name"] == {"en": "Rye"}


@pytest.mark.parametrize(
    "told, price, currency",
    [
        ("5.40", "5.40", None), ("5,40 €", "5.40", None), ("1.299,00", "1299.00", None), ("1 299,00", "1299.00", None),
        ("₹1,29,900.50", "129900.50", None), ("1'299.00", "1299.00", None), ("15.00 EUR", "15.00", "EUR"),
        ("JPY 1290", "1290", "JPY"), (".50", "0.50", None), ("-1.00", "-1.00", None),
    ],
)  # fmt: skip
def test_an_amount_is_read_as_people_write_it(told: str, price: str, currency: str | None) -> None:
    [row] = table.read(f'sku;price\nA;"{told}"\n'.encode(), asked={}, language="en", currency=None).rows
    assert (row.faults, row.content["price"], row.content.get("currency")) == ((), price, currency)


@pytest.mark.parametrize("told", ["1.299", "1,299", "1.299.000", "five", "5.40.", "9" * 41, "5-6", "1e3"])
def test_an_amount_that_nobody_can_be_sure_of_is_refused(told: str) -> None:
    [row] = table.read(f'sku;price\nA;"{told}"\n'.encode(), asked={}, language="en", currency=None).rows
    assert [each.pointer for each in row.faults] == ["/price"]


@given(st.binary(max_size=200) | st.text(st.sampled_from('sku,price;\n"\t 0129.,€A'), max_size=80).map(str.encode))
def test_any_bytes_are_a_table_or_refused(data: bytes) -> None:
    try:
        found = table.read(b"sku,price,stock,again\n" + data, asked={}, language="en", currency=None)
    except Problem:
        return
    assert all(row.sku or row.faults for row in found.rows)


def test_every_name_of_a_column_leads_to_a_field() -> None:
    assert {field for field in table_names._known().values() if not table_names.is_field(field)} == set()
    told = [name for names in table_names._NAMES.values() for name in names.split("|")]
    assert len(told) == len(set(told))
