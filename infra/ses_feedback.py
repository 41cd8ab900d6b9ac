"""Reading what Amazon SES tells about letters: bounces, complaints, deliveries, rejects.

https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html
"""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal

from infra.mail import one_line
from infra.mail_address import is_address

LONGEST: Final = 1024 * 1024  # characters, as much as SQS takes
_MESSAGE_ID: Final = re.compile(r"<?([^<>\s\x00-\x1f]{1,250})>?")
_STATUS: Final = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")
_MOST_RECIPIENTS: Final = 50  # as many as SES takes in a letter

Kind = Literal["bounce", "complaint", "delivery", "reject"]


@dataclass(frozen=True, slots=True)
class SesEvent:
    """What SES tells about one recipient.

    ``message_id`` is the letter's own, with its angle brackets.
    ``is_permanent``: of a bounce, that the address will not work another time either. ``status`` is ``5.1.1`` or the
    like (RFC 3463), or empty. A complaint is a reader who called the letter spam, a reject a letter with a virus.
    """

    kind: Kind
    message_id: str | None
    recipient: str | None
    is_permanent: bool
    status: str
    detail: str


def read_ses_events(text: str) -> list[SesEvent] | None:
    """The events in a message of the queue, bare or as SNS wraps it; none of those of other kinds (sends, opens).

    None where it is nothing of SES. Never raises.
    """
    event = _json(text)
    if "Message" in event:
        event = _json(event["Message"])
    kind = _text(event.get("eventType") or event.get("notificationType")).lower()
    mail = event.get("mail")
    if not kind or not isinstance(mail, dict):
        return None
    read = _READERS.get(kind)
    return [] if read is None else list(read(_dict(event.get(kind)), mail))[:_MOST_RECIPIENTS]


def _bounces(bounce: dict[str, Any], mail: dict[str, Any]) -> Iterator[SesEvent]:
    kinds = " ".join(_text(bounce.get(name)) for name in ("bounceType", "bounceSubType"))
    is_permanent = bounce.get("bounceType") == "Permanent"
    for each in _dicts(bounce.get("bouncedRecipients")):
        status = _text(each.get("status"))
        known = status if _STATUS.fullmatch(status) else ""
        said = _text(each.get("diagnosticCode")).removeprefix("smtp;")
        yield _event("bounce", mail, each, is_permanent=is_permanent, status=known, detail=said or kinds)


def _complaints(complaint: dict[str, Any], mail: dict[str, Any]) -> Iterator[SesEvent]:
    names = ("complaintFeedbackType", "complaintSubType", "userAgent")
    said = " ".join(_text(complaint.get(name)) for name in names)
    for each in _dicts(complaint.get("complainedRecipients")):
        yield _event("complaint", mail, each, detail=said)


def _deliveries(delivery: dict[str, Any], mail: dict[str, Any]) -> Iterator[SesEvent]:
    recipients = delivery.get("recipients")
    for each in recipients if isinstance(recipients, list) else []:
        yield _event("delivery", mail, {"emailAddress": each}, detail=_text(delivery.get("smtpResponse")))


def _rejects(reject: dict[str, Any], mail: dict[str, Any]) -> Iterator[SesEvent]:
    recipients = mail.get("destination")
    for each in recipients if isinstance(recipients, list) else []:
        yield _event("reject", mail, {"emailAddress": each}, is_permanent=True, detail=_text(reject.get("reason")))


_READERS: Final[dict[str, Callable[[dict[str, Any], dict[str, Any]], Iterator[SesEvent]]]] = {
    "bounce": _bounces,
    "complaint": _complaints,
    "delivery": _deliveries,
    "reject": _rejects,
}


def _event(
    kind: Kind,
    mail: dict[str, Any],
    recipient: dict[str, Any],
    *,
    is_permanent: bool = False,
    status: str = "",
    detail: str = "",
) -> SesEvent:
    address = _text(recipient.get("emailAddress"))
    named = address if is_address(address) else None
    return SesEvent(kind, _message_id(mail), named, is_permanent, status, one_line(detail))


def _message_id(mail: dict[str, Any]) -> str | None:
    """The one that was sent: SES writes its own over it, and reports both."""
    heads = (head for head in _dicts(mail.get("headers")) if _text(head.get("name")).lower() == "message-id")
    told = next((_text(head.get("value")) for head in heads), "")
    found = _MESSAGE_ID.fullmatch((told or _text(_dict(mail.get("commonHeaders")).get("messageId"))).strip())
    return f"<{found[1]}>" if found else None


def _json(text: Any) -> dict[str, Any]:
    if not isinstance(text, str) or len(text) > LONGEST:
        return {}
    try:
        return _dict(json.loads(text))
    except (ValueError, RecursionError):
        return {}


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
