"""A card's page in a real browser: what a stranger does with it, with and without scripts, with and without network."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import Engine, func, select

from cards import find, manage
from cards.manage import State
from cards.tables import CardContact, CardCount
from cli import demo_cards, demo_shops
from infra import database, schema
from infra.settings import Data, Mail
from infra.storage import open_storage
from kernel.clock import utc_now
from tests.support.served import served
from tests.support.shopper import Shopper, require_fits, scanned, somebody

_MAIL: Final = "receipts@receipts.test"
# As of a person: what says that it is driven by a program is not counted.
_AGENT: Final = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"


@dataclass(frozen=True)
class Site:
    data: Data
    address: str
    # Each card's page by who is on it, with the address in front.
    cards: dict[str, str]

    @property
    def emma(self) -> str:
        return self.cards["Emma Yıldız"]


def filled(folder: Path) -> tuple[Data, dict[str, str]]:
    """The demo's cards in a folder; their tokens by who is on them."""
    data = Data(data_dir=folder)
    schema.bring_up_to_date(data.where_database())
    engine = database.connect(data.where_database())
    with engine.begin() as conn:
        storage, now = open_storage(data), utc_now()
        shops = demo_shops.put_all(conn, storage, now=now)
        cards = demo_cards.put_all(conn, storage, shops, now=now)
    engine.dispose()
    return data, cards


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("site")
    data, cards = filled(folder)
    with served(data, Mail(mail_outbox=folder / "outbox", mail_from=_MAIL)) as address:
        yield Site(data, address, {name: f"{address}/c/{token}?lang=en" for name, token in cards.items()})


@pytest.fixture
def engine(site: Site) -> Iterator[Engine]:
    engine = database.connect(site.data.where_database())
    yield engine
    engine.dispose()


@pytest.fixture
def visitor(chromium: Browser) -> Iterator[Shopper]:
    yield from somebody(chromium, user_agent=_AGENT)


@pytest.fixture
def scriptless(chromium: Browser) -> Iterator[Shopper]:
    yield from somebody(chromium, java_script_enabled=False)


def bare(url: str) -> str:
    return url.partition("?")[0]


def counted(engine: Engine, act: str, source: str) -> int:
    query = select(func.sum(CardCount.times)).where(CardCount.act == act, CardCount.source == source)
    with engine.connect() as conn:
        return conn.scalar(query) or 0


def wait_for(page: Page, engine: Engine, act: str, source: str, *, more_than: int) -> None:
    for _ in range(600):
        if counted(engine, act, source) > more_than:
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"no {act} from {source} was counted")


def test_a_stranger_opens_a_card_and_nothing_complains(site: Site, visitor: Shopper) -> None:
    page = visitor.page
    page.goto(site.emma)
    expect(page.get_by_role("heading", level=1)).to_have_text("Emma Yıldız")
    expect(page).to_have_title("Emma Yıldız · Linden & Rye")
    expect(page.get_by_text("Bread sommelier")).to_be_visible()
    expect(page.get_by_role("link", name="+49 30 5550 1234")).to_have_attribute("href", "tel:+493055501234")
    expect(page.get_by_role("link", name="emma@linden-rye.example")).to_have_attribute(
        "href", "mailto:emma@linden-rye.example"
    )
    expect(page.get_by_role("link", name="SMS")).to_have_attribute("href", "sms:+4915155501234")
    page.wait_for_load_state("networkidle")
    assert visitor.complaints == []


def test_everything_comes_from_us_and_little_of_it(site: Site, visitor: Shopper) -> None:
    """What is needed for the first sight fits the first flight of 14 KB, all of it is below 40 KB."""
    # What is kept for later, once it is shown, is no part of the page.
    visitor.page.add_init_script("delete Navigator.prototype.serviceWorker")
    visitor.page.goto(site.emma)
    visitor.page.click("[popovertarget=qr]")
    visitor.page.wait_for_load_state("networkidle")
    assert all(answer.url.startswith((site.address, "data:")) for answer in visitor.answers)
    critical, whole = visitor.weight(site.emma)
    assert 0 < critical <= 14_000
    assert whole < 40_000
    assert visitor.context.cookies() == []


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without"])
def test_one_tap_saves_the_contact_with_its_photo(site: Site, chromium: Browser, scripts: bool) -> None:
    for visitor in somebody(chromium, java_script_enabled=scripts):
        visitor.page.goto(site.emma)
        with visitor.page.expect_download() as started:
            visitor.page.get_by_role("link", name="Save contact").click()
        vcf = started.value.path().read_bytes()
        assert started.value.suggested_filename.endswith(".vcf")
        assert vcf.startswith(b"BEGIN:VCARD\r\nVERSION:3.0\r\n")
        assert b"PHOTO;ENCODING=b;TYPE=JPEG:" in vcf.replace(b"\r\n ", b"")


def test_a_card_is_counted_when_somebody_sees_it_and_says_how_they_came(
    site: Site, visitor: Shopper, engine: Engine
) -> None:
    views, saves = counted(engine, "view", "nfc"), counted(engine, "save", "nfc")
    visitor.page.goto(f"{site.emma}&s=nfc")
    wait_for(visitor.page, engine, "view", "nfc", more_than=views)
    with visitor.page.expect_download():
        visitor.page.get_by_role("link", name="Save contact").click()
    wait_for(visitor.page, engine, "save", "nfc", more_than=saves)


def test_the_address_is_handed_on_without_how_its_visitor_came(site: Site, visitor: Shopper) -> None:
    visitor.page.goto(f"{site.emma}&s=qr&r=rct_x.y")
    expect(visitor.page).to_have_url(site.emma)


def test_the_contact_itself_is_shared_where_the_system_takes_files(site: Site, visitor: Shopper) -> None:
    page = visitor.page
    page.add_init_script(
        "Navigator.prototype.canShare = () => true;Navigator.prototype.share = async (what) => { window.shared = what }"
    )
    page.goto(site.emma)
    page.get_by_role("link", name="Share").click()
    page.wait_for_function("() => window.shared")
    assert page.evaluate("shared.url") == bare(site.emma)
    assert page.evaluate("shared.files[0].type") == "text/vcard"
    assert page.evaluate("shared.files[0].text()").startswith("BEGIN:VCARD")


def test_the_link_is_copied_where_nothing_can_be_shared(site: Site, visitor: Shopper) -> None:
    page = visitor.page
    visitor.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=site.address)
    page.add_init_script("delete Navigator.prototype.share")
    page.goto(site.emma)
    page.get_by_role("link", name="Share").click()
    expect(page.get_by_role("status")).to_have_text("Link copied")
    assert page.evaluate("navigator.clipboard.readText()") == bare(site.emma)


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without"])
def test_the_code_is_held_up_and_scanned(site: Site, chromium: Browser, scripts: bool, tmp_path: Path) -> None:
    for visitor in somebody(chromium, java_script_enabled=scripts, color_scheme="dark", device_scale_factor=2):
        visitor.page.goto(site.emma)
        visitor.page.get_by_role("button", name="QR code").click()
        assert scanned(visitor.page, "#qr", tmp_path) == {f"{bare(site.emma)}?s=qr"}


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without"])
def test_a_visitor_leaves_their_contact_and_is_thanked(
    site: Site, chromium: Browser, engine: Engine, scripts: bool
) -> None:
    name = f"Ben {scripts}"
    for visitor in somebody(chromium, java_script_enabled=scripts):
        page = visitor.page
        page.goto(site.emma)
        page.get_by_text("Leave your contact").click()
        page.get_by_label("Name").fill(name)
        page.get_by_label("Email").fill("ben@example.com")
        page.get_by_role("checkbox").check()
        page.get_by_role("button", name="Send").click()
        expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    with engine.connect() as conn:
        left = conn.execute(select(CardContact).where(CardContact.name == name)).one()
    assert (left.email, left.consent_version) == ("ben@example.com", "1")
    assert left.consent_text.startswith("I agree that Linden & Rye")


def test_what_is_wrong_in_the_form_is_said_beside_it_and_nothing_is_lost(site: Site, scriptless: Shopper) -> None:
    page = scriptless.page
    page.goto(site.emma)
    page.get_by_text("Leave your contact").click()
    page.get_by_label("Name").fill("Ben")
    page.get_by_label("Message").fill("The rye, please")
    page.get_by_role("checkbox").check()
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_text("An email address or a telephone number is needed.")).to_be_visible()
    expect(page.get_by_label("Email")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label("Message")).to_have_value("The rye, please")


def test_what_is_open_today_is_said(site: Site, visitor: Shopper) -> None:
    visitor.page.clock.set_fixed_time("2026-11-28T10:00:00Z")
    visitor.page.goto(site.emma)
    expect(visitor.page.locator(".today")).to_have_text("08:00–16:00")
    visitor.page.get_by_text("Opening hours").click()
    expect(visitor.page.locator("[aria-current=date] dt")).to_have_text("Saturday")


@pytest.mark.parametrize("name", demo_cards.NAMES)
def test_no_screen_is_too_narrow(site: Site, visitor: Shopper, name: str) -> None:
    page = visitor.page
    page.goto(site.cards[name])
    require_fits(page)


@pytest.mark.parametrize("language", ["en", "ar"])
@pytest.mark.parametrize("name", demo_cards.NAMES)
def test_axe_finds_nothing_by_day_and_by_night(site: Site, visitor: Shopper, name: str, language: str) -> None:
    page = visitor.page
    page.goto(site.cards[name].replace("lang=en", f"lang={language}"))
    page.eval_on_selector_all("details", "all => all.forEach(each => each.open = true)")
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()


def test_a_finger_hits_what_it_aims_at(site: Site, visitor: Shopper) -> None:
    """WCAG 2.2, 2.5.8: 24 pixels each way."""
    visitor.page.goto(site.emma)
    targets = visitor.page.locator("a:visible, button:visible, summary:visible").all()
    boxes = {target.inner_text(): target.bounding_box() for target in targets}
    assert {text: box for text, box in boxes.items() if box and min(box["width"], box["height"]) < 24} == {}


def test_arabic_is_laid_out_from_the_right(site: Site, visitor: Shopper) -> None:
    visitor.page.goto(site.cards["ليلى الحداد"].replace("lang=en", "lang=ar"))
    photo, page = (visitor.page.locator(each).bounding_box() for each in (".photo", ".slip"))
    assert photo
    assert page
    assert photo["x"] > page["x"] + page["width"] / 2


def change(data: Data, token: str, state: State) -> None:
    engine = database.connect(data.where_database())
    with engine.begin() as conn:
        record = find.by_token(conn, token)
        assert record
        manage.set_state(conn, record, state, now=utc_now())
    engine.dispose()


def kept(page: Page) -> None:
    """Wait until the browser has the card."""
    page.wait_for_function("async () => !!(await caches.match(document.querySelector('[data-share]').dataset.share))")


def test_once_opened_a_card_opens_without_a_network(chromium: Browser, tmp_path: Path) -> None:
    data, cards = filled(tmp_path)
    token = cards["Emma Yıldız"]
    for visitor in somebody(chromium):
        page = visitor.page
        with served(data) as address:
            page.goto(f"{address}/c/{token}?s=qr")
            kept(page)
        page.goto(f"{address}/c/{token}")
        expect(page.get_by_role("heading", level=1)).to_have_text("Emma Yıldız")
        assert page.locator(".photo").evaluate("photo => photo.naturalWidth") > 0
        assert page.evaluate(f"fetch('/c/{token}.vcf').then((answer) => answer.text())").startswith("BEGIN:VCARD")


@pytest.mark.parametrize("state, status", [("paused", 404), ("revoked", 410)])
def test_a_card_that_is_put_away_is_forgotten_by_the_browser_too(
    chromium: Browser, tmp_path: Path, state: State, status: int
) -> None:
    data, cards = filled(tmp_path)
    token = cards["Emma Yıldız"]
    for visitor in somebody(chromium):
        page = visitor.page
        with served(data) as address:
            page.goto(f"{address}/c/{token}?lang=en")
            kept(page)
            change(data, token, state)
            answer = page.goto(f"{address}/c/{token}?lang=en")
            assert answer
            assert answer.status == status
            expect(page.get_by_role("heading", level=1)).to_contain_text("This card is")
            page.wait_for_function("async () => (await caches.keys()).length === 0")
        with pytest.raises(Exception, match="ERR_CONNECTION_REFUSED"):
            page.goto(f"{address}/c/{token}?lang=en")


def test_a_hundred_looks_at_a_card_by_machines_count_nothing(site: Site, engine: Engine, scriptless: Shopper) -> None:
    with engine.connect() as conn:
        before = conn.scalar(select(func.sum(CardCount.times)))
    for _ in range(50):
        for path in (site.emma, f"{bare(site.emma)}.vcf"):
            assert scriptless.context.request.get(path).status == 200
    with engine.connect() as conn:
        assert conn.scalar(select(func.sum(CardCount.times))) == before
