"""Which sales earn a scratch card: a tree of conditions, written by a merchant and asked of a sale. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Final, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializationInfo,
    StringConstraints,
    field_serializer,
    model_validator,
)

from accounts.fields import HOURS, Code, Name, Slug
from engagement.rewards.amounts import Amount, KnownCurrency, written

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
_DAYS: Final[tuple[Day, ...]] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MOST: Final = 200
_DEEPEST: Final = 8
Hours = Annotated[str, StringConstraints(pattern=HOURS)]


@dataclass(frozen=True, slots=True)
class Facts:
    """What the rules may ask of a sale. ``spend`` is in minor units of ``currency``; ``sold_at`` is a wall clock's time
    at the store."""

    spend: int
    currency: str
    store: str
    brand: str
    sold_at: datetime
    skus: frozenset[str] = frozenset()
    categories: frozenset[str] = frozenset()
    segments: frozenset[str] = frozenset()
    channels: frozenset[str] = frozenset()
    is_known: bool = False
    is_first: bool = False


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class AllRule(_Part):
    """Holds where each of `of` does."""

    kind: Literal["all"]
    of: list["Rule"] = Field(min_length=1, max_length=_MOST)

    def holds(self, facts: Facts) -> bool:
        return all(each.holds(facts) for each in self.of)


class AnyRule(_Part):
    """Holds where one of `of` does."""

    kind: Literal["any"]
    of: list["Rule"] = Field(min_length=1, max_length=_MOST)

    def holds(self, facts: Facts) -> bool:
        return any(each.holds(facts) for each in self.of)


class NotRule(_Part):
    """Holds where `of` does not."""

    kind: Literal["not"]
    of: "Rule"

    def holds(self, facts: Facts) -> bool:
        return not self.of.holds(facts)


class SpendRule(_Part):
    """Net spend: what goods and services cost after discounts and with taxes, without tip, deposits, gift cards and
    donations."""

    kind: Literal["spend"]
    currency: KnownCurrency
    at_least: Amount = Field(description="A decimal string, of `currency`.")

    @field_serializer("at_least", when_used="json")
    def _write(self, at_least: int, info: SerializationInfo) -> str:
        return written(at_least, self.currency, info)

    def holds(self, facts: Facts) -> bool:
        return facts.currency == self.currency and facts.spend >= self.at_least


class StoreRule(_Part):
    kind: Literal["store"]
    any_of: list[Slug] = Field(min_length=1, max_length=_MOST)

    def holds(self, facts: Facts) -> bool:
        return facts.store in self.any_of


class BrandRule(_Part):
    kind: Literal["brand"]
    any_of: list[Slug] = Field(min_length=1, max_length=_MOST)

    def holds(self, facts: Facts) -> bool:
        return facts.brand in self.any_of


class SkuRule(_Part):
    """One of these is on the receipt."""

    kind: Literal["sku"]
    any_of: list[Code] = Field(min_length=1, max_length=_MOST)

    def holds(self, facts: Facts) -> bool:
        return not facts.skus.isdisjoint(self.any_of)


class CategoryRule(_Part):
    """Something of one of these categories is on the receipt."""

    kind: Literal["category"]
    any_of: list[Name] = Field(min_length=1, max_length=_MOST)

    def holds(self, facts: Facts) -> bool:
        return not facts.categories.isdisjoint(self.any_of)


class SegmentRule(_Part):
    """The shopper is in one of these segments, as the till tells it: `segments` in the sale's `metadata`."""

    kind: Literal["segment"]
    any_of: list[Name] = Field(min_length=1, max_length=_MOST)

    def holds(self, facts: Facts) -> bool:
        return not facts.segments.isdisjoint(self.any_of)


class FirstPurchaseRule(_Part):
    """A shopper whom the till names, and who has no earlier receipt here."""

    kind: Literal["first_purchase"]

    def holds(self, facts: Facts) -> bool:
        return facts.is_known and facts.is_first


class KnownShopperRule(_Part):
    """A shopper whom the till names: by customer number, loyalty card, email address or telephone."""

    kind: Literal["known_shopper"]

    def holds(self, facts: Facts) -> bool:
        return facts.is_known


class WeekdayRule(_Part):
    """By the store's clock."""

    kind: Literal["weekday"]
    any_of: list[Day] = Field(min_length=1, max_length=7)

    def holds(self, facts: Facts) -> bool:
        return _DAYS[facts.sold_at.weekday()] in self.any_of


class HoursRule(_Part):
    """By the store's clock: from the first minute to before the last."""

    kind: Literal["hours"]
    any_of: list[Hours] = Field(min_length=1, max_length=24)

    def holds(self, facts: Facts) -> bool:
        now = facts.sold_at.strftime("%H:%M")
        return any(_within(now, *each.split("-")) for each in self.any_of)


class ChannelRule(_Part):
    """How it was sold: the sale's `service` (`in_store` where it names none), or the system it came from (`api`,
    `shopify`)."""

    kind: Literal["channel"]
    any_of: list[Code] = Field(min_length=1, max_length=20)

    def holds(self, facts: Facts) -> bool:
        return not facts.channels.isdisjoint(self.any_of)


Rule = Annotated[
    AllRule
    | AnyRule
    | NotRule
    | SpendRule
    | StoreRule
    | BrandRule
    | SkuRule
    | CategoryRule
    | SegmentRule
    | FirstPurchaseRule
    | KnownShopperRule
    | WeekdayRule
    | HoursRule
    | ChannelRule,
    Field(discriminator="kind"),
]


class Eligibility(_Part):
    """A tree of at most 200 rules, 8 deep."""

    rule: Rule

    @model_validator(mode="after")
    def _is_not_too_large(self) -> Self:
        if _depth(self.rule) > _DEEPEST or sum(1 for _ in parts(self.rule)) > _MOST:
            raise ValueError(f"has more than {_MOST} rules, or is more than {_DEEPEST} deep")
        return self


for _model in (AllRule, AnyRule, NotRule, Eligibility):
    _model.model_rebuild()


def _within(now: str, begin: str, end: str) -> bool:
    """Also over midnight."""
    return begin <= now < end if begin < end else now >= begin or now < end


def _below(rule: Rule) -> list[Rule]:
    if isinstance(rule, AllRule | AnyRule):
        return rule.of
    return [rule.of] if isinstance(rule, NotRule) else []


def _depth(rule: Rule) -> int:
    return 1 + max((_depth(each) for each in _below(rule)), default=0)


def parts(rule: Rule) -> Iterator[Rule]:
    """The rule and all that it is made of."""
    yield rule
    for each in _below(rule):
        yield from parts(each)


def holds(rule: Rule | None, facts: Facts) -> bool:
    """Without a rule every sale does."""
    return rule is None or rule.holds(facts)


def least_spend(rule: Rule | None, facts: Facts) -> int:
    """Of a sale for which ``rule`` holds: the least net spend with which it still would, all else being as it is.

    A refund that leaves less undoes what was earned. Between two thresholds of the tree nothing changes, so only they
    are tried.
    """
    if rule is None:
        return 0
    least = facts.spend
    for spend in sorted({0, *thresholds(rule)}, reverse=True):
        if spend <= facts.spend:
            if not rule.holds(replace(facts, spend=spend)):
                break
            least = spend
    return least


def thresholds(rule: Rule) -> set[int]:
    return {each.at_least for each in parts(rule) if isinstance(each, SpendRule)}


def truths(rule: Rule | None, facts: Facts) -> str | None:
    """Whether each part of the rule holds, as a ``0`` or a ``1`` in the order of :func:`parts`; None where it asks for
    no goods, since then the least spend tells what a refund undoes."""
    if rule is None or not any(isinstance(each, SkuRule | CategoryRule) for each in parts(rule)):
        return None
    return "".join("1" if each.holds(facts) else "0" for each in parts(rule))


def still_holds(rule: Rule, truths: str, facts: Facts) -> bool:
    """Asked again after goods came back: what asks for goods or spend looks at ``facts``, of which nothing else is
    read; all else is as ``truths`` has it."""
    return _still_holds(rule, iter(truths), facts)


def _still_holds(rule: Rule, truths: Iterator[str], facts: Facts) -> bool:
    held = next(truths) == "1"
    # Each part is asked, or those after it would read the wrong sign.
    below = [_still_holds(each, truths, facts) for each in _below(rule)]
    if isinstance(rule, SpendRule | SkuRule | CategoryRule):
        return rule.holds(facts)
    if isinstance(rule, NotRule):
        return not below[0]
    if isinstance(rule, AllRule | AnyRule):
        return all(below) if isinstance(rule, AllRule) else any(below)
    return held


def store_clock(moment: datetime, timezone: str) -> datetime:
    """What a clock at the store shows then."""
    return moment.astimezone(ZoneInfo(timezone))
