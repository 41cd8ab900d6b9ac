"""What a letter tells, before it is put into an envelope."""

from dataclasses import dataclass
from typing import Final

from notify.letters import Composed
from notify.mime import Attachment

RECEIPT: Final = "rct_"
CONTACT: Final = "con_"
# A case that was opened, and one that is late.
CASE: Final = ("cas_", "esc_")
INVITE: Final = "inv_"


@dataclass(frozen=True, slots=True)
class Told:
    """``sender_name`` is the brand's; ``stop_url`` is there where the reader did not ask for the letter."""

    composed: Composed
    sender_name: str
    reply_to: str | None = None
    stop_url: str | None = None
    attachments: tuple[Attachment, ...] = ()
