"""The documentation says what the code does: each setting, field, error, example and link of it."""

import html
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
from pydantic import BaseModel

from api.examples import EXAMPLES
from infra.settings import GROUPS
from kernel.errors import Problem
from receipts import sale
from receipts.fields import Part
from tests.support.inside import Person

ROOT: Final = Path(__file__).resolve().parent.parent
DOCS: Final = ROOT / "docs"
PAGES: Final = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])
DECISIONS: Final = sorted(DOCS.glob("decisions/[0-9]*.md"))
# The parts of a sale that a caller writes, by name.
PARTS: Final = {
    name: part
    for name, part in vars(sale).items()
    if isinstance(part, type) and issubclass(part, Part) and part.__module__ == sale.__name__
}
# What an example of a page is answered, by the first word after its `json`.
ANSWERED: Final = {"sale": {201}, "put": {201}, "refused": {422}, "conflict": {409}, "flagged": {201}, "batch": {200}}


def short(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def table_rows(text: str) -> list[str]:
    """The rows of a page's tables, without their heads."""
    tables = re.findall(r"^\|.*(?:\n\|.*)*", text, re.MULTILINE)
    return [row for table in tables for row in table.splitlines()[2:]]


def section(page: str, heading: str) -> str:
    """What stands under a heading, up to the next one of any level."""
    found = re.search(rf"^#+ {re.escape(heading)}\n(.*?)(?=^#+ |\Z)", page, re.MULTILINE | re.DOTALL)
    assert found, f"there is no heading {heading}"
    return found[1]


def settings_rows(group: type[BaseModel]) -> Iterator[str]:
    """What the page says of each setting of a group: its name, its default and what it means."""
    for name, field in group.model_fields.items():
        default = "" if field.default is None else f"`{field.default}`"
        yield f"| `COUNTERFOIL_{name.upper()}` | {default} | {html.escape(field.description or '', quote=False)} |"


def test_the_settings_page_tells_each_setting_as_it_is() -> None:
    page = (DOCS / "settings.md").read_text()
    assert table_rows(page) == [row for group in GROUPS for row in settings_rows(group)]


@pytest.mark.parametrize("name", PARTS)
def test_the_page_of_fields_lists_each_member_of_a_part(name: str) -> None:
    listed = re.findall(r"^\| `(\w+)` ", section((DOCS / "sale-fields.md").read_text(), name), re.MULTILINE)
    inherited = {field for base in PARTS[name].__mro__[1:] if base in PARTS.values() for field in base.model_fields}  # type: ignore[attr-defined]
    assert listed == [field for field in PARTS[name].model_fields if field not in inherited]


def test_the_page_of_fields_marks_what_must_be_there() -> None:
    page = (DOCS / "sale-fields.md").read_text()
    marked = {
        (name, field) for name in PARTS for field in re.findall(r"^\| `(\w+)` \*", section(page, name), re.MULTILINE)
    }
    required = {
        (name, field) for name, part in PARTS.items() for field, info in part.model_fields.items() if info.is_required()
    }
    own = {(name, field) for name, field in required if f"| `{field}` " in section(page, name)}
    assert marked == own


def problems(kind: type[Problem] = Problem) -> Iterator[type[Problem]]:
    yield kind
    for each in kind.__subclasses__():
        yield from problems(each)


def test_the_tables_of_errors_tell_each_problem() -> None:
    rows = table_rows(section((DOCS / "sale.md").read_text(), "Errors"))
    told = [re.match(r"\| `([\w-]+)` \| (\d+) \|", row) for row in rows]
    assert {(each[1], each[2]) for each in told if each} == {(each.slug, str(each.status)) for each in problems()}


@dataclass(frozen=True)
class Example:
    """A block of JSON that a reader may post: ``words`` stand after its ``json``, ``answer`` is the block after it."""

    words: tuple[str, ...]
    body: Any
    answer: Any

    def sent_by(self, person: Person) -> Any:
        match self.words:
            case ("put", token):
                return person.put(f"/v1/receipts/{token}", self.body)
            case ("batch", *_):
                return person.post("/v1/receipts/batch", self.body)
        return person.post("/v1/receipts", self.body)


def examples(page: str) -> list[Example]:
    blocks = re.findall(r"^```json ?([^\n]*)\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    read = [(tuple(words.split()), json.loads(text)) for words, text in blocks]
    after = [*read[1:], ((), None)]
    return [
        Example(words, body, answer if not then else None)
        for (words, body), (then, answer) in zip(read, after, strict=True)
        if words and words[0] in ANSWERED
    ]


SALES: Final = examples((DOCS / "sale.md").read_text())


def test_every_example_of_a_sale_is_answered_as_the_page_says(till: Person) -> None:
    for example in SALES:
        if example.words[0] == "flagged":
            continue
        answer = example.sent_by(till)
        assert answer.status_code in ANSWERED[example.words[0]], (example.body, answer.text)
        assert answer.json().get("warnings", []) == []
        if example.words[0] == "batch":
            assert [str(each["status"]) for each in answer.json()["results"]] == list(example.words[1:])
        if example.words[0] in ("refused", "conflict"):
            assert answer.json() == example.answer


def test_every_example_that_is_flagged_gets_the_warnings_that_the_page_shows(owner: Person, till: Person) -> None:
    owner.put("/v1/merchant", {"name": "Linden & Rye", "on_mismatch": "flag"})
    flagged = [example for example in SALES if example.words[0] == "flagged"]
    assert flagged
    for example in flagged:
        answer = example.sent_by(till)
        assert (answer.status_code, answer.json()["warnings"]) == (201, example.answer)


def test_the_answer_to_a_sale_has_the_members_that_the_page_shows(till: Person) -> None:
    shown = re.search(r"^```json answer\n(.*?)^```$", (DOCS / "sale.md").read_text(), re.MULTILINE | re.DOTALL)
    assert shown
    told, answer = json.loads(shown[1]), SALES[0].sent_by(till).json()
    assert shape(answer) == shape(told)


def shape(value: Any) -> Any:
    return {name: shape(each) for name, each in value.items()} if isinstance(value, dict) else type(value)


def test_each_form_of_a_receipt_answers_as_its_page_says(stranger: Person, till: Person) -> None:
    token = SALES[0].sent_by(till).json()["token"]
    rows = re.findall(r"^\| `/r/\{token\}(\S*)` \| `(\S+)` \|", (DOCS / "links.md").read_text(), re.MULTILINE)
    # What only a sale to a business has is tried in test_facturx_link.
    rows.remove((".xml", "application/xml"))
    answers = {form: stranger.get(f"/r/{token}{form}") for form, _ in rows}
    assert {each.status_code for each in answers.values()} == {200}
    assert [(form, each.headers["content-type"].partition(";")[0]) for form, each in answers.items()] == rows


PUT: Final = {
    "MerchantProfile": "/v1/merchant",
    "BrandProfile": "/v1/brands/corner-shop",
    "StoreProfile": "/v1/stores/high-street",
    "TillProfile": "/v1/stores/mitte/tills/till-9",
    "StaffProfile": "/v1/staff/sam",
    "CardTemplate": "/v1/brands/corner-shop/card-template",
}
POSTED: Final = {"Sale": "/v1/receipts", "Batch": "/v1/receipts/batch", "NewKey": "/v1/keys", "NewCard": "/v1/cards"}
# Below the card that is posted before.
OF_CARD: Final = {"CardContent": ("PUT", ""), "NewState": ("PUT", "/state"), "NewInvite": ("POST", "/invites")}
OF_OFFERS: Final = {
    "ProductContent": ("PUT", "/v1/products/butter"),
    "ProductBatch": ("POST", "/v1/products/batch"),
    "RuleWish": ("POST", "/v1/offer-rules"),
    "OfferSettings": ("PUT", "/v1/offer-settings"),
}


def test_every_example_of_the_openapi_document_is_accepted_as_it_stands(owner: Person, till: Person) -> None:
    put = {name: owner.put(path, EXAMPLES[name]).status_code for name, path in PUT.items()}
    assert set(put.values()) == {204}, put
    posted = {
        name: (till if "receipts" in path else owner).post(path, EXAMPLES[name]).status_code
        for name, path in POSTED.items()
    }
    # The sale of the batch is the one that came before.
    assert posted == {"Sale": 201, "Batch": 200, "NewKey": 201, "NewCard": 201}
    [receipt] = owner.get("/v1/receipts").json()["receipts"]
    assert owner.post(f"/v1/receipts/{receipt['id']}/deliveries", EXAMPLES["NewDelivery"]).status_code == 202
    [card] = owner.get("/v1/cards").json()["cards"]
    of_card = {
        name: owner.ask(method, f"/v1/cards/{card['id']}{path}", json=EXAMPLES[name]).status_code
        for name, (method, path) in OF_CARD.items()
    }
    assert of_card == {"CardContent": 200, "NewState": 200, "NewInvite": 201}
    offers = {name: owner.ask(way, path, json=EXAMPLES[name]).status_code for name, (way, path) in OF_OFFERS.items()}
    assert offers == {"ProductContent": 200, "ProductBatch": 200, "RuleWish": 201, "OfferSettings": 200}
    assert EXAMPLES.keys() == PUT.keys() | POSTED.keys() | OF_CARD.keys() | OF_OFFERS.keys() | {"NewDelivery"}


def test_every_operation_of_the_openapi_document_says_what_it_does(stranger: Person) -> None:
    paths = stranger.get("/openapi.json").json()["paths"]
    silent = [
        f"{method} {path}"
        for path, operations in paths.items()
        for method, operation in operations.items()
        if not operation.get("description")
    ]
    assert silent == []


def anchors(page: str) -> set[str]:
    """The names that GitHub gives to headings."""
    headings = re.findall(r"^#+ (.*)$", page, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", PAGES, ids=short)
def test_every_link_of_a_page_leads_somewhere(path: Path) -> None:
    page = re.sub(r"^```.*?^```$", "", path.read_text(), flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", page) + re.findall(r'(?:src|srcset|href)="([^"]+)"', page):
        if re.match(r"https?:|mailto:", target):
            continue
        file, _, anchor = target.partition("#")
        other = (path.parent / file).resolve() if file else path
        assert other.exists(), target
        assert not anchor or anchor in anchors(other.read_text()), target


def test_every_decision_is_listed_under_its_own_title() -> None:
    listed = re.findall(r"^(\d+)\. \[(.*)\]\((.*)\)$", (DOCS / "decisions/README.md").read_text(), re.MULTILINE)
    assert [(number, name) for number, _, name in listed] == [
        (str(int(each.name[:4])), each.name) for each in DECISIONS
    ]
    assert [f"# {number}. {title}" for number, title, _ in listed] == [
        each.read_text().splitlines()[0] for each in DECISIONS
    ]


@pytest.mark.parametrize("path", DECISIONS, ids=short)
def test_a_decision_says_why_what_follows_and_what_else_there_was(path: Path) -> None:
    headings = re.findall(r"^## (.*)$", path.read_text(), re.MULTILINE)
    assert headings == ["Context", "Decision", "Consequences", "Alternatives"]


@pytest.mark.parametrize("path", DECISIONS, ids=short)
def test_the_files_that_a_decision_names_are_there(path: Path) -> None:
    named = re.findall(r"`((?:[a-z_]+/)+[\w.]+\.(?:py|md))", path.read_text())
    assert [name for name in named if not (ROOT / name).exists()] == []
