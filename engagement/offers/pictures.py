"""Pictures of products, as they are kept and as pages show them."""

from infra.portraits import portrait, portrait_form
from infra.storage import Storage, content_key

# Dots a side: two for each pixel of the box on a page.
_SIDE = 176


def kept(storage: Storage, data: bytes) -> str:
    """The key of an uploaded picture. Raises what :func:`infra.portraits.portrait` raises; keep it off the event
    loop."""
    picture = portrait(data)
    key = content_key("products", picture, suffix=".jpg")
    storage.put(key, picture)
    return key


def small(picture: bytes) -> bytes:
    """What was kept, as a WebP of some 6 KB."""
    return portrait_form(picture, "webp", _SIDE)


def stays(storage: Storage, key: str, data: bytes) -> None:
    """After a product was given the picture: who took the same from another may have deleted it before they could see
    this one."""
    if not storage.exists(key):
        kept(storage, data)
