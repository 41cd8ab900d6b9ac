"""What a draft lacks before it can be launched, field by field. Pure."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from cards.names import country_code
from engagement.rewards.definition import MOST_SLOTS, Definition, instant
from engagement.rewards.records import CampaignRecord, PrizeRecord
from engagement.rewards.rules import AllRule, AnyRule, BrandRule, NotRule, Rule, StoreRule
from kernel.errors import FieldError


@dataclass(frozen=True, slots=True)
class Known:
    """What the merchant has: slugs of stores and brands, and the ids of allies with whom it is agreed."""

    stores: Collection[str]
    brands: Collection[str]
    allies: Collection[str]


def lacks(campaign: CampaignRecord, known: Known, *, now: datetime) -> list[FieldError]:
    """Empty where it can be launched."""
    return [
        *_times(campaign, now),
        *_countries(campaign.definition),
        *_texts(campaign.definition),
        *_caps(campaign.definition),
        *_sizes(campaign),
        *_budget(campaign),
        *(wrong for prize in campaign.prizes for wrong in _prize(campaign, prize, known)),
        *_rule(campaign.definition, known),
    ]


def stock_of(prize: PrizeRecord) -> int:
    return prize.codes if prize.definition.codes == "pool" else prize.stock


def _times(campaign: CampaignRecord, now: datetime) -> Iterator[FieldError]:
    if campaign.ends_at <= campaign.starts_at:
        yield FieldError("/ends_at", "must be after starts_at")
    elif campaign.ends_at <= now:
        yield FieldError("/ends_at", "must be in the future")


def _countries(told: Definition) -> Iterator[FieldError]:
    for at, code in enumerate(told.countries):
        if country_code(code) != code:
            yield FieldError(f"/countries/{at}", "is no country of ISO 3166; DE or GB would be one")


def _texts(told: Definition) -> Iterator[FieldError]:
    for language in told.name:
        if language not in told.rules:
            yield FieldError(f"/rules/{language}", "is missing; there must be rules in each language of the name")


def _caps(told: Definition) -> Iterator[FieldError]:
    if told.caps.per_receipt > 1 and told.for_each is None:
        yield FieldError("/for_each", "is missing; it says for how much of net spend there is another card")


def _sizes(campaign: CampaignRecord) -> Iterator[FieldError]:
    if not campaign.prizes:
        yield FieldError("/prizes", "must hold a prize")
    blanks = campaign.definition.nothing if campaign.definition.mode == "deck" else 0
    if sum(stock_of(each) for each in campaign.prizes) + blanks > MOST_SLOTS:
        yield FieldError("/prizes", f"must come to at most {MOST_SLOTS} pieces, blanks of a deck included")


def _budget(campaign: CampaignRecord) -> Iterator[FieldError]:
    budget, is_deck = campaign.definition.budget, campaign.definition.mode == "deck"
    amount = sum(stock_of(each) * each.face_value for each in campaign.prizes)
    count = sum(stock_of(each) for each in campaign.prizes)
    if is_deck and budget.amount is not None and amount > budget.amount:
        yield FieldError("/budget/amount", "must hold all prizes of the deck; all of them will be given")
    if is_deck and budget.prizes is not None and count > budget.prizes:
        yield FieldError("/budget/prizes", "must hold all prizes of the deck; all of them will be given")


def _prize(campaign: CampaignRecord, prize: PrizeRecord, known: Known) -> Iterator[FieldError]:
    at = f"/prizes/{prize.position}"
    yield from _worth(campaign, prize, at)
    yield from _amounts(campaign, prize, at)
    yield from _validity(campaign, prize, at)
    if prize.supplier_id != campaign.merchant_id:
        if prize.supplier_id not in known.allies:
            yield FieldError(f"{at}/supplier", "must be a merchant with whom an alliance is agreed")
        elif prize.consented_at is None:
            yield FieldError(f"{at}/supplier", "must consent to the prize before")


def _worth(campaign: CampaignRecord, prize: PrizeRecord, at: str) -> Iterator[FieldError]:
    told, budget = prize.definition, campaign.definition.budget.amount
    for kind, name in (("percent_off", "percent"), ("free_product", "product"), ("points", "points")):
        is_given = getattr(told, name) is not None
        if kind == told.kind and not is_given:
            yield FieldError(f"{at}/{name}", f"is missing; {kind} needs it")
        elif kind != told.kind and is_given:
            yield FieldError(f"{at}/{name}", f"must be left out; it is of {kind}")
    if prize.face_value == 0 and told.kind in ("amount_off", "percent_off"):
        yield FieldError(f"{at}/face_value", "must be more than 0")
    if budget is not None and prize.currency != campaign.definition.currency:
        yield FieldError(f"{at}/currency", "must be the campaign's, since its budget is an amount of that")
    elif budget is not None and prize.face_value > budget:
        yield FieldError(f"{at}/face_value", "must be within the budget")


def _amounts(campaign: CampaignRecord, prize: PrizeRecord, at: str) -> Iterator[FieldError]:
    told = prize.definition
    if campaign.definition.mode == "draw" and told.weight is None:
        yield FieldError(f"{at}/weight", "is missing; a draw needs it")
    if campaign.definition.mode == "deck" and told.weight is not None:
        yield FieldError(f"{at}/weight", "must be left out; in a deck the stock says how often it comes")
    if told.codes == "pool" and prize.importing_since is not None:
        yield FieldError(f"{at}/codes", "must be imported again; the last import was not finished")
    elif told.codes == "pool" and prize.codes == 0:
        yield FieldError(f"{at}/codes", "must be imported before")
    if told.codes == "pool" and told.stock is not None:
        yield FieldError(f"{at}/stock", "must be left out; there are as many as there are codes")
    if told.codes == "minted" and told.stock is None:
        yield FieldError(f"{at}/stock", "is missing")


def _validity(campaign: CampaignRecord, prize: PrizeRecord, at: str) -> Iterator[FieldError]:
    told = prize.definition
    if (told.valid_days is None) == (told.valid_until is None):
        yield FieldError(f"{at}/valid_days", "must be given, or else valid_until, and not both")
    days = campaign.definition.late_days + campaign.definition.scratch_days
    if told.valid_until is not None:
        ends = instant(told.valid_until, campaign.definition.timezone, is_end=True)
        if ends < campaign.ends_at + timedelta(days=days):
            yield FieldError(f"{at}/valid_until", "must not be before ends_at, late_days and scratch_days have passed")


def _rule(told: Definition, known: Known) -> Iterator[FieldError]:
    if told.eligibility is not None:
        yield from _named(told.eligibility.rule, known, "/eligibility/rule")


def _named(rule: Rule, known: Known, at: str) -> Iterator[FieldError]:
    """Stores and brands of rules that the merchant does not have: such a rule would never hold."""
    if isinstance(rule, AllRule | AnyRule):
        for index, each in enumerate(rule.of):
            yield from _named(each, known, f"{at}/of/{index}")
    elif isinstance(rule, NotRule):
        yield from _named(rule.of, known, f"{at}/of")
    elif isinstance(rule, StoreRule | BrandRule):
        mine = known.stores if isinstance(rule, StoreRule) else known.brands
        for index, slug in enumerate(rule.any_of):
            if slug not in mine:
                yield FieldError(f"{at}/any_of/{index}", f"is not a {rule.kind} of this merchant")
