"""A shopper puts a prize into Google Wallet, with scripts and without."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from infra.google_wallet import SAVE
from infra.settings import Settings
from tests.support.google_wallet import Google
from tests.support.inside import Person, on_sqlite
from tests.support.scratched import Promoter, sold_now
from tests.support.served import served
from tests.support.shopper import AGENT, Shopper, open_scratch_card, somebody

BUTTON = "Add to Google Wallet"


@pytest.fixture
def shopper(chromium: Browser, scripts: bool) -> Iterator[Shopper]:
    yield from somebody(chromium, user_agent=AGENT, java_script_enabled=scripts)


def at_google(page: Page) -> None:
    """Google's page, of which only the address matters."""
    page.route("https://pay.google.com/**", lambda route: route.fulfill(body="<title>Wallet</title>"))


@on_sqlite
@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without"])
def test_a_shopper_scratches_and_puts_the_prize_into_google_wallet(
    till: Person, promoter: Promoter, settings: Settings, shopper: Shopper, tmp_path: Path, scripts: bool
) -> None:
    promoter.launch()
    receipt, page = sold_now(till), shopper.page
    at_google(page)
    with Google() as google, served(settings.data, wallet=google.settings(tmp_path)) as address:
        link = f"{address}/r/{receipt['token']}?lang=en"
        open_scratch_card(page, link) if scripts else page.goto(link)
        expect(page.get_by_role("button", name=BUTTON)).to_have_count(0)
        page.get_by_role("button", name="Reveal the card").click()
        page.get_by_role("button", name=BUTTON).click()
        page.wait_for_url(f"{SAVE}**")
        [made] = google.objects.values()
        assert made["state"] == "ACTIVE"
        # The page as it is found when one comes back to it.
        page.goto(link)
        page.get_by_role("button", name=BUTTON).click()
        page.wait_for_url(f"{SAVE}**")
    assert promoter.card(receipt["id"]).state == "claimed"
    assert shopper.complaints == []
