"""What vobject does for a vCard that is written: it holds the card together, checks it and puts it in order.

It stands in a module of its own, because it is imported late.
"""

from collections.abc import Iterable
from io import StringIO
from typing import Any

import vobject
from vobject.base import ContentLine


class _Line(ContentLine):  # type: ignore[misc]
    """A line that is written already: vobject would break it by characters and let a parameter hold line breaks."""

    def __init__(self, name: str, written: str) -> None:
        # Past vobject's own setter, which takes longer than all the rest of this.
        self.__dict__.update(name=name, value=written, group=None, behavior=None, isNative=False, params={})

    def validate(self, *_: Any, **__: Any) -> bool:
        return True

    def serialize(self, buf: StringIO, *_: Any, **__: Any) -> None:
        buf.write(self.value)
        buf.write("\r\n")


def enveloped(lines: Iterable[tuple[str, str]]) -> str:
    """The vCard of lines with their properties' names. Raises ``vobject.base.ValidateError`` without a name in it."""
    card = vobject.vCard()
    for name, written in lines:
        card.contents.setdefault(name.lower(), []).append(_Line(name, written))
    return str(card.serialize())
