"""A shopper answers a survey in a real browser: score, follow-up, thanks, with a script and without."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Route, expect

from infra.settings import Settings
from tests.support.inside import Person, on_sqlite
from tests.support.served import served
from tests.support.shopper import Shopper, somebody, stop_clock, wait_for_script
from tests.support.surveys import AGENT, responses, sold, survey

pytestmark = on_sqlite
UNTOUCHED = 2500  # milliseconds, after which a page has sent what its link chose


@pytest.fixture
def shopper(chromium: Browser) -> Iterator[Shopper]:
    yield from somebody(chromium, user_agent=AGENT)


@pytest.fixture
def unscripted(chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context(java_script_enabled=False, user_agent=AGENT, viewport={"width": 390, "height": 844})
    yield context.new_page()
    context.close()


@pytest.fixture
def address(settings: Settings, owner: Person) -> Iterator[str]:
    survey(owner, review_url="https://reviews.example/linden")
    with served(settings.data) as address:
        yield address


def link(owner: Person, receipt: dict[str, Any]) -> str:
    told = owner.post(f"/v1/receipts/{receipt['id']}/survey-links", {"event": "transaction"}).json()
    return str(told["url"]).removeprefix("https://receipts.test")


def test_a_shopper_says_what_went_wrong_without_leaving_the_receipt(
    address: str, owner: Person, till: Person, shopper: Shopper
) -> None:
    page, receipt = shopper.page, sold(till)
    page.goto(f"{address}/r/{receipt['token']}?lang=en")
    wait_for_script(page, "survey.js")
    stub = page.locator("#survey")
    stub.scroll_into_view_if_needed()
    group = stub.get_by_role("group", name="How likely are you to recommend Linden & Rye to a friend?")
    expect(group).to_have_accessible_description("0: Not at all likely, 10: Extremely likely")
    stub.get_by_role("button", name="3", exact=True).press("Enter")
    expect(stub.get_by_role("heading")).to_be_focused()
    stub.get_by_label("We are sorry. What went wrong?").fill("Cold coffee")
    expect(stub.get_by_label("Telephone or email")).to_be_hidden()
    stub.get_by_label("Please call me back.").check()
    stub.get_by_role("button", name="Send").click()
    expect(stub.get_by_text("An email address or a telephone number is needed.")).to_be_visible()
    expect(stub.get_by_label("Telephone or email")).to_be_focused()
    stub.get_by_label("Telephone or email").fill("+49 30 5550 1234")
    stub.get_by_role("button", name="Send").click()
    expect(stub.get_by_text("You will be called back.")).to_be_visible()
    assert page.url == f"{address}/r/{receipt['token']}?lang=en"
    [found] = responses(owner)
    assert (found["score"], found["text"], found["contact"]) == (3, "Cold coffee", "+49 30 5550 1234")
    page.reload()
    expect(page.locator("#survey").get_by_text("Thank you for telling us.")).to_be_visible()
    # The browser notes by itself that a form was not right.
    assert [each for each in shopper.complaints if "422" not in each] == []


def test_a_shopper_without_a_script_is_led_from_page_to_page(
    address: str, owner: Person, till: Person, unscripted: Page
) -> None:
    page, receipt = unscripted, sold(till)
    page.goto(f"{address}/r/{receipt['token']}?lang=en")
    page.get_by_role("button", name="10, Extremely likely").click()
    expect(page).to_have_url(re.compile(r"/s/.*#survey$"))
    expect(page.get_by_role("link", name="Tell others, too")).to_have_attribute(
        "href", "https://reviews.example/linden"
    )
    page.get_by_label("What did you like best?").fill("The bread")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_text("We are glad to hear it.")).to_be_visible()
    page.get_by_role("link", name="Change").click()
    page.get_by_role("button", name="8", exact=True).click()
    expect(page.get_by_text("Your answer: 8")).to_be_visible()
    page.get_by_role("link", name="Open your receipt").click()
    expect(page).to_have_url(re.compile(rf"/r/{receipt['token']}"))
    [found] = responses(owner)
    assert (found["score"], found["text"]) == (8, "The bread")


def test_a_page_that_is_looked_at_sends_what_the_link_chose(
    address: str, owner: Person, till: Person, shopper: Shopper
) -> None:
    page, path = shopper.page, link(owner, sold(till))
    stop_clock(page)
    page.goto(f"{address}{path}?lang=en&score=7")
    expect(page.get_by_role("button", name="7", exact=True)).to_have_attribute("aria-pressed", "true")
    assert responses(owner) == []
    page.clock.run_for(UNTOUCHED)
    expect(page.get_by_label("What would make it a 10?")).to_be_visible()
    [found] = responses(owner)
    assert (found["score"], found["channel"]) == (7, "link")
    assert shopper.complaints == []


def test_who_chooses_another_score_first_sends_that_one(
    address: str, owner: Person, till: Person, shopper: Shopper
) -> None:
    page, path = shopper.page, link(owner, sold(till))
    stop_clock(page)
    page.goto(f"{address}{path}?lang=en&score=7")
    page.get_by_role("button", name="9", exact=True).click()
    expect(page.get_by_label("What did you like best?")).to_be_visible()
    page.clock.run_for(UNTOUCHED)
    assert [each["score"] for each in responses(owner)] == [9]


def test_who_presses_while_the_page_sends_by_itself_is_heard(
    address: str, owner: Person, till: Person, shopper: Shopper
) -> None:
    page, path = shopper.page, link(owner, sold(till))
    under_way: list[Route] = []

    def keep(route: Route) -> None:
        under_way.append(route)

    page.route("**/s/*part=1", keep, times=1)
    with page.expect_request("**/s/*part=1"):
        page.goto(f"{address}{path}?lang=en&score=9")
    page.get_by_role("button", name="3", exact=True).click()
    under_way[0].continue_()
    expect(page.get_by_label("We are sorry. What went wrong?")).to_be_visible()
    assert [each["score"] for each in responses(owner)] == [3]


def test_a_receipt_that_nobody_looks_at_asks_nobody(
    address: str, owner: Person, till: Person, shopper: Shopper
) -> None:
    """The question hangs below what is seen first."""

    def asked() -> int:
        told = owner.get("/v1/survey-numbers", event="transaction").json()
        return int(told["asked"]["asked"])

    page = shopper.page
    page.goto(f"{address}/r/{sold(till)['token']}?lang=en")
    wait_for_script(page, "survey.js")
    page.wait_for_timeout(1500)
    assert asked() == 0
    with page.expect_response("**/seen"):
        page.locator("#survey").scroll_into_view_if_needed()
    assert asked() == 1


@pytest.mark.parametrize("language", ["en", "ar"])
def test_axe_finds_nothing_at_any_step(
    address: str, owner: Person, till: Person, shopper: Shopper, language: str
) -> None:
    page, receipt = shopper.page, sold(till)

    def check() -> None:
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            found = Axe().run(page)
            assert found.violations_count == 0, found.generate_report()

    page.goto(f"{address}{link(owner, receipt)}?lang={language}")
    check()
    page.locator(".scores button").nth(2).click()
    page.locator("#survey-call").check()
    check()
    page.locator("#survey textarea").fill("Cold")
    page.locator("#survey-call").uncheck()
    page.locator("#survey .send").click()
    expect(page.locator("#survey textarea")).to_have_count(0)
    check()
    page.goto(f"{address}/r/{sold(till)['token']}?lang={language}")
    check()


def test_a_receipt_that_asks_still_comes_in_one_flight(
    address: str, owner: Person, till: Person, shopper: Shopper
) -> None:
    page = f"{address}/r/{sold(till)['token']}?lang=en"
    shopper.page.goto(page)
    shopper.page.wait_for_load_state("networkidle")
    critical, _ = shopper.weight(page)
    assert critical <= 14 * 1024


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_the_scale_fits_every_screen_and_every_finger(
    address: str, owner: Person, till: Person, shopper: Shopper, width: int
) -> None:
    page = shopper.page
    page.set_viewport_size({"width": width, "height": 844})
    page.goto(f"{address}{link(owner, sold(till))}?lang=en&score=10")
    assert page.evaluate("document.documentElement.scrollWidth") == width
    boxes = [box for each in page.locator(".scores button").all() if (box := each.bounding_box())]
    assert len(boxes) == 11
    assert min(min(box["width"], box["height"]) for box in boxes) >= 24
    assert len({box["y"] for box in boxes}) == (1 if width == 1280 else 2)
