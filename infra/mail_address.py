"""Which text is a bare address: what stands between the angle brackets, and nothing that could break out of them."""

import re
from typing import Final

_PLAIN: Final = r"[^\s@<>()\[\],;:\"\\\x00-\x1f\x7f]"
_ADDRESS: Final = re.compile(rf"{_PLAIN}{{1,64}}@(?!\.){_PLAIN}{{1,250}}")


LONGEST: Final = 254  # characters (RFC 5321 section 4.5.3.1.3, without the brackets)


def is_address(text: str) -> bool:
    """``local@domain`` (RFC 5321 section 4.1.2, RFC 6531), without the quoted forms that nobody has, whose domain can
    be written in ASCII."""
    try:
        return bool(routable(text))
    except ValueError:
        return False


def routable(address: str) -> str:
    """``address`` with its domain in ASCII (IDNA), which all mail servers understand. ValueError where it is none."""
    if len(address) > LONGEST or not _ADDRESS.fullmatch(address):
        raise ValueError("not a bare address")
    local, _, domain = address.rpartition("@")
    try:
        return address if domain.isascii() else f"{local}@{domain.encode('idna').decode()}"
    except UnicodeError:
        raise ValueError("not a bare address: its domain cannot be written in ASCII") from None


def is_deliverable(text: str) -> bool:
    """Whether it is an address in lower case too, which is how we keep those that we write to: ``İ`` becomes two
    characters."""
    return is_address(text) and is_address(text.lower())
