"""Social networks and messengers: what they are called, and where an account of theirs is."""

import re
from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import quote

Network = Literal[
    "linkedin", "instagram", "x", "facebook", "tiktok", "youtube", "github", "xing", "threads", "mastodon", "bluesky",
    "pinterest", "snapchat", "behance", "dribbble", "medium", "vimeo", "soundcloud", "spotify", "twitch",
]  # fmt: skip
App = Literal["whatsapp", "telegram", "signal", "viber", "line", "wechat", "messenger", "threema", "matrix"]


@dataclass(frozen=True, slots=True)
class Service:
    """``address`` is where an account is, with ``{}`` for its handle; empty where none can be made of it."""

    name: str
    address: str = ""
    # Whether the handle is a telephone number.
    by_number: bool = False


NETWORKS: Final[dict[Network, Service]] = {
    "linkedin": Service("LinkedIn", "https://www.linkedin.com/in/{}"),
    "instagram": Service("Instagram", "https://www.instagram.com/{}"),
    "x": Service("X", "https://x.com/{}"),
    "facebook": Service("Facebook", "https://www.facebook.com/{}"),
    "tiktok": Service("TikTok", "https://www.tiktok.com/@{}"),
    "youtube": Service("YouTube", "https://www.youtube.com/@{}"),
    "github": Service("GitHub", "https://github.com/{}"),
    "xing": Service("XING", "https://www.xing.com/profile/{}"),
    "threads": Service("Threads", "https://www.threads.net/@{}"),
    "mastodon": Service("Mastodon"),
    "bluesky": Service("Bluesky", "https://bsky.app/profile/{}"),
    "pinterest": Service("Pinterest", "https://www.pinterest.com/{}"),
    "snapchat": Service("Snapchat", "https://www.snapchat.com/add/{}"),
    "behance": Service("Behance", "https://www.behance.net/{}"),
    "dribbble": Service("Dribbble", "https://dribbble.com/{}"),
    "medium": Service("Medium", "https://medium.com/@{}"),
    "vimeo": Service("Vimeo", "https://vimeo.com/{}"),
    "soundcloud": Service("SoundCloud", "https://soundcloud.com/{}"),
    "spotify": Service("Spotify", "https://open.spotify.com/user/{}"),
    "twitch": Service("Twitch", "https://www.twitch.tv/{}"),
}
MESSENGERS: Final[dict[App, Service]] = {
    "whatsapp": Service("WhatsApp", "https://wa.me/{}", by_number=True),
    "telegram": Service("Telegram", "https://t.me/{}"),
    "signal": Service("Signal", "https://signal.me/#p/+{}", by_number=True),
    "viber": Service("Viber", "viber://chat?number=%2B{}", by_number=True),
    "line": Service("LINE", "https://line.me/ti/p/~{}"),
    "wechat": Service("WeChat", "weixin://dl/chat?{}"),
    "messenger": Service("Messenger", "https://m.me/{}"),
    "threema": Service("Threema", "https://threema.id/{}"),
    "matrix": Service("Matrix", "https://matrix.to/#/@{}"),
}


def address_of(service: Service, handle: str) -> str:
    """Where the account with this handle is."""
    told = re.sub(r"\D", "", handle) if service.by_number else quote(handle.strip().removeprefix("@"), safe="@:.-_~")
    return service.address.format(told)
