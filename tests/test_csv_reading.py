"""Tables of staff: whatever dialect they are in, the same rows come out; any bytes are a table or refused."""

import contextlib
import csv
import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from cards import csv_cells, csv_names, reading
from cards.entries import Entry
from cards.profile import Profile
from infra import csv_columns, csv_reading
from infra.csv_reading import UnreadableTable
from infra.csv_text import csv_text, told
from kernel.errors import Problem, TooLarge

FIELDS = (*csv_names.TEXTS, *csv_names.LISTS, "phones.mobile", "emails.work", "socials.x", "addresses.work.lines")
KNOWS = csv_cells.FIELDS.knows
PLAIN = st.characters(exclude_categories=["Cs"], exclude_characters="\x00\r")
CELLS = st.text(st.sampled_from(",;\t\"'\n =+@:\u2028") | PLAIN, max_size=12)


@st.composite
def tables(draw: st.DrawFn) -> list[list[str]]:
    head = draw(st.lists(st.sampled_from(FIELDS), min_size=2, max_size=6, unique=True))
    rows = draw(st.lists(st.lists(CELLS, min_size=len(head), max_size=len(head)), max_size=5))
    return [head, *rows]


def written(table: list[list[str]], **dialect: Any) -> str:
    out = io.StringIO(newline="")
    csv.writer(out, **dialect).writerows(table)
    return out.getvalue()


def expected(table: list[list[str]]) -> list[list[str]]:
    return [[told(cell) for cell in row] for row in table[1:] if any(map(str.strip, row))]


@given(
    tables(),
    st.sampled_from(",;\t"),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    st.sampled_from(["\r\n", "\n"]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
def test_the_same_rows_come_out_of_any_dialect(
    table: list[list[str]], delimiter: str, quoting: int, end: str, encoding: str
) -> None:
    text = written(table, delimiter=delimiter, quoting=quoting, lineterminator=end)
    found = csv_reading.read(text.encode(encoding), knows=KNOWS)
    assert list(found.head) == table[0]
    assert [list(line.cells) for line in found.lines] == expected(table)
    assert not any(line.is_longer for line in found.lines)


@given(tables())
def test_what_we_write_we_read(table: list[list[str]]) -> None:
    found = csv_reading.read(csv_text(table[0], table[1:]), knows=KNOWS)
    assert [list(line.cells) for line in found.lines] == [row for row in table[1:] if any(map(str.strip, row))]


@given(st.binary(max_size=300) | st.text(st.sampled_from('name,;\t"\r\n=\x00é'), max_size=60).map(str.encode))
def test_any_bytes_are_a_table_or_are_refused(data: bytes) -> None:
    with contextlib.suppress(Problem):
        reading.read(data, reading.CSV, asked={})


@given(tables())
def test_whatever_a_row_says_is_a_profile_or_wrong_by_its_fields(table: list[list[str]]) -> None:
    for entry in read(written(table)):
        with contextlib.suppress(ValidationError):
            Profile.model_validate(entry.content)


def read(text: str | bytes, **asked: str) -> list[Entry]:
    return reading.read(text.encode() if isinstance(text, str) else text, reading.CSV, asked=asked).entries


def test_windows_writes_umlauts_in_its_own_way() -> None:
    assert read("Vorname;Straße\r\nZoë;Rosenstraße – 1\r\n".encode("cp1252"))[0].content == {
        "given": "Zoë",
        "addresses": [{"kind": "work", "lines": ["Rosenstraße – 1"]}],
    }


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_is_known_without_its_mark(encoding: str) -> None:
    assert read("name,title\nZoe,Baker\n".encode(encoding))[0].content == {"name": "Zoe", "title": "Baker"}


def test_excel_tells_the_delimiter_in_a_line_of_its_own() -> None:
    (entry,) = read("sep=;\r\nname;title\r\nZoë;a, b, c\r\n")
    assert (entry.row, entry.content["title"]) == (3, "a, b, c")


def test_rows_are_counted_as_a_spreadsheet_counts_them() -> None:
    text = 'name,description\n\n"A","x\ny\nz"\n,\nB,\n'
    assert [(each.row, each.content["name"]) for each in read(text)] == [(3, "A"), (5, "B")]


def test_quotes_that_are_never_closed_are_told() -> None:
    with pytest.raises(UnreadableTable, match="line 3 are never closed"):
        read('name,title\nA,B\n"C,D\nE,F\n')


def test_a_cell_beyond_all_measure_is_told() -> None:
    with pytest.raises(UnreadableTable, match="too long"):
        read("name,title\n" + "a" * 200_000 + ",b\n")


def test_more_rows_than_are_taken_are_refused() -> None:
    with pytest.raises(TooLarge, match="5,000"):
        read("name\n" + "A\n" * 5_001)
    assert len(read("name\n" + "A\n" * 5_000)) == 5_000


def test_a_row_of_more_cells_than_columns_is_refused_by_itself() -> None:
    longer, fine = read("name,title\nA,B,C\nD,E,\n")
    assert "quotes" in longer.faults[0].detail
    assert fine.faults == ()


@pytest.mark.parametrize(
    "column, field",
    [
        ("First Name", "given"),
        ("VORNAME", "given"),
        ("Prénom", "given"),
        ("Apellidos", "family"),
        ("Nom de famille", "family"),
        ("E-Mail-Adresse", "emails.work"),
        ("E-mail 1 - Value", "emails.work"),
        ("Correo electrónico", "emails.work"),
        ("Business Phone", "phones.work"),
        ("Handy", "phones.mobile"),
        ("PLZ", "addresses.work.postal_code"),
        ("Business Country/Region", "addresses.work.country"),
        ("الجوال", "phones.mobile"),
        ("ईमेल", "emails.work"),
        ("LinkedIn", "socials.linkedin"),
        ("Twitter", "socials.x"),
        ("WhatsApp", "messengers.whatsapp"),
        ("translations.de.title", "translations.de.title"),
        ("Titel", "prefix"),
        ("Title", "title"),
        ("Cost centre", None),
        ("phones.pager", None),
        ("", None),
    ],
)
def test_columns_are_known_by_what_people_call_them(column: str, field: str | None) -> None:
    assert csv_names.field_of(column) == field


def test_every_name_of_a_column_leads_to_a_field() -> None:
    assert {field for field in csv_names._known().values() if not csv_names.is_field(field)} == set()


def test_cells_become_what_a_card_holds() -> None:
    (entry,) = read(
        "Staff,Mobile,Mobile phone,Email,LinkedIn,Mastodon,Website,Languages,Hobbies,Street,City,Country,"
        "translations.de.hobbies,language\n"
        "E-17,'+49 1;+49 2,+49 2,mailto:a@x.example,linkedin.com/in/a,https://m.example/@a,x.example,de|en,"
        '"Chess, Go","1 High St\nFloor 2",Berlin,Deutschland,Schach,DE\n'
    )
    assert entry.staff == "e-17"
    assert entry.content == {
        "phones": [{"number": "+49 1", "kind": "mobile"}, {"number": "+49 2", "kind": "mobile"}],
        "emails": [{"address": "a@x.example", "kind": "work"}],
        "socials": [
            {"network": "linkedin", "url": "https://linkedin.com/in/a"},
            {"network": "mastodon", "url": "https://m.example/@a"},
        ],
        "links": [{"url": "https://x.example"}],
        "languages": ["de", "en"],
        "hobbies": ["Chess", "Go"],
        "addresses": [{"kind": "work", "lines": ["1 High St", "Floor 2"], "city": "Berlin", "country": "DE"}],
        "translations": {"de": {"hobbies": ["Schach"]}},
        "language": "de",
    }


def test_two_columns_of_one_field_that_differ_are_told() -> None:
    (entry,) = read("Job title,Position\nBaker,Owner\n")
    assert entry.content == {"title": "Baker"}
    assert entry.lost == ("Position: Job title fills the same field, and was taken",)


def test_a_mapping_goes_before_what_a_column_is_called() -> None:
    table = csv_reading.read(b"Title,Nick\nBaker,Em\n", knows=KNOWS)
    assert csv_columns.mapped(table.head, {"title": "prefix", "NICK": ""}, csv_cells.FIELDS) == ["prefix", None]


def test_a_file_tells_what_it_is() -> None:
    kinds = [reading.kind_of(each) for each in (b"\r\nBEGIN:VCARD", "begin:vcard".encode("utf-16"), b"name,title")]
    assert kinds == [reading.VCARD, reading.VCARD, reading.CSV]
