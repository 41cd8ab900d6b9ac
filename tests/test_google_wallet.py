"""A card goes into Google Wallet by an object that is made first and a short link."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from sqlalchemy import Engine, select

from api.wallets import buttons
from cards.find import CardRecord
from cards.tables import GoogleObject
from infra import google_wallet
from infra.google_wallet import SAVE, GoogleWalletDown, read_account
from infra.settings import Settings
from tests.support.apple import with_wallet
from tests.support.cards import a_card
from tests.support.google_cards import object_of, taken
from tests.support.google_wallet import CLASSES, EMAIL, Google
from tests.support.inside import Inside, on_sqlite
from tests.support.shops import Shops
from tests.support.wallets import changed
from tests.test_races import at_once
from worker.workshop import Workshop

LONGEST = 1_800


@pytest.fixture
def google() -> Iterator[Google]:
    with Google() as server:
        yield server


@pytest.fixture
def settings(settings: Settings, google: Google, tmp_path: Path) -> Settings:
    return with_wallet(settings, google.settings(tmp_path))


def test_the_button_makes_the_object_and_leads_to_where_it_is_taken(
    inside: Inside, google: Google, card: CardRecord
) -> None:
    address = taken(inside, card)
    assert address.startswith(SAVE)
    assert urlsplit(address).netloc == "pay.google.com"
    claims = google.read(address.removeprefix(SAVE), "google")
    assert (claims["iss"], claims["typ"], claims["origins"]) == (EMAIL, "savetowallet", ["https://receipts.test"])
    [named] = claims["payload"]["genericObjects"]
    assert google.objects[named["id"]]["classId"] == named["classId"]
    assert named["classId"] in google.classes


def test_the_object_says_what_the_card_says(inside: Inside, google: Google, card: CardRecord) -> None:
    taken(inside, card)
    made = object_of(google, card)
    assert made["state"] == "ACTIVE"
    assert made["header"]["defaultValue"] == {"language": "en", "value": "Dr. Emma Lind"}
    assert made["subheader"]["translatedValues"] == [{"language": "de", "value": "Bäckermeisterin"}]
    assert made["barcode"]["value"] == f"https://receipts.test/c/{card.token}?s=wallet"
    assert {"id": "phone", "header": "Phone", "body": "+49 30 5550 1234\n+49 151 1234567"} in made["textModulesData"]
    assert all(each["uri"].startswith("https://") for each in made["linksModuleData"]["uris"])


def test_the_link_is_short_however_much_the_card_says(
    inside: Inside, engine: Engine, shops: Shops, google: Google
) -> None:
    many = [{"url": f"https://linden-rye.example/{number:03}" + "x" * 300} for number in range(20)]
    card = a_card(engine, shops, description="x" * 2000, links=many, name="Emma " + "Lind" * 70)
    assert len(taken(inside, card)) <= LONGEST


def test_the_button_pressed_again_changes_the_same_object(
    inside: Inside, google: Google, card: CardRecord, engine: Engine
) -> None:
    taken(inside, card)
    taken(inside, card)
    assert len(google.objects) == 1
    assert len(google.tokens) == 1
    with engine.connect() as conn:
        assert conn.scalars(select(GoogleObject.card_id)).all() == [card.id]


def test_a_button_that_is_pressed_again_asks_google_only_where_the_card_was_changed(
    inside: Inside, google: Google, card: CardRecord, engine: Engine, shop: Workshop
) -> None:
    taken(inside, card)
    google.asked.clear()
    assert taken(inside, card).startswith(SAVE)
    assert google.asked == []
    card = changed(engine, shop, card, photo_key="photos/ab/" + "ab" * 32 + ".jpg")
    taken(inside, card)
    assert len(google.asked) == 1
    assert "heroImage" in object_of(google, card)


def test_what_google_did_not_take_is_written_when_the_button_is_pressed_again(
    inside: Inside, google: Google, engine: Engine, shops: Shops, card: CardRecord
) -> None:
    # So that there is a token already.
    taken(inside, a_card(engine, shops, "ben"))
    google.broken = 503
    assert inside.request("POST", f"/c/{card.token}/google").status_code == 503
    google.broken = 0
    taken(inside, card)
    assert object_of(google, card)["state"] == "ACTIVE"


def test_a_form_of_another_site_asks_google_nothing(inside: Inside, google: Google, card: CardRecord) -> None:
    elsewhere = {"Sec-Fetch-Site": "cross-site"}
    assert inside.request("POST", f"/c/{card.token}/google", headers=elsewhere).status_code == 403
    assert google.asked == []


def test_an_object_that_another_makes_meanwhile_is_changed(inside: Inside, google: Google, card: CardRecord) -> None:
    google.is_made_meanwhile = True
    taken(inside, card)
    assert object_of(google, card)["state"] == "ACTIVE"
    assert [each.split()[0] for each in google.asked[-3:]] == ["PUT", "POST", "PUT"]


@pytest.mark.parametrize("status", [500, 503, 429, 403])
def test_while_google_is_away_the_button_says_so_and_when_to_try_again(
    inside: Inside, google: Google, card: CardRecord, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(google_wallet, "_PAUSE", 0.0)
    google.broken = status
    answer = inside.request("POST", f"/c/{card.token}/google")
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "30"
    assert answer.json()["type"] == "urn:counterfoil:problem:google-wallet-down"
    google.broken = 0
    assert taken(inside, card)


def test_a_token_that_google_takes_no_more_is_asked_for_anew(
    inside: Inside, google: Google, engine: Engine, shops: Shops, card: CardRecord
) -> None:
    taken(inside, card)
    google.tokens[0] = "ya29.withdrawn"
    assert taken(inside, a_card(engine, shops, "ben"))
    assert len(google.tokens) == 2


@on_sqlite
def test_google_that_takes_no_token_is_asked_twice(
    inside: Inside, google: Google, card: CardRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Google, "rest", lambda *_: (401, {}))
    assert inside.request("POST", f"/c/{card.token}/google").status_code == 503
    assert [each.split()[1] for each in google.asked] == ["/token", CLASSES, "/token", CLASSES]


@on_sqlite
def test_while_googles_accounts_do_not_answer_one_of_many_waits_for_them(
    inside: Inside, google: Google, card: CardRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(google_wallet, "_SECONDS", 0.5)
    google.accounts_wait = 1.5
    answers = at_once(8, lambda _: inside.request("POST", f"/c/{card.token}/google").status_code)
    assert answers == [503] * 8
    assert google.asked == ["POST /token"]
    google.accounts_wait = 0
    monkeypatch.setattr(google_wallet, "_PAUSE", 0.0)
    assert taken(inside, card)


@on_sqlite
def test_only_what_is_set_up_has_a_button(inside: Inside, card: CardRecord) -> None:
    house = inside.app.state.house
    assert (buttons(house).apple, buttons(house).google) == (False, True)
    assert inside.request("GET", f"/c/{card.token}.pkpass").status_code == 404
    assert inside.request("POST", "/wallet/v1/log", json={"logs": []}).status_code == 404


@pytest.mark.parametrize(
    "content, said",
    [
        (None, "cannot be read"),
        ("{", "is not JSON"),
        ("[]", "lacks one of client_email, private_key, token_uri"),
        ('{"client_email": "a@b", "private_key": "PEM", "token_uri": "https://x"}', "no RSA key in PEM"),
    ],
)
def test_a_file_that_is_no_service_account_is_named(tmp_path: Path, content: str | None, said: str) -> None:
    path = tmp_path / "google.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(GoogleWalletDown, match=said):
        read_account(path)
