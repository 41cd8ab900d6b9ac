"""The mailbox of who tries the service out: all of a message, for nobody else, and nothing that could do harm."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from time import monotonic, sleep
from typing import Final

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, sync_playwright

from api.app import create_app
from infra import outbox
from infra.mail import Letter
from infra.outbox import Outbox
from infra.settings import Data, Mail, Server, Settings
from notify import mime
from tests.support import browser
from tests.support.inside import Inside, Person, on_sqlite
from tests.support.sales import coffee
from tests.support.served import served
from tests.support.shops import Shops
from worker.work import working

pytestmark = on_sqlite
SMALLEST: Final = 320
HERE: Final = {"Host": "localhost:8000"}
EVIL: Final = (
    "<html><head><title>x</title></head><body><h1>Hello</h1><script>parent.document.title = 'stolen'</script>"
    '<img src="https://spy.example/x.png"><p onclick="alert(1)" style="color: red">Styled</p>'
    '<a href="https://receipts.test/r/x">Open</a></body></html>'
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "outbox"


@pytest.fixture
def settings(settings: Settings, folder: Path) -> Settings:
    return kept_in(folder, settings.data)


def kept_in(folder: Path, data: Data, *, is_demo: bool = False) -> Settings:
    mail = Mail(mail_outbox=folder, mail_from="receipts@linden-rye.example")
    return Settings(data, Server(base_url="https://receipts.test"), mail=mail, is_demo=is_demo)


@pytest.fixture
def letter_id(folder: Path) -> str:
    """A message that would do harm if it could."""
    data = mime.build(
        sender_name="Linden & Rye",
        sender="receipts@linden-rye.example",
        recipient="anna@example.com",
        reply_to=None,
        subject="Your receipt <b>1</b>",
        html=EVIL,
        text="A coffee\n<script>alert(1)</script>",
        language="en",
        message_id="<msg_1@linden-rye.example>",
        date=datetime(2026, 11, 21, tzinfo=UTC),
        stop_url=None,
        attachments=[mime.Attachment('re"ceipt é.pdf', "application/pdf", b"%PDF-1.7")],
    )
    return Outbox(folder).send(Letter("receipts@linden-rye.example", "anna@example.com", data))


def opened(person: Person, path: str, **headers: str) -> httpx.Response:
    return person.ask("GET", path, headers=HERE | headers)


def test_the_mailbox_lists_messages_with_recipient_subject_and_time(stranger: Person, letter_id: str) -> None:
    page = opened(stranger, "/mailbox").text
    assert f'href="/mailbox/{letter_id}"' in page
    assert "anna@example.com" in page
    assert "Your receipt &lt;b&gt;1&lt;/b&gt;" in page
    assert re.search(r'<time datetime="[^"]+">\d\d \w+ \d{4}, ', page)


def test_an_empty_mailbox_says_how_to_fill_it(stranger: Person) -> None:
    assert "Nothing yet" in opened(stranger, "/mailbox").text


def test_a_message_is_shown_with_its_text_its_headers_and_its_attachments(stranger: Person, letter_id: str) -> None:
    page = opened(stranger, f"/mailbox/{letter_id}")
    assert "A coffee\n&lt;script&gt;" in page.text
    assert "Message-ID: &lt;msg_1@linden-rye.example&gt;" in page.text
    attached = opened(stranger, f"/mailbox/{letter_id}/attachments/0")
    assert (attached.content, attached.headers["content-type"]) == (b"%PDF-1.7", "application/pdf")
    assert attached.headers["content-disposition"].startswith("attachment; filename*=UTF-8''re")
    assert opened(stranger, f"/mailbox/{letter_id}/attachments/1").status_code == 404


def test_the_html_of_a_message_may_be_styled_and_do_nothing(stranger: Person, letter_id: str) -> None:
    policy = opened(stranger, f"/mailbox/{letter_id}/html").headers["content-security-policy"]
    told = dict(each.split(" ", 1) for each in policy.split("; "))
    assert told["default-src"] == told["base-uri"] == told["form-action"] == "'none'"
    assert "script-src" not in told
    assert "allow-scripts" not in told["sandbox"]
    assert "allow-same-origin" not in told["sandbox"]
    assert told["img-src"] == "https://receipts.test data:"


@pytest.mark.parametrize("path", ["/mailbox/ltr_", "/mailbox/..%2f..%2fsecret.key", "/mailbox/%00", "/mailbox/x/html"])
def test_what_is_no_message_is_not_there(stranger: Person, letter_id: str, path: str) -> None:
    assert opened(stranger, path).status_code == 404


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "receipts.test"},
        {"Host": "rebound.example:8000"},
        {"Host": "localhost.rebound.example"},
        {"Host": "["},
        {"X-Forwarded-For": "10.1.1.1"},
        {"Forwarded": "for=10.1.1.1"},
        {"Via": "1.1 proxy"},
    ],
)
def test_a_service_shows_its_mailbox_to_nobody_from_elsewhere(
    stranger: Person, letter_id: str, headers: dict[str, str]
) -> None:
    for path in ("/mailbox", f"/mailbox/{letter_id}", f"/mailbox/{letter_id}/html"):
        answer = opened(stranger, path, **headers)
        assert (answer.status_code, "anna" in answer.text) == (404, False)


def test_a_demo_shows_its_mailbox_to_everybody_and_says_so(settings: Settings, folder: Path, letter_id: str) -> None:
    with Inside(create_app(kept_in(folder, settings.data, is_demo=True))) as inside:
        page = Person(inside).get("/mailbox")
    assert (page.status_code, "Whoever reaches this demo can read it." in page.text) == (200, True)


def test_there_is_no_mailbox_where_mail_is_sent(settings: Settings, letter_id: str) -> None:
    with Inside(create_app(Settings(settings.data, settings.server))) as inside:
        assert opened(Person(inside), "/mailbox").status_code == 404


def test_a_receipt_that_was_asked_for_arrives_in_the_mailbox(settings: Settings, folder: Path, shops: Shops) -> None:
    with Inside(create_app(settings, beside=partial(working, settings))) as inside:
        sale = coffee(shopper={"email": "ben@example.com"}, deliver=["email"])
        url = Person(inside, shops.till).post("/v1/receipts", sale).json()["url"]
        until = monotonic() + 20
        while not (found := outbox.letters(folder)) and monotonic() < until:
            sleep(0.05)
        page = opened(Person(inside), f"/mailbox/{found[0].id}").text
    assert "ben@example.com" in page
    assert url in page


@pytest.fixture
def address(settings: Settings) -> Iterator[str]:
    with served(settings.data, settings.mail) as address:
        yield address


def test_the_mailbox_is_pleasant_in_a_browser_and_no_message_reaches_out_of_its_frame(
    address: str, letter_id: str
) -> None:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser.executable(), args=browser.ARGUMENTS)
        page = chromium.new_page(viewport={"width": SMALLEST, "height": 700})
        stopped: dict[str, str | None] = {}
        page.on("requestfailed", lambda request: stopped.update({request.url: request.failure}))
        page.goto(f"{address}/mailbox")
        assert_whole(page)
        page.get_by_role("link", name="anna@example.com").click()
        assert_whole(page)
        frame = page.frame_locator("iframe")
        assert frame.get_by_role("heading").inner_text() == "Hello"
        assert frame.get_by_text("Styled").evaluate("each => getComputedStyle(each).color") == "rgb(255, 0, 0)"
        assert page.title() == "Your receipt <b>1</b>"
        assert stopped == {"https://spy.example/x.png": "csp"}
        chromium.close()


def assert_whole(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth") == SMALLEST
    assert Axe().run(page).response["violations"] == []
