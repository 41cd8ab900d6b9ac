"""Amounts of campaigns, rewards and their reports are decimal strings, with the digits of their currency."""

import csv
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import PydanticSerializationError
from sqlalchemy import Engine

from api.app import create_app
from engagement.rewards.definition import NewCampaign, read_campaign, restored, restored_prize, stored, stored_prize
from infra.settings import Settings
from kernel import money
from tests.support.campaigns import campaign, cards_of, drawn_up, launched, prize, scratched, sold, spending
from tests.support.inside import Person, on_sqlite
from tests.support.sales import Body
from tests.support.shops import Shops

_CURRENCIES = st.sampled_from(["EUR", "JPY", "KWD", "CLF", "INR"])
_MINOR = st.integers(1, 10**money.MAX_DIGITS - 1)


def told(minor: int, currency: str) -> str:
    return money.plain(minor, money.exponent(currency))


def written(owner: Person, **changes: Any) -> Body:
    """A draft as it is shown."""
    return dict(owner.get(f"/v1/campaigns/{drawn_up(owner, **changes)}").raise_for_status().json())


@given(_CURRENCIES, _CURRENCIES, st.none() | _CURRENCIES, st.lists(_MINOR, min_size=4, max_size=4))
def test_a_definition_is_read_back_as_it_was_stored(ours: str, ruled: str, own: str | None, minor: list[int]) -> None:
    body = campaign(
        currency=ours,
        eligibility={"rule": {"kind": "not", "of": spending(told(minor[0], ruled), ruled)["rule"]}},
        budget={"amount": told(minor[1], ours)},
        for_each=told(minor[2], ours),
        prizes=[prize(currency=own, face_value=told(minor[3], own or ours))],
    )
    new = read_campaign(body)
    assert (new.budget.amount, new.for_each, new.prizes[0].face_value) == tuple(minor[1:])
    text, text_of_prize = stored(new), stored_prize(new.prizes[0], own or ours)
    again = restored(text)
    assert again.model_dump() == new.model_dump(exclude={"prizes"})
    assert restored_prize(text_of_prize, own or ours) == new.prizes[0]
    kept, of_prize = json.loads(text), json.loads(text_of_prize)
    assert kept["eligibility"]["rule"]["of"]["at_least"] == told(minor[0], ruled)
    assert (kept["budget"]["amount"], kept["for_each"]) == (body["budget"]["amount"], body["for_each"])
    assert of_prize["face_value"] == body["prizes"][0]["face_value"]


def test_without_its_currency_no_amount_is_read_or_written() -> None:
    with pytest.raises(LookupError):
        NewCampaign.model_validate(campaign())
    yen = read_campaign(campaign(currency="JPY", budget={"amount": "430"}, prizes=[prize(face_value="430")]))
    for each in (yen, yen.prizes[0], yen.budget):
        with pytest.raises(PydanticSerializationError, match="LookupError"):
            each.model_dump_json()


@on_sqlite
@pytest.mark.parametrize(
    "currency, sent, shown",
    [("EUR", "4.3", "4.30"), ("JPY", "430", "430"), ("JPY", "430.00", "430"), ("KWD", "4.305", "4.305")],
)
def test_a_campaign_speaks_in_the_digits_of_its_currency(owner: Person, currency: str, sent: str, shown: str) -> None:
    draft = written(
        owner,
        currency=currency,
        eligibility=spending(sent, currency),
        budget={"amount": sent},
        for_each=sent,
        prizes=[prize(face_value=sent)],
    )
    assert draft["eligibility"]["rule"]["at_least"] == shown
    assert (draft["budget"]["amount"], draft["for_each"], draft["prizes"][0]["face_value"]) == (shown, shown, shown)


@on_sqlite
@pytest.mark.parametrize(
    "currency, sent, right",
    [
        ("EUR", "4.305", 'has more than 2 digits after the point; "12.50" is expected'),
        ("JPY", "4.3", 'has more than 0 digits after the point; "12" is expected'),
        ("KWD", "4.3055", 'has more than 3 digits after the point; "12.500" is expected'),
        ("EUR", 430, 'is not a string; a decimal string such as "12.50" is expected'),
        ("EUR", 4.3, 'is not a string; a decimal string such as "12.50" is expected'),
        ("JPY", 430, 'is not a string; a decimal string such as "12" is expected'),
        ("EUR", "4,30", 'is not an amount; a decimal string such as "12.50" is expected'),
        ("EUR", "-4.30", "must not be negative"),
        ("EUR", "99999999999999.99", "is too large; at most 15 digits in all are kept"),
    ],
)
def test_what_is_no_such_amount_is_refused_where_it_stands(owner: Person, currency: str, sent: Any, right: str) -> None:
    rule = {"kind": "all", "of": [spending(sent, currency)["rule"]]}
    wrong = {"budget": {"amount": sent}, "for_each": sent, "prizes": [prize(face_value=sent)]}
    answer = owner.post("/v1/campaigns", campaign(currency=currency, eligibility={"rule": rule}, **wrong))
    assert answer.status_code == 422
    assert {each["pointer"]: each["detail"] for each in answer.json()["errors"]} == dict.fromkeys(
        ["/eligibility/rule/of/0/at_least", "/for_each", "/budget/amount", "/prizes/0/face_value"], right
    )


@on_sqlite
def test_an_unknown_currency_is_refused_itself(owner: Person) -> None:
    answer = owner.post("/v1/campaigns", campaign(currency="XYZ", eligibility=spending("4.30", "XYZ")))
    wrong = [each["pointer"] for each in answer.json()["errors"]]
    assert wrong == ["/currency", "/eligibility/rule/currency"]


def test_a_prize_in_another_currency_has_the_digits_of_that(
    owner: Person, till: Person, engine: Engine, shops: Shops, settings: Settings
) -> None:
    fils = prize(currency="KWD", face_value="4.305", partial=True)
    campaign_id = launched(owner, budget={"prizes": 9}, eligibility=spending("3.20"), prizes=[fils])
    shown = owner.get(f"/v1/campaigns/{campaign_id}").json()
    assert shown["prizes"][0]["face_value"] == "4.305"
    # What sums are done with, and hashed.
    assert (shown["table"]["prizes"][0]["face_value"], shown["table"]["budget"]["prizes"]) == (4305, 9)
    [card] = cards_of(owner, sold(till))
    path = f"/v1/rewards/{scratched(engine, settings, shops.linden, card['id'])}"
    assert owner.get(path).json()["prize"]["face_value"] == "4.305"
    refused = owner.post(f"{path}/redeem", {"amount": "1.0005"})
    assert [each["pointer"] for each in refused.json()["errors"]] == ["/amount"]
    refused = owner.post(f"{path}/redeem", {"amount": "4.306"})
    assert refused.json()["errors"] == [{"pointer": "/amount", "detail": "must be from 0.001 to 4.305"}]
    used = owner.post(f"{path}/redeem", {"amount": "1.005"}).raise_for_status().json()
    assert (used["amount"], used["face_value"], used["currency"]) == ("1.005", "4.305", "KWD")
    [row] = owner.get("/v1/reward-reports/liability").json()["prizes"]
    assert (row["redeemed"], row["taken_off"], row["due"]) == ({"cards": 1, "face_value": "4.305"}, "1.005", "0.000")
    table = owner.get("/v1/reward-reports/liability.csv").raise_for_status().content
    [of_table] = csv.DictReader(table.decode("utf-8-sig").splitlines())
    assert (of_table["redeemed_face_value"], of_table["taken_off"]) == ("4.305", "1.005")
    assert owner.get("/v1/reward-reports/redemption").json()["stores"][0]["amount"] == "1.005"


def test_an_ally_reads_a_prize_in_the_campaigns_currency(owner: Person, outsider: Person) -> None:
    found = owner.post("/v1/alliances", {"ally": "moor"}).raise_for_status().json()
    outsider.ask("POST", f"/v1/alliances/{found['id']}/agreement").raise_for_status()
    drawn_up(owner, currency="JPY", prizes=[prize(face_value="2500", supplier="moor")])
    [asked] = outsider.get("/v1/prizes-to-supply").json()["prizes"]
    assert (asked["prize"]["face_value"], asked["currency"]) == ("2500", "JPY")
    consent = outsider.post(f"/v1/prizes-to-supply/{asked['id']}/consent", {"terms": asked["terms"]})
    assert consent.status_code == 204


def test_the_document_shows_amounts_as_strings_with_their_form() -> None:
    schemas = create_app(Settings()).openapi()["components"]["schemas"]
    shown = {
        ("SpendRule", "at_least"),
        ("Budget", "amount"),
        ("NewCampaign", "for_each"),
        ("CampaignAnswer", "for_each"),
        ("PrizeDefinition", "face_value"),
        ("PrizeAnswer", "face_value"),
        ("RewardUse", "amount"),
        ("RewardPrize", "face_value"),
        ("RedemptionAnswer", "amount"),
        ("SettlementRow", "owed_to_us"),
        ("UpliftGroup", "mean"),
    }
    for model, name in shown:
        found = schemas[model]["properties"][name]
        amount = next((each for each in found.get("anyOf", []) if each["type"] != "null"), found)
        assert (amount["type"], "pattern" in amount, "examples" in amount) == ("string", True, True), (model, name)
