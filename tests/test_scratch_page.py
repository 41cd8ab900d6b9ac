"""The scratch card on the page of its receipt: what it shows, what it keeps, and who may scratch it."""

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Engine, func, select, update

from engagement.rewards import revealing
from engagement.rewards.tables import Reward
from engagement.tables import Event
from infra.settings import Settings
from tests.support.inside import Person
from tests.support.scratched import CODE, LOAF, VOUCHER, Promoter, sold_now


def page_of(stranger: Person, receipt: dict[str, Any]) -> str:
    return stranger.get(f"/r/{receipt['token']}", lang="en").raise_for_status().text


def address_of(promoter: Promoter, receipt: dict[str, Any]) -> str:
    return f"/r/{receipt['token']}/scratch/{promoter.card(receipt['id']).id}"


def scratch(stranger: Person, address: str, **form: str) -> Any:
    return stranger.ask("POST", f"{address}?lang=en", data=form or {"x": ""})


def test_nothing_on_the_page_tells_what_is_under_the_foil(
    stranger: Person, till: Person, promoter: Promoter, settings: Settings
) -> None:
    promoter.launch([VOUCHER, LOAF])
    for _ in range(8):
        receipt = sold_now(till)
        told = page_of(stranger, receipt) + stranger.get(f"/r/{receipt['token']}.json").text
        assert "Scratch here" in told
        assert not [word for word in ("loaf", "Loaf", "€5", "next purchase", "won", "five-off") if word in told]
        assert not CODE.search(told.split("<body>")[1])


def test_two_cards_with_different_prizes_look_alike_until_they_are_scratched(
    stranger: Person, till: Person, promoter: Promoter
) -> None:
    promoter.launch([VOUCHER], nothing=1)
    pages: dict[bool, set[str]] = {True: set(), False: set()}
    while not all(pages.values()):
        receipt = sold_now(till)
        part = page_of(stranger, receipt).split('id="scratch"')[1].split("</section>")[0]
        card = promoter.card(receipt["id"])
        # Their own addresses, and the second until which they can be scratched.
        bare = part.replace(receipt["token"], "").replace(card.id, "")
        pages[card.prize is None].add(re.sub(r'datetime="[^"]+"', "", bare))
    assert pages[True] == pages[False]


def test_scratching_shows_the_prize_and_its_code_on_the_receipt(
    stranger: Person, till: Person, promoter: Promoter
) -> None:
    promoter.launch()
    receipt = sold_now(till)
    answer = scratch(stranger, address_of(promoter, receipt))
    assert (answer.status_code, answer.headers["location"]) == (303, f"/r/{receipt['token']}?lang=en#scratch")
    page = page_of(stranger, receipt)
    assert "€5 off" in page
    assert "On your next purchase" in page
    assert CODE.search(page)


def test_a_script_gets_the_card_alone(stranger: Person, till: Person, promoter: Promoter) -> None:
    promoter.launch()
    answer = stranger.ask("POST", f"{address_of(promoter, sold_now(till))}?lang=de&part=1", data={"x": ""})
    assert answer.status_code == 200
    assert answer.text.lstrip().startswith('<div class="scratch won"')
    assert "<html" not in answer.text


def test_a_card_is_scratched_by_a_form_without_a_body(stranger: Person, till: Person, promoter: Promoter) -> None:
    promoter.launch()
    receipt = sold_now(till)
    wrong = stranger.ask("POST", address_of(promoter, receipt), content=b"of_age=1")
    assert (wrong.status_code, promoter.card(receipt["id"]).state) == (415, "issued")
    assert stranger.ask("POST", address_of(promoter, receipt)).status_code == 303
    assert promoter.card(receipt["id"]).state == "revealed"


def test_a_blank_says_so_and_how_many_cards_win(stranger: Person, till: Person, promoter: Promoter) -> None:
    promoter.launch([VOUCHER], nothing=3)
    while promoter.card((receipt := sold_now(till))["id"]).prize is not None:
        pass
    scratch(stranger, address_of(promoter, receipt))
    page = page_of(stranger, receipt)
    assert "No prize this time" in page
    assert "25% of all cards win" in page
    assert not CODE.search(page.split("<body>")[1])


def test_who_must_be_of_age_declares_it_first(stranger: Person, till: Person, promoter: Promoter) -> None:
    promoter.launch(minimum_age=18)
    receipt = sold_now(till)
    assert "I am at least 18 years old." in page_of(stranger, receipt)
    address = address_of(promoter, receipt)
    refused = scratch(stranger, address)
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/of_age")
    assert promoter.card(receipt["id"]).revealed_at is None
    assert scratch(stranger, address, of_age="1").status_code == 303
    assert promoter.card(receipt["id"]).revealed_at is not None


def test_no_get_reveals_however_often_every_link_is_fetched(
    stranger: Person, till: Person, promoter: Promoter, engine: Engine
) -> None:
    promoter.launch()
    receipt = sold_now(till)
    here = address_of(promoter, receipt)
    links = {here, f"{here}/taken", f"{here}.pkpass", f"/r/{receipt['token']}"}
    links |= set(re.findall(r'(?:href|action)="(/[^"]+)"', page_of(stranger, receipt).replace("&amp;", "&")))
    for link in links:
        for _ in range(100 if "/scratch/" in link else 5):
            stranger.get(link)
    assert promoter.card(receipt["id"]).state == "issued"
    with engine.connect() as conn:
        assert conn.scalar(select(func.count()).where(Event.kind == "reward.revealed")) == 0


def test_a_form_of_another_site_scratches_nothing(stranger: Person, till: Person, promoter: Promoter) -> None:
    promoter.launch()
    receipt = sold_now(till)
    address = address_of(promoter, receipt)
    for elsewhere in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}):
        assert stranger.ask("POST", address, data={"x": ""}, headers=elsewhere).status_code == 403
        assert stranger.ask("POST", f"{address}/taken", headers=elsewhere).status_code == 403
    assert promoter.card(receipt["id"]).state == "issued"


def test_a_card_is_found_only_on_its_own_receipt(stranger: Person, till: Person, promoter: Promoter) -> None:
    promoter.launch()
    one, other = sold_now(till), sold_now(till)
    crossed = f"/r/{one['token']}/scratch/{promoter.card(other['id']).id}"
    assert scratch(stranger, crossed).status_code == 404
    assert scratch(stranger, f"/r/{one['token']}/scratch/rwd_nothing").status_code == 404
    assert promoter.card(other["id"]).state == "issued"


@pytest.mark.parametrize(
    "state, said",
    [
        ({"state": "void", "void_reason": "refunded"}, "It went back with what was bought"),
        ({"state": "void", "void_reason": "withdrawn"}, "The shop has taken this card back"),
        ({"expires_at": datetime(2026, 1, 1, tzinfo=UTC)}, "It was not scratched in time"),
    ],
)
def test_a_card_that_is_over_says_why_and_cannot_be_scratched(
    stranger: Person, till: Person, promoter: Promoter, engine: Engine, state: dict[str, Any], said: str
) -> None:
    promoter.launch()
    receipt = sold_now(till)
    with engine.begin() as conn:
        conn.execute(update(Reward).where(Reward.receipt_id == receipt["id"]).values(state))
    assert said in page_of(stranger, receipt)
    assert scratch(stranger, address_of(promoter, receipt)).status_code == 303
    assert promoter.card(receipt["id"]).revealed_at is None


@pytest.mark.parametrize(
    "state, said",
    [
        ({"state": "redeemed", "redeemed_at": datetime(2026, 11, 27, 12, tzinfo=UTC)}, "Used on"),
        ({"expires_at": datetime(2026, 1, 1, tzinfo=UTC)}, "It was not used in time"),
        ({"state": "expired"}, "It was not used in time"),
    ],
)
def test_a_prize_that_is_over_shows_no_code(
    stranger: Person, till: Person, promoter: Promoter, engine: Engine, state: dict[str, Any], said: str
) -> None:
    promoter.launch()
    receipt = sold_now(till)
    scratch(stranger, address_of(promoter, receipt))
    with engine.begin() as conn:
        conn.execute(update(Reward).where(Reward.receipt_id == receipt["id"]).values(state))
    page = scratch_part(stranger, promoter, receipt)
    assert said in page
    assert "€5 off" in page
    assert not CODE.search(page)


def scratch_part(stranger: Person, promoter: Promoter, receipt: dict[str, Any]) -> str:
    """As a script gets it: no page is remembered in between."""
    return str(stranger.ask("POST", f"{address_of(promoter, receipt)}?lang=en&part=1", data={"x": ""}).text)


def test_taking_the_code_along_claims_it(stranger: Person, till: Person, promoter: Promoter) -> None:
    promoter.launch()
    receipt = sold_now(till)
    address = address_of(promoter, receipt)
    assert stranger.ask("POST", f"{address}/taken").status_code == 204
    assert promoter.card(receipt["id"]).state == "issued"
    scratch(stranger, address)
    assert [stranger.ask("POST", f"{address}/taken").status_code for _ in range(2)] == [204, 204]
    assert promoter.card(receipt["id"]).state == "claimed"


def test_two_tabs_that_scratch_at_once_reveal_once(till: Person, promoter: Promoter, engine: Engine) -> None:
    promoter.launch()
    for _ in range(5):
        card = promoter.card(sold_now(till)["id"])
        assert _at_once(engine, promoter, card.id) == 1


class _Loose:
    """An UPDATE of the one row that asks for nothing else."""

    def __init__(self, table: Any) -> None:
        self._statement = update(table)

    def where(self, merchant: Any, own: Any, *_guards: Any) -> Any:
        return self._statement.where(merchant, own)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_without_its_condition_both_tabs_would_reveal(
    till: Person, promoter: Promoter, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The race is one: an UPDATE that does not ask for the state again lets both through. SQLite lets one write at a
    time, and who waits reads what was written."""
    monkeypatch.setattr(revealing, "update", _Loose)
    promoter.launch()
    cards = [promoter.card(sold_now(till)["id"]) for _ in range(5)]
    assert max(_at_once(engine, promoter, card.id) for card in cards) > 1


def _at_once(engine: Engine, promoter: Promoter, card_id: str, times: int = 8) -> int:
    """How many of so many who scratch a card at once are told that they did: each tells an event."""
    together = threading.Barrier(times)

    def scratch_it() -> None:
        together.wait()
        with engine.begin() as conn:
            revealing.reveal(conn, promoter.merchant_id, card_id, now=datetime.now(UTC))

    with ThreadPoolExecutor(times) as pool:
        for each in [pool.submit(scratch_it) for _ in range(times)]:
            each.result()
    with engine.connect() as conn:
        about = Event.data.contains(card_id)
        return conn.scalar(select(func.count()).where(Event.kind == "reward.revealed", about)) or 0
