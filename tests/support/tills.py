"""Tills of many countries, as strategies of hypothesis: sales that add up, and which of their sums can be known wrong.

The arithmetic here is the tills' own (fractions, and rounding as they do it). It shares nothing with the code that
checks it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import floor
from typing import Any

from hypothesis import strategies as st

Draw = Callable[[st.SearchStrategy[Any]], Any]
Rates = tuple[tuple[str, str], ...]


class Sum(int):
    """An amount in minor units, to be written as a decimal string at the end."""


@dataclass(frozen=True)
class Country:
    currency: str
    digits: int
    # What lines can bear: each a set of taxes by name and rate.
    taxes: tuple[Rates, ...]
    # Cash is rounded to multiples of it.
    step: int = 1


GERMANY = Country("EUR", 2, ((("MwSt", "19"),), (("MwSt", "7"),)))
BRITAIN = Country("GBP", 2, ((("VAT", "20"),), (("VAT", "0"),), (("VAT", "5"),)))
SWITZERLAND = Country("CHF", 2, ((("MWST", "8.1"),), (("MWST", "2.6"),)), step=5)
NEW_YORK = Country("USD", 2, ((("State", "4"), ("City", "4.5"), ("MCTD", "0.375")), (("City", "4.5"),)))
CANADA = Country("CAD", 2, ((("GST", "5"), ("PST", "7")), (("GST", "5"),)), step=5)
INDIA = Country("INR", 2, ((("CGST", "9"), ("SGST", "9")), (("CGST", "2.5"), ("SGST", "2.5"))), step=100)
JAPAN = Country("JPY", 0, ((("消費税", "10"),), (("消費税", "8"),)))
BAHRAIN = Country("BHD", 3, ((("VAT", "10"),), (("VAT", "0"),)), step=5)
COUNTRIES = (GERMANY, BRITAIN, SWITZERLAND, NEW_YORK, CANADA, INDIA, JAPAN, BAHRAIN)


@dataclass
class Sold:
    """A sale that adds up, its amounts still as numbers."""

    body: dict[str, Any]
    digits: int
    # Places of sums that cannot be moved by one unit without a finding at the pointer.
    certain: list[tuple[tuple[str | int, ...], str]] = field(default_factory=list)

    def written(self, moved: tuple[str | int, ...] = (), by: int = 0) -> dict[str, Any]:
        """The body to post; with the sum at ``moved`` off by ``by``."""
        result: dict[str, Any] = self._written(self.body, moved, by)
        return result

    def _written(self, part: Any, moved: tuple[str | int, ...], by: int, at: tuple[str | int, ...] = ()) -> Any:
        if isinstance(part, dict):
            return {name: self._written(value, moved, by, (*at, name)) for name, value in part.items()}
        if isinstance(part, list):
            return [self._written(value, moved, by, (*at, index)) for index, value in enumerate(part)]
        if isinstance(part, Sum):
            return decimal(part + by if at == moved else part, self.digits)
        return part

    def sure(self, *path: str | int, at: str) -> None:
        self.certain.append((path, at))


def decimal(minor: int, digits: int) -> str:
    sign, text = "-" if minor < 0 else "", str(abs(minor)).rjust(digits + 1, "0")
    return f"{sign}{text[:-digits]}.{text[-digits:]}" if digits else f"{sign}{text}"


def half_up(exact: Fraction) -> int:
    """As a till rounds: half away from zero."""
    return floor(abs(exact) + Fraction(1, 2)) * (-1 if exact < 0 else 1)


def is_tie(exact: Fraction) -> bool:
    return exact.denominator == 2


@dataclass
class Till:
    """One till at work on one sale."""

    draw: Draw
    country: Country
    included: bool
    rounding: str
    # -1 where a refund is written with minus signs.
    sign: int
    # Whether the discounts of such a refund carry the sign too.
    signs_discounts: bool
    # Whether it is known on which lines a discount of the order falls.
    allocated: bool = True
    # What each line and charge bears.
    rates: list[Rates] = field(default_factory=list)

    def sale(self, kind: str, most_lines: int) -> Sold:
        self.sold = Sold({}, self.country.digits)
        self.lines = [self._line(index, kind) for index in range(self._count(most_lines))]
        self.bases = {index: int(line["total"]) for index, line in enumerate(self.lines)}
        discounts = self._discounts() if kind != "exchange" else []
        charges = [self._charge(index) for index in range(self._count(2))] if kind == "sale" else []
        table = self._table(charges)
        self._say_amounts()
        goods = sum(line["total"] for line in self.lines) - sum(self._worth(each) for each in discounts)
        due = goods + sum(charge["amount"] for charge in charges)
        due += 0 if self.included else sum(row["tax"] for row in table)
        tip = self.sign * self._few(500) if kind == "sale" else 0
        rounding = self._to_step(due + tip) - due - tip
        total = due + tip + rounding
        self.sold.body |= {"currency": self.country.currency, "prices_include_tax": self.included}
        self.sold.body |= {"tax_rounding": self.rounding, "lines": self.lines, "discounts": discounts}
        self.sold.body |= {"charges": charges, "taxes": table, "tip": Sum(tip), "rounding": Sum(rounding)}
        self.sold.body |= {"kind": kind, "total": Sum(total), "payments": self._payments(total)}
        self.sold.body["issued_at"] = "2026-11-21T17:42:10+01:00"
        if self.lines:
            for name in ("total", "tip", "rounding"):
                self.sold.sure(name, at="/total")
        return self.sold

    def _count(self, most: int) -> int:
        return int(self.draw(st.integers(0, most)))

    def _few(self, most: int) -> int:
        return int(self.draw(st.integers(0, most)))

    def _flip(self) -> bool:
        return bool(self.draw(st.booleans()))

    def _to_step(self, due: int) -> int:
        step = self.country.step
        return half_up(Fraction(due, step)) * step if self._flip() else due

    def _line(self, index: int, kind: str) -> dict[str, Any]:
        sign = -1 if kind == "exchange" and self._flip() else self.sign
        finer = self._few(3)
        price = Fraction(self.draw(st.integers(0, 400_000)), 10**finer)
        weighed = self._flip()
        quantity = Fraction(self.draw(st.integers(1, 5_000)), 1000) if weighed else Fraction(self._few(4) + 1)
        exact = price * quantity
        gross = half_up(exact)
        line: dict[str, Any] = {"id": str(index), "name": "Something", "unit": "kg" if weighed else "ea"}
        line["quantity"] = places(sign * quantity, 3)
        line["unit_price"] = places(price / 10**self.country.digits, self.country.digits + finer)
        less = 0
        if gross > 3 and self._flip():
            parts = [self.draw(st.integers(2, gross // 2)), 1][: 1 + self._flip()]
            line["discounts"] = [{"name": "Off", "amount": Sum(self._discount(part, sign))} for part in parts]
            less = sum(parts)
            if not is_tie(exact):
                self.sold.sure("lines", index, "discounts", 0, "amount", at=f"/lines/{index}/total")
        line["total"] = Sum(sign * (gross - less))
        self.sold.sure("lines", index, "total", at="/total" if is_tie(exact) else f"/lines/{index}/total")
        self._say_taxes(line)
        return line

    def _discount(self, amount: int, sign: int) -> int:
        return amount if sign > 0 or not self.signs_discounts else -amount

    def _worth(self, discount: dict[str, Any]) -> int:
        return self.sign * abs(int(discount["amount"]))

    def _say_taxes(self, item: dict[str, Any]) -> None:
        """In short where one rate says it all: of the only tax, or of all of them together."""
        rates: Rates = self.draw(st.sampled_from(self.country.taxes))
        self.rates.append(rates)
        if self._flip():
            item["tax_rate"] = places(sum((Fraction(rate) for _, rate in rates), Fraction(0)), 3)
        else:
            item["taxes"] = [{"name": name, "rate": rate} for name, rate in rates]

    def _discounts(self) -> list[dict[str, Any]]:
        """One for the whole order, if any, and perhaps how it falls on the lines."""
        room = sum(abs(base) for base in self.bases.values())
        if room < 10 or not self._flip():
            return []
        amount = int(self.draw(st.integers(2, room // 2)))
        parts = shares(amount, [abs(base) for base in self.bases.values()])
        discount: dict[str, Any] = {"name": "Loyal", "amount": Sum(self._discount(amount, self.sign))}
        self.allocated = self._flip()
        self.sold.sure("discounts", 0, "amount", at="/total")
        if self.allocated:
            discount["allocations"] = [
                {"line": str(index), "amount": Sum(self._discount(part, self.sign))} for index, part in enumerate(parts)
            ]
            self.sold.sure("discounts", 0, "amount", at="/discounts/0/amount")
            self.sold.sure("discounts", 0, "allocations", 0, "amount", at="/discounts/0/amount")
        for index, part in enumerate(parts):
            self.bases[index] -= self.sign * part
        return [discount]

    def _charge(self, index: int) -> dict[str, Any]:
        charge: dict[str, Any] = {"name": "Bag", "amount": Sum(self.sign * self._few(300))}
        self._say_taxes(charge)
        self.sold.sure("charges", index, "amount", at="/total")
        return charge

    def _table(self, charges: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """A row for each tax, in the order in which they first appear."""
        bases = [*self.bases.values(), *(int(charge["amount"]) for charge in charges)]
        borne: dict[tuple[str, str], list[tuple[int, Fraction]]] = {}
        for base, rates in zip(bases, self.rates, strict=True):
            for name, rate in rates:
                borne.setdefault((name, rate), []).append((base, self._exact(base, rate, rates)))
        taxes = self._rounded([[exact for _, exact in items] for items in borne.values()])
        rows = zip(borne.items(), taxes, strict=True)
        return [self._row(index, name, rate, items, tax) for index, (((name, rate), items), tax) in enumerate(rows)]

    def _say_amounts(self) -> None:
        """The tax of each line, as a till that rounds by line has it."""
        if not self._flip():
            return
        for index, (base, line) in enumerate(zip(self.bases.values(), self.lines, strict=True)):
            for place, tax in enumerate(line.get("taxes", ())):
                exact = self._exact(base, tax["rate"], self.rates[index])
                tax["amount"] = Sum(half_up(exact))
                if self.rounding == "line" and self.allocated and self.country is not JAPAN and not is_tie(exact):
                    at = f"/lines/{index}/taxes/{place}/amount"
                    self.sold.sure("lines", index, "taxes", place, "amount", at=at)

    def _exact(self, base: int, rate: str, rates: Rates) -> Fraction:
        whole = 100 + sum(Fraction(each) for _, each in rates) if self.included else 100
        return base * Fraction(rate) / whole

    def _rounded(self, exact: Sequence[Sequence[Fraction]]) -> list[int]:
        if self.rounding == "line":
            return [sum(half_up(tax) for tax in taxes) for taxes in exact]
        sums = [sum(taxes, Fraction(0)) for taxes in exact]
        if self.rounding == "rate":
            return [half_up(tax) for tax in sums]
        # Once for the receipt: the rows share the one rounded sum, each cut off or topped up by at most a unit.
        down = [floor(tax) for tax in sums]
        missing = half_up(sum(sums, Fraction(0))) - sum(down)
        by_rest = sorted(range(len(sums)), key=lambda index: down[index] - sums[index])
        return [tax + (index in by_rest[:missing]) for index, tax in enumerate(down)]

    def _row(self, index: int, name: str, rate: str, items: Sequence[tuple[int, Fraction]], tax: int) -> dict[str, Any]:
        alone = all(len(rates) == 1 for rates in self.country.taxes)
        base = sum(base for base, _ in items)
        net = base - tax if self.included else base
        row: dict[str, Any] = {"name": name, "rate": rate, "tax": Sum(tax), "net": Sum(net), "gross": Sum(net + tax)}
        if self.included and not alone:
            # What all taxes of a line leave over is nobody's sum.
            del row["net"], row["gross"]
            return row
        form = self.draw(st.sampled_from(("both", "net", "gross", "neither")))
        for left_out in {"both": (), "net": ("gross",), "gross": ("net",), "neither": ("net", "gross")}[form]:
            del row[left_out]
        at = {"net": f"/taxes/{index}/net", "gross": f"/taxes/{index}/gross", "both": f"/taxes/{index}/gross"}
        if form == "both":
            for column in ("net", "tax", "gross"):
                self.sold.sure("taxes", index, column, at=at[form])
        elif form != "neither" and self.allocated and alone:
            self.sold.sure("taxes", index, form, at=at[form])
        if not self.included:
            self.sold.sure("taxes", index, "tax", at="/total")
        return row

    def _payments(self, total: int) -> list[dict[str, Any]]:
        if not self._flip():
            return []
        card = half_up(Fraction(total * self._few(10), 10))
        cash = total - card
        payments: list[dict[str, Any]] = [{"method": "card", "amount": Sum(card)}]
        given: dict[str, Any] = {"method": "cash", "amount": Sum(cash)}
        if cash > 0 and self._flip():
            change = self._few(5_000)
            given |= {"tendered": Sum(cash + change), "change": Sum(change)}
            for name in ("amount", "tendered", "change"):
                self.sold.sure("payments", 1, name, at="/payments/1/amount")
        for index in range(2):
            self.sold.sure("payments", index, "amount", at="/payments")
        self.sold.sure("total", at="/payments")
        return [*payments, given]


def places(exact: Fraction, most: int) -> str:
    """A fraction whose decimal places end, as a till writes it."""
    scaled = exact * 10**most
    assert scaled.denominator == 1
    return decimal(int(scaled), most)


def shares(amount: int, weights: Sequence[int]) -> list[int]:
    """In proportion, the rest on the last that weighs anything."""
    whole = sum(weights)
    parts = [amount * weight // whole for weight in weights]
    last = max(index for index, weight in enumerate(weights) if weight)
    parts[last] += amount - sum(parts)
    return parts


@st.composite
def sales_that_add_up(draw: Draw, most_lines: int = 8, countries: Sequence[Country] = COUNTRIES) -> Sold:
    kind = draw(st.sampled_from(("sale", "sale", "refund", "exchange")))
    till = Till(
        draw,
        country=draw(st.sampled_from(countries)),
        included=draw(st.booleans()),
        rounding=draw(st.sampled_from(("line", "order", "rate"))),
        sign=draw(st.sampled_from((1, -1))) if kind == "refund" else 1,
        signs_discounts=draw(st.booleans()),
    )
    return till.sale(kind, most_lines)
