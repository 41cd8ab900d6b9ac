"""A scratch card in a reader's words."""

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from markupsafe import Markup

from api.contexts import Moment
from api.contexts_after_sale import ScratchCard, Won
from engagement.rewards.records import CampaignRecord, PrizeRecord, RewardRecord
from engagement.rewards.words import in_groups, in_words, worth
from infra import qr
from infra.i18n import Voice

_QR_MARGIN: Final = 2


@dataclass(frozen=True, slots=True)
class Held:
    """A card with its campaign. ``code`` is empty before it is scratched, where there is none or it is over, and where
    it cannot be told."""

    reward: RewardRecord
    campaign: CampaignRecord
    code: str


@dataclass(frozen=True, slots=True)
class CardLinks:
    """``action`` takes the form that reveals it, ``take`` a word that its code was taken along; ``pkpass`` and
    ``google`` are empty where no passes are made for that wallet."""

    action: str
    take: str
    pkpass: str
    google: str
    rules: str
    proof: str


def card_view(held: Held, links: CardLinks, words: Voice, *, now: datetime) -> ScratchCard:
    """Nothing of the outcome is in it before the card is scratched."""
    reward, campaign = held.reward, held.campaign
    card = ScratchCard(
        state="hidden",
        campaign=in_words(campaign.definition.name, words.language),
        action=links.action,
        minimum_age=campaign.definition.minimum_age or 0,
        until=None,
        note="",
        rules=links.rules,
        proof=links.proof,
    )
    if reward.state == "void":
        return replace(card, state="gone", note=_why_void(reward, words))
    if reward.revealed_at is None:
        return _unscratched(card, held, words, now)
    if reward.prize is None:
        return replace(card, state="lost", note=_share_that_wins(campaign, words))
    return replace(card, state="won", won=_won(held, reward.prize, links, words, now))


def day(moment: datetime, campaign: CampaignRecord, words: Voice) -> Moment:
    """On the campaign's own clock."""
    told = words.formats.moment(moment, ZoneInfo(campaign.definition.timezone))
    return Moment(told.iso, told.date)


def _unscratched(card: ScratchCard, held: Held, words: Voice, now: datetime) -> ScratchCard:
    if held.reward.is_over(now):
        return replace(card, state="gone", note=words.gettext("It was not scratched in time"))
    return replace(card, until=day(held.reward.expires_at, held.campaign, words))


def _why_void(reward: RewardRecord, words: Voice) -> str:
    _ = words.gettext
    if reward.void_reason == "withdrawn":
        return _("The shop has taken this card back")
    return _("It went back with what was bought")


def _share_that_wins(campaign: CampaignRecord, words: Voice) -> str:
    share = words.formats.percent(winning_percent(campaign))
    return words.gettext("%(share)s of all cards win. Thank you for playing.") % {"share": share}


def winning_percent(campaign: CampaignRecord) -> Decimal:
    """Of all cards, as the table has it; to a tenth, or to as many digits as it takes to be more than nothing."""
    prizes = sum(chances(campaign))
    exact = Decimal(100 * prizes) / Decimal(prizes + campaign.definition.nothing)
    rounded = round(exact, 1)
    return rounded or round(exact, 4)


def chances(campaign: CampaignRecord) -> list[int]:
    """Of each prize, in the order of the table: its weight in a draw, how often it is in a deck."""
    is_deck = campaign.definition.mode == "deck"
    return [prize.stock if is_deck else prize.weight for prize in campaign.prizes]


def _won(held: Held, prize: PrizeRecord, links: CardLinks, words: Voice, now: datetime) -> Won:
    reward = held.reward
    won = Won(
        name=in_words(prize.definition.name, words.language),
        value=worth(prize, words),
        terms=in_words(prize.definition.terms, words.language),
        place=prize.supplier_name if prize.supplier_id != reward.merchant_id else "",
    )
    if reward.is_over(now):
        return replace(won, note=_how_it_ended(held, words))
    if not held.code:
        note = words.gettext("This code cannot be shown just now. Please come back later.")
        return replace(won, until=day(reward.expires_at, held.campaign, words), note=note)
    return replace(
        won,
        until=day(reward.expires_at, held.campaign, words),
        code=in_groups(held.code),
        qr=Markup(qr.svg(held.code, margin=_QR_MARGIN, title=words.gettext("QR code"))),  # noqa: S704 - our own drawing
        pkpass=links.pkpass,
        google=links.google,
        take=links.take,
        note=_held_at_a_till(reward, words, now),
    )


def _held_at_a_till(reward: RewardRecord, words: Voice, now: datetime) -> str:
    is_held = reward.state == "reserved" and reward.reserved_until is not None and now < reward.reserved_until
    return words.gettext("A till is using this code right now") if is_held else ""


def _how_it_ended(held: Held, words: Voice) -> str:
    _ = words.gettext
    if held.reward.state == "redeemed" and held.reward.redeemed_at is not None:
        return _("Used on %(day)s") % {"day": day(held.reward.redeemed_at, held.campaign, words).text}
    return _("It was not used in time")
