"""The scratch card behind an address: below its receipt's, or at the link of a free entry."""

from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from sqlalchemy import Connection
from starlette.requests import Request

from accounts import find as accounts_find
from accounts.find import BrandLook
from api.contexts_after_sale import ScratchCard
from api.house import House
from api.reader import wishes
from api.scratch_view import CardLinks, Held, card_view
from api.wallets import buttons
from engagement.rewards import find, keys, links
from engagement.rewards.records import CampaignRecord, RewardRecord
from infra.i18n import Voice, voice
from infra.secrets import Unsealable
from kernel.errors import NotFound
from kernel.ids import is_token
from kernel.locale import choose
from receipts import find as receipts_find
from receipts.records import ReceiptRecord

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Behind:
    """``here`` is the card's own address. A card of a receipt is shown on that, one of a free entry on its own page."""

    merchant_id: str
    reward_id: str
    here: str
    record: ReceiptRecord | None


@dataclass(frozen=True, slots=True)
class Shown:
    """A card with what its words depend on."""

    behind: Behind
    held: Held
    look: BrandLook


def behind(conn: Connection, house: House, request: Request) -> Behind:
    """Raises :class:`NotFound`."""
    card, token = request.path_params["card"], request.path_params.get("token")
    found = _free(conn, house, card) if token is None else _of_receipt(conn, token, card)
    if found is None:
        raise NotFound("There is no such scratch card")
    return found


def shown(conn: Connection, house: House, found: Behind, reward: RewardRecord | None = None) -> Shown:
    """``reward`` is the card where it is known already."""
    reward = reward or find.reward(conn, found.merchant_id, found.reward_id)
    campaign = find.campaign(conn, found.merchant_id, reward.campaign_id)
    record = found.record
    look = accounts_find.brand_look(conn, found.merchant_id, record.brand_id) if record else look_of(conn, campaign)
    return Shown(found, held(conn, house, reward, campaign), look)


def held(conn: Connection, house: House, reward: RewardRecord, campaign: CampaignRecord) -> Held:
    has_code = reward.prize is not None and reward.revealed_at is not None and not reward.is_over(house.clock())
    return Held(reward, campaign, _code(conn, house, reward) if has_code else "")


def _code(conn: Connection, house: House, reward: RewardRecord) -> str:
    """Empty where it cannot be told: the receipt shall be shown all the same."""
    try:
        return keys.code_of(conn, house.reward_keys, reward)
    except Unsealable as problem:
        _log.error("reward_code_not_told", reward=reward.id, why=problem.detail)
        return ""


def look_of(conn: Connection, campaign: CampaignRecord) -> BrandLook:
    """Of the first brand whose receipts earn its cards. Raises :class:`NotFound` of a merchant without a brand."""
    brands = accounts_find.brands(conn, campaign.merchant_id)
    named = [each for each in brands if each.slug in campaign.definition.brands]
    if not brands:
        raise NotFound("There is no such campaign")
    return (named or brands)[0]


def words_for(request: Request, shown: Shown) -> Voice:
    """As :func:`api.reader.language_of` chooses; with the figures of the receipt's country, where there is one."""
    record, look = shown.behind.record, shown.look
    own = [record.content.language] if record else []
    language = choose([*wishes(request), *own], look.languages, look.languages[0])
    return voice(language, record.issuer.address.get("country") if record else None)


def view(house: House, shown: Shown, words: Voice) -> ScratchCard:
    links_ = links_of(house, shown.held, shown.behind.here, words.language)
    return card_view(shown.held, links_, words, now=house.clock())


def links_of(house: House, card: Held, here: str, language: str) -> CardLinks:
    campaign, wallets = f"/campaigns/{card.campaign.id}", buttons(house)
    return CardLinks(
        action=f"{here}?lang={language}",
        take=f"{here}/taken",
        pkpass=f"{here}.pkpass?lang={language}" if wallets.apple else "",
        google=f"{here}/google" if wallets.google else "",
        rules=f"{campaign}?lang={language}",
        proof=f"{campaign}/fair?lang={language}&card={card.reward.id}",
    )


def cards_of(conn: Connection, house: House, record: ReceiptRecord) -> Sequence[Held]:
    """Of a receipt, oldest first."""
    rewards = find.of_receipt(conn, record.merchant_id, record.id)
    campaigns = {each: find.campaign(conn, record.merchant_id, each) for each in {one.campaign_id for one in rewards}}
    return [held(conn, house, each, campaigns[each.campaign_id]) for each in rewards]


def below_receipt(token: str, reward_id: str) -> str:
    return f"/r/{token}/scratch/{reward_id}"


def _of_receipt(conn: Connection, token: str, card: str) -> Behind | None:
    record = receipts_find.by_token(conn, token) if is_token(token) else None
    if record is None or all(each.id != card for each in find.of_receipt(conn, record.merchant_id, record.id)):
        return None
    return Behind(record.merchant_id, card, below_receipt(record.token, card), record)


def _free(conn: Connection, house: House, link: str) -> Behind | None:
    found = links.card_behind(conn, house.scratch_key, link)
    return Behind(*found, f"/x/{link}", None) if found else None
