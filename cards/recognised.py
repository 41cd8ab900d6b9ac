"""By what an import knows whose card a row is of, where it names no member of staff."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, select

from accounts.tables import Merchant
from cards import profile
from cards.profile import Profile
from cards.tables import Card

_TOGETHER: Final = 500


@dataclass(frozen=True, slots=True)
class _Known:
    """When the card was changed, as it was read; None where it is to be read again. ``marks`` lead to it."""

    changed_at: datetime | None
    marks: tuple[str, ...]


@dataclass(slots=True)
class Recognised:
    """The merchant's cards, by marks: those that live by their emails and by all that they say; those that were revoked
    by the name, which is all that is left of them, or an import would bring people back."""

    _cards: dict[str, _Known] = field(default_factory=dict)
    _marked: dict[str, dict[str, None]] = field(default_factory=dict)

    def put(self, card_id: str, content: Profile) -> None:
        """A card that the import wrote, as it now is."""
        self._put(card_id, _Known(None, tuple(_marks(content, "active"))))

    def with_email(self, email: str) -> list[str]:
        """The cards with this address, in lower case."""
        return list(self._marked.get(_email(email), ()))

    def saying(self, content: Profile) -> str | None:
        """The card that says just this."""
        return next(iter(self._marked.get(_text(content), ())), None)

    def is_gone(self, content: Profile) -> bool:
        """Whether somebody of this name had a card that was revoked."""
        return bool(self._marked.get(_gone(content)))

    def read_anew(self, conn: Connection, merchant_id: str) -> None:
        """What was changed since it was read. Of the rest only the time is looked at."""
        times = select(Card.id, Card.changed_at).where(Card.merchant_id == merchant_id).order_by(Card.id)
        now = {row.id: row.changed_at for row in conn.execute(times)}
        for card_id in self._cards.keys() - now.keys():
            self._drop(card_id)
        changed = [each for each, at in now.items() if each not in self._cards or self._cards[each].changed_at != at]
        for start in range(0, len(changed), _TOGETHER):
            some = changed[start : start + _TOGETHER]
            said = select(Card.id, Card.profile, Card.state, Card.changed_at).where(Card.merchant_id == merchant_id)
            for row in conn.execute(said.where(Card.id.in_(some)).order_by(Card.id)):
                self._put(row.id, _Known(row.changed_at, tuple(_marks(profile.read(row.profile), row.state))))

    def _put(self, card_id: str, known: _Known) -> None:
        self._drop(card_id)
        self._cards[card_id] = known
        for mark in known.marks:
            self._marked.setdefault(mark, {})[card_id] = None

    def _drop(self, card_id: str) -> None:
        for mark in self._cards.pop(card_id).marks if card_id in self._cards else ():
            self._marked[mark].pop(card_id, None)


def _marks(content: Profile, state: str) -> Iterable[str]:
    if state == "revoked":
        return [_gone(content)]
    return [*(_email(each.address.lower()) for each in content.emails), _text(content)]


def _email(address: str) -> str:
    return f"email {address}"


def _text(content: Profile) -> str:
    return f"text {profile.write(content)}"


def _gone(content: Profile) -> str:
    return f"gone {' '.join(content.full_name().casefold().split())}"


def known_cards(conn: Connection, merchant_id: str, known: Recognised) -> None:
    """Bring ``known`` up to date. Whoever asks after us waits until our transaction ends; SQLite lets one write at a
    time anyway.

    Sales do not wait: their rows only refer to the merchant, which asks for no more than that the key stays.
    """
    conn.execute(select(Merchant.id).where(Merchant.id == merchant_id).with_for_update(key_share=True))
    known.read_anew(conn, merchant_id)
