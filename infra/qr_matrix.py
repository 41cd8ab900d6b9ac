"""The modules of a QR code (ISO/IEC 18004:2015, model 2): those of the ``qrcode`` library, in a fraction of its time.

``qrcode`` encodes the text, corrects errors and draws the fixed patterns. What it does module by module and eight times
over is done here on one large integer per symbol (row after row, the first module in the highest bit): laying in the
codewords, masking, and scoring the masks. The mask is the standard's choice, so the symbol equals the library's.
"""

from collections.abc import Callable, Iterator
from functools import cache, lru_cache
from operator import itemgetter
from typing import Any, Final, Literal, NamedTuple

from qrcode import util
from qrcode.main import QRCode

from kernel.errors import Invalid

Ecc = Literal["L", "M", "Q", "H"]
_LEVELS: Final[dict[Ecc, int]] = {"L": 1, "M": 0, "Q": 3, "H": 2}
_MOST_BYTES: Final[dict[Ecc, int]] = {"L": 2953, "M": 2331, "Q": 1663, "H": 1273}
_MOST_DIGITS = 7089


class TextTooLong(Invalid):
    slug, title = "qr-too-long", "The text does not fit into a QR code"


# A page asks more than once for the same code; a thousand of them would be three megabytes.
@lru_cache(maxsize=64)
def matrix(text: str, ecc: Ecc = "M") -> tuple[str, ...]:
    """The rows of the smallest symbol that holds ``text`` (UTF-8), top first: ``1`` is a dark module. No quiet zone."""
    version, codewords = _encode(text, ecc)
    shapes = _shapes(version)
    bits = "0" + "".join(f"{word:08b}" for word in codewords) + "0" * 7
    data = int("".join(shapes.lay_in(bits)), 2)
    mask = min(range(8), key=lambda mask: _penalty(data ^ _frame(version, mask), shapes))
    symbol = f"{data ^ _frame(version, mask, _LEVELS[ecc]):0{shapes.size**2}b}"
    return tuple(symbol[start : start + shapes.size] for start in range(0, len(symbol), shapes.size))


def holds(text: str, ecc: Ecc = "M") -> bool:
    """Whether :func:`matrix` can; quick."""
    if len(text.encode()) <= _MOST_BYTES[ecc]:
        return True  # digits and capitals may fit beyond it
    try:
        _fitted(text, ecc)
    except TextTooLong:
        return False
    return True


def _encode(text: str, ecc: Ecc) -> tuple[int, list[int]]:
    """The symbol's version and all its codewords, in the order in which they are laid in."""
    version, code = _fitted(text, ecc)
    return version, util.create_data(version, code.error_correction, code.data_list)


def _fitted(text: str, ecc: Ecc) -> tuple[int, QRCode[Any]]:
    """The smallest version that holds the text, and the library's code with the text in it."""
    code: QRCode[Any] = QRCode(error_correction=_LEVELS[ecc])
    try:
        if len(text) > _MOST_DIGITS:
            raise ValueError
        code.add_data(text)
        return code.best_fit(), code
    except ValueError:  # also the library's, of a version 41
        raise TextTooLong(f"A QR code at level {ecc} holds at most {_MOST_BYTES[ecc]:,} bytes of text.") from None


@cache
def _frame(version: int, mask: int, level: int | None = None) -> int:
    """The symbol around no data: fixed patterns, and the mask where data goes.

    Without a ``level`` the format and version bits are light, as the library has them while it scores the masks.
    """
    return _drawn(version, mask, level, [])


def _drawn(version: int, mask: int, level: int | None, codewords: list[int]) -> int:
    code = QRCode(version=version, error_correction=level or 0)
    code.data_cache = codewords
    code.makeImpl(level is None, mask)
    return int("".join("1" if dark else "0" for row in code.modules for dark in row), 2)


class _Shapes(NamedTuple):
    """What all symbols of one size share: how bits are laid in, and where a row of n modules of one line may start."""

    size: int
    lay_in: Callable[[str], tuple[str, ...]]
    pairs: tuple[int, int]
    elevens: tuple[int, int]


@cache
def _shapes(version: int) -> _Shapes:
    size = 17 + 4 * version
    region = _drawn(version, 0, None, []) ^ _drawn(version, 0, None, [255] * (size * size // 8 + 1))
    is_data = f"{region:0{size * size}b}"
    source = [0] * (size * size)  # the leading "0" of the bits, for every module that holds no data
    placed = (cell for cell in _zigzag(size) if is_data[cell] == "1")
    for position, cell in enumerate(placed, start=1):
        source[cell] = position
    return _Shapes(size, itemgetter(*source), _starts(size, 2), _starts(size, 11))


def _zigzag(size: int) -> Iterator[int]:
    """Every module in the order of placement (7.7.3): columns in pairs from the right, up and down in turn."""
    upwards = True
    for right in (*range(size - 1, 6, -2), 5, 3, 1):
        for row in reversed(range(size)) if upwards else range(size):
            yield row * size + right
            yield row * size + right - 1
        upwards = not upwards


def _starts(size: int, length: int) -> tuple[int, int]:
    """The lowest bits of all windows of ``length`` modules along a row, and along a column."""
    row = "0" * (length - 1) + "1" * (size - length + 1)
    along_columns = "0" * (size * (length - 1)) + "1" * (size * (size - length + 1))
    return int(row * size, 2), int(along_columns, 2)


def _penalty(symbol: int, shapes: _Shapes) -> int:
    """The score of a masked symbol, less is better (7.8.3.1, features 1 to 4)."""
    size, total = shapes.size, shapes.size**2
    light = symbol ^ ((1 << total) - 1)
    balance = abs(20 * symbol.bit_count() - 10 * total) // total * 10
    beside = ~(symbol ^ symbol >> 1) & shapes.pairs[0]
    below = ~(symbol ^ symbol >> size) & shapes.pairs[1]
    blocks = 3 * (beside & beside >> size & below).bit_count()
    runs = _runs(beside, 1) + _runs(below, size)
    finders = _finders(symbol, light, 1, shapes.elevens[0]) + _finders(symbol, light, size, shapes.elevens[1])
    return runs + blocks + 40 * finders + balance


def _runs(same: int, step: int) -> int:
    """3 for five alike in a line, 1 for each one more. A run of n has n - 4 windows of five: so many, and 2 a run."""
    fives = same & same >> step & same >> 2 * step & same >> 3 * step
    return fives.bit_count() + 2 * (fives & ~(fives << step)).bit_count()


def _finders(dark: int, light: int, step: int, starts: int) -> int:
    """How often dark and light 1:1:3:1:1 stand beside four light modules."""
    core = dark & light >> step & dark >> 2 * step & dark >> 3 * step & dark >> 4 * step
    core &= light >> 5 * step & dark >> 6 * step
    pale = light & light >> step & light >> 2 * step & light >> 3 * step
    return (core & pale >> 7 * step & starts).bit_count() + (pale & core >> 4 * step & starts).bit_count()
