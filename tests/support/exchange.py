"""The form on a card's page in which a visitor leaves their contact, filled in as a browser would."""

import re
from html import unescape
from typing import Any, Final

import httpx

from cards.find import CardRecord
from tests.support.inside import Person
from tests.support.visits import PHONE

MIA: Final = {"name": "Mia Roth", "email": "mia@example.com", "phone": "+49 170 5550123", "note": "Two loaves\nweekly?"}


def form_of(html: str) -> dict[str, str]:
    """What the form says before anybody writes into it, with the consent ticked."""
    form = re.search(r'<form method="post" action="[^"]+/exchange[^"]*">(.*?)</form>', html, re.DOTALL)
    assert form
    fields = {}
    for element in re.findall(r"<input[^>]*>", form[1]):
        told = dict(re.findall(r'([a-z-]+)="([^"]*)"', element))
        fields[told["name"]] = unescape(told.get("value", ""))
    return fields


def leave(
    person: Person, card: CardRecord, *, query: str = "?lang=en", agent: str = PHONE, **written: Any
) -> httpx.Response:
    """Open the page, fill in its form and send it; ``written`` takes the place of what Mia would write, None of it."""
    return leave_at(person, card.token, query=query, agent=agent, **written)


def leave_at(
    person: Person, token: str, *, query: str = "?lang=en", agent: str = PHONE, **written: Any
) -> httpx.Response:
    """As :func:`leave`, where the card is known by its token."""
    page = person.ask("GET", f"/c/{token}{query}", headers={"User-Agent": agent})
    fields = form_of(page.text) | MIA | written
    sent = {name: value for name, value in fields.items() if value is not None}
    headers = {"User-Agent": agent, "Sec-Fetch-Site": "same-origin"}
    return person.ask("POST", f"/c/{token}/exchange?lang=en", data=sent, headers=headers)
