"""The tax table of a receipt as a reader sees it, and the letters that lead from a line to its row."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import NamedTuple

from infra.i18n import Voice
from receipts.sale import Charge, Content, Line, Tax
from receipts.shapes import Row, TaxRow, TaxTable

# Digits and signs that 320 pixels hold beside a short label.
_MOST_ABREAST = 28
_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"


class Borne(NamedTuple):
    """A tax that a line or a charge bears."""

    rate: Decimal
    name: str | None = None


def borne(item: Line | Charge) -> Sequence[Borne]:
    if item.tax_rate is not None:
        return (Borne(item.tax_rate),)
    return [Borne(tax.rate, tax.name) for tax in item.taxes]


def tax_label(voice: Voice, name: str | None, rate: Decimal | None) -> str:
    """``MwSt 19 %``."""
    name = name or voice.gettext("Tax")
    percent = "" if rate is None else voice.formats.percent(rate)
    return name if percent in name else f"{name} {percent}"


_LONGEST_CODE = 2


class Marks:
    """The till's own codes where they are short; else a letter a row, where there are several rates to tell apart."""

    def __init__(self, content: Content) -> None:
        rows = content.taxes
        codes = [row.code for row in rows] + [tax.code for line in content.lines for tax in line.taxes]
        # A longer one would run into the amounts beside it.
        has_codes = any(codes) and all(len(code) <= _LONGEST_CODE for code in codes if code)
        self._has_codes = has_codes
        is_told = 1 < len(rows) <= len(_LETTERS) and all(row.rate is not None for row in rows)
        is_new = not has_codes and is_told and len({(row.rate, row.name) for row in rows}) == len(rows)
        self._rows = tuple(zip(rows, _LETTERS, strict=False)) if is_new else ()
        self._names = {row.rate: row.name for row in rows if row.rate is not None}

    def of(self, item: Line | Charge) -> str:
        if not self._rows:
            return " ".join(tax.code for tax in item.taxes if tax.code) if self._has_codes else ""
        return " ".join(letter for tax in borne(item) for row, letter in self._rows if _is_same(tax, row))

    def rates(self, voice: Voice, item: Line) -> Iterator[str]:
        """``MwSt 7 %`` for each tax of a line, under the name that it has in the tax table."""
        for tax in borne(item):
            name, percent = tax.name or self._names.get(tax.rate) or "", voice.formats.percent(tax.rate)
            yield name if percent in name else f"{name} {percent}".strip()

    def of_row(self, index: int, row: Tax) -> str:
        if self._rows:
            return self._rows[index][1]
        return row.code or "" if self._has_codes else ""


def _is_same(tax: Borne, row: Tax) -> bool:
    return tax.rate == row.rate and (tax.name is None or row.name is None or tax.name == row.name)


def tax_table(voice: Voice, content: Content, marks: Marks) -> TaxTable | None:
    if not content.taxes:
        return None
    rows = tuple(
        _row(voice, content.currency, row, marks.of_row(index, row)) for index, row in enumerate(content.taxes)
    )
    return TaxTable(
        rows=rows,
        has_marks=any(row.mark for row in rows),
        has_net=any(row.net for row in rows),
        has_gross=any(row.gross for row in rows),
        is_included=content.prices_include_tax,
        is_wide=any(len(row.net + row.tax + row.gross) > _MOST_ABREAST for row in rows),
    )


def _row(voice: Voice, currency: str, row: Tax, mark: str) -> TaxRow:
    amount = voice.formats.amount
    return TaxRow(
        label=tax_label(voice, row.name or row.category, row.rate),
        mark=mark,
        net=amount(row.net, currency) if row.net is not None else "",
        tax=amount(row.tax, currency),
        gross=amount(row.gross, currency) if row.gross is not None else "",
        exemption=row.exemption or "",
    )


def on_top(voice: Voice, content: Content) -> tuple[Row, ...]:
    """The taxes that are added to net prices, on the way from the lines to the total."""
    if content.prices_include_tax:
        return ()
    amount = voice.formats.amount
    rows = (
        Row(tax_label(voice, row.name or row.category, row.rate), amount(row.tax, content.currency))
        for row in content.taxes
    )
    return tuple(rows) or _of_lines(voice, content)


def _of_lines(voice: Voice, content: Content) -> tuple[Row, ...]:
    """Where the till states taxes with the lines only."""
    taxed: list[Line | Charge] = [*content.lines, *content.charges]
    stated = [tax.amount for item in taxed for tax in item.taxes if tax.amount is not None]
    return (Row(voice.gettext("Tax"), voice.formats.amount(sum(stated), content.currency)),) if stated else ()
