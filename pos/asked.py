"""What a till asked to be sent of a sale."""

from typing import Final

from accounts.fields import UNDELIVERABLE, Channel
from infra.mail_address import is_deliverable
from kernel.errors import FieldError
from notify.asking import Wanted
from receipts.sale import Sale

# Where a message of a channel goes: a member of the shopper.
_ADDRESS: Final[dict[Channel, str]] = {"email": "email", "sms": "phone"}


def undeliverable(sale: Sale) -> list[FieldError]:
    """What keeps a message that the sale asks for from being sent: an address that is missing, or is none."""
    return [
        FieldError(f"/shopper/{_ADDRESS[channel]}", f"{why}; deliver names {channel}")
        for channel in sale.deliver
        if (why := _hindrance(channel, _address(sale, channel)))
    ]


def _hindrance(channel: Channel, address: str | None) -> str | None:
    if not address:
        return "is missing"
    return UNDELIVERABLE if channel == "email" and not is_deliverable(address) else None


def messages(sale: Sale, merchant_id: str, receipt_id: str) -> list[Wanted]:
    """What is to be sent of a receipt that is new. What was rung up for training goes to nobody."""
    if "training" in sale.flags:
        return []
    return [
        Wanted(
            merchant_id=merchant_id,
            subject_id=receipt_id,
            address=_address(sale, channel) or "",
            channel=channel,
            language=(sale.shopper.language if sale.shopper else None) or sale.language,
            with_pdf=sale.deliver_pdf,
            is_automatic=True,
        )
        for channel in dict.fromkeys(sale.deliver)
    ]


def _address(sale: Sale, channel: Channel) -> str | None:
    return getattr(sale.shopper, _ADDRESS[channel]) if sale.shopper else None
