"""Every template compiles, is given what it asks for by a typed context, and makes a whole page."""

import re
from dataclasses import fields
from typing import Any

import pytest
from jinja2 import ChoiceLoader, DictLoader, meta
from jinja2.nodes import Extends, FromImport, Template

from accounts.find import BrandLook
from api import contexts, contexts_after_sale, contexts_of_cards
from api.contexts import ErrorPage, LetterPage, MailboxPage, Page, PendingPage, ReceiptPage, StopPage, Stub, VerifyPage
from api.contexts_after_sale import EntryPage, FairPage, ProductPage, ReviewsPage, RulesPage, ScratchPage, SurveyPage
from api.contexts_of_cards import CardPage, InvitePage, SignaturePage
from api.receipt_page import error_page, pending_page, receipt_page
from infra import pages
from infra.theme import csp_hash
from kernel.locale import LANGUAGES, direction
from tests.support.records import BREAD, COFFEE, INDIRANAGAR, JUMEIRAH, SILK, record, related

NAMES = sorted(path.relative_to(pages.TEMPLATES).as_posix() for path in pages.TEMPLATES.rglob("*.html"))
# The page that each context is for.
CONTEXTS = (contexts, contexts_of_cards, contexts_after_sale)
PAGES: dict[str, type[Page]] = {
    "receipt.html": ReceiptPage,
    "pending.html": PendingPage,
    "error.html": ErrorPage,
    "stop.html": StopPage,
    "mailbox.html": MailboxPage,
    "letter.html": LetterPage,
    "verify.html": VerifyPage,
    "card.html": CardPage,
    "invite.html": InvitePage,
    "scratch.html": ScratchPage,
    "rules.html": RulesPage,
    "fair.html": FairPage,
    "entry.html": EntryPage,
    "signature.html": SignaturePage,
    "reviews.html": ReviewsPage,
    "product.html": ProductPage,
    "survey.html": SurveyPage,
}
LOOK = BrandLook(
    id="brd_01",
    name="Linden & Rye",
    colour="#1f5c47",
    languages=tuple(LANGUAGES),
    website="https://linden-rye.example",
    support_email="hallo@linden-rye.example",
    support_phone="+49 30 5550 1234",
    support_url="https://linden-rye.example/help",
    return_text={"en": "Exchange within 30 days."},
    logo_key=None,
)
BASE = "https://receipts.test"


def tree(name: str) -> Template:
    env = pages.environment("en")
    assert env.loader
    return env.parse(env.loader.get_source(env, name)[0])


def asked_for(name: str) -> set[str]:
    """The variables of a template and of those that it extends; imported macros are given theirs by hand."""
    parsed = tree(name)
    imported = {macro for each in parsed.find_all(FromImport) for macro in each.names}
    own = meta.find_undeclared_variables(parsed) - set(pages.environment("en").globals) - imported
    return own.union(*(asked_for(str(parent.template.as_const())) for parent in parsed.find_all(Extends)))


def shown(body: dict[str, Any], language: str = "en", copy: bool = False, **beside: Any) -> str:
    page = receipt_page(record(body, **beside), LOOK, base_url=BASE, language=language, copy=copy)
    return pages.render("receipt.html", page, language)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_template_compiles(name: str, language: str) -> None:
    assert pages.environment(language).get_template(name).name == name


@pytest.mark.parametrize("name", [name for name in NAMES if "/" in name and not name.startswith(("pdf/", "email/"))])
def test_a_part_asks_only_for_what_it_is_handed(name: str) -> None:
    handed = {"stub"} if name.startswith("stubs/") else set()
    assert meta.find_undeclared_variables(tree(name)) <= set(pages.environment("en").globals) | handed


@pytest.mark.parametrize("name, context", PAGES.items())
def test_a_page_asks_for_the_fields_of_its_context_and_leaves_none(name: str, context: type[Page]) -> None:
    assert asked_for(name) == {field.name for field in fields(context)}


def test_every_page_has_its_context() -> None:
    named = [each for module in CONTEXTS for each in vars(module).values()]
    of_pages = {each for each in named if isinstance(each, type) and issubclass(each, Page)}
    assert of_pages - {Page} == set(PAGES.values())
    shared = {"base.html", "slip.html", "icons.html", "networks.html"}
    assert {name for name in NAMES if "/" not in name} - shared == set(PAGES)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_page_says_what_it_is_and_in_which_language(language: str) -> None:
    whole = {
        "receipt.html": shown(BREAD, language),
        "pending.html": pages.render("pending.html", pending_page("a" * 22, language=language), language),
        "error.html": pages.render("error.html", error_page("Gone", "Try again", language=language), language),
    }
    for html in whole.values():
        assert re.search(r"<title>[^<]+</title>", html)
        assert re.search(r'<meta name="description" content="[^"]+">', html)
        assert f'<html lang="{language}" dir="{direction(language)}">' in html
        assert '<meta name="robots" content="noindex, nofollow">' in html
        assert len(re.findall("<h1>", html)) == len(re.findall("<main ", html)) == 1


@pytest.mark.parametrize(
    "body, beside",
    [
        (BREAD, {}),
        (BREAD | {"flags": ["gift"]}, {}),
        (BREAD | {"flags": ["training", "copy"]}, {}),
        (BREAD | {"kind": "refund", "original": "x", "reason": "Stale"}, {"original": related("sale", 3062)}),
        (BREAD, {"amendments": (related("refund", 500), related("exchange", 0))}),
        (BREAD, {"amendments": (related("void", 3062),)}),
        (SILK, {"issuer": INDIRANAGAR}),
        (COFFEE, {"issuer": JUMEIRAH}),
        ({"issued_at": BREAD["issued_at"], "currency": "JPY", "total": "0"}, {}),
    ],
    ids=["sale", "gift", "training", "refund", "amended", "voided", "silk", "coffee", "empty"],
)
def test_every_kind_of_receipt_makes_a_page(body: dict[str, Any], beside: dict[str, Any]) -> None:
    html = shown(body, **beside)
    assert "</html>" in html
    ids = re.findall(r' id="([^"]+)"', html)
    assert len(ids) == len(set(ids))


def test_nothing_stands_inside_that_the_policy_would_stop() -> None:
    html = shown(BREAD)
    assert not re.search(r"""<[^>]+ (style|on\w+)=""", html)
    assert re.findall(r"<script(?![^>]*(?: src=|ld\+json))", html) == []


def test_every_style_is_named_in_the_policy_and_no_other_origin() -> None:
    page = receipt_page(record(BREAD), LOOK, base_url=BASE, language="en", copy=False)
    html = pages.render("receipt.html", page, "en")
    policy = pages.policy(pages.stylesheet_hash("page.css"), page.theme.csp_hash)
    styles = re.findall(r"<style>(.*?)</style>", html, re.DOTALL)
    assert [csp_hash(text) in policy for text in styles] == [True, True]
    assert "unsafe" not in policy
    assert "http" not in policy


def test_what_a_till_sends_is_text_and_never_markup() -> None:
    evil = "<img src=x onerror=alert(1)>\"'&"
    body = {
        "issued_at": BREAD["issued_at"],
        "currency": "EUR",
        "total": "1.00",
        "lines": [
            {"id": "1", "name": evil, "total": "1.00", "notes": [evil], "options": [evil], "attributes": {evil: evil}}
        ],
        "payments": [{"method": "card", "amount": "1.00", "scheme": evil, "text": [evil]}],
        "taxes": [{"tax": "0.00", "name": evil, "exemption": evil}],
        "fiscal": {"lines": [evil], "values": {evil: evil}},
        "buyer": {"name": evil},
        "header": [evil],
        "footer": [evil],
        "notes": [evil],
    }
    assert "<img src=x" not in shown(body)


def test_a_link_preview_tells_the_brand_and_no_amount() -> None:
    head = shown(BREAD).split("<style>")[0]
    previews = "".join(re.findall(r"<meta [^>]+>", head))
    assert "Linden &amp; Rye" in previews
    assert "30.62" not in previews


def test_a_gift_has_no_price_anywhere_in_its_page() -> None:
    html = shown(BREAD | {"flags": ["gift"]})
    assert [amount for amount in ("30.62", "4.32", "5.40", "24.90", "20.62", "4242", "1.08") if amount in html] == []


def test_stubs_hang_below_the_receipt_each_from_a_template_of_its_own() -> None:
    env = pages.environment("en")
    assert env.loader
    with_survey = env.overlay(
        loader=ChoiceLoader([DictLoader({"survey.html": "<p>{{ stub.content }}</p>"}), env.loader])
    )
    page = receipt_page(record(BREAD), LOOK, base_url=BASE, language="en", copy=False)
    values = {field.name: getattr(page, field.name) for field in fields(page)}
    stubs = (Stub("survey", "survey.html", "Would you?"), Stub("reward", "survey.html", "Scratched", is_done=True))
    html = with_survey.get_template("receipt.html").render(values | {"stubs": stubs})
    assert '<section class="piece stub" id="survey"><p>Would you?</p></section>' in html
    assert '<section class="piece stub done" id="reward"><p>Scratched</p></section>' in html
