"""Forgetting what showed cards as they were."""

from dataclasses import asdict, replace
from functools import partial
from typing import Any, Final

from cards import kept, stale
from cards.stale import FORGET, Stale
from infra.jobs import Payload
from worker.workshop import Workshop

# Cards whose pictures one job forgets: where the storage is down, so many are looked for again.
_AT_ONCE: Final = 100


def forget_pictures(shop: Workshop, job_id: str, payload: Payload) -> None:
    """Pictures of some of the cards, and a job for those after them. Raises :class:`infra.storage.StorageDown`."""
    told: dict[str, Any] = dict(payload)
    old = Stale(**told)
    tokens = shop.read(partial(stale.tokens, stale=old, limit=_AT_ONCE))
    for token in tokens.values():
        kept.forget(shop.storage, token)
    for key in old.photos:
        _forget_photo(shop, key)
    if len(tokens) == _AT_ONCE:
        last = list(tokens)[-1]
        rest = asdict(replace(old, photos=(), after=last))
        shop.write(lambda conn: shop.jobs.enqueue(conn, FORGET, rest, job_id=f"{job_id.partition('>')[0]}>{last}"))


def _forget_photo(shop: Workshop, key: str) -> None:
    """Where no card shows it. Whoever gives the same photo to a card meanwhile is seen before, or gets it back after;
    or looks for it once they have written (cards.photos)."""
    is_shown = partial(stale.is_shown, photo_key=key)
    photo = shop.storage.get(key)
    if photo is None or shop.read(is_shown):
        return
    shop.storage.delete(key)
    if shop.read(is_shown):
        shop.storage.put(key, photo)
