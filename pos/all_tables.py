"""Every table of the house. The floors above have none."""

from typing import Final

import accounts.tables
import cards.tables
import engagement.offers.tables
import engagement.rewards.tables
import engagement.surveys.tables
import engagement.tables
import engagement.voice.tables
import notify.tables
import pos.tables
import receipts.tables
from infra.database import Base

# Imported for what they add to the metadata.
MODULES: Final = (
    accounts.tables,
    notify.tables,
    cards.tables,
    receipts.tables,
    engagement.tables,
    engagement.surveys.tables,
    engagement.offers.tables,
    engagement.rewards.tables,
    engagement.voice.tables,
    pos.tables,
)
METADATA: Final = Base.metadata
