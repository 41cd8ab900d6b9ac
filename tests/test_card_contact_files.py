"""``/c/{token}.vcf`` and ``.json``: what a phone saves of a card, and what a program reads of it."""

import sys
import threading
from io import BytesIO

import pytest
import vobject
from PIL import Image
from sqlalchemy import Engine

from api.house import House
from cards import manage
from cards.find import CardRecord
from cards.manage import State
from infra.portraits import portrait
from infra.storage import Storage, content_key
from tests.support.cards import a_card
from tests.support.inside import Inside
from tests.support.shops import OPENED, Shops


@pytest.fixture
def card(engine: Engine, shops: Shops) -> CardRecord:
    return a_card(engine, shops)


def storage_of(inside: Inside) -> Storage:
    house: House = inside.app.state.house
    return house.storage


def give_photo(inside: Inside, engine: Engine, card: CardRecord) -> str:
    out = BytesIO()
    Image.effect_noise((900, 700), 80).convert("RGB").save(out, "JPEG")
    photo = portrait(out.getvalue())
    key = content_key("photos", photo, suffix=".jpg")
    storage_of(inside).put(key, photo)
    with engine.begin() as conn:
        manage.set_photo(conn, card, key, now=OPENED)
    return key


def test_a_phone_saves_the_card_as_a_file_under_the_person_s_name(inside: Inside, card: CardRecord) -> None:
    answer = inside.request("GET", f"/c/{card.token}.vcf")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/vcard; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="Emma-Lind.vcf"'
    assert answer.headers["cache-control"] == "private, no-cache"
    read = vobject.readOne(answer.text)
    assert (read.fn.value, read.org.value) == ("Dr. Emma Lind", ["Linden & Rye", "Bakery"])
    assert f"URL;TYPE=WORK:https://receipts.test/c/{card.token}" in answer.text.replace("\r\n ", "")


@pytest.mark.parametrize("form", [".vcf", "/qr.svg?variant=vcard", "/qr.png?variant=vcard"])
def test_no_request_waits_for_what_the_first_card_loads(
    inside: Inside, card: CardRecord, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    loading: list[str] = []

    class Noted:
        """Asked for every module that is not loaded yet; finds none."""

        def find_spec(self, name: str, *_: object) -> None:
            if name == "cards.vcard_envelope":
                loading.append(threading.current_thread().name)

    monkeypatch.setattr(sys, "meta_path", [Noted(), *sys.meta_path])
    monkeypatch.delitem(sys.modules, "cards.vcard_envelope", raising=False)
    assert inside.request("GET", f"/c/{card.token}{form}").status_code == 200
    assert loading
    assert "inside" not in loading


def test_what_was_saved_already_is_not_sent_again(inside: Inside, card: CardRecord) -> None:
    for form in ("vcf", "json"):
        first = inside.request("GET", f"/c/{card.token}.{form}")
        again = inside.request("GET", f"/c/{card.token}.{form}", headers={"If-None-Match": first.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")


def test_the_photo_is_small_enough_for_phones_and_may_be_left_out(
    inside: Inside, engine: Engine, card: CardRecord
) -> None:
    give_photo(inside, engine, card)
    for _ in range(2):
        photo = vobject.readOne(inside.request("GET", f"/c/{card.token}.vcf").text).photo.value
        assert len(photo) <= 24_000
        assert Image.open(BytesIO(photo)).format == "JPEG"
    assert "PHOTO" not in inside.request("GET", f"/c/{card.token}.vcf", params={"photo": "0"}).text


def test_a_photo_that_is_gone_leaves_a_card_without_one(inside: Inside, engine: Engine, card: CardRecord) -> None:
    storage_of(inside).delete(give_photo(inside, engine, card))
    answer = inside.request("GET", f"/c/{card.token}.vcf")
    assert answer.status_code == 200
    assert "PHOTO" not in answer.text


@pytest.mark.parametrize("asked, version", [("3", "3.0"), ("3.0", "3.0"), ("4", "4.0"), ("4.0", "4.0")])
def test_the_version_may_be_chosen(inside: Inside, card: CardRecord, asked: str, version: str) -> None:
    answer = inside.request("GET", f"/c/{card.token}.vcf", params={"version": asked})
    assert answer.text.startswith(f"BEGIN:VCARD\r\nVERSION:{version}\r\n")


def test_another_version_is_refused(inside: Inside, card: CardRecord) -> None:
    answer = inside.request("GET", f"/c/{card.token}.vcf", params={"version": "2.1"})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "query:version")


def test_the_language_is_the_reader_s(inside: Inside, card: CardRecord) -> None:
    asked = inside.request("GET", f"/c/{card.token}.vcf", params={"lang": "de"})
    browser = inside.request("GET", f"/c/{card.token}.vcf", headers={"Accept-Language": "de-AT"})
    assert "TITLE:Bäckermeisterin\r\n" in asked.text
    assert browser.text == asked.text


def test_a_program_reads_jscontact(inside: Inside, engine: Engine, card: CardRecord) -> None:
    give_photo(inside, engine, card)
    answer = inside.request("GET", f"/c/{card.token}.json", params={"lang": "de"})
    assert answer.headers["content-type"] == "application/jscontact+json;type=card"
    told = answer.json()
    assert (told["@type"], told["uid"], told["language"]) == ("Card", card.id, "de")
    assert told["media"]["1"]["uri"] == f"https://receipts.test/c/{card.token}/photo.jpg"


@pytest.mark.parametrize("form", ["vcf", "json"])
@pytest.mark.parametrize("state, status", [("paused", 404), ("revoked", 410)])
def test_a_card_that_was_put_away_is_given_to_nobody(
    inside: Inside, engine: Engine, card: CardRecord, form: str, state: State, status: int
) -> None:
    with engine.begin() as conn:
        manage.set_state(conn, card, state, now=OPENED)
    answer = inside.request("GET", f"/c/{card.token}.{form}")
    assert (answer.status_code, "Emma" in answer.text) == (status, False)


def test_a_link_that_is_none_leads_to_no_card(inside: Inside) -> None:
    for token in ("nobody", "8Jv1mQWc0aYf3sRkT5xZpA"):
        assert inside.request("GET", f"/c/{token}.vcf").status_code == 404
