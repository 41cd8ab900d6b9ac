"""What goes back on a receipt: refunds, voids and exchanges name their original and never exceed it."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal
from typing import Any, ClassVar

from sqlalchemy import ColumnElement, Connection, select, update

from infra.database import insert_or_ignore
from kernel import money
from kernel.errors import Conflict, FieldError, Invalid
from receipts.document import read_content
from receipts.sale import Content, Line, Original
from receipts.tables import Receipt, ReturnedSum
from receipts.worth import worth


class NothingLeft(Conflict):
    slug: ClassVar[str] = "exceeds-original"
    title: ClassVar[str] = "More would go back than was paid"


@dataclass(frozen=True, slots=True)
class OriginalReceipt:
    id: str
    token: str
    kind: str
    currency: str
    # What may go back at most.
    limit: int
    content: Content


_WANTED = select(Receipt.id, Receipt.token, Receipt.kind, Receipt.currency, Receipt.total, Receipt.content)


def find_original(conn: Connection, merchant_id: str, source: str, wanted: Original) -> OriginalReceipt:
    """Raises :class:`Invalid` where no receipt of the merchant, or more than one, answers to the reference."""
    ways = _ways(source, wanted)
    if not ways:
        raise Invalid(errors=[FieldError("/original", "must hold id, external_id, token or number of the receipt")])
    answers = [_first(conn, merchant_id, way) for way in ways]
    # Every name that is given must lead to it.
    found = [row for row in answers[0] if all(row.id in {each.id for each in answer} for answer in answers)]
    if not found:
        raise Invalid(errors=[FieldError("/original", "names no receipt; the original must be accepted first")])
    if len(found) > 1:
        raise Invalid(errors=[FieldError("/original", "names several receipts; give its id or external_id")])
    row = found[0]
    content = read_content(row.content, row.currency)
    return OriginalReceipt(row.id, row.token, row.kind, row.currency, _limit(row.kind, row.total, content), content)


def _ways(source: str, wanted: Original) -> list[list[ColumnElement[bool]]]:
    """For each name that is given the conditions to try in turn: one index serves each, which an OR would prevent."""
    ways: list[list[ColumnElement[bool]]] = []
    if wanted.id is not None:
        ways.append([Receipt.id == wanted.id, Receipt.token == wanted.id, _external(source, wanted.id)])
    if wanted.external_id is not None:
        ways.append([_external(source, wanted.external_id)])
    if wanted.token is not None:
        ways.append([Receipt.token == wanted.token])
    if wanted.number is not None:
        ways.append([Receipt.number == wanted.number])
    return ways


def _first(conn: Connection, merchant_id: str, conditions: Sequence[ColumnElement[bool]]) -> Sequence[Any]:
    """The rows of the first condition that any receipt meets; two are enough to tell that it is not the only one."""
    for condition in conditions:
        rows = conn.execute(_WANTED.where(Receipt.merchant_id == merchant_id, condition).limit(2)).all()
        if rows:
            return rows
    return []


def _limit(kind: str, total: int, content: Content) -> int:
    """What was paid; in an exchange only a difference is paid, so there the new goods count."""
    return worth(content, [line for line in content.lines if line.total > 0]) if kind == "exchange" else abs(total)


def _external(source: str, external_id: str) -> ColumnElement[bool]:
    return (Receipt.source == source) & (Receipt.external_id == external_id)


def check_original(sale: Content, original: OriginalReceipt) -> None:
    if original.currency != sale.currency:
        raise Invalid(errors=[FieldError("/currency", f"must be that of the original, {original.currency}")])
    if original.kind in ("refund", "void"):
        raise Invalid(errors=[FieldError("/original", f"is itself a {original.kind}; name the sale")])
    if ("training" in original.content.flags) != ("training" in sale.flags):
        raise Invalid(errors=[FieldError("/flags", "must hold training where the original does, and only there")])


def settle(conn: Connection, merchant_id: str, sale: Content, original: OriginalReceipt, *, only_flag: bool) -> int:
    """Take what ``sale`` gives back out of what can still go back; the part that was not there any more.

    Raises :class:`NothingLeft` where more money would go back than is left, unless ``only_flag``. The sign in which a
    till writes refunds does not matter.
    """
    amount = _going_back(sale, original)
    if only_flag:
        return amount - take_what_is_left(conn, merchant_id, original, amount)
    give_back(conn, merchant_id, original, amount)
    return _credited(sale) - amount if sale.kind == "exchange" and _credited(sale) > original.limit else 0


def _credited(sale: Content) -> int:
    """What an exchange counts the goods that come back for."""
    return worth(sale, [line for line in sale.lines if line.total < 0])


def _going_back(sale: Content, original: OriginalReceipt) -> int:
    if sale.kind == "void":
        return original.limit
    if sale.kind == "refund":
        return abs(sale.total)
    returned = sum(_returned(sale, line, original.content) for line in sale.lines if line.total < 0)
    # Tills write the price of what comes back without the discounts of the first sale; more than all was not paid.
    return max(min(returned, original.limit), -sale.total)


def _returned(sale: Content, line: Line, first: Content) -> int:
    """What was paid for the goods of a line that comes back: no more than the line that it names in the first sale."""
    mine = worth(sale, [line])
    sold = next((each for each in first.lines if each.id == line.original_line), None)
    if sold is None or not sold.quantity:
        return mine
    share = min(abs(line.quantity / sold.quantity), Decimal(1))
    return min(mine, int((worth(first, [sold]) * share).to_integral_value(ROUND_FLOOR)))


def give_back(conn: Connection, merchant_id: str, original: OriginalReceipt, amount: int) -> None:
    """Take ``amount``, or raise :class:`NothingLeft`. One conditional UPDATE decides, and others wait for it."""
    _open(conn, merchant_id, original)
    wanted = update(ReturnedSum).where(_of(merchant_id, original), _left >= amount)
    if conn.execute(wanted.values(returned=ReturnedSum.returned + amount)).rowcount != 1:
        raise _nothing_left(original, conn.scalar(select(_left).where(_of(merchant_id, original))) or 0, amount)


def take_what_is_left(conn: Connection, merchant_id: str, original: OriginalReceipt, amount: int) -> int:
    """Take ``amount`` as far as it is there; how much it was."""
    _open(conn, merchant_id, original)
    mine = _of(merchant_id, original)
    left = conn.scalar(select(_left).where(mine).with_for_update()) or 0
    taken = min(amount, left)
    conn.execute(update(ReturnedSum).where(mine).values(returned=ReturnedSum.returned + taken))
    return taken


_left = ReturnedSum.limit - ReturnedSum.returned


def _open(conn: Connection, merchant_id: str, original: OriginalReceipt) -> None:
    row = {"receipt_id": original.id, "merchant_id": merchant_id, "limit": original.limit, "returned": 0}
    conn.execute(insert_or_ignore(conn, ReturnedSum), row)


def _of(merchant_id: str, original: OriginalReceipt) -> ColumnElement[bool]:
    return (ReturnedSum.merchant_id == merchant_id) & (ReturnedSum.receipt_id == original.id)


def _nothing_left(original: OriginalReceipt, left: int, amount: int) -> NothingLeft:
    digits = money.exponent(original.currency)
    can, wanted = money.plain(left, digits), money.plain(amount, digits)
    detail = f"Of the original {can} {original.currency} can still go back; this would be {wanted}"
    return NothingLeft(detail, errors=[FieldError("/total", f"must be at most {can}")])
