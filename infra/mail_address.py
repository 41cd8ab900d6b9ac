"""Which text is a bare address: what stands between the angle brackets, and nothing that could break out of them."""

import re
from typing import Final

_PLAIN: Final = r"[^\s@<>()\[\],;:\"\\\x00-\x1f\x7f]"
_ADDRESS: Final = re.compile(rf"{_PLAIN}{{1,64}}@(?!\.){_PLAIN}{{1,250}}")


def is_address(text: str) -> bool:
    """``local@domain`` (RFC 5321 section 4.1.2, RFC 6531), without the quoted forms that nobody has."""
    return bool(_ADDRESS.fullmatch(text))
