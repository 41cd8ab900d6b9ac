"""What is remembered and what changed meanwhile: a counter of changes tells whether a value was read before one."""

import time
from collections import OrderedDict
from collections.abc import Hashable
from threading import Lock
from typing import Final, Generic, TypeVar

Value = TypeVar("Value")

_MOST: Final = 1000


class Changes:
    """Who reads takes a :meth:`mark` first, and afterwards asks whether something changed :meth:`since`.

    A change is told once it is committed, by any thread. Clearing what is remembered would not do: what was read
    before the change could be put there after it.
    """

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._telling = Lock()
        self._count = 0
        # The count when everything last changed, and when each subject did.
        self._of_all = 0
        self._of: OrderedDict[Hashable, int] = OrderedDict()

    def mark(self) -> int:
        return self._count

    def since(self, mark: int, subject: Hashable = None) -> bool:
        """Whether ``subject``, or everything, changed after the mark. Beyond ``most`` subjects it is said too often."""
        return mark < max(self._of_all, self._of.get(subject, 0))

    def tell(self, subject: Hashable) -> None:
        with self._telling:
            self._count += 1
            self._of[subject] = self._count
            self._of.move_to_end(subject)
            if len(self._of) > self._most:
                _, self._of_all = self._of.popitem(last=False)

    def tell_all(self) -> None:
        with self._telling:
            self._count += 1
            self._of_all = self._count
            self._of.clear()


class Remembered(Generic[Value]):
    """Values under their names, each no older than ``seconds`` and than the last :meth:`forget`."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._changes = Changes()
        self._known: dict[str, tuple[float, int, Value]] = {}

    def mark(self) -> int:
        """To be taken before a value is read, and handed over with it."""
        return self._changes.mark()

    def get(self, name: str) -> Value | None:
        until, mark, value = self._known.get(name, (0.0, 0, None))
        return value if time.monotonic() < until and not self._changes.since(mark) else None

    def put(self, name: str, value: Value, mark: int) -> None:
        if len(self._known) >= _MOST:
            self._known.clear()
        self._known[name] = (time.monotonic() + self._seconds, mark, value)

    def forget(self) -> None:
        """After a change was committed; any thread may say so. What is being read meanwhile counts as old."""
        self._changes.tell_all()
