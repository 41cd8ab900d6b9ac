"""Photos on cards, as they are kept."""

from infra.portraits import portrait
from infra.storage import Storage, content_key


def kept(storage: Storage, data: bytes, *, dry_run: bool = False) -> str:
    """The key of an uploaded photo. Raises what :func:`infra.portraits.portrait` raises; keep it off the event loop."""
    photo = portrait(data)
    key = content_key("photos", photo, suffix=".jpg")
    if not dry_run:
        storage.put(key, photo)
    return key


def stays(storage: Storage, key: str, data: bytes) -> None:
    """After a card was given the photo: who took the same from another card may have deleted it before they could see
    this one."""
    if not storage.exists(key):
        kept(storage, data)
