"""A prize in Apple Wallet: its code is the one that a till reads, and it ends by itself."""

from typing import Any

import pytest

from infra.settings import Settings
from tests.support.apple import Apple
from tests.support.campaigns import cards_of, launched_with_moor
from tests.support.inside import Inside, Person, on_sqlite
from tests.support.pass_checker import Opened, faults
from tests.support.scratched import VOUCHER, Promoter, sold_now


@pytest.fixture
def settings(settings: Settings, its: Apple) -> Settings:
    return its.settings(settings)


def address(promoter: Promoter, receipt: dict[str, Any]) -> str:
    return f"/r/{receipt['token']}/scratch/{promoter.card(receipt['id']).id}"


def test_a_prize_is_a_coupon_with_its_code(
    inside: Inside, stranger: Person, till: Person, promoter: Promoter, its: Apple
) -> None:
    promoter.launch([VOUCHER | {"terms": {"en": "Once, from 20 € on."}}])
    receipt = sold_now(till)
    here = address(promoter, receipt)
    stranger.ask("POST", here, data={"x": ""})
    page = stranger.get(f"/r/{receipt['token']}", lang="en").text
    assert f'href="{here}.pkpass?lang=en"' in page
    answer = inside.request("GET", f"{here}.pkpass?lang=en")
    assert faults(answer.content, root=its.root) == []
    held = Opened(answer.content)
    told = {key: field["value"].strip() for key, field in held.fields().items()}
    assert held.style == "coupon"
    assert (told["prize"], told["terms"]) == ("€5 off", "Once, from 20 € on.")
    assert held.content["barcodes"][0]["message"] == told["code"].replace("-", "")
    assert told["code"] in page
    assert held.content["expirationDate"].startswith(f"{promoter.card(receipt['id']).expires_at:%Y-%m-%d}")
    assert "webServiceURL" not in held.content


@on_sqlite
def test_there_is_no_pass_before_a_card_is_scratched_nor_of_a_blank(
    stranger: Person, till: Person, promoter: Promoter
) -> None:
    promoter.launch([VOUCHER], nothing=1)
    receipt = sold_now(till)
    assert stranger.get(f"{address(promoter, receipt)}.pkpass").status_code == 404
    while promoter.card((receipt := sold_now(till))["id"]).prize is not None:
        pass
    stranger.ask("POST", address(promoter, receipt), data={"x": ""})
    assert stranger.get(f"{address(promoter, receipt)}.pkpass").status_code == 404


def test_a_prize_of_an_ally_wears_the_brand_of_who_hands_it_out_and_names_who_gave_it(
    owner: Person, outsider: Person, inside: Inside, stranger: Person, till: Person, its: Apple
) -> None:
    launched_with_moor(owner, outsider)
    receipt = sold_now(till)
    [card] = cards_of(owner, receipt["id"])
    here = f"/r/{receipt['token']}/scratch/{card['id']}"
    stranger.ask("POST", here, data={"x": ""})
    answer = inside.request("GET", f"{here}.pkpass?lang=en")
    assert faults(answer.content, root=its.root) == []
    made = Opened(answer.content)
    assert (made.content["organizationName"], made.content["logoText"]) == ("Moor & Sons", "Moor & Sons")
    assert made.content["backgroundColor"] == "rgb(122, 31, 43)"
    assert made.fields()["from"]["value"].strip() == "From our ally Linden & Rye"
