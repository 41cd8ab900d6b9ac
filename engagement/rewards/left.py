"""What is left of a sale after all that came back on it, and on the exchanges that it led to."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from engagement.rewards.spend import NOT_SPENT, net_exchange, net_spend
from receipts.document import read_content
from receipts.sale import Content, Kind, Line
from receipts.tables import Receipt
from receipts.worth import worth


@dataclass(frozen=True, slots=True)
class _Receipt:
    kind: Kind
    content: Content
    later: "tuple[_Receipt, ...]"


class Left:
    """``reason`` is why less is left: "voided" or "refunded". The sale is read only where its lines are asked for."""

    def __init__(self, conn: Connection, merchant_id: str, receipt_id: str) -> None:
        self._conn, self._merchant_id, self._receipt_id = conn, merchant_id, receipt_id
        self._later = _later(conn, merchant_id, [receipt_id]).get(receipt_id, ())
        self.reason = "voided" if any(each.kind == "void" for each in self._later) else "refunded"
        self.back = sum(_going_back(each) for each in self._later if each.kind != "void")

    def lines(self) -> list[Line]:
        """The goods that the shopper still has, with those that they took in exchange."""
        mine = (Receipt.merchant_id == self._merchant_id, Receipt.id == self._receipt_id)
        row = self._conn.execute(select(Receipt.currency, Receipt.content).where(*mine)).one()
        return _kept(_Receipt("sale", read_content(row.content, row.currency), self._later))


def _later(conn: Connection, merchant_id: str, ids: Sequence[str]) -> dict[str, tuple[_Receipt, ...]]:
    """What was written about each of these receipts, and about the exchanges among that."""
    columns = (Receipt.id, Receipt.original_id, Receipt.kind, Receipt.currency, Receipt.content)
    mine = (Receipt.merchant_id == merchant_id, Receipt.original_id.in_(ids))
    rows = conn.execute(select(*columns).where(*mine).order_by(Receipt.id)).all()
    exchanges = [row.id for row in rows if row.kind == "exchange"]
    below = _later(conn, merchant_id, exchanges) if exchanges else {}
    found: dict[str, tuple[_Receipt, ...]] = {}
    for row in rows:
        one = _Receipt(row.kind, read_content(row.content, row.currency), below.get(row.id, ()))
        found[str(row.original_id)] = (*found.get(str(row.original_id), ()), one)
    return found


def _going_back(receipt: _Receipt) -> int:
    """In an exchange new goods stand against those that come back, so only the difference counts; and what of the new
    goods comes back later."""
    told = receipt.content
    if receipt.kind != "exchange":
        return net_spend(told)
    if any(each.kind == "void" for each in receipt.later):
        later = worth(told, [line for line in told.lines if line.total > 0 and line.type not in NOT_SPENT])
    else:
        later = sum(_going_back(each) for each in receipt.later)
    return later - net_exchange(told)


def _kept(receipt: _Receipt) -> list[Line]:
    took = [line for line in receipt.content.lines if receipt.kind == "sale" or line.total >= 0]
    if any(each.kind == "void" for each in receipt.later):
        took = []
    exchanges = [each for each in receipt.later if each.kind == "exchange"]
    back = [line for each in receipt.later for line in each.content.lines if each.kind == "refund" or line.total < 0]
    return [*without(took, back), *(line for each in exchanges for line in _kept(each))]


def without(lines: Sequence[Line], back: Iterable[Line]) -> list[Line]:
    """Those of ``lines`` of which anything is left, by pieces, whatever was paid back for them. A line that does not
    name the one that it brings back is taken for one of the same SKU or, without any, of the same name."""
    left = {line.id: abs(line.quantity) for line in lines}
    for each in back:
        named = [line for line in lines if line.id == each.original_line]
        pieces = abs(each.quantity)
        for line in named or [line for line in lines if _what(line) == _what(each)]:
            fewer = min(left[line.id], pieces)
            left[line.id], pieces = left[line.id] - fewer, pieces - fewer
    return [line for line in lines if left[line.id] or not line.quantity]


def _what(line: Line) -> tuple[str | None, str | None]:
    return (line.sku, None) if line.sku else (None, line.name)
