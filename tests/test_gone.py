"""Behind the link of a purged receipt every form says that it is gone; nobody is told to wait for it."""

import pytest
from sqlalchemy import Engine

from infra.i18n import voice
from kernel.clock import utc_now
from kernel.ids import digest
from kernel.locale import LANGUAGES
from receipts.tables import PurgedReceipt
from tests.support.inside import Person, on_sqlite
from tests.support.sales import coffee
from tests.support.shops import Shops

TOKEN = "Zm9yZ2V0LW1lLW5vdC0wMQ"
FORMS = ("", ".pdf", ".txt", ".json", "/qr.svg", "/qr.png", "/codes/0.svg")
HEADING = "This receipt has been deleted"


@pytest.fixture(autouse=True)
def purged(engine: Engine, shops: Shops) -> None:
    with engine.begin() as conn:
        row = PurgedReceipt.__table__.insert()  # type: ignore[attr-defined]
        conn.execute(row.values(digest=digest(TOKEN), merchant_id=shops.linden, purged_at=utc_now()))


def test_every_form_of_a_purged_link_answers_410(stranger: Person) -> None:
    for form in FORMS:
        answer = stranger.ask("GET", f"/r/{TOKEN}{form}", headers={"Accept": "text/html"})
        assert answer.status_code == 410, form
        assert answer.headers["cache-control"] == "no-store"
        assert "retry-after" not in answer.headers
        assert HEADING in answer.text


@on_sqlite
def test_a_program_is_told_so_as_a_problem(stranger: Person) -> None:
    for form in FORMS[1:]:
        answer = stranger.get(f"/r/{TOKEN}{form}")
        assert (answer.status_code, answer.json()["type"]) == (410, "urn:counterfoil:problem:gone"), form


@on_sqlite
def test_it_is_said_in_the_readers_language(stranger: Person) -> None:
    for language in LANGUAGES:
        answer = stranger.ask("GET", f"/r/{TOKEN}", headers={"Accept-Language": language})
        assert voice(language).gettext(HEADING) in answer.text
        assert f'lang="{language}"' in answer.text


def test_a_link_that_nobody_purged_is_still_on_its_way(stranger: Person) -> None:
    assert stranger.get(f"/r/{TOKEN[::-1]}").status_code == 202


def test_a_till_that_puts_a_sale_behind_it_is_refused(till: Person, owner: Person) -> None:
    answer = till.put(f"/v1/receipts/{TOKEN}", coffee())
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (409, "/token")
    results = till.post("/v1/receipts/batch", {"receipts": [coffee(), coffee(token=TOKEN)]}).json()["results"]
    assert [each["status"] for each in results] == [201, 409]
    assert owner.get(f"/v1/receipts/{TOKEN}").status_code == 404
