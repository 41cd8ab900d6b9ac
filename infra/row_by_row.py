"""Files that are imported row by row: each makes something, changes it or is refused, and some share a transaction."""

from collections.abc import Iterator, Sequence
from typing import Final, Literal, Protocol, TypeVar, get_args

from sqlalchemy.exc import DBAPIError

from infra.csv_columns import Fault
from kernel.errors import Problem

Row = TypeVar("Row")
State = Literal["created", "changed", "unchanged", "refused"]
# Between transactions others get their turn: who waits for SQLite looks again after a tenth of a second.
PAUSE: Final = 0.11
# What keeps some rows from being written when those before them are: then the report still tells of these.
TROUBLE: Final = (Problem, DBAPIError)


class Outcome(Protocol):
    """What became of a row. ``lost`` is what it says and was not taken."""

    @property
    def row(self) -> int: ...
    @property
    def state(self) -> State: ...
    @property
    def faults(self) -> tuple[Fault, ...]: ...
    @property
    def lost(self) -> tuple[str, ...]: ...


def slices(rows: Sequence[Row], together: int) -> Iterator[Sequence[Row]]:
    return (rows[start : start + together] for start in range(0, len(rows), together))


def counted(outcomes: Sequence[Outcome]) -> dict[State, int]:
    return {state: sum(each.state == state for each in outcomes) for state in get_args(State)}


def unreached(trouble: Exception) -> Fault:
    """Of a row that ``trouble`` kept from being written, and of those after it: who is down is not asked again."""
    why = trouble.title if isinstance(trouble, Problem) else "The database does not do its work just now"
    told = f"was not reached: {why}. Import the same file again, and what is there already stays as it is"
    return Fault("", told)
