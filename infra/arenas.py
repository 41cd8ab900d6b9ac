"""How much memory the C library keeps ready for threads."""

import ctypes
from contextlib import suppress
from typing import Final

# glibc's M_ARENA_MAX (mallopt(3)).
_MOST_ARENAS: Final = -8


def share_one_arena() -> None:
    """All threads allocate from one arena instead of one each: the interpreter lets one of them run at a time anyway.

    Saves some megabytes for a process with many threads. Another C library than glibc is left as it is. To be called
    before threads begin.
    """
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(_MOST_ARENAS, 1)
