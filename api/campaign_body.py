"""A campaign as it is sent, refused with pointers into what was sent."""

from typing import Any

from fastapi import Request
from pydantic import ValidationError

from api.body import json_body
from engagement.rewards.definition import NewCampaign, read_campaign
from kernel.errors import FieldError, Invalid
from receipts.reading import field_errors


async def campaign_body(request: Request) -> NewCampaign:
    """Raises :class:`Invalid`."""
    body = await json_body(request)
    if not isinstance(body, dict):
        raise Invalid(errors=[FieldError("", "must be a JSON object")])
    try:
        return read_campaign(body)
    except ValidationError as error:
        raise Invalid(errors=[_within(body, each) for each in field_errors(error)]) from None


def _within(body: Any, found: FieldError) -> FieldError:
    """Without the kinds of rules, which pydantic names on the way to what is wrong in them and the body does not."""
    at, parts = body, []
    for part in found.pointer.split("/")[1:]:
        if isinstance(at, dict) and at.get("kind") == part and part not in at:
            continue
        parts.append(part)
        at = _below(at, part)
    return FieldError("".join(f"/{part}" for part in parts), found.detail)


def _below(at: Any, part: str) -> Any:
    if isinstance(at, list):
        return at[int(part)] if part.isdecimal() and int(part) < len(at) else None
    return at.get(part) if isinstance(at, dict) else None
