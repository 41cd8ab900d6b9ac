"""What a check of ``counterfoil doctor`` may find."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from infra.settings import Settings


@dataclass(frozen=True, slots=True)
class Verdict:
    """``warn`` is worth a look and breaks nothing; ``do`` tells what helps."""

    state: Literal["ok", "warn", "FAIL"]
    says: str
    do: str = ""


Check = Callable[[Settings], Verdict]


def well(says: str) -> Verdict:
    return Verdict("ok", says)


def doubtful(says: str, do: str) -> Verdict:
    return Verdict("warn", says, do)


def ill(says: str, do: str) -> Verdict:
    return Verdict("FAIL", says, do)
