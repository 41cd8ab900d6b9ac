"""Tables that are written for spreadsheets."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.csv_text import csv_text, told

CELLS = st.text(st.sampled_from("'=+-@\t\ra,;\"\n\u0638") | st.characters(exclude_categories=["Cs"]), max_size=20)


def read(data: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))


@given(st.lists(st.tuples(CELLS, CELLS), max_size=5))
def test_what_is_written_is_read_again(rows: list[tuple[str, str]]) -> None:
    _, *back = read(csv_text(("a", "b"), rows))
    assert [tuple(map(told, row)) for row in back] == rows


@pytest.mark.parametrize("cell", ["=1+1", "+49 30 5550", "-1+1", "-1,5", "-1\n", "-A1", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_cell_is_a_formula(cell: str) -> None:
    assert read(csv_text(["a"], [[cell]]))[1] == ["'" + cell]


@pytest.mark.parametrize("cell", ["-2500.00", "-3", "0.00", "2500.00"])
def test_an_amount_is_a_number_also_below_zero(cell: str) -> None:
    assert read(csv_text(["a"], [[cell]]))[1] == [cell]


@pytest.mark.parametrize("cell", ["'=1", "''=1", "'-1", "'", "it's"])
def test_apostrophes_of_one_s_own_stay(cell: str) -> None:
    assert told(read(csv_text(["a"], [[cell]]))[1][0]) == cell


def test_the_file_is_one_that_spreadsheets_know() -> None:
    assert csv_text(["Name", "Count"], [["Zoë", -3], [None, 0]]) == b"\xef\xbb\xbfName,Count\r\nZo\xc3\xab,-3\r\n,0\r\n"
