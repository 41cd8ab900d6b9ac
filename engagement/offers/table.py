"""Tables of products, as what each row says of one."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from engagement.offers.table_names import BY_LANGUAGE, FIELDS, SALE_PRICE
from infra import csv_columns, csv_reading
from infra.csv_columns import Fault
from infra.csv_reading import CsvTable, Line
from kernel import money
from kernel.errors import FieldError, Invalid

MOST_ROWS: Final = 20_000
_SEVERAL: Final = re.compile(r"[,;\n|]+")
_PRICES: Final = ("price", "list_price", SALE_PRICE)
_WHOLE: Final = ("stock", "warranty_months")
_TRUTHS: Final = ("again", "shared", "active")
# A figure, and what stands before or after it: the sign of a currency, or its name.
_AMOUNT: Final = re.compile(r"[^\d.,+-]*([+-]?[\d.,'\s]*\d)[^\d.,+-]*", re.ASCII)
_CURRENCY: Final = re.compile(r"[A-Z]{3}")
_LONGEST: Final = 40
_SPACES: Final = re.compile(r"['\s]+")
_THOUSAND: Final = 3  # digits
_YES: Final = "true|yes|y|1|x|ja|wahr|oui|vrai|sí|si|verdadero|sì|vero|نعم|हाँ|हां|active|published".split("|")
_NO: Final = "false|no|n|0|nein|falsch|non|faux|falso|لا|नहीं|draft|archived|inactive".split("|")


@dataclass(frozen=True, slots=True)
class Row:
    """``number`` is its place in the file. ``content`` is what it tells of a product, unchecked; ``columns`` tell where
    that stood, by pointer. ``lost`` is what could not be taken."""

    number: int
    sku: str | None
    content: Mapping[str, Any]
    columns: Mapping[str, str]
    faults: tuple[Fault, ...] = ()
    lost: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ProductFile:
    """``columns`` with the fields they fill; None for one that is left out."""

    rows: list[Row]
    columns: tuple[tuple[str, str | None], ...]


@dataclass(slots=True)
class _Told:
    content: dict[str, Any] = field(default_factory=dict)
    columns: dict[str, str] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)


def read(data: bytes, *, asked: Mapping[str, str], language: str, currency: str | None) -> ProductFile:
    """``asked`` maps columns to fields. Texts whose column names no language are in ``language``, prices whose row
    names no currency in ``currency``.

    Raises :class:`kernel.errors.Invalid` for a table that is none, a mapping that does not fit it, or a currency that
    there is not, and :class:`kernel.errors.TooLarge`.
    """
    _require_known(currency)
    table = csv_reading.read(data, knows=FIELDS.knows, most=MOST_ROWS)
    fields = csv_columns.mapped(table.head, asked, FIELDS)
    paths = [f"{path}.{language}" if path in BY_LANGUAGE else path for path in fields]
    rows = [_row(line, table, paths, currency) for line in table.lines]
    return ProductFile(rows, tuple(zip(table.head, paths, strict=True)))


def _require_known(currency: str | None) -> None:
    if currency is None:
        return
    try:
        money.exponent(currency)
    except money.AmountError as error:
        raise Invalid(errors=[FieldError("query:currency", str(error))]) from None


def _row(line: Line, table: CsvTable, paths: list[str | None], currency: str | None) -> Row:
    told = _Told()
    if line.is_longer:
        told.faults.append(Fault("", "has more cells than the first row; one of them may need quotes around it"))
    for column, path, cell in zip(table.head, paths, line.cells, strict=True):
        if path and (value := cell.strip()):
            _put(told, path, value, column)
    _mark_down(told)
    if currency is not None and not {"price", "list_price"}.isdisjoint(told.content):
        told.content.setdefault("currency", currency)
    sku = told.content.pop("sku", None)
    if sku is None:
        told.faults.append(Fault("/sku", "is missing; it tells which product the row is of"))
    return Row(line.number, sku, told.content, told.columns, tuple(told.faults), tuple(told.lost))


def _put(told: _Told, path: str, value: str, column: str) -> None:
    name, _, language = path.partition(".")
    into = told.content.setdefault(name, {}) if language else told.content
    pointer = f"/{path.replace('.', '/')}"
    try:
        read = _said(name, value)
    except ValueError as error:
        told.faults.append(Fault(pointer, str(error), column))
        return
    _keep(told, into, language or name, pointer, read, column)
    if name in _PRICES and (currency := _CURRENCY.search(value)):
        _keep(told, told.content, "currency", "/currency", currency[0], column)


def _keep(told: _Told, into: dict[str, Any], name: str, pointer: str, value: Any, column: str) -> None:
    if name not in into:
        into[name] = value
        told.columns[pointer] = column
    elif into[name] != value:
        told.lost.append(_outdone(column, told.columns[pointer]))


def _outdone(column: str, by: str) -> str:
    return f"{column[:60]}: {by[:60]} fills the same field, and was taken"


def _said(name: str, value: str) -> Any:
    """Raises ValueError in words."""
    if name in _PRICES:
        return _amount(value)
    if name in _WHOLE:
        if not re.fullmatch(r"\d{1,10}", value, re.ASCII):
            raise ValueError("is not a whole number; 12 would be one")
        return int(value)
    if name in _TRUTHS:
        return _truth(value)
    if name == "complements":
        return list(dict.fromkeys(each.strip() for each in _SEVERAL.split(value) if each.strip()))
    return value.upper() if name == "currency" else value


def _amount(value: str) -> str:
    """A decimal string. Where nobody can tell whether the one mark in it parts thousands or a fraction, it is
    refused."""
    found = _AMOUNT.fullmatch(value) if len(value) <= _LONGEST else None
    if found is None:
        raise ValueError("is not an amount; 5.40 would be one")
    figure = _SPACES.sub("", found[1])
    comma, point = figure.rfind(","), figure.rfind(".")
    if min(comma, point) >= 0:
        at = max(comma, point)
        return f"{re.sub('[.,]', '', figure[:at])}.{figure[at + 1 :]}"
    whole, mark, fraction = figure.replace(",", ".").partition(".")
    if "." in fraction or len(fraction) == _THOUSAND:
        raise ValueError("may be in thousands or not; write it without a mark between thousands, such as 1299.00")
    return f"{whole or 0}{mark}{fraction}"


def _truth(value: str) -> bool:
    told = value.casefold()
    if told not in _YES and told not in _NO:
        raise ValueError("is neither yes nor no")
    return told in _YES


def _mark_down(told: _Told) -> None:
    """What was the price until now is told beside that of a sale, before any other list price."""
    sale = told.content.pop(SALE_PRICE, None)
    if sale is None:
        return
    if "price" in told.content:
        if told.content.get("list_price", told.content["price"]) != told.content["price"]:
            told.lost.append(_outdone(told.columns["/list_price"], told.columns["/price"]))
        told.content["list_price"] = told.content["price"]
        told.columns["/list_price"] = told.columns["/price"]
    told.content["price"], told.columns["/price"] = sale, told.columns[f"/{SALE_PRICE}"]
