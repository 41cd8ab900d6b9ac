"""What pydantic finds in a body, in words that say what would be right and repeat nothing of it."""

from collections.abc import Mapping

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from accounts.fields import MEANINGS
from kernel.errors import FieldError, pointer_part

# A member's name may be anything that a caller makes up.
_LONGEST_NAME = 100


def field_errors(error: ValidationError, at: str = "", *, meanings: Mapping[str, str] = MEANINGS) -> list[FieldError]:
    """As pointers below ``at``."""
    found = error.errors(include_input=False, include_url=False)
    return [FieldError(at + "".join(map(_step, each["loc"])), said(each, meanings)) for each in found]


def said(found: ErrorDetails, meanings: Mapping[str, str] = MEANINGS) -> str:
    """``meanings`` tells patterns in words."""
    if found["type"] == "extra_forbidden":
        return "is not known here; check its spelling, or leave it out"
    if found["type"] == "string_pattern_mismatch":
        return meanings.get(found["ctx"]["pattern"], "holds characters that do not belong here")
    return found["msg"].removeprefix("Value error, ")


def _step(part: int | str) -> str:
    return "/" + pointer_part(str(part))[:_LONGEST_NAME]
