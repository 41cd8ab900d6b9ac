"""Telling phones that a pass of theirs has changed, so that they ask for it."""

from dataclasses import dataclass, field
from functools import partial
from typing import Final

import structlog

from cards import wallets
from cards.wallets import PUSH, Change, Held
from infra.apns import Pusher, PushFailed, PushRefused
from infra.jobs import Payload
from worker.workshop import Workshop

_log = structlog.get_logger()
# Phones that one job tells: where Apple does not answer, so many are told again.
_AT_ONCE: Final = 100


def change_of(payload: Payload) -> Change:
    serial, brand, store, device = (payload.get(name) for name in ("serial", "brand", "store", "device"))
    return Change(payload["merchant"], serial=serial, brand_id=brand, store_id=store, device=device)


@dataclass(slots=True)
class _Told:
    """What came of some phones, one after the other."""

    count: int = 0
    # Apple knows one of them, so it is the right service that is asked.
    is_any_known: bool = False
    unknown: list[str] = field(default_factory=list)
    failed: PushFailed | None = None


def push_passes(shop: Workshop, job_id: str, payload: Payload) -> None:
    """Some of the phones, and a job for those after them. Raises :class:`PushFailed` where one could not be told: all
    of these are told again, which a phone answers by asking once more. Where Apple's service is away, those after them
    wait for that, too."""
    change, after = change_of(payload), str(payload.get("after", ""))
    passes = shop.read(lambda conn: wallets.held(conn, change, after=after, limit=_AT_ONCE))
    if not passes:
        return
    told = _tell(shop, passes)
    if told.count < len(passes) or len(passes) == _AT_ONCE:
        last = passes[told.count - 1].place
        rest = dict(payload) | {"after": last}
        shop.write(lambda conn: shop.jobs.enqueue(conn, PUSH, rest, job_id=f"{job_id.partition('>')[0]}>{last}"))
    _forget_unknown(shop, told)
    if told.failed is not None:
        raise told.failed


def _tell(shop: Workshop, passes: list[Held]) -> _Told:
    """At least the first, and no more when the worker shall end."""
    told = _Told()
    with Pusher(shop.settings.wallet) as pusher:
        for each in passes:
            _tell_one(shop, pusher, each.push_token, told)
            told.count += 1
            if shop.ended.is_set():
                break
    return told


def _tell_one(shop: Workshop, pusher: Pusher, token: str, told: _Told) -> None:
    try:
        heard = pusher.push(token)
    except PushRefused as error:
        told.failed = error
        return
    if heard == "unknown":
        told.unknown.append(token)
        return
    told.is_any_known = True
    if heard == "gone":
        _forget(shop, token)


def _forget_unknown(shop: Workshop, told: _Told) -> None:
    """Where none is known, it is rather the wrong service that was asked, as Apple's for development: they stay. One
    alone says nothing, and anybody may have registered it."""
    if told.is_any_known:
        for token in told.unknown:
            _forget(shop, token)
    elif len(told.unknown) > 1:
        raise PushFailed("Apple's push service knows none of these phones: look at COUNTERFOIL_APPLE_PUSH_URL")


def _forget(shop: Workshop, token: str) -> None:
    shop.write(partial(wallets.forget_token, push_token=token))
    _log.info("pass_dropped")
