"""What a child process gets of our environment: what it needs to find its libraries and fonts, and nothing else."""

import os
import re
from typing import Final

_PASSED_ON: Final = re.compile(
    "PATH|HOME|TMPDIR|TZ|LANG|LANGUAGE|LC_[A-Z]+|LD_LIBRARY_PATH|PYTHON(PATH|HOME)|FONTCONFIG_[A-Z]+|XDG_[A-Z]+_(HOME|DIRS)"
)


def child_environment() -> dict[str, str]:
    """By name, since nobody knows all the names that hold a key or a password: those of AWS, of PostgreSQL, the next
    cloud's. Whoever talks a child into something must not find them there."""
    return {name: value for name, value in os.environ.items() if _PASSED_ON.fullmatch(name)}
