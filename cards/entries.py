"""What a file says of one person, whatever kind of file it is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from infra.csv_columns import Fault, fault
from kernel.errors import FieldError


@dataclass(frozen=True, slots=True)
class Entry:
    """``row`` is its place in the file. ``content`` are the fields of a profile that it tells, unchecked; ``columns``
    tell where they stood, by pointer. ``lost`` is what could not be taken."""

    row: int
    content: Mapping[str, Any]
    staff: str | None = None
    store: str | None = None
    brand: str | None = None
    photo: bytes | None = None
    faults: tuple[Fault, ...] = ()
    lost: tuple[str, ...] = ()
    columns: Mapping[str, str] = field(default_factory=dict)

    def fault(self, error: FieldError) -> Fault:
        return fault(error, self.columns)
