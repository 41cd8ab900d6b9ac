"""The systems whose events Counterfoil understands. A new adapter is a folder beside ``shopify`` and a line here."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from pos.event import Delivery, Known, Reading
from pos.shopify import parse as shopify_parse
from pos.shopify import verify as shopify_verify


@dataclass(frozen=True, slots=True)
class Adapter:
    """``verify`` gives None for a wrong signature; ``read`` raises a :class:`Problem` for what it cannot read."""

    verify: Callable[[Mapping[str, str], bytes, Sequence[str]], Delivery | None]
    read: Callable[[str, bytes, Known], Reading]


ADAPTERS: Final[dict[str, Adapter]] = {
    "shopify": Adapter(shopify_verify.delivery, shopify_parse.read_event),
}
