"""Telling phones that a pass of theirs has changed, so that they ask for it."""

from functools import partial
from typing import Final

import structlog

from cards import wallets
from cards.wallets import PUSH, Change, Device
from infra.apns import Pusher, PushFailed
from infra.jobs import Payload
from worker.workshop import Workshop

_log = structlog.get_logger()
# Phones that one job tells: where Apple does not answer, so many are told again.
_AT_ONCE: Final = 100


def change_of(payload: Payload) -> Change:
    return Change(payload["merchant"], serial=payload.get("serial"), brand_id=payload.get("brand"))


def push_passes(shop: Workshop, job_id: str, payload: Payload) -> None:
    """Some of the phones, and a job for those after them. Raises :class:`PushFailed` where one could not be told: all
    of these are told again, which a phone answers by asking once more."""
    change, after = change_of(payload), str(payload.get("after", ""))
    told = shop.read(lambda conn: wallets.devices(conn, change, after=after, limit=_AT_ONCE))
    if len(told) == _AT_ONCE:
        last = told[-1].id
        rest = dict(payload) | {"after": last}
        shop.write(lambda conn: shop.jobs.enqueue(conn, PUSH, rest, job_id=f"{job_id.partition('>')[0]}>{last}"))
    if told:
        _tell(shop, told)


def _tell(shop: Workshop, devices: list[Device]) -> None:
    failed: PushFailed | None = None
    with Pusher(shop.settings.wallet) as pusher:
        for device in devices:
            try:
                if not pusher.push(device.push_token):
                    shop.write(partial(wallets.forget_token, push_token=device.push_token))
                    _log.info("pass_dropped")
            except PushFailed as error:
                failed = error
    if failed is not None:
        raise failed
