"""What goes back on a receipt: refunds, voids and exchanges name their original and never exceed it."""

from dataclasses import dataclass
from typing import ClassVar

from sqlalchemy import ColumnElement, Connection, select, update

from infra.database import insert_or_ignore
from kernel import money
from kernel.errors import Conflict, FieldError, Invalid
from receipts.document import read_content
from receipts.sale import Content, Original
from receipts.tables import Receipt, ReturnedSum


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


def find_original(conn: Connection, merchant_id: str, source: str, wanted: Original) -> OriginalReceipt:
    """Raises :class:`Invalid` where no receipt of the merchant, or more than one, answers to the reference."""
    named: list[ColumnElement[bool]] = []
    if wanted.id is not None:
        named.append((Receipt.id == wanted.id) | (Receipt.token == wanted.id) | _external(source, wanted.id))
    if wanted.external_id is not None:
        named.append(_external(source, wanted.external_id))
    if wanted.token is not None:
        named.append(Receipt.token == wanted.token)
    if wanted.number is not None:
        named.append(Receipt.number == wanted.number)
    if not named:
        raise Invalid(errors=[FieldError("/original", "must hold id, external_id, token or number of the receipt")])
    columns = select(Receipt.id, Receipt.token, Receipt.kind, Receipt.currency, Receipt.total, Receipt.content)
    rows = conn.execute(columns.where(Receipt.merchant_id == merchant_id, *named).limit(2)).all()
    if not rows:
        raise Invalid(errors=[FieldError("/original", "names no receipt; the original must be accepted first")])
    if len(rows) > 1:
        raise Invalid(errors=[FieldError("/original", "names several receipts; give its id or external_id")])
    row = rows[0]
    return OriginalReceipt(row.id, row.token, row.kind, row.currency, _limit(*row[2:]))


def _limit(kind: str, currency: str, total: int, content: str) -> int:
    """What was paid; in an exchange only a difference is paid, so there the new goods count."""
    if kind != "exchange":
        return abs(total)
    return sum(line.total for line in read_content(content, currency).lines if line.total > 0)


def _external(source: str, external_id: str) -> ColumnElement[bool]:
    return (Receipt.source == source) & (Receipt.external_id == external_id)


def sum_going_back(sale: Content, original: OriginalReceipt) -> int:
    """What ``sale`` returns of the original's money. The sign in which a till writes refunds does not matter."""
    if sale.kind == "exchange":
        return -sum(line.total for line in sale.lines if line.total < 0)
    return original.limit if sale.kind == "void" else abs(sale.total)


def check_original(sale: Content, original: OriginalReceipt) -> None:
    if original.currency != sale.currency:
        raise Invalid(errors=[FieldError("/currency", f"must be that of the original, {original.currency}")])
    if original.kind in ("refund", "void"):
        raise Invalid(errors=[FieldError("/original", f"is itself a {original.kind}; name the sale")])


def give_back(conn: Connection, merchant_id: str, original: OriginalReceipt, amount: int) -> None:
    """Take ``amount`` out of what can still go back, or raise :class:`NothingLeft`. Others wait meanwhile."""
    row = {"receipt_id": original.id, "merchant_id": merchant_id, "limit": original.limit, "returned": 0}
    conn.execute(insert_or_ignore(conn, ReturnedSum), row)
    left = ReturnedSum.limit - ReturnedSum.returned
    mine = (ReturnedSum.merchant_id == merchant_id) & (ReturnedSum.receipt_id == original.id)
    taken = conn.execute(update(ReturnedSum).where(mine, left >= amount).values(returned=ReturnedSum.returned + amount))
    if taken.rowcount != 1:
        remaining = conn.scalar(select(left).where(mine)) or 0
        digits = money.exponent(original.currency)
        can, wanted = money.plain(remaining, digits), money.plain(amount, digits)
        detail = f"Of the original {can} {original.currency} can still go back; this would be {wanted}"
        raise NothingLeft(detail, errors=[FieldError("/total", f"must be at most {can}")])
