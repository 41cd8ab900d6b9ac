"""Card numbers out of JSON text, before anything of it is kept."""

import json
import re
from typing import Final

from receipts.card_numbers import without_card_numbers

# Strings (the last one perhaps without its end), each with the colon that makes it a member's name; numbers.
_TOKEN: Final = re.compile(r'("(?:[^"\\]|\\.)*+(?:"|\\?\Z))(\s*:)?|-?\d[\d.eE+-]*', re.DOTALL)
# A long id passes for a card number one time in ten, and so do article numbers and telephones; masked, they were lost.
_SPARED: Final = re.compile(r"(?:.*_)?ids?|sku|barcode|phone", re.IGNORECASE)


def kept(body: bytes) -> str:
    """``body`` as text, as it came but for what may not be kept: NUL, which PostgreSQL has no place for, and card
    numbers, of which the last four digits stay. JSON stays JSON; a number that is masked becomes a string."""
    text = body.decode("utf-8", "replace").replace("\x00", "\ufffd")
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return without_card_numbers(text)
    return _masked_json(text)


def _masked_json(text: str) -> str:
    name = ""

    def masked(token: re.Match[str]) -> str:
        nonlocal name
        written = token[1]
        if written is None:
            bare = without_card_numbers(token[0])
            return token[0] if bare == token[0] or _SPARED.fullmatch(name) else json.dumps(bare)
        plain = json.loads(written)
        if token[2]:
            name = plain
        bare = plain if not token[2] and _SPARED.fullmatch(name) else without_card_numbers(plain)
        return token[0] if bare == plain else json.dumps(bare) + (token[2] or "")

    return _TOKEN.sub(masked, text)
