"""Sales to test with: the example of the documentation, and small ones to be changed."""

import json
from copy import deepcopy
from itertools import count
from pathlib import Path
from typing import Any, Final

from kernel.ids import new_token

Body = dict[str, Any]

_DATA: Final = Path(__file__).parent.parent / "data"
_EXAMPLE: Final[Body] = json.loads((_DATA / "sale.json").read_text())
_SUPERSET: Final[Body] = json.loads((_DATA / "superset.json").read_text())
_NUMBERS = count(1)


def example(**changes: Any) -> Body:
    """The example sale: a loaf, apples and a bread knife for 30.62 EUR, by card and cash."""
    return deepcopy(_EXAMPLE) | changes


def coffee(**changes: Any) -> Body:
    """A new sale of one coffee for 3.20 EUR."""
    number = f"{next(_NUMBERS):06d}"
    body = {
        "external_id": f"coffee-{number}",
        "number": number,
        "store": "mitte",
        "issued_at": "2026-11-21T08:15:00+01:00",
        "currency": "EUR",
        "lines": [{"id": "1", "name": "Coffee", "unit_price": "3.20", "tax_rate": "19", "total": "3.20"}],
        "taxes": [{"rate": "19", "net": "2.69", "tax": "0.51", "gross": "3.20"}],
        "total": "3.20",
        "payments": [{"method": "cash", "amount": "3.20"}],
    }
    return body | changes


def refund(original: Any, total: str = "3.20", **changes: Any) -> Body:
    """A refund of ``total`` EUR, which says nothing of its lines, on ``original``."""
    body = {"kind": "refund", "original": original, "store": "mitte", "issued_at": "2026-11-22T09:00:00+01:00"}
    return body | {"external_id": f"refund-{next(_NUMBERS):06d}", "currency": "EUR", "total": total} | changes


def superset(**changes: Any) -> Body:
    """A new sale for 10.69 EUR that says everything a sale can say."""
    number = f"{next(_NUMBERS):06d}"
    names = {"external_id": f"everything-{number}", "number": number, "token": new_token()}
    return deepcopy(_SUPERSET) | names | changes
