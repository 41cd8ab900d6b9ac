"""Forms as browsers send them without a file: read by hand, since nothing in them is more than text."""

from typing import Final
from urllib.parse import parse_qsl

from starlette.requests import Request

from api.uploads import NotAForm
from kernel.errors import BadRequest, TooLarge

_TYPE: Final = "application/x-www-form-urlencoded"
_MOST_FIELDS: Final = 200
# What comes with pasted text and nobody sees. Some programs break lines by VT or FF, also where a field has but one.
_UNSEEN: Final = dict.fromkeys([*range(0x20), 0x7F]) | {0x0A: "\n"} | dict.fromkeys([0x09, 0x0B, 0x0C], " ")


async def form_fields(request: Request, *, most: int) -> dict[str, str]:
    """By name, without the space around them and without control characters; of two under one name, the last. Line
    breaks are ``\\n``. No body of no type is a form without fields: so programs send a button.

    Raises :class:`NotAForm`, :class:`BadRequest`, and :class:`TooLarge` beyond ``most`` bytes.
    """
    declared = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    not_a_form = NotAForm(f"Send it as Content-Type: {_TYPE}")
    if declared not in ("", _TYPE):
        raise not_a_form
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            raise TooLarge(f"The form may have at most {most} bytes")
    if body and not declared:
        raise not_a_form
    try:
        read = parse_qsl(body.decode(errors="replace"), keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError:
        raise BadRequest("The form could not be read") from None
    return {name: _typed(value) for name, value in read}


def _typed(value: str) -> str:
    return value.replace("\r\n", "\n").replace("\r", "\n").translate(_UNSEEN).strip()
