"""A receipt's email: it says what the page says, in any mail program, and nothing that it should not."""

import json
import re
from collections.abc import Iterator
from dataclasses import fields, replace
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from jinja2 import meta, nodes

from infra import pages
from infra.theme import theme
from kernel.locale import LANGUAGES, direction
from notify.letters import LONGEST_SUBJECT, Composed
from receipts.letter import MOST_BYTES, compose
from receipts.letter_view import LetterPage
from receipts.view import view
from tests.support.gallery import GALLERY
from tests.support.records import BREAD, COFFEE, JUMEIRAH, MITTE, SILK, TOKEN, record, related
from tests.test_templates import LOOK

Body = dict[str, Any]
BASE = "https://receipts.test"
URL = f"{BASE}/r/{TOKEN}"
STOP = f"{BASE}/u/abc"
WITH_LOGO = replace(LOOK, logo_key="logos/ab/cd.png")
EVIL = "<img src=x onerror=alert(1)>\"'&</script><script>"
KINDS: dict[str, tuple[Body, Body]] = {
    "sale": (BREAD, {}),
    "refund": (BREAD | {"kind": "refund"}, {"original": related("sale", 3062)}),
    "void": (BREAD | {"kind": "void"}, {"original": related("sale", 3062)}),
    "exchange": (BREAD | {"kind": "exchange"}, {"original": related("sale", 3062)}),
    "gift": (BREAD | {"flags": ["gift"]}, {}),
    "training": (BREAD | {"flags": ["training"]}, {}),
    "voided": (BREAD, {"amendments": (related("void", 3062),)}),
}
SUBJECTS = {
    "sale": "Your receipt from Linden & Rye, €30.62",
    "refund": "Your refund from Linden & Rye, €30.62",
    "void": "Your cancellation from Linden & Rye, €30.62",
    "exchange": "Your exchange at Linden & Rye, €30.62",
    "gift": "Your gift receipt from Linden & Rye",
    "training": "Training · Your receipt from Linden & Rye, €30.62",
    "voided": "Cancelled · Your receipt from Linden & Rye, €30.62",
}


def letter(body: Body, language: str = "en", look: Any = LOOK, stop: str | None = STOP, **beside: Any) -> Composed:
    found = record(body, **beside)
    return compose(found, look, url=URL, base_url=BASE, language=language, stop_url=stop, has_pdf=False)


class Reader(HTMLParser):
    """What a mail program finds in an email."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.words: list[str] = []
        self.data: list[str] = []
        self._inside = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        self._inside = tag

    def handle_data(self, data: str) -> None:
        (self.data if self._inside in ("style", "script") else self.words).append(data)

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def addresses(self) -> Iterator[str]:
        for _, attributes in self.tags:
            yield from (value for name, value in attributes.items() if name in ("href", "src", "background", "action"))


def order_of(html: str) -> Any:
    return json.loads(re.findall(r'<script type="application/ld\+json">(.*?)</script>', html)[0])


@pytest.mark.parametrize("kind", KINDS)
def test_a_subject_says_what_it_is_and_how_much(kind: str) -> None:
    body, beside = KINDS[kind]
    assert letter(body, **beside).subject == SUBJECTS[kind]


@settings(max_examples=40)
@given(
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=300),
    st.sampled_from(sorted(KINDS)),
    st.sampled_from(sorted(LANGUAGES)),
)
@example("Rye\r\nBcc: all@x.example\u2028\u202e", "sale", "en")
@example("بن النور " * 30, "training", "ar")
def test_every_subject_is_one_short_line(brand: str, kind: str, language: str) -> None:
    body, beside = KINDS[kind]
    subject = letter(body, language, issuer=MITTE.model_copy(update={"brand": brand}), **beside).subject
    assert subject.splitlines() == [subject]
    assert len(subject) <= LONGEST_SUBJECT
    assert subject.count("\u2068") == subject.count("\u2069")
    assert "\u202e" not in subject


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("body, issuer", [(BREAD, MITTE), (SILK, MITTE), (COFFEE, JUMEIRAH)])
def test_both_forms_name_the_total_of_the_page(language: str, body: Body, issuer: Any) -> None:
    found, page = letter(body, language, issuer=issuer), view(record(body, issuer=issuer), language=language)
    assert page.sums
    told = Reader(found.html).text()
    assert all(total in text for total in [page.sums.total.value.split()[0]] for text in (told, found.text))
    for row in (*page.sums.summary, *page.facts):
        assert row.value.split()[0] in told
    assert order_of(found.html)["price"] == body["total"]


def test_its_html_is_in_the_readers_language_and_direction() -> None:
    html = letter(COFFEE, "ar", issuer=JUMEIRAH).html
    assert '<html lang="ar" dir="rtl"' in html
    assert f'dir="{direction("ar")}" lang="ar"' in html
    assert "padding-right:16px" in html


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_gift_names_no_amount_anywhere(language: str) -> None:
    body = BREAD | {"flags": ["gift"], "notes": ["You paid 30.62"]}
    found = letter(body, language)
    whole = found.subject + found.text + Reader(found.html).text() + json.dumps(order_of(found.html))
    amounts = ("30.62", "4.32", "5.40", "24.90", "20.62", "4242", "1.08", "30,62", "4,32", "€", "EUR")
    assert [amount for amount in amounts if amount in whole] == []


def test_nothing_is_fetched_but_the_logo_and_no_link_leads_elsewhere() -> None:
    found = Reader(letter(BREAD | {"kind": "refund"}, look=WITH_LOGO, original=related("sale", 3062)).html)
    ours = (f"{BASE}/", "https://linden-rye.example", "mailto:hallo@linden-rye.example", "tel:+493055501234")
    assert [address for address in found.addresses() if not address.startswith(ours)] == []
    assert [attributes["src"] for tag, attributes in found.tags if "src" in attributes] == [
        f"{BASE}/media/logos/ab/cd.png"
    ]
    assert not re.search(r"url\(|@import|@font-face", "".join(found.data) + str(found.tags))
    assert [attributes for tag, attributes in found.tags if tag == "script"] == [{"type": "application/ld+json"}]


def test_styles_are_inside_and_those_for_the_dark_stay_in_the_head() -> None:
    html, palette = letter(BREAD).html, theme(LOOK.colour)
    assert 'class="ground" role="presentation"' in html
    assert f"background-color:{palette.light.brand}" in html
    assert "var(" not in html
    day, night = re.findall(r"<style>(.*?)</style>", html.replace("<![endif]", ""), re.DOTALL)[-2:]
    assert "max-width:420px" in day
    assert f"@media (prefers-color-scheme:dark){{.ground{{background-color:{palette.dark.ground} !important}}" in night
    assert f"[data-ogsc] .ground,[data-ogsb] .ground{{background-color:{palette.dark.ground} !important}}" in night


def test_who_did_not_ask_for_it_can_stop_it_and_who_did_sees_why_it_came() -> None:
    asked, automatic = letter(BREAD, stop=None), letter(BREAD)
    assert "You get this email because" in asked.text
    assert "Stop these emails" not in asked.text + asked.html
    assert f'href="{STOP}"' in automatic.html
    assert STOP in automatic.text


def test_a_long_receipt_shows_its_first_lines_and_says_how_many_more_there_are() -> None:
    found = letter(GALLERY["long"].sale)
    told = Reader(found.html).text()
    assert "Thing number 40" in told
    assert "Thing number 41" not in told
    assert "160 more on your receipt" in told
    assert "Thing number 200" in found.text
    assert len(order_of(found.html)["acceptedOffer"]) == 40


def lines(count: int, **more: Any) -> list[Body]:
    return [{"id": str(each), "name": f"Thing {each}", "total": "1.00"} | more for each in range(count)]


@pytest.mark.parametrize(
    "more",
    [
        {"lines": lines(2000)},
        {"lines": lines(200, name=EVIL * 5, notes=[EVIL * 30] * 3)},
        {"lines": lines(3), "fiscal": {"lines": [EVIL * 40] * 60}, "footer": ["é" * 2000] * 20},
        {"lines": lines(3), "notes": ["&" * 2000] * 20, "header": ["&" * 2000] * 20, "reason": "&" * 2000},
    ],
    ids=["many lines", "many long lines", "a long fiscal block", "long notes"],
)
def test_no_email_is_so_long_that_gmail_cuts_it(more: Body) -> None:
    body = {"issued_at": BREAD["issued_at"], "currency": "EUR", "total": "2000.00", "payments": []} | more
    found = letter(body, look=replace(LOOK, return_text={"en": "&" * 2000}))
    assert len(found.html.encode()) < MOST_BYTES
    assert "€2,000.00" in Reader(found.html).text()
    assert found.html.rstrip().endswith("</html>")


def test_what_a_till_sends_is_text_and_never_markup() -> None:
    body = BREAD | {
        "lines": [{"id": "1", "name": EVIL, "total": "30.62", "notes": [EVIL], "options": [EVIL]}],
        "payments": [{"method": "card", "amount": "30.62", "scheme": EVIL}],
        "taxes": [{"tax": "0.00", "name": EVIL, "exemption": EVIL}],
        "fiscal": {"lines": [EVIL], "values": {EVIL: EVIL}},
        "buyer": {"name": EVIL},
        "header": [EVIL],
        "footer": [EVIL],
        "discounts": [],
        "charges": [],
    }
    evil_store = MITTE.model_copy(update={"brand": EVIL, "store": EVIL, "staff": EVIL})
    found = Reader(letter(body, look=replace(LOOK, name=EVIL, return_text={"en": EVIL}), issuer=evil_store).html)
    assert [tag for tag, _ in found.tags if tag in ("img", "script")] == ["script"]
    assert "<img src=x onerror=alert(1)>" in found.text()


def test_the_template_asks_for_the_fields_of_its_context_and_leaves_none() -> None:
    """With the frame around it, and but for what both make themselves."""
    env, asked, made = pages.environment("en"), set[str](), set[str]()
    assert env.loader
    for name in ("email/receipt.html", "email/frame.html"):
        parsed = env.parse(env.loader.get_source(env, name)[0])
        asked |= meta.find_undeclared_variables(parsed)
        made |= {each.name for each in parsed.find_all(nodes.Macro)}
        made |= {each.target.name for each in parsed.find_all(nodes.Assign) if isinstance(each.target, nodes.Name)}
        made |= {macro for each in parsed.find_all(nodes.FromImport) for macro in each.names if isinstance(macro, str)}
    assert asked - made - set(env.globals) == {field.name for field in fields(LetterPage)}
