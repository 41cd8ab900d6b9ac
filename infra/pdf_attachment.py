"""A file that a PDF carries."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal


@dataclass(frozen=True, slots=True)
class Attachment:
    """The ending of ``name`` tells its type; ``relationship``, how it stands to the pages (ISO 32000-2, 7.11.3)."""

    name: str
    data: bytes
    description: str
    relationship: Literal["Source", "Data", "Alternative", "Supplement"]
    # Shown as its date. Not the clock's: the same document must give the same bytes.
    dated: datetime
