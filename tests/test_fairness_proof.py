"""Whether each card was drawn as was promised is judged from a proof alone, and the command says so."""

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, delete, update
from typer.testing import CliRunner

from cli.main import app
from engagement import scratch
from engagement.rewards.proof import NotAProof, Proof, TheDraw, follows
from engagement.rewards.tables import PrizeSlot, Reward
from infra.settings import Settings
from tests.support.inside import Person, on_sqlite
from tests.support.proofs import SEED, draws_of, judged, proof_of, table
from tests.support.sales import Body
from tests.support.scratched import VOUCHER, Promoter, sold_now
from tests.support.served import served


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


def test_a_blank_is_never_gone() -> None:
    told = table((1, 30), nothing=20)
    draws = draws_of(told, 30)
    at = next(at for at, each in enumerate(draws) if each["outcome"] == 1)
    draws[at] |= {"outcome": 0, "nonce": 1, "gone": [1]}
    proof = Proof.read(json.dumps(proof_of(told, draws)).encode())
    assert not follows(proof, proof.draws[at])
    assert judged(proof_of(told, draws)).wrong == [draws[at]["reward"]]


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
    order = scratch.shuffled(SEED, campaign="cmp_often", counts=[3, 7, 10])
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
    order = scratch.shuffled(SEED, campaign="cmp_1", counts=[3, 7, 10])
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


def deck_without(places: set[int]) -> tuple[Body, list[Body]]:
    """Six prizes and 194 blanks, of which those at ``places`` are not dealt."""
    told = table((0, 1), (0, 5), nothing=194, mode="deck")
    order = scratch.shuffled(SEED, campaign="cmp_1", counts=[1, 5, 194])
    return told, [
        {"reward": f"rwd_{at}", "entry": f"rct_{at}/0", "gone": [], "position": at, "outcome": index}
        for at, index in enumerate(order)
        if at not in places
    ]


ORDER = scratch.shuffled(SEED, campaign="cmp_1", counts=[1, 5, 194])
WINS = {at for at, index in enumerate(ORDER) if index < 2}


def test_a_deck_of_which_the_winning_places_are_never_dealt_is_not_proved(tmp_path: Path) -> None:
    """Who keeps the prizes for a friend passes their places over, and all that is dealt has its right place."""
    proof = proof_of(*deck_without(WINS))
    found = judged(proof)
    assert (found.right, set(found.not_dealt)) == (194, WINS - {199})
    assert (found.is_proved, found.is_undecided) == (False, False)
    file = tmp_path / "proof.json"
    file.write_text(json.dumps(proof))
    told = run(str(file))
    assert told.exit_code == 1
    assert f"places before the last one that no card has: {', '.join(map(str, found.not_dealt))}" in told.output


def test_a_deck_that_is_not_dealt_to_its_end_is_proved() -> None:
    assert judged(proof_of(*deck_without(set(range(120, 200))))).is_proved


@pytest.mark.parametrize("unscratched, is_undecided", [(2, False), (3, True)])
def test_cards_that_are_not_scratched_yet_may_have_the_places_that_are_missing(
    unscratched: int, is_undecided: bool
) -> None:
    found = judged(proof_of(*deck_without({3, 50, 100}), unscratched=unscratched))
    assert (found.not_dealt, found.is_proved, found.is_undecided) == ([3, 50, 100], False, is_undecided)


def test_a_place_that_is_said_to_be_left_out_hurts_where_it_holds_a_prize(tmp_path: Path) -> None:
    blank = next(at for at in range(199) if ORDER[at] == 2)
    told = judged(proof_of(*deck_without({blank}), left_out=[blank]))
    assert (told.is_proved, told.left_out, told.lost) == (True, [blank], [])
    won = min(WINS)
    proof = proof_of(*deck_without({won}), left_out=[won, 198, 10**12])
    found = judged(proof)
    assert (found.is_proved, found.is_undecided, found.left_out, found.lost) == (False, True, [won], [won])
    file = tmp_path / "proof.json"
    file.write_text(json.dumps(proof))
    told_by_command = run(str(file))
    assert (told_by_command.exit_code, told_by_command.output.partition("\n")[0]) == (2, "cannot tell")
    assert f"nobody can tell why they were left out: {won}\n" in told_by_command.output


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


def test_the_command_proves_no_card_that_is_not_scratched_yet(tmp_path: Path) -> None:
    told = table((1, 30), nothing=20)
    file = tmp_path / "proof.json"
    file.write_text(json.dumps(proof_of(told, draws_of(told, 12), unscratched=3)))
    said = run(str(file))
    assert (said.exit_code, said.output.partition("\n")[0]) == (0, "proved: 12 of 15 cards; 3 not scratched yet")


@pytest.mark.parametrize("unscratched, said", [(2, "it was not"), (3, "the rest of it may be in cards still to come")])
def test_the_command_suspects_nobody_of_what_cards_under_their_foil_may_explain(
    tmp_path: Path, unscratched: int, said: str
) -> None:
    told = table((1, 3), nothing=20)
    draws = [each for each in draws_of(told, 200) if each["outcome"] != 0]
    file = tmp_path / "proof.json"
    file.write_text(json.dumps(proof_of(told, draws, unscratched=unscratched)))
    assert f"prize 1: was said to be gone, and {said}\n" in run(str(file)).output


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


def test_the_proof_says_which_places_of_a_deck_were_left_out(till: Person, promoter: Promoter, engine: Engine) -> None:
    campaign = promoter.launch([VOUCHER | {"weight": None, "stock": 9}], mode="deck")
    for _ in range(3):
        sold_now(till)
    [second] = [each.id for each in promoter.of(campaign) if each.position == 1]
    with engine.begin() as conn:
        # As a sale that is broken off leaves it, where no other comes before the end.
        conn.execute(update(PrizeSlot).where(PrizeSlot.reward_id == second).values(reward_id=None))
        conn.execute(delete(Reward).where(Reward.id == second))
    promoter.end(campaign)
    proof = till.get(f"/v1/campaigns/{campaign}/proof").json()
    assert (proof["left_out"], [each["position"] for each in proof["draws"]]) == ([1], [0, 2])


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
