"""By a link, without a password, a member of staff edits what the brand lets them, and nobody else does."""

import re
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from hypothesis import given
from hypothesis import settings as how
from PIL import Image
from playwright.sync_api import Browser, expect
from sqlalchemy import Engine

from api.invite_fields import changes, compact, filled
from cards import find, invites, manage
from cards.find import CardRecord
from cards.profile import Profile
from cards.template import Template
from infra import secrets
from infra.settings import Settings
from kernel.clock import utc_now
from tests.support.cards import EMMA, a_card, profile
from tests.support.faces import profiles
from tests.support.inside import Person
from tests.support.served import served
from tests.support.shopper import Shopper, somebody, width
from tests.support.shops import OPENED, Shops


@pytest.fixture
def emma(engine: Engine, shops: Shops) -> CardRecord:
    return a_card(engine, shops)


def link_to(settings: Settings, engine: Engine, card: CardRecord) -> str:
    with engine.begin() as conn:
        made = invites.invite(conn, card.merchant_id, card.id, now=utc_now())
    return f"/i/{invites.link_token(secrets.derived(settings.data, invites.PURPOSE), made.id)}"


@pytest.fixture
def link(settings: Settings, engine: Engine, emma: CardRecord) -> str:
    return link_to(settings, engine, emma)


def now_of(engine: Engine, card: CardRecord) -> CardRecord:
    with engine.connect() as conn:
        return find.one(conn, card.merchant_id, card.id)


def version(person: Person, link: str) -> str:
    """Of the form as it is opened."""
    found = re.search(r'name="version" value="([^"]*)"', person.get(link).text)
    return found[1] if found else ""


def sent(
    person: Person, link: str, fields: dict[str, str], photo: bytes | None = None, *, opened: str | None = None
) -> httpx.Response:
    """A form that was opened just now, or when it had the version ``opened``."""
    seen = version(person, link) if opened is None else opened
    files: dict[str, Any] = {name: (None, value) for name, value in (fields | {"version": seen}).items()}
    files["photo"] = ("me.png", photo or b"", "image/png")
    return person.ask("POST", f"{link}?lang=en", files=files)


def a_photo() -> bytes:
    out = BytesIO()
    Image.new("RGB", (900, 700), "#a05030").save(out, "PNG")
    return out.getvalue()


def test_the_form_shows_the_card_as_it_is_and_changes_nothing(
    stranger: Person, link: str, engine: Engine, emma: CardRecord
) -> None:
    answers = [stranger.get(link, lang="en") for _ in range(20)]
    answer = answers[0]
    assert {each.status_code for each in answers} == {200}
    assert 'value="emma@linden-rye.example"' in answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert now_of(engine, emma) == emma


def test_the_form_sent_as_it_is_changes_nothing(stranger: Person, link: str, engine: Engine, emma: CardRecord) -> None:
    answer = sent(stranger, link, filled(emma.profile))
    assert (answer.status_code, answer.headers["location"]) == (303, "?saved=1&lang=en")
    assert now_of(engine, emma) == emma


def test_what_is_written_stands_on_the_card(stranger: Person, link: str, engine: Engine, emma: CardRecord) -> None:
    fields = filled(emma.profile) | {
        "pronouns": "they/them",
        "hobbies": "Rowing\r\n Chess \r\n",
        "phones.2.number": "+49 30 1",
        "phones.2.kind": "home",
        "socials.0.account": "https://www.linkedin.com/in/else",
        "translations.de.description": "Brot.",
    }
    fields["phones.2.number"] = "+49 30 123"
    assert sent(stranger, link, fields).status_code == 303
    after = now_of(engine, emma).profile
    assert (after.pronouns, after.hobbies) == ("they/them", ["Rowing", "Chess"])
    assert (after.phones[2].number, after.phones[2].kind) == ("+49 30 123", "home")
    assert (after.socials[0].url, after.socials[0].handle) == ("https://www.linkedin.com/in/else", None)
    assert after.translations["de"].description == "Brot."
    assert after.translations["de"].title == "Bäckermeisterin"


def test_a_row_that_is_emptied_is_gone(stranger: Person, link: str, engine: Engine, emma: CardRecord) -> None:
    fields = filled(emma.profile) | {"phones.0.number": "", "emails.0.address": " "}
    assert sent(stranger, link, fields).status_code == 303
    after = now_of(engine, emma).profile
    assert [phone.number for phone in after.phones] == ["+49 151 1234567"]
    assert [email.address for email in after.emails] == ["emma@home.example"]


def test_a_form_that_was_opened_before_somebody_else_s_change_does_not_undo_it(
    stranger: Person, owner: Person, link: str, engine: Engine, emma: CardRecord
) -> None:
    opened = version(stranger, link)
    mine = filled(emma.profile) | {"pronouns": "they/them"}
    owner.put(f"/v1/cards/{emma.id}", {"store": "mitte", "profile": EMMA | {"phones": []}}).raise_for_status()
    answer = sent(stranger, link, mine, opened=opened)
    assert answer.status_code == 409
    assert "Somebody else has changed this card meanwhile" in answer.text
    assert 'value="they/them"' in answer.text
    assert (now_of(engine, emma).profile.phones, now_of(engine, emma).profile.pronouns) == ([], "she/her")
    assert sent(stranger, link, mine).status_code == 303
    assert now_of(engine, emma).profile.pronouns == "they/them"


def test_what_a_form_does_not_speak_of_stays(stranger: Person, link: str, engine: Engine, emma: CardRecord) -> None:
    assert sent(stranger, link, {"pronouns": "they/them"}).status_code == 303
    assert now_of(engine, emma).profile == profile(pronouns="they/them")


def test_what_the_brand_locks_is_shown_and_not_taken(
    stranger: Person, link: str, engine: Engine, emma: CardRecord
) -> None:
    page = stranger.get(link, lang="en").text
    assert 'name="title"' not in page
    assert "Head baker" in page
    assert 'name="translations.de.title"' not in page
    forged = filled(emma.profile) | {"title": "Owner", "organisation": "Mine", "translations.de.title": "Chefin"}
    assert sent(stranger, link, forged).status_code == 303
    assert now_of(engine, emma) == emma


def test_what_is_wrong_is_marked_and_nothing_is_written(
    stranger: Person, link: str, engine: Engine, emma: CardRecord
) -> None:
    fields = filled(emma.profile) | {"pronouns": "they/them", "emails.2.address": "nobody"}
    answer = sent(stranger, link, fields)
    assert answer.status_code == 422
    assert re.search(r'name="emails\.2\.address"[^>]*value="nobody"[^>]*aria-invalid="true"', answer.text)
    assert 'value="they/them"' in answer.text
    assert now_of(engine, emma) == emma


def test_a_photo_is_put_on_and_taken_off(stranger: Person, link: str, engine: Engine, emma: CardRecord) -> None:
    assert sent(stranger, link, filled(emma.profile), a_photo()).status_code == 303
    with_photo = now_of(engine, emma)
    assert with_photo.photo_key
    assert stranger.get(f"/c/{emma.token}/photo.jpg").headers["content-type"] == "image/jpeg"
    assert sent(stranger, link, filled(emma.profile) | {"no_photo": "1"}).status_code == 303
    assert now_of(engine, emma).photo_key is None


def test_what_is_no_photo_is_refused_with_the_rest(
    stranger: Person, link: str, engine: Engine, emma: CardRecord
) -> None:
    answer = sent(stranger, link, filled(emma.profile) | {"pronouns": "x"}, b"<svg/>")
    assert answer.status_code == 422
    assert "SVG is not accepted" in answer.text
    assert now_of(engine, emma) == emma


def test_a_locked_photo_stays(stranger: Person, link: str, engine: Engine, emma: CardRecord, shops: Shops) -> None:
    with engine.begin() as conn:
        manage.put_template(conn, shops.linden, "linden-rye", Template(locked=["photo"]), now=OPENED)
    assert 'name="photo"' not in stranger.get(link).text
    assert sent(stranger, link, filled(emma.profile), a_photo()).status_code == 303
    assert now_of(engine, emma).photo_key is None


def test_a_link_that_is_over_forged_or_of_a_revoked_card_opens_nothing(
    stranger: Person, settings: Settings, engine: Engine, emma: CardRecord
) -> None:
    old, new = link_to(settings, engine, emma), link_to(settings, engine, emma)
    assert stranger.get(new).status_code == 200
    for bad in (old, f"{new}x", new.partition(".")[0], "/i/x", "/i/inv_0.é"):
        assert stranger.get(bad).status_code == sent(stranger, bad, {"pronouns": "x"}).status_code == 404
    with engine.begin() as conn:
        manage.set_state(conn, emma, "revoked", now=utc_now())
    revoked = now_of(engine, emma)
    assert stranger.get(new).status_code == sent(stranger, new, {"given": "x"}).status_code == 404
    assert now_of(engine, emma) == revoked


def test_another_s_link_does_not_touch_this_card(
    stranger: Person, settings: Settings, engine: Engine, shops: Shops, emma: CardRecord
) -> None:
    with engine.begin() as conn:
        other = manage.create(conn, shops.linden, manage.Belongs(staff="jonas"), profile(given="Jonas"), now=OPENED)
        jonas = find.one(conn, shops.linden, other)
    assert sent(stranger, link_to(settings, engine, jonas), filled(emma.profile)).status_code == 303
    assert now_of(engine, emma) == emma
    assert now_of(engine, jonas).profile.given == "Emma"


@how(max_examples=200, deadline=None)
@given(profile=profiles())
def test_any_profile_comes_back_from_the_form_as_it_was(profile: Profile) -> None:
    asked = changes(compact(filled(profile)), profile, tuple(profile.translations), invites.EDITABLE)
    merged = profile.model_dump(exclude_defaults=True) | {name: value for name, value in asked.items() if value}
    assert Profile.model_validate(merged) == profile


@pytest.fixture(params=[True, False], ids=["with scripts", "without"])
def staff(request: pytest.FixtureRequest, chromium: Browser) -> Iterator[Shopper]:
    yield from somebody(chromium, java_script_enabled=request.param)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_emma_changes_her_card_on_a_phone(
    settings: Settings, engine: Engine, emma: CardRecord, link: str, staff: Shopper
) -> None:
    page = staff.page
    with served(settings.data) as address:
        page.goto(f"{address}{link}?lang=en")
        page.get_by_label("Pronouns").fill("they/them")
        page.get_by_label("Number", exact=True).last.fill("+49 30 555 999")
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_role("status")).to_contain_text("Saved")
        page.goto(f"{address}/c/{emma.token}?lang=en")
        expect(page.get_by_text("they/them")).to_be_visible()
        expect(page.get_by_text("+49 30 555 999")).to_be_visible()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_form_can_be_used_by_everybody(settings: Settings, engine: Engine, link: str, chromium: Browser) -> None:
    with served(settings.data) as address:
        for visitor in somebody(chromium):
            page = visitor.page
            for language, scheme in (("en", "light"), ("ar", "dark")):
                page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
                page.goto(f"{address}{link}?lang={language}")
                page.eval_on_selector_all("details", "all => all.forEach(each => each.open = true)")
                found = Axe().run(page)
                assert found.violations_count == 0, found.generate_report()
                page.set_viewport_size({"width": 320, "height": 844})
                assert width(page) == 320
            assert visitor.complaints == []
