"""What the cards under their foil are to be reckoned with, by the odds. Pure.

It is worked out of nothing but what may be known: the table of prizes, what became of the cards that are told, and how
many are not. So it tells of no card what is in it, however often and whenever it is asked.
"""

from collections.abc import Sequence
from fractions import Fraction
from typing import Final

from engagement.rewards.definition import Budget
from engagement.rewards.records import CampaignRecord, PrizeRecord

_ALL: Final = Fraction(1)


def expected(campaign: CampaignRecord, told: Sequence[int], hidden: int) -> list[Fraction]:
    """Of each prize, in the table's order: how many of ``hidden`` cards have it, on average. ``told`` is how often each
    was given as far as that is told, and blanks behind them."""
    prizes, nothing = campaign.prizes, campaign.definition.nothing
    left = [max(prize.stock - count, 0) for prize, count in zip(prizes, told, strict=False)]
    if campaign.definition.mode == "deck":
        # What is not told lies in any order: in the cards, and in the rest of the deck.
        chances = [*left, max(nothing - told[-1], 0)]
    else:
        chances = [*(prize.weight for prize in prizes), nothing]
    return _within(campaign.definition.budget, prizes, told, _shares(hidden, chances, left))


def _shares(cards: int, chances: Sequence[int], left: Sequence[int]) -> list[Fraction]:
    """By the chances, of which the last is that of a blank. Of what would be given more often than it is ``left``, all
    is, and the other cards are shared by the rest."""
    found, rest, open_ = [Fraction()] * len(chances), Fraction(cards), set(range(len(chances)))
    while total := sum(chances[at] for at in open_):
        full = [at for at in open_ if at < len(left) and rest * chances[at] > left[at] * total]
        for at in full or open_:
            found[at] = Fraction(left[at]) if full else rest * chances[at] / total
        if not full:
            break
        rest -= sum(left[at] for at in full)
        open_.difference_update(full)
    return found[: len(left)]


def _within(
    budget: Budget, prizes: Sequence[PrizeRecord], told: Sequence[int], found: Sequence[Fraction]
) -> list[Fraction]:
    """No more than the budget has room for, of each the same share."""
    worth = [prize.face_value for prize in prizes]
    counted = (budget.prizes, sum(told[:-1]), sum(found))
    amount = (budget.amount, _sum(told[:-1], worth), _sum(found, worth))
    share = min(_room(*counted), _room(*amount))
    return [each * share for each in found]


def _room(most: int | None, spent: Fraction | int, more: Fraction | int) -> Fraction:
    return _ALL if most is None or not more else min(_ALL, Fraction(max(most - spent, 0)) / more)


def _sum(counts: Sequence[Fraction | int], worth: Sequence[int]) -> Fraction:
    return sum((Fraction(count) * each for count, each in zip(counts, worth, strict=True)), Fraction())
