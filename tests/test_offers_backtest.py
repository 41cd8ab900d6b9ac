"""``counterfoil offers backtest``: any file of baskets is read, and what was found in it is told."""

import gzip
import json
import re
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from lxml import etree
from typer.testing import CliRunner

from cli.main import app
from engagement.offers import basket_dates
from engagement.offers.basket_dates import UnreadableDate
from engagement.offers.basket_files import Form, Reading, UnreadableBaskets, rows
from engagement.offers.lesson import Row
from tests.support.baskets import with_taste

INVOICES = """\
InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country
536365,85123A,"HOLDER, WHITE",6,12/1/2010 8:26,2.55,17850,United Kingdom
536365,71053,LANTERN,6,12/1/2010 8:26,3.39,17850,United Kingdom
C536366,71053,LANTERN,-6,12/1/2010 8:28,3.39,17850,United Kingdom
536367,POST,POSTAGE,1,12/13/2010 8:28,18.00,,France
536367,22633,WARMER,1,12/13/2010 8:28,0.00,,France
536367,22632,WARMER,2,12/13/2010 8:28,1.85,,France
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def read(folder: Path, text: str | bytes, name: str = "baskets.csv", **how: Any) -> list[Row]:
    return list(rows(written(folder, text, name), Reading(**how)))


def written(folder: Path, text: str | bytes, name: str = "baskets.csv") -> Path:
    file = folder / name
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    return file


def baskets(found: list[Row]) -> list[list[str]]:
    told: dict[str, list[str]] = {}
    for row in found:
        told.setdefault(row.basket, []).append(row.item)
    return list(told.values())


def at(*when: int) -> int:
    return int(datetime(*when, tzinfo=UTC).timestamp()) * 1_000_000  # type: ignore[misc, arg-type]


# Files


def test_columns_are_known_by_their_names_and_what_was_taken_back_is_left_out(folder: Path) -> None:
    reading = Reading(items=re.compile(r"\d{5}"))
    found = list(rows(written(folder, INVOICES), reading))
    assert found == [
        Row("536365", "85123A", at(2010, 12, 1, 8, 26), "17850"),
        Row("536365", "71053", at(2010, 12, 1, 8, 26), "17850"),
        Row("536367", "22632", at(2010, 12, 13, 8, 28)),
    ]
    assert (reading.lines, reading.left_out) == (6, 3)
    assert "item from StockCode" in reading.said


@pytest.mark.parametrize("sign", ["\t", ";", "|"])
def test_other_signs_between_columns_are_seen(folder: Path, sign: str) -> None:
    text = "order_id,sku,store\n1,a,s1\n1,b,s1\n2,a,\n".replace(",", sign)
    assert read(folder, text) == [Row("1", "a", 0, None, "s1"), Row("1", "b", 1, None, "s1"), Row("2", "a", 2)]


def test_without_a_number_what_a_customer_bought_on_one_date_is_a_basket(folder: Path) -> None:
    text = (
        "Member_number,Date,itemDescription\n1,21-07-2015,milk\n1,21-07-2015,rolls\n1,5/8/2015,milk\n2,21-07-2015,tea\n"
    )
    found = read(folder, text)
    assert baskets(found) == [["milk", "rolls"], ["milk"], ["tea"]]
    assert [row.at for row in found][1:3] == [at(2015, 7, 21), at(2015, 8, 5)]


def test_a_time_in_a_column_of_its_own_belongs_to_the_date(folder: Path) -> None:
    text = "Date,Time,Transaction,Item\n2016-10-30,09:58:11,1,Bread\n2016-10-30,10:05:34,2,Scone\n"
    assert [row.at for row in read(folder, text)] == [at(2016, 10, 30, 9, 58, 11), at(2016, 10, 30, 10, 5, 34)]


@pytest.mark.parametrize(
    "text", ["milk,rolls\ntea\nmilk,tea,rolls,\n", "\ufeffmilk,rolls\r\ntea\r\nmilk,tea,rolls\r\n"]
)
def test_a_basket_a_line_is_read_in_the_order_of_the_file(folder: Path, text: str) -> None:
    found = read(folder, text)
    assert baskets(found) == [["milk", "rolls"], ["tea"], ["milk", "tea", "rolls"]]
    assert [row.at for row in found] == [0, 0, 1, 2, 2, 2]


def test_numbers_with_blanks_between_them_are_a_basket_a_line(folder: Path) -> None:
    assert baskets(read(folder, "30 31 32 \n33 34 35 \n36 37 38 39 \n", "retail.dat")) == [
        ["30", "31", "32"], ["33", "34", "35"], ["36", "37", "38", "39"]
    ]  # fmt: skip


def test_a_header_that_numbers_the_items_is_no_basket(folder: Path) -> None:
    assert baskets(read(folder, "Item(s),Item 1,Item 2,Item 3\n2,milk,rolls,\n1,tea,,\n")) == [
        ["milk", "rolls"],
        ["tea"],
    ]


def test_a_header_that_nobody_knows_is_no_record(folder: Path) -> None:
    table = "Bestellung;Artikel;Datum\n1;milk;2026-01-02\n1;tea;2026-01-02\n"
    with pytest.raises(UnreadableBaskets, match=r"--basket, --item and --date.*Bestellung, Artikel, Datum"):
        read(folder, table)
    named = {"basket": "Bestellung", "item": "artikel", "date": "3"}
    assert baskets(read(folder, table, columns=named)) == [["milk", "tea"]]


def test_two_columns_without_a_header_are_basket_and_item(folder: Path) -> None:
    assert baskets(read(folder, "1,milk\n1,tea\n2,milk\n")) == [["milk", "tea"], ["milk"]]


def test_whoever_says_that_it_is_a_basket_a_line_is_believed(folder: Path) -> None:
    assert baskets(read(folder, "1,milk\n1,tea\n", form="baskets")) == [["1", "milk"], ["1", "tea"]]


def test_the_day_is_known_to_come_first_by_a_date_far_down_the_file(folder: Path) -> None:
    lines = [f"{number},a,01/02/2026" for number in range(6_000)] + ["6000,a,13/02/2026"]
    found = read(folder, "\n".join(["order,item,date", *lines]))
    assert [found[0].at, found[-1].at] == [at(2026, 2, 1), at(2026, 2, 13)]


def test_a_compressed_file_that_is_damaged_is_refused(folder: Path) -> None:
    packed = bytearray(gzip.compress(b"order,item\n" + b"1,milk\n" * 500))
    packed[20:30] = b"\xff" * 10
    with pytest.raises(UnreadableBaskets, match="cannot be read"):
        read(folder, bytes(packed), "a.csv.gz")


def test_columns_may_be_named_or_counted(folder: Path) -> None:
    by_name = read(
        folder, "bon,was,wann\n1,milk,2026-01-02\n", columns={"basket": "bon", "item": "Was", "date": "wann"}
    )
    by_number = read(folder, "x,1,milk,2026-01-02\n", columns={"basket": "2", "item": "3", "date": "4"})
    assert by_name == by_number == [Row("1", "milk", at(2026, 1, 2))]


def test_a_compressed_file_and_other_encodings_are_read(folder: Path) -> None:
    text = "order,item\n1,Käse\n"
    assert read(folder, gzip.compress(text.encode()), "a.csv.gz") == [Row("1", "Käse", 0)]
    assert read(folder, text.encode("utf-16")) == [Row("1", "Käse", 0)]
    assert len(read(folder, text.encode("latin-1"))) == 1


@pytest.mark.parametrize(
    "text, how, said",
    [
        ("", {}, "it is empty"),
        ("a,date,price\n1,2026-01-01,3\n", {}, "which column is the basket"),
        ("order,item\n1,a\n", {"columns": {"item": "nothing"}}, "there is no column nothing for the item"),
        ("1,a\n", {"columns": {"basket": "1", "item": "9"}}, "the numbers 1 to 2"),
        ("order,item,date\n1,a,yesterday\n", {}, "record 1: 'yesterday' is no date"),
        (b"\x1f\x8b\x08broken", {}, "it cannot be read"),
        (b"PAR1 and nothing else", {}, "it cannot be read|pip install pyarrow"),
    ],
)
def test_what_cannot_be_read_is_told_in_words(folder: Path, text: str | bytes, how: dict[str, Any], said: str) -> None:
    with pytest.raises(UnreadableBaskets, match=said):
        read(folder, text, **how)


def test_parquet_without_its_reader_says_what_to_install(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(UnreadableBaskets, match="pip install pyarrow"):
        read(folder, b"PAR1")


def test_parquet_is_read_like_csv(folder: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow", reason="scripts/setup --bench installs what reads Parquet")
    from pyarrow import parquet

    columns = {
        "InvoiceNo": ["1", "1", "2"], "StockCode": ["a", "b", None], "Quantity": [1, -1, 1],
        "InvoiceDate": [datetime(2026, 1, 2, 8, 30, tzinfo=UTC)] * 3, "CustomerID": [7.0, 7.0, None],
    }  # fmt: skip
    parquet.write_table(pyarrow.table(columns), folder / "a.parquet")
    assert list(rows(folder / "a.parquet", Reading())) == [Row("1", "a", at(2026, 1, 2, 8, 30), "7.0")]


@given(st.binary(max_size=300), st.sampled_from(["auto", "long", "baskets"]))
@example(b"order,item\n1,a\0b\n", "auto")
@example(b'order,item\n"1,a\n', "auto")
def test_no_file_breaks_the_reader(tmp_path_factory: pytest.TempPathFactory, data: bytes, form: Form) -> None:
    file = tmp_path_factory.getbasetemp() / "any"
    file.write_bytes(data)
    try:
        found = list(rows(file, Reading(form=form)))
    except UnreadableBaskets:
        return
    assert all(row.basket and row.item for row in found)


# Dates


@pytest.mark.parametrize(
    "sample, text, wanted",
    [
        ([], "2026-11-28", (2026, 11, 28)),
        ([], "2026-11-28T08:26:05Z", (2026, 11, 28, 8, 26, 5)),
        ([], "2026/1/2 8:26", (2026, 1, 2, 8, 26)),
        ([], "20261128", (2026, 11, 28)),
        ([], "1/2/2026", (2026, 1, 2)),
        ([], "1.2.2026", (2026, 2, 1)),
        ([], "1-2-2026", (2026, 2, 1)),
        (["13/2/2026"], "1/2/2026", (2026, 2, 1)),
        (["2.13.2026"], "1.2.2026", (2026, 1, 2)),
        ([], "1/2/26 8:26 PM", (2026, 1, 2, 20, 26)),
        ([], "1/2/26 12:05 am", (2026, 1, 2, 0, 5)),
        ([], "1796000000", (2026, 11, 30, 0, 53, 20)),
        ([], "1796000000000", (2026, 11, 30, 0, 53, 20)),
        ([], "1796000000000000", (2026, 11, 30, 0, 53, 20)),
        ([], "3", (1970, 1, 4)),
        (["20261128", "19008000"], "20261128", (1970, 8, 23, 12, 5, 28)),
    ],
)
def test_dates_are_read_as_they_are_written(sample: list[str], text: str, wanted: tuple[int, ...]) -> None:
    assert basket_dates.reader(sample)(text) == at(*wanted)


@pytest.mark.parametrize("text", ["", "soon", "2026-13-40", "99999999999999999999999999x", "1/2", "31.2.2026"])
def test_what_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(UnreadableDate):
        basket_dates.reader([])(text)


@given(
    st.integers(0, 4_000_000_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC)),
    st.sampled_from(["%Y-%m-%dT%H:%M:%S", "%d.%m.%Y %H:%M:%S"]),
)
def test_any_instant_is_read_back(when: datetime, form: str) -> None:
    assert basket_dates.reader(["31.1.2026"])(when.strftime(form)) == int(when.timestamp()) * 1_000_000


@given(st.text(max_size=30))
def test_a_text_is_a_date_or_is_refused_as_none(text: str) -> None:
    try:
        read = basket_dates.reader([text])(text)
    except UnreadableDate:
        return
    assert isinstance(read, int)


# The command


def run(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["offers", "backtest", *words])
    return done.exit_code, done.output


@pytest.fixture
def tasteful(folder: Path) -> str:
    lines = [f"{row.basket},{row.item},{row.at // 1_000_000}" for row in with_taste(600)]
    return str(written(folder, "\n".join(["basket,item,date", *lines])))


def test_the_figures_are_a_table_the_best_first_with_bars(tasteful: str) -> None:
    code, said = run(tasteful)
    table = [line for line in said.splitlines() if "█" in line]
    assert code == 0
    assert "600 baskets, 96 items" in said
    assert table[0].endswith("← chosen")
    assert table[0].split()[0] in ("receipts", "ridge")
    assert table[-1].split()[0] == "popularity"
    assert [line.count("█") for line in table] == sorted((line.count("█") for line in table), reverse=True)


def test_the_figures_are_json_for_programs(tasteful: str) -> None:
    done = CliRunner().invoke(app, ["offers", "backtest", tasteful, "--json"])
    report = json.loads(done.stdout)
    assert report["baskets"] == 600
    assert {"name", "hr10", "mrr", "cases", "next", "seconds", "params"} == set(report["methods"][0])
    assert "tuning receipts" in done.stderr


def test_the_figures_are_drawn(tasteful: str, folder: Path) -> None:
    assert run(tasteful, "--svg", str(folder / "figures.svg"))[0] == 0
    drawn = etree.fromstring((folder / "figures.svg").read_bytes())
    assert len(drawn.findall("{*}rect[@height='20']")) == 3


def test_what_shoppers_buy_next_is_told_where_they_are_known(folder: Path) -> None:
    lines = [f"{row.basket},{row.item},{row.at // 1_000_000},s{int(row.basket[1:]) % 40}" for row in with_taste(600)]
    said = run(str(written(folder, "\n".join(["basket,item,date,customer", *lines]))))[1]
    assert re.search("^method.*next$", said, re.MULTILINE)
    assert "items that shoppers bought next and never had before" in said


def test_too_few_cases_are_told_of(folder: Path) -> None:
    file = written(folder, "\n".join(["a,b,c"] * 25 + ["a,b,c,d"]))
    code, said = run(str(file))
    assert (code, "too few baskets to tell one method from another" in said) == (0, True)


@pytest.mark.parametrize(
    "text, words, said",
    [
        ("order,item\n1,a\n", [], "1 baskets are too few"),
        ("order,price\n1,2\n", [], "which column is the basket"),
        ("order,item\n1,a\n", ["--items", "("], "no regular expression"),
        ("order,item\n1,a\n", ["--item", "colour"], "there is no column colour"),
    ],
)
def test_what_went_wrong_is_told_in_one_line(folder: Path, text: str, words: list[str], said: str) -> None:
    code, told = run(str(written(folder, text)), *words)
    assert code != 0
    assert said in told
    assert "Traceback" not in told


def test_help_shows_examples() -> None:
    code, said = run("--help")
    assert code == 0
    assert "counterfoil offers backtest receipts.csv" in said
