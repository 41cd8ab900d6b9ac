"""Accounts at networks and messengers, from the properties of a vCard."""

import re
from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import unquote, urlsplit

from cards.networks import MESSENGERS, NETWORKS, App, Network, Service, address_of
from cards.profile import Link, Messenger, Social
from cards.vcard_lines import one_line, url
from cards.vcard_property import Property
from cards.vcard_taken import Taken

_WEB: Final = re.compile(r"https?://", re.IGNORECASE)
_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):(?://)?")
_NO_LETTERS: Final = re.compile("[^a-z]")
# What others call them.
_NETWORKS: Final[dict[str, Network]] = {"twitter": "x", "bsky": "bluesky", "fb": "facebook"}
_APPS: Final[dict[str, App]] = {
    "tg": "telegram", "sgnl": "signal", "weixin": "wechat", "facebook": "messenger", "facebookmessenger": "messenger",
    "fbmessenger": "messenger", "whatsappbusiness": "whatsapp",
}  # fmt: skip
_HOSTS: Final = {
    "twitter.com": "x", "fb.com": "facebook", "m.facebook.com": "facebook", "api.whatsapp.com": "whatsapp",
    "telegram.me": "telegram", "threads.com": "threads",
}  # fmt: skip
_SERVICES: Final[Mapping[str, Service]] = dict([*NETWORKS.items(), *MESSENGERS.items()])
_AT: Final = _HOSTS | {
    host.removeprefix("www."): key
    for key, service in _SERVICES.items()
    if _WEB.match(service.address) and (host := urlsplit(service.address).netloc)
}
_UNKNOWN_NETWORK: Final = "is of a network that a card does not know"
_UNKNOWN_APP: Final = "is of a messenger that a card does not know"


def take_linked_account(taken: Taken, told: Property, address: str, label: str) -> bool:
    """Whether a link is an account, and neither has another name nor is taken by a property of its own."""
    key = _key_at(address)
    named = _plain(label)
    if named and _known(named) and _known(named) != key:
        # Such as Mastodon, which is at home anywhere.
        key = _known(named) if named in NETWORKS and not NETWORKS[named].address else ""
    if not key or (named and named != _plain(_SERVICES[key].name)):
        return False
    if key in NETWORKS:
        taken.add(told, "socials", Social, network=key, url=address)
    elif _WEB.match(address):
        taken.add(told, "messengers", Messenger, app=key, url=address)
    return True


def _take_social(taken: Taken, told: Property) -> None:
    """``X-SOCIALPROFILE`` of Apple, ``SOCIALPROFILE`` of RFC 9554. One that is not known is a link, if it is one."""
    value = one_line(told.text)
    named = [_plain(each) for each in (told.first("SERVICE-TYPE"), *sorted(told.types - {"pref"}))]
    key = next((found for each in named if (found := _network(each))), "") or _key_at(value)
    user = told.first("USERNAME", "X-USER")
    if key in NETWORKS:
        _add_social(taken, told, key, value, user)
    elif _WEB.match(value):
        taken.add(told, "links", Link, url=url(value), label=next(filter(None, named), "")[:64])
    elif value:
        taken.lose(told, _UNKNOWN_NETWORK)


def _add_social(taken: Taken, told: Property, network: Network, value: str, user: str) -> None:
    if not _WEB.match(value):
        handle = _handle(value) or user
        return taken.add(told, "socials", Social, network=network, handle=handle) if handle else None
    address = url(value)
    if user and NETWORKS[network].address and address_of(NETWORKS[network], user) == address:
        return taken.add(told, "socials", Social, network=network, handle=user)
    return taken.add(told, "socials", Social, network=network, url=address)


def _take_messenger(taken: Taken, told: Property) -> None:
    """``IMPP`` (RFC 4770), with a service's name or a scheme that tells one."""
    value = one_line(told.text)
    scheme = found[1] if (found := _SCHEME.match(value)) else ""
    named = (told.first("SERVICE-TYPE", "X-SERVICE-TYPE"), *sorted(told.types), scheme)
    app = next((each for name in named if (each := _app(_plain(name)))), "") or _key_at(value)
    if not value:
        return
    user = told.first("USERNAME") or ("" if _WEB.match(value) else _handle(value))
    if app not in MESSENGERS:
        taken.lose(told, _UNKNOWN_APP)
    elif user:
        taken.add(told, "messengers", Messenger, app=app, handle=user.removeprefix("@"))
    else:
        taken.add(told, "messengers", Messenger, app=app, url=url(value))


def _handle(value: str) -> str:
    return unquote(_SCHEME.sub("", value, count=1)).strip()


def _key_at(address: str) -> str:
    """The service at home at this address; empty where only its front page is meant, or none is."""
    try:
        parts = urlsplit(address)
        host = (parts.hostname or "").removeprefix("www.")
    except ValueError:
        return ""
    is_account = parts.path.strip("/") or parts.query or parts.fragment
    return _AT.get(host, "") if is_account and _WEB.match(address) else ""


def _known(named: str) -> str:
    return _network(named) or _app(named)


def _network(named: str) -> str:
    return named if named in NETWORKS else _NETWORKS.get(named, "")


def _app(named: str) -> str:
    return named if named in MESSENGERS else _APPS.get(named, "")


def _plain(name: str) -> str:
    return _NO_LETTERS.sub("", name.lower())


def _at_network(network: Network) -> Callable[[Taken, Property], None]:
    return lambda taken, told: _add_social(taken, told, network, one_line(told.text), "")


def _at_app(app: App) -> Callable[[Taken, Property], None]:
    def take(taken: Taken, told: Property) -> None:
        value = one_line(told.text)
        how = {"url": url(value)} if _WEB.match(value) else {"handle": value}
        if value:
            taken.add(told, "messengers", Messenger, app=app, **how)

    return take


TAKERS: Final[Mapping[str, Callable[[Taken, Property], None]]] = {
    **{f"X-{name.upper()}": _at_network(name) for name in NETWORKS},
    **{f"X-{name.upper()}": _at_app(name) for name in MESSENGERS},
    "X-TWITTER": _at_network("x"),
    "SOCIALPROFILE": _take_social,
    "X-SOCIALPROFILE": _take_social,
    "IMPP": _take_messenger,
}
