"""From a file's bytes to the lines of its cards, each whole again, whoever folded it how."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

MOST_BYTES: Final = 20_000_000
MOST_CARDS: Final = 5_000
MOST_LINES: Final = 2_000
# As a file of the largest size has where it is folded as the standards have it.
MOST_LINES_OF_A_FILE: Final = 300_000
_ENDS: Final = re.compile(rb"\r\n|\r|\n")
_MARKS: Final = (
    (b"\xff\xfe\x00\x00", "utf-32-le"),
    (b"\x00\x00\xfe\xff", "utf-32-be"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
    (b"\xef\xbb\xbf", "utf-8"),
)
# Without a mark: the B of BEGIN in two octets.
_UNMARKED: Final = ((re.compile(b"[Bb]\x00"), "utf-16-le"), (re.compile(b"\x00[Bb]"), "utf-16-be"))
_BEGIN: Final = re.compile(rb"\s*BEGIN\s*:\s*VCARD\s*", re.IGNORECASE)
_END: Final = re.compile(rb"\s*END\s*:\s*VCARD\s*", re.IGNORECASE)
_AGENT: Final = re.compile(rb"\s*(?:[\w-]+\.)?AGENT\b[^:]*:\s*", re.IGNORECASE)
_QUOTED_PRINTABLE: Final = re.compile(rb"[^:]*;\s*(?:ENCODING\s*=\s*)?\"?QUOTED-PRINTABLE", re.IGNORECASE)
# What follows a soft break that breaks nothing, as some programs leave it behind a whole value.
_CERTAIN: Final = re.compile(
    rb"(?:N|FN|NICKNAME|ORG|TEL|EMAIL|ADR|LABEL|NOTE|URL|TITLE|ROLE|PHOTO|BDAY|REV|UID|CATEGORIES|X-[A-Z-]+)[;:]"
    rb"|(?:BEGIN|END):VCARD\s*$"
)
_BASE64: Final = re.compile(rb"[^:]*;\s*(?:ENCODING\s*=\s*)?\"?(?:BASE64|B)\s*[\";:]", re.IGNORECASE)
_BASE64_PIECE: Final = re.compile(rb"[A-Za-z0-9+/]+={0,2}\s*")


@dataclass(slots=True)
class RawCard:
    """Lines between BEGIN and END. ``unread`` counts those beyond what is read; ``agents`` the cards within it."""

    lines: list[bytes] = field(default_factory=list)
    unread: int = 0
    agents: int = 0
    is_closed: bool = False


def raw_cards(data: bytes) -> Iterator[RawCard]:
    """Each card of what :func:`as_utf_8` gave, also one without an end. Lines that belong to none are passed over."""
    card: RawCard | None = None
    depth = 0
    for line in _unfolded(data):
        if depth:
            depth += bool(_BEGIN.fullmatch(line)) - bool(_END.fullmatch(line))
        elif _BEGIN.fullmatch(line):
            if card and card.lines and _AGENT.fullmatch(card.lines[-1]):
                card.agents, depth = card.agents + 1, 1
                continue
            if card:
                yield card
            card = RawCard()
        elif card and _END.fullmatch(line):
            card.is_closed = True
            yield card
            card = None
        elif card and len(card.lines) < MOST_LINES:
            card.lines.append(line)
        elif card:
            card.unread += 1
    if card:
        yield card


def as_utf_8(data: bytes) -> bytes:
    """Octets of UTF-16 and 32 as UTF-8; what is none of them stays as it is, and is decoded line by line."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            told = data[len(mark) :]
            return told if encoding == "utf-8" else told.decode(encoding, "replace").encode("utf-8", "replace")
    for start, encoding in _UNMARKED:
        if start.match(data):
            return data.decode(encoding, "replace").encode("utf-8", "replace")
    return data


def lines_of(data: bytes) -> int:
    """How many ends of lines there are, however written."""
    return data.count(b"\n") + data.count(b"\r") - data.count(b"\r\n")


def _lines(data: bytes) -> Iterator[bytes]:
    """One by one: all at once would take many times the file."""
    start = 0
    for end in _ENDS.finditer(data):
        yield data[start : end.start()]
        start = end.end()
    yield data[start:]


def _unfolded(data: bytes) -> Iterator[bytes]:
    """Joined as octets, since some fold inside a character. Empty lines are nothing, also between folded ones."""
    pieces: list[bytes] = []
    is_quoted = is_base64 = False
    for line in _lines(data):
        if not line.strip():
            continue
        is_soft = is_quoted and pieces[-1].rstrip().endswith(b"=")
        if is_soft and not _CERTAIN.match(line):
            # A soft break of quoted-printable (RFC 2045 section 6.7); some indent what follows.
            pieces[-1] = pieces[-1].rstrip()[:-1]
            pieces.append(line.lstrip())
        elif pieces and line[:1] in (b" ", b"\t"):
            pieces.append(line[1:])
        elif pieces and is_base64 and _BASE64_PIECE.fullmatch(line) and len(line) > 1:
            # Version 2.1 knows no folding of base64: it goes on until an empty line.
            pieces.append(line)
        else:
            if pieces:
                yield b"".join(pieces)
            pieces = [line]
            is_quoted = _QUOTED_PRINTABLE.match(line) is not None
            is_base64 = _BASE64.match(line) is not None
    if pieces:
        yield b"".join(pieces)
