"""The files that a stranger's PDF carries, read in a process of its own that is given little memory and little time."""

import subprocess
import sys
from typing import Final

from infra.child_environment import child_environment
from infra.settings import ROOT

MOST_BYTES: Final = 5_000_000
_SECONDS: Final = 6


# The header may stand behind other bytes, as readers have it (ISO 32000-1, annex H.3.4.1).
_HEADER_WITHIN: Final = 1024


class UnreadablePdf(Exception):
    """Its words say why, for whoever presented the PDF."""


def is_pdf(data: bytes) -> bool:
    """Whether it says so itself."""
    return b"%PDF-" in data[:_HEADER_WITHIN]


def attached(pdf: bytes, name: str) -> bytes | None:
    """The file called ``name`` within ``pdf``; ``None`` where there is none.

    Blocks, for a second at most where the PDF means no harm: call it in a thread. Raises :class:`UnreadablePdf`, also
    for a PDF that carries two such files: readers would differ in which one they show.
    """
    if len(pdf) > MOST_BYTES:
        raise UnreadablePdf(f"It may have at most {MOST_BYTES} bytes")
    command = [sys.executable, "-m", "infra.pdf_reading_child", name]
    try:
        done = subprocess.run(  # noqa: S603 - our own module
            command,
            input=pdf,
            stdout=subprocess.PIPE,
            # Its complaints may be as long as whoever made the PDF likes.
            stderr=subprocess.DEVNULL,
            timeout=_SECONDS,
            cwd=ROOT,
            env=child_environment(),
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise UnreadablePdf("It took too long to read") from None
    if done.returncode:
        raise UnreadablePdf("It is damaged, encrypted, too large, or no PDF")
    return done.stdout[1:] if done.stdout else None
