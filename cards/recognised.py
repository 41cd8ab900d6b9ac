"""By what an import knows whose card a row is of, where it names no member of staff."""

from dataclasses import dataclass, field

import orjson
from sqlalchemy import Connection, select

from accounts.tables import Merchant
from cards import profile
from cards.profile import Profile
from cards.tables import Card


@dataclass(slots=True)
class Recognised:
    """The merchant's cards. Those that were revoked are known too, or an import would bring people back."""

    _emails: dict[str, dict[str, bool]] = field(default_factory=dict)
    _of_card: dict[str, list[str]] = field(default_factory=dict)
    _saying: dict[str, str] = field(default_factory=dict)

    def put(self, card_id: str, content: Profile, *, is_revoked: bool) -> None:
        """The card as it now is."""
        self._put(card_id, profile.write(content), is_revoked)

    def _put(self, card_id: str, written: str, is_revoked: bool) -> None:
        for email in self._of_card.pop(card_id, ()):
            self._emails[email].pop(card_id, None)
        emails = [str(each["address"]).lower() for each in orjson.loads(written).get("emails", ())]
        for email in emails:
            self._emails.setdefault(email, {})[card_id] = is_revoked
        self._of_card[card_id] = emails
        self._saying.setdefault(written, card_id)

    def with_email(self, email: str) -> list[str]:
        """The cards with this address, in lower case; revoked ones only where there is no other."""
        found = self._emails.get(email, {})
        return [each for each, is_revoked in found.items() if not is_revoked] or list(found)[:1]

    def saying(self, content: Profile) -> str | None:
        """The card that says just this."""
        return self._saying.get(profile.write(content))


def known_cards(conn: Connection, merchant_id: str) -> Recognised:
    """Whoever asks after us waits until our transaction ends; SQLite lets one write at a time anyway.

    Sales do not wait: their rows only refer to the merchant, which asks for no more than that the key stays.
    """
    conn.execute(select(Merchant.id).where(Merchant.id == merchant_id).with_for_update(key_share=True))
    return unguarded(conn, merchant_id)


def unguarded(conn: Connection, merchant_id: str) -> Recognised:
    known = Recognised()
    columns = (Card.id, Card.profile, Card.state)
    for card_id, written, state in conn.execute(
        select(*columns).where(Card.merchant_id == merchant_id).order_by(Card.id)
    ):
        known._put(card_id, written, state == "revoked")
    return known
