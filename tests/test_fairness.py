"""What was promised before a campaign began can be checked by everybody once it has ended."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, expect
from sqlalchemy import Engine, select, update

from api.house import House
from api.rendering import Rendering
from engagement import scratch
from engagement.rewards import find
from engagement.rewards.tables import Campaign, Reward
from infra.settings import Settings
from kernel.clock import utc_now
from tests.support.inside import Inside, Person, on_sqlite
from tests.support.presented import page as verified
from tests.support.proofs import judged
from tests.support.sales import Body
from tests.support.scratched import LOAF, TENTH, VOUCHER, Promoter, sold_now
from tests.support.served import served
from tests.support.shopper import AGENT, Shopper, somebody


def proof_at(stranger: Person, campaign: str) -> Body:
    return dict(stranger.get(f"/v1/campaigns/{campaign}/proof").raise_for_status().json())


@pytest.mark.parametrize("mode", ["draw", "deck"])
def test_a_campaign_proves_itself_once_it_has_ended(
    stranger: Person, till: Person, promoter: Promoter, mode: str
) -> None:
    prizes = [VOUCHER | {"stock": 4}, LOAF | {"stock": 3}]
    if mode == "deck":
        prizes = [{name: value for name, value in each.items() if name != "weight"} for each in prizes]
    campaign = promoter.launch(prizes, mode=mode, nothing=6)
    before = proof_at(stranger, campaign)
    assert (before["seed"], before["draws"], before["cards"]) == (None, [], 0)
    receipts = [sold_now(till) for _ in range(13)]
    assert proof_at(stranger, campaign) == before
    promoter.end(campaign)
    after = proof_at(stranger, campaign)
    assert (after["seed_sha256"], after["table_sha256"]) == (before["seed_sha256"], before["table_sha256"])
    assert after["cards"] == len(after["draws"]) == sum(len(promoter.cards(each["id"])) for each in receipts)
    found = judged(after)
    assert (found.is_proved, found.right) == (True, after["cards"])


def test_a_proof_and_its_page_leave_out_what_is_under_a_foil(
    stranger: Person, till: Person, promoter: Promoter, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.house._COUNTED_SECONDS", 0.0)
    campaign = promoter.launch()
    scratched, under_foil = (promoter.card(sold_now(till)["id"]).id for _ in range(2))
    with engine.begin() as conn:
        conn.execute(update(Reward).where(Reward.id == scratched).values(state="revealed", revealed_at=utc_now()))
    promoter.end(campaign, are_scratched=False)
    told = proof_at(stranger, campaign)
    assert (told["cards"], told["unscratched"]) == (1, 1)
    assert [each["reward"] for each in told["draws"]] == [scratched]
    page = stranger.get(f"/campaigns/{campaign}/fair", lang="en", card=under_foil).text
    assert "On your next purchase" not in page
    assert "Number" not in page.partition('id="card"')[2].partition("<form")[0]
    with engine.begin() as conn:
        conn.execute(update(Reward).where(Reward.id == under_foil).values(state="void", void_reason="withdrawn"))
    told = proof_at(stranger, campaign)
    assert (told["cards"], told["unscratched"], told["draws"][1]["void"]) == (2, 0, "withdrawn")
    assert judged(told).withdrawn == 1


def test_a_proof_tells_nothing_personal_and_no_code(
    stranger: Person, till: Person, promoter: Promoter, engine: Engine
) -> None:
    campaign = promoter.launch()
    receipt = sold_now(till, shopper={"email": "ada@shop.example", "customer_id": "C-77"})
    promoter.end(campaign)
    told = json.dumps(proof_at(stranger, campaign))
    with engine.connect() as conn:
        row = conn.execute(select(Reward.shopper, Reward.code_digest)).one()
    secrets = ("ada@", "C-77", receipt["token"], receipt["id"], row.shopper, row.code_digest, "5.00")
    assert [each for each in secrets if each in told] == []


def test_the_pages_of_a_long_proof_follow_one_another(
    stranger: Person, till: Person, promoter: Promoter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.fairness_proof._PAGE", 2)
    campaign = promoter.launch()
    for _ in range(5):
        sold_now(till)
    promoter.end(campaign)
    page = proof_at(stranger, campaign)
    seen = [draw["reward"] for draw in page["draws"]]
    while page["next_cursor"]:
        page = dict(stranger.get(f"/v1/campaigns/{campaign}/proof", cursor=page["next_cursor"]).json())
        seen += [draw["reward"] for draw in page["draws"]]
    assert len(seen) == len(set(seen)) == page["cards"] == 5


def test_however_many_ask_for_a_proof_its_cards_are_counted_once(
    stranger: Person, till: Person, promoter: Promoter, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted, real = [], find.count_draws

    def count(*given: Any, **named: Any) -> tuple[int, int]:
        counted.append(1)
        return real(*given, **named)

    monkeypatch.setattr("api.fairness_proof._PAGE", 2)
    monkeypatch.setattr(find, "count_draws", count)
    campaign = promoter.launch()
    for _ in range(3):
        sold_now(till)
    promoter.end(campaign)
    first = proof_at(stranger, campaign)
    second = stranger.get(f"/v1/campaigns/{campaign}/proof", cursor=first["next_cursor"]).json()
    assert [(page["cards"], len(page["draws"])) for page in (first, second)] == [(3, 2), (3, 1)]
    assert counted == [1]


@contextmanager
def crowded(place: Rendering) -> Iterator[None]:
    """As many wait there as may."""
    with ExitStack() as crowd:
        for _ in range(place._most):
            crowd.enter_context(place.place())
        yield


def test_however_many_ask_for_a_proof_nobody_else_waits_for_them(
    stranger: Person, owner: Person, promoter: Promoter, inside: Inside
) -> None:
    campaign, running = promoter.launch(), promoter.launch()
    promoter.end(campaign)
    house: House = inside.app.state.house
    with crowded(house.proving):
        assert stranger.get(f"/v1/campaigns/{campaign}/proof").status_code == 503
        assert proof_at(stranger, running)["seed"] is None
        assert owner.get("/v1/reward-reports/liability").status_code == 200
        assert "no receipt" in verified(stranger, text="what is this?")
    with crowded(house.verifying), crowded(house.proving):
        assert stranger.ask("POST", "/verify", files={"text": (None, "what is this?")}).status_code == 503
        for path, table in (("/v1/products/import", b"sku,name\nB-1,Board\n"), ("/v1/cards/import", b"name\nAda\n")):
            sent = owner.ask("POST", path, content=table, headers={"Content-Type": "text/csv"})
            assert sent.json()["counts"]["created"] == 1


def test_the_rules_tell_prizes_odds_dates_and_limits(stranger: Person, promoter: Promoter) -> None:
    campaign = promoter.launch(
        [VOUCHER | {"weight": 5, "stock": 50}, LOAF | {"weight": 14}, TENTH | {"weight": 1}],
        nothing=80,
        minimum_age=18,
        countries=["DE"],
        caps={"per_shopper": 3},
        free_entry={"per_shopper": 2},
        holdout=10,
    )
    page = stranger.get(f"/campaigns/{campaign}", lang="en").raise_for_status().text
    for said in ("Winter days", "€5 off", "A rye loaf", "1 in 20", "1 in 7.1", "20% of all cards win", "Germany"):
        assert said in page
    for said in ("There are 50", "Minimum age", "Cards for each shopper", "Who buys a coffee", "Ask for a free card"):
        assert said in page
    for said in ("10% off, up to €7.50", "Days to use it, once scratched", "Valid until"):
        assert said in page
    assert "Wintertage" in stranger.get(f"/campaigns/{campaign}", lang="de").text


@pytest.mark.parametrize("changes", [{}, {"budget": {"prizes": 2}}, {"budget": {"amount": "14.00"}}])
def test_the_rules_say_a_day_later_that_all_prizes_are_gone(
    stranger: Person, till: Person, promoter: Promoter, monkeypatch: pytest.MonkeyPatch, changes: Body
) -> None:
    gone, hold = "All prizes have been won.", "These odds hold while there are prizes left."
    campaign = promoter.launch([VOUCHER | {"stock": 3 if changes else 2}], nothing=1, **changes)

    def page() -> str:
        return str(stranger.get(f"/campaigns/{campaign}", lang="en").raise_for_status().text)

    assert (hold in page(), gone in page()) == (True, False)
    for _ in range(100):
        if sum(each.prize is not None for each in promoter.of(campaign)) == 2:
            break
        sold_now(till)
    assert gone not in page()
    monkeypatch.setattr("engagement.rewards.stock.least_id", lambda *_: "rwd_z")
    assert gone in page()


def test_a_draft_has_no_public_pages(stranger: Person, promoter: Promoter, engine: Engine) -> None:
    campaign = promoter.launch(free_entry={"per_shopper": 1})
    with engine.begin() as conn:
        conn.execute(update(Campaign).values(launched_at=None))
    for path in ("", "/fair", "/entry"):
        assert stranger.get(f"/campaigns/{campaign}{path}").status_code == 404
    assert stranger.get(f"/v1/campaigns/{campaign}/proof").status_code == 404


def test_a_page_shows_the_promises_and_keeps_the_outcome_until_the_end(
    stranger: Person, till: Person, promoter: Promoter
) -> None:
    campaign = promoter.launch()
    receipt = sold_now(till)
    card = promoter.card(receipt["id"]).id
    promised = proof_at(stranger, campaign)
    page = stranger.get(f"/campaigns/{campaign}/fair", lang="en", card=card).text
    assert promised["seed_sha256"] in page
    assert promised["table_sha256"] in page
    assert scratch.entry_digest(f"{receipt['id']}/0") in page
    assert receipt["id"] not in page
    assert "On your next purchase" not in page
    assert "It was drawn as was promised" not in page


@pytest.mark.parametrize("by", ["card", "link"])
def test_a_card_is_checked_without_scripts_once_the_campaign_has_ended(
    stranger: Person, till: Person, promoter: Promoter, by: str
) -> None:
    campaign = promoter.launch()
    receipt = sold_now(till)
    promoter.end(campaign)
    asked = promoter.card(receipt["id"]).id if by == "card" else f"https://receipts.test/r/{receipt['token']}?lang=de"
    page = stranger.get(f"/campaigns/{campaign}/fair", lang="en", card=asked).text
    assert "It was drawn as was promised" in page
    assert "On your next purchase" in page


def test_a_page_names_the_prizes_that_a_card_calls_gone_and_says_that_it_cannot_tell(
    stranger: Person, till: Person, promoter: Promoter
) -> None:
    campaign = promoter.launch([VOUCHER | {"weight": 10**9, "stock": 1}, LOAF])
    first, second = (promoter.card(sold_now(till)["id"]) for _ in range(2))
    promoter.end(campaign)
    pages = [stranger.get(f"/campaigns/{campaign}/fair", lang="en", card=each.id).text for each in (first, second)]
    claim = "It was drawn as was promised, if these prizes were gone by then: On your next purchase"
    assert [first.gone, second.gone] == [(), (0,)]
    assert [claim in page for page in pages] == [False, True]
    assert ["All cards together can" in page for page in pages] == [False, True]


def test_a_draw_that_was_changed_in_the_database_is_told_on_the_page(
    stranger: Person, till: Person, promoter: Promoter, engine: Engine
) -> None:
    campaign = promoter.launch(nothing=1)
    card = promoter.card(sold_now(till)["id"])
    wrong = None if card.prize else promoter.end(campaign).prizes[0].id
    promoter.end(campaign)
    with engine.begin() as conn:
        conn.execute(update(Reward).values(prize_id=wrong))
    page = stranger.get(f"/campaigns/{campaign}/fair", lang="en", card=card.id).text
    assert "It was not drawn as was promised" in page


def test_a_card_of_another_campaign_is_none_of_this(stranger: Person, till: Person, promoter: Promoter) -> None:
    one = promoter.launch()
    card = promoter.card(sold_now(till)["id"]).id
    promoter.end(one)
    other = promoter.launch()
    for asked in (card, "rwd_nothing", "x" * 400, "https://[broken", "../../etc", "\0", "é"):
        page = stranger.get(f"/campaigns/{other}/fair", lang="en", card=asked)
        assert page.status_code == 200
        assert "There is no such card in this campaign." in page.text


@pytest.fixture
def shopper(chromium: Browser) -> Iterator[Shopper]:
    yield from somebody(chromium, user_agent=AGENT)


@on_sqlite
def test_a_browser_draws_a_card_again_by_itself(
    till: Person, promoter: Promoter, settings: Settings, shopper: Shopper
) -> None:
    campaign = promoter.launch([VOUCHER | {"stock": 1}, LOAF], nothing=2)
    cards = [promoter.card(sold_now(till)["id"]) for _ in range(3)]
    # Until one was drawn that was gone: the browser has to draw such a card a second time. One in four is.
    while not any(card.gone for card in cards):
        assert len(cards) < 200
        cards.append(promoter.card(sold_now(till)["id"]))
    cards = [*cards[:3], *(card for card in cards[3:] if card.gone)]
    promoter.end(campaign)
    page = shopper.page
    with served(settings.data) as address:
        for card in cards:
            page.goto(f"{address}/campaigns/{campaign}/fair?lang=en&card={card.id}")
            expect(page.get_by_text("Your browser has drawn it again, and says the same.")).to_be_visible()
    assert shopper.complaints == []
