"""What was promised before a campaign began can be checked by everybody once it has ended."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect
from sqlalchemy import Engine, func, select, update
from typer.testing import CliRunner

from cli.main import app
from engagement import scratch
from engagement.rewards.entrants import network_of
from engagement.rewards.proof import FORMAT, Judgement, NotAProof, Proof, TheDraw, follows, judge
from engagement.rewards.tables import Campaign, FreeEntrant, Reward
from infra.settings import Settings
from kernel.clock import utc_now
from tests.support.inside import Person, on_sqlite
from tests.support.scratched import LOAF, VOUCHER, Promoter, sold_now
from tests.support.served import served
from tests.support.shopper import Shopper, somebody
from tests.support.shops import Shops

_SEED = bytes(range(32))
_AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
Body = dict[str, Any]


def table(*prizes: tuple[int, int], nothing: int = 0, mode: str = "draw") -> Body:
    """Of weights and stocks."""
    rows = [{"slug": f"p{at}", "weight": weight, "stock": stock} for at, (weight, stock) in enumerate(prizes)]
    return {"campaign": "cmp_1", "mode": mode, "nothing": nothing, "prizes": rows}


def draws_of(told: Body, count: int) -> list[Body]:
    """So many draws, each prize as often as there are of it: as the house draws, but written by itself."""
    weights = [*(prize["weight"] for prize in told["prizes"]), told["nothing"]]
    left = [prize["stock"] for prize in told["prizes"]]
    made = []
    for number in range(count):
        entry, open_ = f"rct_{number:05d}/0", list(weights)
        gone: list[int] = []
        while True:
            index = scratch.drawn(_SEED, campaign="cmp_1", receipt=entry, nonce=len(gone), weights=open_)
            if index == len(left) or left[index]:
                break
            gone.append(index)
            open_[index] = 0
        if index < len(left):
            left[index] -= 1
        made.append({"reward": f"rwd_{number:05d}", "entry": entry, "nonce": len(gone), "gone": gone, "outcome": index})
    return made


def proof_of(told: Body, draws: list[Body], **changes: Any) -> Body:
    head = {"format": FORMAT, "campaign": "cmp_1", "seed": _SEED.hex(), "cards": len(draws), "draws": draws}
    hashes = {"seed_sha256": scratch.seed_digest(_SEED), "table_sha256": scratch.table_digest(told), "table": told}
    return head | hashes | changes


def judged(proof: Body) -> Judgement:
    read = Proof.read(json.dumps(proof).encode())
    return judge(read, read.draws)


@pytest.fixture(scope="module")
def ten_thousand() -> Body:
    told = table((1, 40), (9, 10_000), (40, 10_000), (250, 10_000), nothing=700)
    return proof_of(told, draws_of(told, 10_000))


def test_the_verifier_agrees_on_each_of_ten_thousand_draws_and_their_frequencies_fit(ten_thousand: Body) -> None:
    found = judged(ten_thousand)
    assert (found.is_proved, found.checked, found.right, found.wrong) == (True, 10_000, 10_000, [])
    assert found.chi_square is not None
    assert found.is_as_expected
    assert sum(found.given.values()) == 10_000


@pytest.mark.parametrize(
    "change",
    [
        {"outcome": 0},
        {"nonce": 1},
        {"gone": [1]},
        {"entry": "rct_00002/0"},
        {"entry": "a:b"},
        {"outcome": 5},
    ],
)
def test_one_draw_of_ten_thousand_that_was_changed_is_found(ten_thousand: Body, change: Body) -> None:
    draws = list(ten_thousand["draws"])
    at = next(each for each, draw in enumerate(draws) if draw["outcome"] == 4 and each > 2)
    draws[at] = draws[at] | change
    found = judged(ten_thousand | {"draws": draws})
    assert not found.is_proved
    assert draws[at]["reward"] in found.wrong


def test_another_seed_or_table_than_was_promised_proves_nothing(ten_thousand: Body) -> None:
    other = scratch.seed_digest(b"another")
    assert not judged(ten_thousand | {"seed_sha256": other}).seed_matches
    richer = json.loads(json.dumps(ten_thousand["table"]))
    richer["prizes"][0]["weight"] = 2
    assert not judged(ten_thousand | {"table": richer}).table_matches
    assert not judged(ten_thousand | {"campaign": "cmp_2"}).is_proved


def test_a_prize_that_is_given_more_often_than_there_are_is_found() -> None:
    told = table((1, 5))
    draws = [each | {"gone": [], "nonce": 0} for each in draws_of(table((1, 6)), 6)]
    found = judged(proof_of(told, draws))
    assert (found.right, found.wrong) == (5, ["rwd_00005"])


def test_a_prize_that_is_said_to_be_gone_and_was_not_is_found() -> None:
    """Who keeps the big prize says that it was gone each time it is drawn."""
    told = table((1, 3), nothing=20)
    fair = draws_of(told, 60)
    assert judged(proof_of(told, fair)).is_proved
    wins = [at for at, each in enumerate(fair) if each["outcome"] == 0]
    assert wins
    for at in wins:
        fair[at] |= {"outcome": 1, "nonce": 1, "gone": [0]}
    forged = judged(proof_of(told, fair))
    assert (forged.right, forged.not_gone) == (60, [0])
    assert not forged.is_proved
    assert not forged.is_undecided


@pytest.mark.parametrize("unscratched, is_undecided", [(2, False), (3, True)])
def test_cards_that_are_not_scratched_yet_may_hold_what_is_gone(unscratched: int, is_undecided: bool) -> None:
    told = table((1, 3), nothing=20)
    draws = [each for each in draws_of(told, 200) if each["outcome"] != 0]
    assert any(each["gone"] for each in draws)
    found = judged(proof_of(told, draws, unscratched=unscratched))
    assert (found.is_proved, found.is_undecided) == (False, is_undecided)


@pytest.mark.parametrize("budget", [{"amount": 1_400, "prizes": None}, {"amount": None, "prizes": 2}])
def test_a_prize_is_gone_too_once_the_budget_has_no_room_for_it(budget: Body) -> None:
    told = table((1, 9), nothing=5)
    told["prizes"][0]["face_value"] = 500
    draws = draws_of(table((1, 2), nothing=5), 60)
    assert any(each["gone"] for each in draws)
    assert not judged(proof_of(told, draws)).is_proved
    assert judged(proof_of(told | {"budget": budget}, draws)).is_proved


def test_a_deck_is_shuffled_once_however_many_ask_for_a_card(monkeypatch: pytest.MonkeyPatch) -> None:
    told = table((0, 3), (0, 7), nothing=10, mode="deck") | {"campaign": "cmp_often"}
    order = scratch.shuffled(_SEED, campaign="cmp_often", counts=[3, 7, 10])
    shuffled, real = [], scratch.shuffled

    def count(*given: Any, **named: Any) -> list[int]:
        shuffled.append(1)
        return real(*given, **named)

    monkeypatch.setattr(scratch, "shuffled", count)
    proof = Proof.read(json.dumps(proof_of(told, [], campaign="cmp_often")).encode())
    for at, index in enumerate(order):
        draw = TheDraw(reward=f"rwd_{at}", entry=f"rct_{at}/0", position=at, outcome=index)
        assert follows(proof, draw)
        assert not follows(proof, draw.model_copy(update={"outcome": 2 if index != 2 else 0}))
    assert shuffled == [1]


def test_a_deck_is_proved_card_by_card() -> None:
    told = table((0, 3), (0, 7), nothing=10, mode="deck")
    order = scratch.shuffled(_SEED, campaign="cmp_1", counts=[3, 7, 10])
    draws = [
        {"reward": f"rwd_{at}", "entry": f"rct_{at}/0", "gone": [], "position": at, "outcome": index}
        for at, index in enumerate(order)
    ]
    assert judged(proof_of(told, draws)).is_proved
    twice = [*draws[:-1], draws[0] | {"reward": "rwd_x", "entry": "rct_x/0"}]
    assert judged(proof_of(told, twice)).wrong == ["rwd_x"]
    swapped = next(at for at in range(19) if order[at] != order[at + 1])
    draws[swapped] = draws[swapped] | {"outcome": order[swapped + 1]}
    assert f"rwd_{swapped}" in judged(proof_of(told, draws)).wrong


def test_frequencies_that_no_fair_seed_would_have_are_told() -> None:
    told = table((1, 10_000), nothing=1)
    lucky = [each for each in draws_of(told, 4_000) if each["outcome"] == 0][:1_000]
    found = judged(proof_of(told, lucky))
    assert found.is_proved
    assert not found.is_as_expected


@pytest.mark.parametrize(
    "body, said",
    [
        (b"no json", "not JSON"),
        (b'{"format": "counterfoil-proof/1", "format": "counterfoil-proof/1"}', "twice"),
        (b"[]", "counterfoil-proof/1"),
        (b'{"format": "counterfoil-proof/1"}', "missing"),
    ],
)
def test_what_is_no_proof_is_told_apart(body: bytes, said: str) -> None:
    with pytest.raises(NotAProof, match=said):
        Proof.read(body)


@pytest.fixture
def promoter(engine: Engine, settings: Settings, shops: Shops) -> Promoter:
    return Promoter(engine, settings, shops.linden)


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
    stranger: Person, till: Person, promoter: Promoter, engine: Engine
) -> None:
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
    secrets = ("ada", "C-77", receipt["token"], receipt["id"], row.shopper, row.code_digest, "5.00")
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


def run(*arguments: str) -> Any:
    return CliRunner().invoke(app, ["rewards", "verify", *arguments])


def test_the_command_proves_a_file(ten_thousand: Body, tmp_path: Path) -> None:
    file = tmp_path / "proof.json"
    file.write_text(json.dumps(ten_thousand))
    told = run(str(file), "--seed-sha256", ten_thousand["seed_sha256"].upper())
    assert told.exit_code == 0
    assert told.output.startswith("proved: every card was drawn as was promised\n")
    assert "cards: 10,000 of 10,000 follow from the seed" in told.output
    assert "chi-square" in told.output


def test_the_command_names_cards_that_were_not_drawn_so(ten_thousand: Body, tmp_path: Path) -> None:
    file = tmp_path / "proof.json"
    draws = [ten_thousand["draws"][0] | {"outcome": 0}, *ten_thousand["draws"][1:]]
    file.write_text(json.dumps(ten_thousand | {"draws": draws}))
    told = run(str(file))
    assert told.exit_code == 1
    assert "not drawn so: rwd_00000" in told.output


def test_the_command_knows_hashes_that_one_wrote_down(ten_thousand: Body, tmp_path: Path) -> None:
    file = tmp_path / "proof.json"
    file.write_text(json.dumps(ten_thousand))
    told = run(str(file), "--table-sha256", "0" * 64)
    assert (told.exit_code, told.output) == (1, "not proved: the table's hash is not the one that you know\n")


def test_the_command_cannot_tell_without_seed_all_pages_or_a_proof(ten_thousand: Body, tmp_path: Path) -> None:
    wanting = {
        "running": ten_thousand | {"seed": None},
        "half": ten_thousand | {"draws": ten_thousand["draws"][:5_000]},
        "other": {"format": "something else"},
    }
    for name, body in wanting.items():
        file = tmp_path / f"{name}.json"
        file.write_text(json.dumps(body))
        assert run(str(file)).exit_code == 2
    assert run(str(tmp_path / "missing.json")).exit_code == 2
    assert run("http://receipts.example/v1/campaigns/cmp_1/proof").exit_code == 2


def test_the_command_takes_the_pages_of_a_proof_as_files(ten_thousand: Body, tmp_path: Path) -> None:
    files = []
    for number in range(2):
        files.append(tmp_path / f"{number}.json")
        part = ten_thousand["draws"][number * 5_000 : (number + 1) * 5_000]
        files[-1].write_text(json.dumps(ten_thousand | {"draws": part}))
    assert run(*map(str, files)).exit_code == 0
    files[1].write_text(json.dumps(ten_thousand | {"campaign": "cmp_2", "draws": []}))
    assert run(*map(str, files)).exit_code == 2


@on_sqlite
def test_the_command_asks_an_address_page_by_page(
    till: Person, promoter: Promoter, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.fairness_proof._PAGE", 2)
    campaign = promoter.launch()
    for _ in range(3):
        sold_now(till)
    promoter.end(campaign)
    with served(settings.data) as address:
        told = run(f"{address}/v1/campaigns/{campaign}/proof")
    assert told.exit_code == 0
    assert "cards: 3 of 3" in told.output


def test_the_rules_tell_prizes_odds_dates_and_limits(stranger: Person, promoter: Promoter) -> None:
    campaign = promoter.launch(
        [VOUCHER | {"weight": 5, "stock": 50}, LOAF | {"weight": 15}],
        nothing=80,
        minimum_age=18,
        countries=["DE"],
        caps={"per_shopper": 3},
        free_entry={"per_shopper": 2},
        holdout=10,
    )
    page = stranger.get(f"/campaigns/{campaign}", lang="en").raise_for_status().text
    for said in ("Winter days", "€5 off", "A rye loaf", "1 in 20", "1 in 6.7", "20% of all cards win", "Germany"):
        assert said in page
    for said in ("There are 50", "Minimum age", "Cards for each shopper", "Who buys a coffee", "Ask for a free card"):
        assert said in page
    assert "Wintertage" in stranger.get(f"/campaigns/{campaign}", lang="de").text


@pytest.mark.parametrize("changes", [{}, {"budget": {"prizes": 2}}, {"budget": {"amount": 1_400}}])
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
    yield from somebody(chromium, user_agent=_AGENT)


@on_sqlite
def test_a_browser_draws_a_card_again_by_itself(
    till: Person, promoter: Promoter, settings: Settings, shopper: Shopper
) -> None:
    campaign = promoter.launch([VOUCHER | {"stock": 1}, LOAF], nothing=2)
    cards = [promoter.card(sold_now(till)["id"]) for _ in range(6)]
    assert any(card.gone for card in cards) or len({card.nonce for card in cards}) == 1
    promoter.end(campaign)
    page = shopper.page
    with served(settings.data) as address:
        for card in cards:
            page.goto(f"{address}/campaigns/{campaign}/fair?lang=en&card={card.id}")
            expect(page.get_by_text("Your browser has drawn it again, and says the same.")).to_be_visible()
    assert shopper.complaints == []


def enter(stranger: Person, campaign: str, *, agent: str = _AGENT, **form: str) -> Any:
    data = {"email": "ada@gmail.com", "agreed": "1"} | form
    return stranger.ask("POST", f"/campaigns/{campaign}/entry?lang=en", data=data, headers={"User-Agent": agent})


def test_who_buys_nothing_gets_a_card_at_a_link_of_its_own(stranger: Person, promoter: Promoter) -> None:
    campaign = promoter.launch(free_entry={"per_shopper": 1})
    answer = enter(stranger, campaign)
    assert answer.status_code == 303
    link = answer.headers["location"]
    assert re.fullmatch(r"/x/rwd_[0-9a-z]{26}-[A-Za-z0-9_-]{22}\?lang=en", link)
    path = link.partition("?")[0]
    page = stranger.get(path, lang="en").text
    assert "Scratch here" in page
    assert "€5 off" not in page
    assert stranger.ask("POST", link, data={"x": ""}).headers["location"] == f"{link}#scratch"
    assert "€5 off" in stranger.get(path, lang="en").text


def test_a_link_to_a_free_card_cannot_be_guessed(stranger: Person, promoter: Promoter) -> None:
    link = enter(stranger, promoter.launch(free_entry={"per_shopper": 1})).headers["location"].partition("?")[0]
    other = link[:-1] + ("A" if link[-1] != "A" else "B")
    for wrong in (other, link[:34], f"{link}A", "/x/rwd_nothing"):
        assert stranger.get(wrong).status_code == 404
        assert stranger.ask("POST", wrong, data={"x": ""}).status_code == 404


def test_each_person_has_so_many_free_entries(stranger: Person, promoter: Promoter, engine: Engine) -> None:
    campaign = promoter.launch(free_entry={"per_shopper": 1})
    assert enter(stranger, campaign).status_code == 303
    for same in ("ada@gmail.com", "ADA@gmail.com "):
        again = enter(stranger, campaign, email=same)
        assert again.status_code == 429
        assert "You have had your free entries." in again.text
    with engine.connect() as conn:
        assert conn.scalar(select(func.count()).select_from(Reward)) == 1
        assert "ada" not in str(conn.execute(select(Reward)).all())


def test_one_network_has_so_many_free_entries_a_day(stranger: Person, promoter: Promoter, engine: Engine) -> None:
    campaign = promoter.launch(free_entry={"per_shopper": 1})
    told = [enter(stranger, campaign, email=f"ada{number}@gmail.com").status_code for number in range(12)]
    assert told == [303] * 10 + [429] * 2
    with engine.connect() as conn:
        assert conn.scalar(select(FreeEntrant.times)) == 10


@pytest.mark.parametrize(
    "one, other, are_same",
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff:1:2:3", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("192.0.2.1", "192.0.2.2", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("fe80::1%eth0", "fe80::2%eth1", True),
        ("", "testclient", False),
    ],
)
def test_a_network_of_ipv6_is_what_a_household_has(one: str, other: str, are_same: bool) -> None:
    assert (network_of(one) == network_of(other)) == are_same


@pytest.mark.parametrize(
    "form, field, said",
    [
        ({"email": ""}, "email", "An email address or a telephone number is needed."),
        ({"email": "no address"}, "email", "Please check this address."),
        ({"email": "", "phone": "soon"}, "phone", "Please check this number."),
        ({"agreed": ""}, "agreed", "Please tick this, if it is so."),
    ],
)
def test_a_form_with_something_to_put_right_comes_back(
    stranger: Person, promoter: Promoter, form: dict[str, str], field: str, said: str
) -> None:
    answer = enter(stranger, promoter.launch(free_entry={"per_shopper": 1}), **form)
    assert answer.status_code == 422
    assert said in answer.text
    assert f'aria-describedby="{field}-error"' in answer.text


def test_programs_and_other_sites_get_no_free_card(stranger: Person, promoter: Promoter, engine: Engine) -> None:
    campaign = promoter.launch(free_entry={"per_shopper": 1})
    assert (
        enter(stranger, campaign, website="https://spam.example").headers["location"]
        == f"/campaigns/{campaign}?lang=en"
    )
    assert enter(stranger, campaign, agent="python-requests/2.32").status_code == 429
    data = {"email": "ada@gmail.com", "agreed": "1"}
    crossed = {"User-Agent": _AGENT, "Sec-Fetch-Site": "cross-site"}
    assert stranger.ask("POST", f"/campaigns/{campaign}/entry", data=data, headers=crossed).status_code == 403
    with engine.connect() as conn:
        assert conn.scalar(select(func.count()).select_from(Reward)) == 0


def test_a_campaign_without_free_entries_has_no_form(stranger: Person, promoter: Promoter) -> None:
    campaign = promoter.launch()
    assert stranger.get(f"/campaigns/{campaign}/entry").status_code == 404
    assert enter(stranger, campaign).status_code == 404
    assert "Ask for a free card" not in stranger.get(f"/campaigns/{campaign}", lang="en").text
