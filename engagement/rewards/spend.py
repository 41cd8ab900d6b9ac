"""What counts as spent on a receipt. Pure."""

from typing import Final

from receipts.sale import Content
from receipts.worth import worth

# Bought for later, held for somebody else, or given away.
NOT_SPENT: Final = ("deposit", "gift_card", "donation")


def net_spend(content: Content) -> int:
    """What goods and services cost after discounts and with taxes, charges included: the total without tip, cash
    rounding, deposits, gift cards and donations. In minor units, and without the sign in which tills write refunds."""
    apart = worth(content, [line for line in content.lines if line.type in NOT_SPENT])
    return max(abs(content.total - content.tip - content.rounding) - apart, 0)


def net_exchange(content: Content) -> int:
    """What an exchange adds to that, below 0 where it takes from it: a gift card that goods are given back for is not
    spent, nor is a deposit that is paid back."""
    apart = [line for line in content.lines if line.type in NOT_SPENT]
    taken = worth(content, [line for line in apart if line.total > 0])
    back = worth(content, [line for line in apart if line.total < 0])
    return content.total - content.tip - content.rounding - taken + back
