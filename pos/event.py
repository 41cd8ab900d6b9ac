"""What an adapter says of an event that another system delivers."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from kernel.errors import Problem
from receipts.sale import Content

Json = dict[str, Any]
# Gives the content of the receipt that was made under an external id, or None where there is none.
Known = Callable[[str], Content | None]


@dataclass(frozen=True, slots=True)
class Delivery:
    """A verified delivery. ``id`` is the sender's: the same twice is one event."""

    id: str
    topic: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What an event means.

    ``sales`` are canonical bodies in the order in which they are to be taken, a sale before its refunds. Where there is
    none, ``reason`` says why. ``waits_for`` is the external id of a sale that must come first. ``left_out`` says what
    was found beside the sales and could not be read.
    """

    sales: tuple[Json, ...] = ()
    reason: str = ""
    waits_for: str = ""
    left_out: tuple[Problem, ...] = ()
