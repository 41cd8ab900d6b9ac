"""The stub of a receipt on which its scratch cards are."""

from collections.abc import Sequence

from sqlalchemy import Connection

from api.contexts import ScratchCards, Stub
from api.house import House
from api.scratch_view import CardLinks, Held, card_view
from engagement.rewards import find, keys
from engagement.rewards.records import CampaignRecord, RewardRecord
from infra.i18n import voice
from receipts.records import ReceiptRecord


def cards_of(conn: Connection, house: House, record: ReceiptRecord) -> Sequence[Held]:
    rewards = find.of_receipt(conn, record.merchant_id, record.id)
    campaigns = {each: find.campaign(conn, record.merchant_id, each) for each in {one.campaign_id for one in rewards}}
    return [held(conn, house, each, campaigns[each.campaign_id]) for each in rewards]


def held(conn: Connection, house: House, reward: RewardRecord, campaign: CampaignRecord) -> Held:
    has_code = reward.prize is not None and reward.revealed_at is not None and not reward.is_over(house.clock())
    return Held(reward, campaign, keys.code_of(conn, house.reward_keys, reward) if has_code else "")


def stub(house: House, record: ReceiptRecord, cards: Sequence[Held], language: str) -> Stub:
    words, now = voice(language, record.issuer.address.get("country")), house.clock()
    here = f"/r/{record.token}/scratch"
    shown = [card_view(each, links_of(house, each, here, language), words, now=now) for each in cards]
    return Stub("scratch", "stubs/scratch.html", ScratchCards(tuple(shown)))


def links_of(house: House, card: Held, here: str, language: str) -> CardLinks:
    """``here`` is the address below which the cards of a receipt, or the one of a free entry, are."""
    reward, campaign = card.reward.id, f"/campaigns/{card.campaign.id}"
    return CardLinks(
        action=f"{here}/{reward}?lang={language}",
        take=f"{here}/{reward}/taken",
        pkpass="" if house.settings.wallet.lacking_for_apple else f"{here}/{reward}.pkpass?lang={language}",
        rules=f"{campaign}?lang={language}",
        proof=f"{campaign}/fair?lang={language}&card={reward}",
    )
