"""Sending a receipt to somebody: by email, for now."""

from typing import Annotated, Any, ClassVar, Final

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, StrictBool
from sqlalchemy import Connection

from accounts.fields import UNDELIVERABLE, Channel, EmailAddress, LanguageTag
from accounts.keys import Caller
from api import schemas
from api.answers import json_answer
from api.body import model_body
from api.house import House, TheHouse
from api.key_ring import TheCaller
from api.receipts import IdOrToken
from infra.mail_address import is_deliverable
from kernel.clock import iso
from kernel.errors import Conflict, FieldError, Invalid, TooMany
from notify import asking, find
from notify.asking import Post, Wanted
from notify.find import MessageInfo
from receipts import find as receipts_find
from receipts.records import ReceiptRecord

router = APIRouter(tags=["Deliveries"])
_MOST_A_DAY: Final = 10
_DAY: Final = 24
_CURSOR: Final = r"^msg_[0-9a-z]{26}$"


class NotSetUp(Conflict):
    slug: ClassVar[str] = "channel-not-set-up"
    title: ClassVar[str] = "Nothing can be sent in this way"


class AddressStopped(Conflict):
    slug: ClassVar[str] = "address-stopped"
    title: ClassVar[str] = "This address is written to no more"


class NewDelivery(BaseModel):
    """To whom, and how. Asked for twice it is sent once, unless `resend` says that it shall be sent again."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    channel: Channel = "email"
    to: EmailAddress | None = Field(None, description="Where it goes. Default: the shopper's `email`.")
    language: LanguageTag | None = Field(None, description="Default: the shopper's, then the sale's, then the brand's.")
    pdf: StrictBool = Field(False, description="Whether the receipt hangs on the message as a PDF too.")
    resend: StrictBool = Field(False, description="Send it again, though it was sent to this address before.")


@router.post(
    "/v1/receipts/{token:receipt}/deliveries",
    status_code=202,
    response_model=schemas.Delivery,
    responses=schemas.DELIVERS,
    openapi_extra=schemas.body("NewDelivery"),
)
async def post_delivery(token: IdOrToken, request: Request, house: TheHouse, caller: TheCaller) -> Response:
    """Send a receipt. 202 for a new message, 200 for the one that was asked for before.

    It is sent within seconds, tried for two days, and never lost. Its `state` tells what became of it. At most 10
    messages a day leave for one receipt.
    """
    caller.require("receipts:write")
    wanted = await model_body(request, NewDelivery) if await request.body() else NewDelivery()
    require_channel(house.post, wanted.channel)
    message, is_new = await house.write(lambda conn: _deliver(conn, house, caller, token, wanted))
    return json_answer(_shown(message), 202 if is_new else 200)


@router.get("/v1/receipts/{token:receipt}/deliveries", response_model=schemas.DeliveryList, responses=schemas.READS)
async def list_receipt_deliveries(token: IdOrToken, house: TheHouse, caller: TheCaller) -> Response:
    """What was sent of a receipt, newest first."""
    caller.require("receipts:read")

    def look(conn: Connection) -> list[MessageInfo]:
        return find.about(conn, caller.merchant_id, _receipt(conn, caller, token).id)

    messages = await house.read(look)
    return json_answer({"deliveries": [_shown(each) for each in messages], "next_cursor": None})


@router.get("/v1/deliveries", response_model=schemas.DeliveryList, responses=schemas.READS)
async def list_deliveries(
    house: TheHouse,
    caller: TheCaller,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    cursor: Annotated[str | None, Query(pattern=_CURSOR)] = None,
    state: find.State | None = None,
) -> Response:
    """All messages of the merchant, newest first. Follow `next_cursor` until it is null."""
    caller.require_whole("receipts:read")

    def look(conn: Connection) -> list[MessageInfo]:
        return list(find.listed(conn, caller.merchant_id, state=state, limit=limit + 1, after=cursor))

    found = await house.read(look)
    more = found[limit - 1].id if len(found) > limit else None
    return json_answer({"deliveries": [_shown(each) for each in found[:limit]], "next_cursor": more})


def _deliver(conn: Connection, house: House, caller: Caller, token: str, new: NewDelivery) -> tuple[MessageInfo, bool]:
    """The message, and whether it is new."""
    merchant_id, now = caller.merchant_id, house.clock()
    record = _receipt(conn, caller, token)
    shopper = receipts_find.private_part(conn, merchant_id, record.id).get("shopper", {})
    address = new.to or _of_shopper(shopper)
    before = find.latest(conn, merchant_id, record.id, new.channel, address)
    if before is not None and not new.resend and before.state != "stopped":
        return before, False
    wanted = Wanted(
        merchant_id,
        record.id,
        address,
        new.channel,
        new.language or shopper.get("language") or record.content.language,
        new.pdf,
        # Of those who ask at once, all ask for the same one.
        ordinal=before.ordinal + 1 if before else 0,
    )
    require_open(conn, wanted)
    if asking.count_since(conn, merchant_id, record.id, hours=_DAY, now=now) >= _MOST_A_DAY:
        raise TooMany(f"{_MOST_A_DAY} messages left for this receipt within a day", retry_after=3600)
    asking.ask(conn, house.post, [wanted], now=now)
    message = find.latest(conn, merchant_id, record.id, new.channel, address)
    assert message is not None
    return message, True


def _receipt(conn: Connection, caller: Caller, token: str) -> ReceiptRecord:
    where = {"store_id": caller.store_id, "till_id": caller.till_id}
    return receipts_find.one(conn, caller.merchant_id, token, **where)


def _of_shopper(shopper: dict[str, Any]) -> str:
    address: str | None = shopper.get("email")
    if address is None:
        raise Invalid(errors=[FieldError("/to", "is missing; the shopper of this receipt left no email address")])
    return address


def require_channel(post: Post, channel: Channel, *, at: str = "/channel") -> None:
    """Raises :class:`NotSetUp` at the field ``at``."""
    if channel not in post.channels:
        said = f"{channel} is not set up on this server; its operator can"
        raise NotSetUp(said, errors=[FieldError(at, "is not set up here")])


def require_open(conn: Connection, wanted: Wanted) -> None:
    """Raises :class:`AddressStopped`."""
    if not is_deliverable(wanted.address):
        raise Invalid(errors=[FieldError("/to", UNDELIVERABLE)])
    for stopped in asking.reasons(conn, [wanted]).values():
        raise AddressStopped(
            f"It {stopped.reason} on {stopped.since:%Y-%m-%d}. If its owner wants to be written to again: DELETE "
            "/v1/suppressions/{address}"
        )


def _shown(message: MessageInfo) -> dict[str, Any]:
    return {
        "id": message.id,
        "receipt_id": message.subject_id if message.subject_id.startswith("rct_") else None,
        "about": message.subject_id,
        "channel": message.channel,
        "to": message.address,
        "language": message.language,
        "pdf": message.with_pdf,
        "state": message.state,
        "attempts": message.attempts,
        "detail": message.detail or None,
        "asked_at": iso(message.asked_at),
        "due_at": iso(message.due_at) if message.due_at else None,
        "settled_at": iso(message.settled_at) if message.settled_at else None,
    }
