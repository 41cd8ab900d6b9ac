"""A prize goes into Google Wallet once it was scratched: an object that is made first, and a short link."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, func, select

from engagement.rewards.tables import GooglePrize
from engagement.tables import Event
from infra.google_wallet import SAVE
from infra.settings import Settings
from kernel.clock import iso
from tests.support.apple import with_wallet
from tests.support.campaigns import cards_of, launched, launched_with_moor, prize, scratched
from tests.support.google_prizes import address_of, jobs_in_words, object_of, scratched_at, taken
from tests.support.google_wallet import Google
from tests.support.inside import Person, on_sqlite
from tests.support.scratched import CODE, LOAF, VOUCHER, Promoter, sold_now
from tests.support.shops import Shops
from tests.test_free_entry import enter

LONGEST = 1_800


@pytest.fixture
def google() -> Iterator[Google]:
    with Google() as server:
        yield server


@pytest.fixture
def settings(settings: Settings, google: Google, tmp_path: Path) -> Settings:
    return with_wallet(settings, google.settings(tmp_path))


@pytest.fixture
def here(till: Person, promoter: Promoter) -> str:
    """The address of a card that wins, under its foil."""
    promoter.launch([VOUCHER | {"terms": {"en": "Once, from 20 € on.", "de": "Einmal, ab 20 €."}}])
    return address_of(promoter, sold_now(till))


def page_of(stranger: Person, here: str) -> str:
    return str(stranger.get(here.partition("/scratch/")[0], lang="en").text)


def card_of(here: str) -> str:
    return here.rpartition("/")[2]


def test_before_it_is_scratched_there_is_no_button_and_google_hears_nothing(
    stranger: Person, here: str, google: Google, engine: Engine
) -> None:
    assert "/google" not in page_of(stranger, here)
    answer = stranger.ask("POST", f"{here}/google")
    assert (answer.status_code, google.asked) == (404, [])
    with engine.connect() as conn:
        assert conn.scalar(select(func.count()).select_from(GooglePrize)) == 0


def test_the_button_makes_the_object_and_leads_to_where_it_is_taken(
    stranger: Person, here: str, google: Google
) -> None:
    scratched_at(stranger, here)
    page = stranger.get(here.partition("/scratch/")[0], lang="en")
    assert f'<form method="post" action="{here}/google">' in page.text
    assert "form-action 'self' https://pay.google.com;" in page.headers["content-security-policy"]
    address = taken(stranger, here)
    claims = google.read(address.removeprefix(SAVE), "google")
    [named] = claims["payload"]["genericObjects"]
    assert google.objects[named["id"]]["classId"] == named["classId"]
    assert named["classId"] in google.classes
    assert len(address) <= LONGEST


def test_the_object_says_what_the_card_says(stranger: Person, here: str, google: Google, promoter: Promoter) -> None:
    scratched_at(stranger, here)
    taken(stranger, here)
    made = object_of(google, card_of(here))
    code = CODE.search(page_of(stranger, here))
    assert code
    assert made["barcode"] == {"type": "QR_CODE", "value": code[0].replace("-", ""), "alternateText": code[0]}
    assert (made["state"], made["genericType"]) == ("ACTIVE", "GENERIC_VOUCHER")
    assert made["cardTitle"] == {"defaultValue": {"language": "de", "value": "Linden & Rye"}}
    assert made["header"]["defaultValue"] == {"language": "de", "value": "5\N{NO-BREAK SPACE}€ Rabatt"}
    assert made["header"]["translatedValues"] == [{"language": "en", "value": "€5 off"}]
    assert made["subheader"]["translatedValues"] == [{"language": "en", "value": "Winter days"}]
    terms = next(each for each in made["textModulesData"] if each["id"] == "terms")
    assert terms["localizedBody"]["translatedValues"] == [{"language": "en", "value": "Once, from 20 € on."}]
    assert made["hexBackgroundColor"] == "#1f5c47"
    reward = next(each for each in promoter.of(_campaign(made)) if each.id == card_of(here))
    assert made["validTimeInterval"] == {"end": {"date": iso(reward.expires_at)}}


def _campaign(made: Any) -> str:
    [rules] = made["linksModuleData"]["uris"]
    assert rules["uri"].startswith("https://receipts.test/campaigns/")
    return str(rules["uri"].rpartition("/")[2])


def test_a_prize_that_only_its_name_says_is_called_by_it(
    stranger: Person, till: Person, promoter: Promoter, google: Google
) -> None:
    promoter.launch([LOAF])
    here = address_of(promoter, sold_now(till))
    scratched_at(stranger, here)
    taken(stranger, here)
    made = object_of(google, card_of(here))
    assert made["header"]["defaultValue"]["value"] == "Ein Roggenbrot"
    assert [each["id"] for each in made["textModulesData"]] == ["until", "terms"]


def test_a_prize_of_an_ally_bears_the_name_and_colour_of_who_hands_it_out(
    owner: Person,
    outsider: Person,
    till: Person,
    stranger: Person,
    google: Google,
    engine: Engine,
    settings: Settings,
    shops: Shops,
) -> None:
    launched_with_moor(owner, outsider)
    receipt = sold_now(till)
    [card] = cards_of(owner, receipt["id"])
    code = scratched(engine, settings, shops.linden, card["id"])
    taken(stranger, f"/r/{receipt['token']}/scratch/{card['id']}")
    made = object_of(google, card["id"])
    assert made["cardTitle"]["defaultValue"]["value"] == "Moor & Sons"
    assert made["subheader"]["translatedValues"] == [{"language": "en", "value": "From our ally Linden & Rye"}]
    assert (made["hexBackgroundColor"], made["barcode"]["value"]) == ("#7a1f2b", code)


def test_a_card_without_a_purchase_goes_there_too(stranger: Person, promoter: Promoter, google: Google) -> None:
    campaign = promoter.launch(free_entry={"per_shopper": 1})
    here = enter(stranger, campaign).headers["location"].partition("?")[0]
    assert stranger.ask("POST", f"{here}/google").status_code == 404
    scratched_at(stranger, here)
    page = stranger.get(here, lang="en")
    assert f'action="{here}/google"' in page.text
    assert "form-action 'self' https://pay.google.com;" in page.headers["content-security-policy"]
    taken(stranger, here)
    [card] = promoter.of(campaign)
    assert object_of(google, card.id)["state"] == "ACTIVE"


def test_the_button_notes_once_that_the_code_was_taken_along(
    stranger: Person, here: str, google: Google, engine: Engine
) -> None:
    scratched_at(stranger, here)
    for _ in range(2):
        taken(stranger, here)
    assert times_claimed(engine) == 1


def times_claimed(engine: Engine) -> int | None:
    with engine.connect() as conn:
        return conn.scalar(select(func.count()).select_from(Event).where(Event.kind == "reward.claimed"))


def test_a_button_that_is_pressed_again_asks_google_nothing(stranger: Person, here: str, google: Google) -> None:
    scratched_at(stranger, here)
    taken(stranger, here)
    google.asked.clear()
    assert taken(stranger, here).startswith(SAVE)
    assert google.asked == []


def test_a_brand_that_was_changed_is_written_when_the_button_is_pressed_again(
    stranger: Person, here: str, google: Google, owner: Person
) -> None:
    scratched_at(stranger, here)
    taken(stranger, here)
    look = {"name": "Linden", "colour": "#123456", "languages": ["de", "en"]}
    owner.put("/v1/brands/linden-rye", look).raise_for_status()
    taken(stranger, here)
    assert object_of(google, card_of(here))["cardTitle"]["defaultValue"]["value"] == "Linden"


def test_what_google_did_not_take_is_written_when_the_button_is_pressed_again(
    stranger: Person, here: str, google: Google, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And till then nobody hears that the code was taken along."""
    monkeypatch.setattr("infra.google_wallet._PAUSE", 0.0)
    scratched_at(stranger, here)
    google.broken = 503
    answer = stranger.ask("POST", f"{here}/google")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "30")
    assert times_claimed(engine) == 0
    google.broken = 0
    taken(stranger, here)
    assert object_of(google, card_of(here))["state"] == "ACTIVE"
    assert times_claimed(engine) == 1


def test_a_form_of_another_site_asks_google_nothing(stranger: Person, here: str, google: Google) -> None:
    scratched_at(stranger, here)
    elsewhere = {"Sec-Fetch-Site": "cross-site"}
    assert stranger.ask("POST", f"{here}/google", headers=elsewhere).status_code == 403
    assert stranger.get(f"{here}/google").status_code in (404, 405)
    assert google.asked == []


def test_a_code_that_can_be_used_no_more_cannot_be_taken(
    stranger: Person, here: str, google: Google, owner: Person
) -> None:
    scratched_at(stranger, here)
    owner.post(f"/v1/rewards/{card_of(here)}/void", {}).raise_for_status()
    assert stranger.ask("POST", f"{here}/google").status_code == 404
    assert "/google" not in page_of(stranger, here)
    assert google.asked == []


def test_the_code_is_in_no_line_of_the_log_and_in_no_job(
    stranger: Person,
    here: str,
    google: Google,
    owner: Person,
    engine: Engine,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("infra.google_wallet._PAUSE", 0.0)
    scratched_at(stranger, here)
    caplog.set_level(logging.DEBUG)
    google.broken = 503
    assert stranger.ask("POST", f"{here}/google").status_code == 503
    google.broken = 0
    taken(stranger, here)
    code = object_of(google, card_of(here))["barcode"]["value"]
    owner.post(f"/v1/rewards/{card_of(here)}/void", {}).raise_for_status()
    logged = caplog.text + "".join(capsys.readouterr())
    assert "google_wallet_down" in logged
    assert card_of(here) in (jobs := jobs_in_words(engine))
    for secret in (code, object_of(google, card_of(here))["barcode"]["alternateText"]):
        assert secret not in logged
        assert secret not in jobs


@on_sqlite
def test_a_prize_may_say_much_and_the_link_stays_short(
    stranger: Person, till: Person, promoter: Promoter, google: Google
) -> None:
    promoter.launch([VOUCHER | {"name": {"en": "x" * 100}, "terms": {"en": "Once. " * 300}}])
    here = address_of(promoter, sold_now(till))
    scratched_at(stranger, here)
    assert len(taken(stranger, here)) <= LONGEST


def test_its_day_is_told_by_the_clock_of_the_campaign(
    owner: Person,
    till: Person,
    stranger: Person,
    google: Google,
    engine: Engine,
    settings: Settings,
    shops: Shops,
) -> None:
    ends = {"valid_days": None, "valid_until": "2098-12-31T00:30"}
    launched(owner, ends_at="2030-01-01T00:00", prizes=[prize(**ends)])
    receipt = sold_now(till)
    [card] = cards_of(owner, receipt["id"])
    scratched(engine, settings, shops.linden, card["id"])
    taken(stranger, f"/r/{receipt['token']}/scratch/{card['id']}")
    made = object_of(google, card["id"])
    [until] = [each for each in made["textModulesData"] if each["id"] == "until"]
    assert until["localizedBody"]["translatedValues"] == [{"language": "en", "value": "Wed, 31 Dec 2098"}]
    assert made["validTimeInterval"]["end"]["date"] == "2098-12-30T23:30:00Z"
