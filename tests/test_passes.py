"""What passes of cards and receipts tell, in which words, and that each keeps Apple's rules."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as how
from hypothesis import strategies as st
from sqlalchemy import Engine

from cards import manage
from cards.find import CardRecord, one
from cards.passes import card_pass
from cards.profile import Profile
from infra import pkpass
from infra.pass_parts import PassOffice
from infra.pass_signer import open_signer
from infra.settings import Settings
from infra.storage import open_storage
from infra.theme import READABLE, contrast
from tests.support.apple import Apple
from tests.support.authority import PASS_TYPE, TEAM
from tests.support.cards import EMMA, a_card
from tests.support.inside import Inside, Person, on_sqlite
from tests.support.pass_checker import Opened, faults
from tests.support.pdf import a_square
from tests.support.sales import coffee, example
from tests.support.shops import OPENED, Shops

OFFICE = PassOffice("https://receipts.test", PASS_TYPE, TEAM, b"k" * 32)


@pytest.fixture
def settings(settings: Settings, its: Apple) -> Settings:
    return its.settings(settings)


def taken(inside: Inside, path: str, its: Apple) -> Opened:
    answer = inside.request("GET", path)
    assert answer.status_code == 200, answer.text
    assert faults(answer.content, root=its.root) == []
    return Opened(answer.content)


def test_a_card_tells_who_it_is_and_leads_back_to_its_page(inside: Inside, card: CardRecord, its: Apple) -> None:
    held = taken(inside, f"/c/{card.token}.pkpass", its)
    told = {key: field["value"] for key, field in held.fields().items()}
    assert held.style == "generic"
    assert told["name"] == "Dr. Emma Lind"
    assert (told["title"], told["organisation"]) == ("Head baker", "Linden & Rye")
    assert (told["phone"], told["email"]) == ("+49 30 5550 1234", "emma@linden-rye.example")
    assert "https://www.linkedin.com/in/emma-lind" in told["socials"]
    assert held.content["barcodes"][0]["message"] == f"https://receipts.test/c/{card.token}?s=wallet"
    assert held.content["sharingProhibited"] is False


def test_a_card_speaks_all_its_languages(inside: Inside, card: CardRecord, its: Apple) -> None:
    held = taken(inside, f"/c/{card.token}.pkpass", its)
    strings = held.strings()
    assert set(strings) == {"de", "en"}
    assert strings["de"][held.fields()["title"]["value"]] == "Bäckermeisterin"
    assert strings["en"][held.fields()["title"]["value"]] == "Head baker"


def test_a_country_is_called_by_its_name_in_each_language(inside: Inside, card: CardRecord, its: Apple) -> None:
    held = taken(inside, f"/c/{card.token}.pkpass", its)
    strings, told = held.strings(), held.fields()["addresses"]["value"]
    assert strings["en"][told] == "Torstraße 112\n10119 Berlin\nGermany"
    assert strings["de"][told] == "Torstraße 112\n10119 Berlin\nDeutschland"


@on_sqlite
@pytest.mark.parametrize("colour", ["#1f5c47", "#ffffff", "#000000", "#ffee00", "#777777"])
def test_what_stands_on_a_pass_can_be_read(engine: Engine, shops: Shops, settings: Settings, colour: str) -> None:
    card = a_card(engine, shops)
    record = replace(card, look=replace(card.look, colour=colour))
    content = card_pass(record, OFFICE, open_storage(settings.data)).content
    ground = as_hex(content["backgroundColor"])
    for name in ("foregroundColor", "labelColor"):
        assert contrast(as_hex(content[name]), ground) >= READABLE


def as_hex(told: str) -> str:
    return "#" + "".join(f"{int(part):02x}" for part in told.removeprefix("rgb(").removesuffix(")").split(","))


@on_sqlite
def test_the_photo_is_the_thumbnail(engine: Engine, card: CardRecord, settings: Settings, its: Apple) -> None:
    storage = open_storage(settings.data)
    storage.put("photos/ab/" + "ab" * 32 + ".jpg", a_square("red"))
    with engine.begin() as conn:
        manage.set_photo(conn, card, "photos/ab/" + "ab" * 32 + ".jpg", now=OPENED)
        card = one(conn, card.merchant_id, card.id)
    parts = card_pass(card, OFFICE, storage)
    assert {"thumbnail.png", "thumbnail@2x.png", "thumbnail@3x.png"} <= set(parts.images)
    made = pkpass.build(open_signer(settings.wallet), parts.content, parts.images, parts.strings)
    assert faults(made, root=its.root) == []


LINE = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=40)


@on_sqlite
@how(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=25)
@given(title=LINE, translated=LINE, about=st.text(st.characters(exclude_categories=["Cs", "Cc"])))
def test_whatever_a_card_says_its_pass_keeps_the_rules_and_says_it(
    card: CardRecord, settings: Settings, its: Apple, title: str, translated: str, about: str
) -> None:
    words = {"de": {"title": translated}}
    profile = Profile.model_validate(EMMA | {"title": title, "description": about, "translations": words})
    parts = card_pass(replace(card, profile=profile), OFFICE, open_storage(settings.data))
    made = pkpass.build(open_signer(settings.wallet), parts.content, parts.images, parts.strings)
    shown = Opened(made).fields()["title"]["value"]
    assert Opened(made).strings()["en"][shown] == title
    assert Opened(made).strings()["de"][shown] == translated
    assert faults(made, root=its.root) == []


def test_a_receipt_shows_what_was_paid_and_where(inside: Inside, till: Person, its: Apple) -> None:
    receipt = till.post("/v1/receipts", example()).json()
    held = taken(inside, f"/r/{receipt['token']}.pkpass", its)
    told = {key: field["value"] for key, field in held.fields().items()}
    assert held.style == "storeCard"
    assert "30,62" in told["total"]
    assert told["store"] == "Linden & Rye Mitte"
    assert told["number"] == receipt["number"]
    assert held.content["serialNumber"] == receipt["id"]
    assert held.content["barcodes"][0]["message"] == f"https://receipts.test/r/{receipt['token']}"


def test_a_gift_receipt_shows_no_price(inside: Inside, till: Person, its: Apple) -> None:
    receipt = till.post("/v1/receipts", coffee(flags=["gift"])).json()
    held = taken(inside, f"/r/{receipt['token']}.pkpass", its)
    assert "total" not in held.fields()
    assert "3,20" not in str(held.fields()) + str(held.strings())
    assert "3.20" not in str(held.fields()) + str(held.strings())


def test_there_is_no_pass_of_what_is_not_there(inside: Inside) -> None:
    for path in ("/c/AAAAAAAAAAAAAAAAAAAAAA.pkpass", "/r/gC3jWq0yBkPz5vXh2mLr8A.pkpass", "/c/x.pkpass"):
        assert inside.request("GET", path).status_code == 404


def test_whose_certificate_cannot_be_read_makes_no_passes_just_now(
    inside: Inside, card: CardRecord, its: Apple, tmp_path: Path
) -> None:
    whole = its.files.folder / "pass.pem"
    moved = whole.rename(tmp_path / "pass.pem")
    try:
        answer = inside.request("GET", f"/c/{card.token}.pkpass")
    finally:
        moved.rename(whole)
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "60"
    assert str(its.files.folder) not in answer.text
