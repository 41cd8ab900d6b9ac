"""A prize as an object of Google Wallet: the type ``generic``, as a voucher, of a class that all prizes of a brand
share.

https://developers.google.com/wallet/reference/rest/v1/genericobject. There is a type for offers too, but its title,
terms and colour stand in the class: each prize would need one of its own, which Google reviews first.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any, Final
from zoneinfo import ZoneInfo

import orjson
from sqlalchemy import Connection, select

from accounts import find as accounts_find
from accounts.find import BrandLook
from engagement.rewards import find
from engagement.rewards.keys import RewardKeys, code_of
from engagement.rewards.records import CampaignRecord, PrizeRecord, RewardRecord
from engagement.rewards.supplying import ally_of
from engagement.rewards.tables import GooglePrize
from engagement.rewards.words import from_ally, in_groups, in_words, worth
from infra.google_wallet import GoogleWallet, image, said
from infra.i18n import Voice, voice
from infra.theme import theme
from kernel.clock import iso
from kernel.errors import NotFound
from kernel.locale import LANGUAGES

_EXPIRY: Final = {"expiryNotification": {"enableNotification": True}}


@dataclass(frozen=True, slots=True)
class Taken:
    """A prize that somebody took. ``look`` is the brand by which it was won, ``ally`` that of who hands it out where
    that is another merchant. ``code`` is empty where it cannot be used any more, as ``state`` then says in Google's
    words."""

    reward: RewardRecord
    prize: PrizeRecord
    campaign: CampaignRecord
    look: BrandLook
    ally: BrandLook | None
    country: str | None
    state: str
    code: str = field(repr=False)

    @property
    def voices(self) -> dict[str, Voice]:
        """Those of the brand, its own language first."""
        spoken = [each for each in self.look.languages if each in LANGUAGES] or ["en"]
        return {each: voice(each, self.country) for each in spoken}


def taken(conn: Connection, keys: RewardKeys, merchant_id: str, reward_id: str, *, now: datetime) -> Taken:
    """Raises :class:`NotFound` for a prize that nobody took."""
    mine = (GooglePrize.merchant_id == merchant_id, GooglePrize.reward_id == reward_id)
    row = conn.execute(select(GooglePrize.brand_id, GooglePrize.country).where(*mine)).one_or_none()
    reward = find.reward(conn, merchant_id, reward_id)
    if row is None or reward.prize is None:
        raise NotFound("Nobody took this prize")
    state = _state(reward, now)
    return Taken(
        reward=reward,
        prize=reward.prize,
        campaign=find.campaign(conn, merchant_id, reward.campaign_id),
        look=accounts_find.brand_look(conn, merchant_id, row.brand_id),
        ally=ally_of(conn, merchant_id, reward.prize),
        country=row.country,
        state=state,
        code=code_of(conn, keys, reward) if state == "ACTIVE" else "",
    )


def object_id(wallet: GoogleWallet, taken: Taken) -> str:
    return wallet.named(taken.reward.id)


def class_id(wallet: GoogleWallet, taken: Taken) -> str:
    """Another than that of the brand's cards: Google lets each have its own layout."""
    return wallet.named(f"{taken.look.id}.prizes")


def write(wallet: GoogleWallet, taken: Taken, *, base_url: str) -> None:
    """The object as the prize is, and its class. Raises :class:`infra.google_wallet.GoogleWalletDown`."""
    wallet.make_class(class_id(wallet, taken))
    wallet.put(content(wallet, taken, base_url=base_url))


def digest(content: Mapping[str, Any]) -> str:
    """SHA-256 in hex of an object without its code, which follows from whose it is."""
    told = {name: value for name, value in content.items() if name != "barcode"}
    return sha256(orjson.dumps(told, option=orjson.OPT_SORT_KEYS)).hexdigest()


def content(wallet: GoogleWallet, taken: Taken, *, base_url: str) -> dict[str, Any]:
    """Of a prize that cannot be used: what it was, no more."""
    giver = taken.ally or taken.look
    made = {
        "id": object_id(wallet, taken),
        "classId": class_id(wallet, taken),
        "genericType": "GENERIC_VOUCHER",
        "state": taken.state,
        "cardTitle": said({giver.languages[0]: giver.name}),
        "subheader": _in_all(taken, lambda words: _from(taken, words)),
        "header": _in_all(taken, lambda words: worth(taken.prize, words) or _name(taken, words)),
        "hexBackgroundColor": theme(giver.colour).light.brand,
        "validTimeInterval": {"end": {"date": iso(taken.reward.expires_at)}},
    }
    if giver.logo_key and base_url.startswith("https://"):
        made["logo"] = image(f"{base_url}/media/{giver.logo_key}")
    return made | (_usable(taken, base_url) if taken.code else {})


def _usable(taken: Taken, base_url: str) -> dict[str, Any]:
    code = {"type": "QR_CODE", "value": taken.code, "alternateText": in_groups(taken.code)}
    made = {"barcode": code, "textModulesData": list(_texts(taken)), "notifications": _EXPIRY}
    rules = {
        "id": "rules",
        "uri": f"{base_url}/campaigns/{taken.campaign.id}",
        "localizedDescription": _in_all(taken, lambda words: words.gettext("Rules and odds")),
    }
    # Others would be refused, and the whole object with them.
    return made | ({"linksModuleData": {"uris": [rules]}} if base_url.startswith("https://") else {})


def _texts(taken: Taken) -> Iterator[dict[str, Any]]:
    yield _text(taken, "until", lambda words: words.gettext("Valid until"), lambda words: _until(taken, words))
    if any(worth(taken.prize, words) not in ("", _name(taken, words)) for words in taken.voices.values()):
        yield _text(taken, "prize", lambda words: words.gettext("Prize"), lambda words: _name(taken, words))
    if taken.prize.definition.terms:
        terms = taken.prize.definition.terms
        yield _text(taken, "terms", lambda words: words.gettext("Terms"), lambda words: in_words(terms, words.language))


def _text(taken: Taken, name: str, header: Callable[[Voice], str], body: Callable[[Voice], str]) -> dict[str, Any]:
    return {"id": name, "localizedHeader": _in_all(taken, header), "localizedBody": _in_all(taken, body)}


def _in_all(taken: Taken, tell: Callable[[Voice], str]) -> dict[str, Any]:
    return said({language: tell(words) for language, words in taken.voices.items()})


def _from(taken: Taken, words: Voice) -> str:
    """Whom it is from where another hands it out; else what it was won in."""
    if taken.ally is not None:
        return from_ally(taken.look.name, words)
    return in_words(taken.campaign.definition.name, words.language)


def _name(taken: Taken, words: Voice) -> str:
    return in_words(taken.prize.definition.name, words.language)


def _until(taken: Taken, words: Voice) -> str:
    """On the campaign's own clock."""
    return words.formats.moment(taken.reward.expires_at, ZoneInfo(taken.campaign.definition.timezone)).date


def _state(reward: RewardRecord, now: datetime) -> str:
    """Google hides what is inactive among what has expired."""
    if reward.state == "redeemed":
        return "COMPLETED"
    if reward.state == "void":
        return "INACTIVE"
    return "EXPIRED" if reward.is_over(now) else "ACTIVE"
