"""Who starts the service with another secret key is told so: no wrong code is shown, and no right one called wrong."""

from collections.abc import Iterator

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr
from sqlalchemy import Engine, func, select, update

from api.app import create_app
from cli import checks_database
from engagement.rewards import find, revealing
from engagement.rewards.keys import RewardKeys, code_of
from engagement.rewards.proof import NotAProof
from engagement.rewards.tables import Campaign, Reward
from engagement.tables import Event
from infra import secrets
from infra.settings import Settings
from kernel.clock import utc_now
from tests.support.campaigns import cards_of, launched, scratched, sold
from tests.support.inside import Inside, Person
from tests.support.proofs import judged
from tests.support.sales import coffee
from tests.support.shops import Shops
from worker.rewards import expire_rewards
from worker.workshop import Workshop


@pytest.fixture
def other(settings: Settings) -> Settings:
    """The same service, but for its secret key."""
    key = SecretStr(Fernet.generate_key().decode())
    data = settings.data.model_copy(update={"secret_key": key})
    return Settings(data, settings.server, mail=settings.mail)


@pytest.fixture
def moved(other: Settings, owner: Person) -> Iterator[Inside]:
    """Started with the other key, once everybody has come in with the right one."""
    with Inside(create_app(other)) as running:
        yield running


def test_no_wrong_code_is_told(
    owner: Person, till: Person, engine: Engine, shops: Shops, settings: Settings, other: Settings
) -> None:
    launched(owner)
    [card] = cards_of(owner, sold(till))
    code = scratched(engine, settings, shops.linden, card["id"])
    with engine.begin() as conn:
        reward = revealing.reveal(conn, shops.linden, card["id"], now=utc_now())
        right, wrong = (RewardKeys.of(each.data, secrets.box(each.data)) for each in (settings, other))
        assert code_of(conn, right, reward) == code
        with pytest.raises(secrets.Unsealable):
            code_of(conn, wrong, reward)
        assert find.reward(conn, shops.linden, card["id"]).code_hint == code[-4:]


def test_no_right_code_is_called_wrong_and_no_card_is_given(
    owner: Person, till: Person, engine: Engine, shops: Shops, settings: Settings, moved: Inside
) -> None:
    launched(owner)
    [card] = cards_of(owner, sold(till))
    code = scratched(engine, settings, shops.linden, card["id"])
    answer = Person(moved, shops.owner).get(f"/v1/rewards/{code}")
    assert (answer.status_code, answer.json()["type"]) == (503, "urn:counterfoil:problem:sealed-with-another-key")
    assert owner.get(f"/v1/rewards/{code}").status_code == 200
    assert cards_of(owner, sold(Person(moved, shops.till))) == []


def test_a_receipt_is_shown_without_the_code(
    owner: Person, till: Person, engine: Engine, shops: Shops, settings: Settings, moved: Inside
) -> None:
    launched(owner)
    receipt = till.post("/v1/receipts", coffee()).json()
    [card] = cards_of(owner, receipt["id"])
    scratched(engine, settings, shops.linden, card["id"])
    page = Person(moved).get(f"/r/{receipt['token']}", lang="en").raise_for_status().text
    assert "This code cannot be shown just now." in page
    assert "Show this code at the till" not in page


def test_doctor_names_whose_campaigns_these_are(owner: Person, settings: Settings, other: Settings) -> None:
    launched(owner)
    assert checks_database.campaigns(settings).state == "ok"
    found = checks_database.campaigns(other)
    assert (found.state, "linden-rye" in found.says, found.do) == ("FAIL", True, "put the right one back")


@pytest.fixture
def given_up(
    owner: Person, till: Person, engine: Engine, shops: Shops, settings: Settings, moved: Inside
) -> tuple[str, str]:
    """A campaign that was ended without the key of its seed, and a card that was scratched before."""
    campaign_id = launched(owner)
    [card] = cards_of(owner, sold(till))
    scratched(engine, settings, shops.linden, card["id"])
    ended = Person(moved, shops.owner).put(f"/v1/campaigns/{campaign_id}/state", {"state": "ended"})
    assert (ended.raise_for_status().json()["state"], ended.json()["seed"]) == ("ended", None)
    return campaign_id, card["id"]


def test_a_campaign_whose_key_is_lost_can_be_ended_and_nobody_can_check_its_cards(
    till: Person, owner: Person, moved: Inside, given_up: tuple[str, str]
) -> None:
    (campaign_id, card), stranger = given_up, Person(moved)
    assert cards_of(owner, sold(till)) == []
    proof = stranger.get(f"/v1/campaigns/{campaign_id}/proof").raise_for_status().json()
    assert (proof["ended"], proof["seed"], [each["reward"] for each in proof["draws"]]) == (True, None, [card])
    with pytest.raises(NotAProof, match="lost"):
        judged(proof)
    page = stranger.get(f"/campaigns/{campaign_id}/fair", lang="en", card=card).raise_for_status().text
    for said in ("the key that kept it is lost", "Nobody can check how it was drawn", "A coffee", "It proves nothing."):
        assert said in page
    for said in ("is told here once", "as was promised", "counterfoil rewards verify"):
        assert said not in page


def test_doctor_names_whose_cards_nobody_can_check(
    settings: Settings, other: Settings, given_up: tuple[str, str]
) -> None:
    found = checks_database.campaigns(settings)
    assert (found.state, "linden-rye" in found.says) == ("warn", True)
    assert checks_database.campaigns(other).state == "FAIL"


def test_no_right_code_is_called_wrong_after_the_end_while_it_is_good(
    engine: Engine, shops: Shops, settings: Settings, moved: Inside, given_up: tuple[str, str]
) -> None:
    code, till = scratched(engine, settings, shops.linden, given_up[1]), Person(moved, shops.owner)
    assert till.get(f"/v1/rewards/{code}").status_code == 503
    with engine.begin() as conn:
        conn.execute(update(Reward).values(state="expired"))
    assert till.get(f"/v1/rewards/{code}").status_code == 404


def test_where_the_key_comes_back_the_seed_is_told(
    owner: Person, engine: Engine, shop: Workshop, given_up: tuple[str, str]
) -> None:
    campaign_id, _ = given_up
    for _ in range(2):
        expire_rewards(shop, "", {})
    assert judged(owner.get(f"/v1/campaigns/{campaign_id}/proof").json()).is_proved
    with engine.connect() as conn:
        assert conn.scalars(select(Campaign.sealed_seed)).all() == [None]
        assert conn.scalar(select(func.count()).where(Event.kind == "campaign.ended")) == 1
