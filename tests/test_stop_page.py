"""Whoever gets receipts that they did not ask for stops them: by a button, or by their mail program."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, ViewportSize, expect
from sqlalchemy import Engine, select

from api.app import create_app
from api.stop_page import masked
from infra import secrets
from infra.database import connect
from infra.settings import Data, Mail, Server, Settings
from kernel.ids import digest
from kernel.locale import LANGUAGES, direction
from notify import stopping
from notify.tables import Message, Suppression
from tests.support.inside import Inside, Person, on_sqlite
from tests.support.sales import coffee
from tests.support.served import served
from tests.support.shops import Shops, open_shops

ANNA: Final = "anna.schmidt@example.com"
ONE_CLICK: Final = {"List-Unsubscribe": "One-Click"}


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    mail = Mail(mail_outbox=tmp_path / "outbox", mail_from="receipts@linden-rye.example")
    return Settings(settings.data, settings.server, mail=mail)


def sold_to(person: Person, address: str) -> str:
    """A sale with an email; the id of its receipt."""
    answer = person.post("/v1/receipts", coffee(shopper={"email": address}, deliver=["email"]))
    return str(answer.raise_for_status().json()["id"])


def messages_of(engine: Engine, address: str) -> list[Any]:
    with engine.connect() as conn:
        return list(conn.execute(select(Message).where(Message.address == address).order_by(Message.id)))


def suppressions(engine: Engine) -> list[tuple[str, str, str]]:
    columns = (Suppression.merchant_id, Suppression.digest, Suppression.reason)
    with engine.connect() as conn:
        return [(row.merchant_id, row.digest, row.reason) for row in conn.execute(select(*columns))]


def link(settings: Settings, message_id: str) -> str:
    key = secrets.derived(settings.data, stopping.PURPOSE)
    return f"/u/{stopping.link_token(key, message_id)}"


@pytest.fixture
def annas(till: Person, engine: Engine, settings: Settings) -> str:
    """The stop link of a message to Anna."""
    sold_to(till, ANNA)
    [message] = messages_of(engine, ANNA)
    return link(settings, message.id)


def test_a_mail_program_stops_emails_by_one_post_without_any_mark(
    stranger: Person, annas: str, engine: Engine, shops: Shops
) -> None:
    answer = stranger.ask("POST", annas, data=ONE_CLICK)
    assert (answer.status_code, answer.headers.get("set-cookie")) == (200, None)
    assert suppressions(engine) == [(shops.linden, digest(ANNA), "unsubscribed")]
    assert stranger.ask("POST", annas, data=ONE_CLICK).status_code == 200
    assert len(suppressions(engine)) == 1


def test_what_waits_and_what_follows_is_not_sent(stranger: Person, till: Person, annas: str, engine: Engine) -> None:
    stranger.ask("POST", annas, files={"List-Unsubscribe": (None, "One-Click")})
    sold_to(till, ANNA.upper())
    assert [message.state for message in messages_of(engine, ANNA)] == ["stopped", "stopped"]


def test_another_merchant_may_still_write(stranger: Person, outsider: Person, annas: str, engine: Engine) -> None:
    stranger.ask("POST", annas, data=ONE_CLICK)
    sold_to(outsider, ANNA)
    assert [message.state for message in messages_of(engine, ANNA)] == ["stopped", "waiting"]


def test_a_hundred_scanners_that_open_the_link_stop_nothing(stranger: Person, annas: str, engine: Engine) -> None:
    for _ in range(50):
        assert stranger.get(annas).status_code == stranger.ask("HEAD", annas).status_code == 200
    assert suppressions(engine) == []
    assert [message.state for message in messages_of(engine, ANNA)] == ["waiting"]


def test_a_forged_link_leads_nowhere_and_stops_nothing(
    stranger: Person, outsider: Person, annas: str, engine: Engine
) -> None:
    sold_to(outsider, "ben@example.com")
    [other] = messages_of(engine, "ben@example.com")
    message_id, _, mark = annas.removeprefix("/u/").partition(".")
    swapped = mark[:-2] + ("AA" if mark[-2:] != "AA" else "BA")
    forged = [message_id, f"{message_id}.", f"{message_id}.{swapped}", f"{other.id}.{mark}", f".{mark}", "é.é", "x"]
    for token in forged:
        for method in ("GET", "POST"):
            answer = stranger.ask(method, f"/u/{token}", data=ONE_CLICK if method == "POST" else None)
            assert (answer.status_code, "There is nothing here" in answer.text) == (404, True), token
    assert suppressions(engine) == []


def test_the_page_says_whose_emails_stop_and_shows_no_whole_address(stranger: Person, annas: str) -> None:
    english = f"{annas}?lang=en"
    pages = [stranger.ask(method, english) for method in ("GET", "POST", "GET")]
    for page, heading in zip(pages, ("Stop these emails?", "No more emails", "No more emails"), strict=True):
        assert re.findall(r"<h1>(.*?)</h1>", page.text) == [heading]
        assert "Linden &amp; Rye" in page.text
        assert "a…@example.com" in page.text
        assert "schmidt" not in page.text
        assert page.headers["cache-control"] == "no-store"
        assert "unsafe" not in page.headers["content-security-policy"]


@on_sqlite
def test_the_link_stands_in_no_log(stranger: Person, annas: str, capsys: pytest.CaptureFixture[str]) -> None:
    stranger.ask("POST", annas, data=ONE_CLICK)
    assert annas.partition(".")[2] not in "".join(capsys.readouterr())


@pytest.mark.parametrize(
    "address, shown",
    [(ANNA, "a…@example.com"), ("a@example.com", "…@example.com"), ("é.b@exämple.com", "é…@exämple.com")],
)
def test_an_address_is_shown_by_its_first_letter(address: str, shown: str) -> None:
    assert masked(address) == shown


@dataclass(frozen=True)
class Site:
    address: str
    engine: Engine
    settings: Settings

    def new_link(self, address: str) -> str:
        """The stop link of a new message to somebody."""
        [message] = messages_of(self.engine, address)
        return self.address + link(self.settings, message.id)


@pytest.fixture
def site(sqlite_url: str, tmp_path: Path) -> Iterator[Site]:
    engine, data = connect(sqlite_url), Data(data_dir=tmp_path / "data", database_url=sqlite_url)
    shops = open_shops(engine)
    mail = Mail(mail_outbox=tmp_path / "outbox", mail_from="receipts@linden-rye.example")
    settings = Settings(data, Server(base_url="https://receipts.test"), mail=mail)
    with Inside(create_app(settings)) as inside:
        sold_to(Person(inside, shops.till), ANNA)
    with served(data) as address:
        yield Site(address, engine, settings)
    engine.dispose()


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without"])
def test_a_reader_presses_the_button(site: Site, chromium: Browser, scripts: bool) -> None:
    page = chromium.new_page(java_script_enabled=scripts)
    page.goto(site.new_link(ANNA) + "?lang=de")
    assert suppressions(site.engine) == []
    page.get_by_role("button", name="E-Mails abbestellen").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Keine E-Mails mehr")
    assert [reason for _, _, reason in suppressions(site.engine)] == ["unsubscribed"]
    page.get_by_role("link", name="English").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("No more emails")
    page.close()


def complaints_of(page: Page) -> list[str]:
    """What the browser will say of it."""
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    return said


def test_the_page_is_whole_in_every_language_at_night_and_on_the_smallest_phone(site: Site, chromium: Browser) -> None:
    address = site.new_link(ANNA)
    for language in LANGUAGES:
        for width in (320, 390):
            viewport: ViewportSize = {"width": width, "height": 700}
            page = chromium.new_page(color_scheme="light" if width == 320 else "dark", viewport=viewport)
            complaints = complaints_of(page)
            page.goto(f"{address}?lang={language}")
            expect(page.locator("html")).to_have_attribute("dir", direction(language))
            assert page.evaluate("document.documentElement.scrollWidth") == width
            assert Axe().run(page).response["violations"] == []
            assert complaints == []
            page.close()
