"""Visitors leave their contact on a card: with their consent, once, and not by the hundred."""

import csv
import io
import re
from datetime import timedelta
from threading import current_thread
from typing import Any

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Engine, select

import api.contacts
from accounts import find as accounts_find
from accounts import keys
from cards import forgetting, manage
from cards.find import CardRecord
from cards.links import from_receipt
from cards.manage import Belongs
from cards.tables import CardContact, CardVisit, CardVisitor
from cards.template import Template
from infra.csv_text import csv_text
from notify.tables import Message
from tests.support.aged import limit
from tests.support.cards import a_card
from tests.support.exchange import MIA, form_of, leave
from tests.support.inside import Inside, Person, askers, on_sqlite
from tests.support.sales import coffee
from tests.support.shops import OPENED, Shops
from tests.support.visits import PHONE, by_source, counted
from tests.support.workshop import Clock
from tests.test_races import at_once


@pytest.fixture
def card(engine: Engine, shops: Shops) -> CardRecord:
    return a_card(engine, shops)


def left(engine: Engine) -> list[dict[str, object]]:
    with engine.connect() as conn:
        return [dict(row) for row in conn.execute(select(CardContact.__table__)).mappings()]


def test_a_visitor_leaves_their_contact(stranger: Person, owner: Person, card: CardRecord, engine: Engine) -> None:
    answer = leave(stranger, card, query="?lang=en&s=qr", organisation="Café Roth")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/c/{card.token}?left=1&lang=en#exchange")
    assert "Thank you" in stranger.ask("GET", answer.headers["location"]).text
    [told] = owner.get("/v1/contacts").json()["contacts"]
    assert {name: told[name] for name in MIA} == MIA
    assert (told["card"], told["organisation"], told["source"]) == (card.id, "Café Roth", "qr")
    assert by_source(engine, "exchange") == {"qr": 1}


def test_what_was_agreed_to_is_kept_word_for_word(
    stranger: Person, owner: Person, card: CardRecord, shops: Shops, engine: Engine
) -> None:
    template = Template(consent={"en": 'I agree. <b>"Really"</b> & truly.'}, consent_version="7")
    with engine.begin() as conn:
        manage.put_template(conn, shops.linden, "linden-rye", template, now=OPENED)
    assert leave(stranger, card).status_code == 303
    [told] = owner.get("/v1/contacts").json()["contacts"]
    assert (told["consent"], told["consent_version"]) == ('I agree. <b>"Really"</b> & truly.', "7")


def test_a_text_that_changed_meanwhile_is_shown_again_before_anything_is_kept(
    stranger: Person, card: CardRecord, shops: Shops, engine: Engine
) -> None:
    before = form_of(stranger.get(f"/c/{card.token}", lang="en").text)
    with engine.begin() as conn:
        manage.put_template(conn, shops.linden, "linden-rye", Template(consent={"en": "Something else."}), now=OPENED)
    answer = stranger.ask("POST", f"/c/{card.token}/exchange?lang=en", data=before | MIA)
    assert (answer.status_code, "This text has changed" in answer.text, left(engine)) == (422, True, [])
    assert "Something else." in answer.text


@on_sqlite
@pytest.mark.parametrize(
    "written, said",
    [
        ({"name": " "}, "Please tell your name."),
        ({"name": "a\nb"}, "Please check this"),
        ({"email": "mia"}, "Please check this address."),
        ({"phone": "call me"}, "Please check this number."),
        ({"email": "", "phone": None}, "An email address or a telephone number is needed."),
        ({"consent": None}, "Please tick this"),
        ({"organisation": "x" * 301}, "Please shorten this."),
        ({"form_id": "another"}, "This text has changed."),
    ],
    ids=str,
)
def test_what_is_wrong_is_said_at_its_field_and_what_was_written_stays(
    stranger: Person, card: CardRecord, engine: Engine, written: dict[str, Any], said: str
) -> None:
    answer = leave(stranger, card, **written)
    assert (answer.status_code, said in answer.text, left(engine)) == (422, True, [])
    assert "weekly?</textarea>" in answer.text


@on_sqlite
def test_a_hostile_form_becomes_no_markup(stranger: Person, card: CardRecord) -> None:
    answer = leave(stranger, card, name='"><script>alert(1)</script>', email="nobody", note="</textarea><script>")
    assert answer.status_code == 422
    assert not re.search(r"<script(?! type=\"module\" src=)", answer.text)


def test_an_address_is_kept_in_lower_case_and_however_it_is_written_is_one_contact(
    stranger: Person, card: CardRecord, engine: Engine
) -> None:
    for email in ("MIA@Example.COM", "mia@example.com"):
        assert leave(stranger, card, email=email).status_code == 303
    assert [row["email"] for row in left(engine)] == ["mia@example.com"]


def test_one_form_sent_twice_is_one_contact(stranger: Person, card: CardRecord, engine: Engine) -> None:
    statuses = {answer.status_code for answer in at_once(8, lambda _: leave(stranger, card))}
    assert (statuses, len(left(engine)), counted(engine)) == ({303}, 1, {"exchange": 1})
    with engine.connect() as conn:
        assert len(conn.execute(select(Message.id)).all()) == 1


def test_without_the_constraint_it_would_be_several(stranger: Person, card: CardRecord, engine: Engine) -> None:
    """The control: it is the unique form that decides."""
    table = "card_contacts"
    with engine.begin() as conn, Operations(MigrationContext.configure(conn)).batch_alter_table(table) as altered:
        altered.drop_constraint("uq_card_contacts_form_id", type_="unique")
    at_once(4, lambda _: leave(stranger, card))
    assert len(left(engine)) == 4


@on_sqlite
def test_two_people_may_be_handed_the_same_form(stranger: Person, card: CardRecord, engine: Engine) -> None:
    leave(stranger, card)
    leave(stranger, card, name="Ben", email="ben@example.com")
    assert {row["name"] for row in left(engine)} == {"Mia Roth", "Ben"}


@on_sqlite
def test_a_program_that_fills_in_everything_hears_thanks_and_leaves_nothing(
    stranger: Person, card: CardRecord, engine: Engine
) -> None:
    assert leave(stranger, card, website="https://spam.example").status_code == 303
    assert (left(engine), counted(engine)) == ([], {})


@on_sqlite
@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}], ids=str)
def test_a_form_of_another_site_is_refused(
    stranger: Person, card: CardRecord, engine: Engine, headers: dict[str, str]
) -> None:
    fields = form_of(stranger.get(f"/c/{card.token}", lang="en").text) | MIA
    answer = stranger.ask("POST", f"/c/{card.token}/exchange?lang=en", data=fields, headers=headers)
    assert (answer.status_code, left(engine)) == (403, [])


@on_sqlite
def test_five_contacts_a_day_from_one_visitor_are_enough(stranger: Person, card: CardRecord, engine: Engine) -> None:
    answers = [leave(stranger, card, name=f"Mia {number}") for number in range(7)]
    assert [answer.status_code for answer in answers] == [303] * 5 + [429] * 2
    assert "try again tomorrow" in answers[-1].text
    assert (len(left(engine)), counted(engine)) == (5, {"exchange": 5})
    with engine.connect() as conn:
        assert len(conn.execute(select(Message.id)).all()) == 5


@on_sqlite
def test_who_changes_the_name_of_their_browser_leaves_no_more_than_a_network_may(
    stranger: Person, card: CardRecord, engine: Engine
) -> None:
    answers = [leave(stranger, card, name=f"Mia {each}", agent=f"{PHONE} {each}").status_code for each in range(22)]
    assert answers == [303] * 20 + [429] * 2


@on_sqlite
@pytest.mark.parametrize(
    "options, status",
    [
        ({"json": {"name": "Mia"}}, 415),
        ({"files": {"name": b"Mia"}}, 415),
        ({"content": b"a=1&" * 300, "headers": {"Content-Type": "application/x-www-form-urlencoded"}}, 400),
        ({"data": {"note": "x" * 40_000}}, 413),
        ({"content": b"%ff%00=\xff", "headers": {"Content-Type": "application/x-www-form-urlencoded"}}, 422),
    ],
    ids=["json", "multipart", "many", "long", "bytes"],
)
def test_what_is_no_form_of_ours_is_refused(
    stranger: Person, card: CardRecord, options: dict[str, Any], status: int
) -> None:
    assert stranger.ask("POST", f"/c/{card.token}/exchange", **options).status_code == status


# For a receipt


def through_a_receipt(inside: Inside, till: Person, stranger: Person, card: CardRecord) -> str:
    """The receipt through whose link Mia came and left her contact."""
    receipt_id: str = till.post("/v1/receipts", coffee()).json()["id"]
    link = from_receipt("", card.token, inside.app.state.house.card_key, receipt_id)
    assert leave(stranger, card, query=f"?{link.partition('?')[2]}&lang=en").status_code == 303
    return receipt_id


def test_a_contact_knows_the_receipt_from_which_its_visitor_came(
    inside: Inside, till: Person, stranger: Person, card: CardRecord, engine: Engine
) -> None:
    receipt_id = through_a_receipt(inside, till, stranger, card)
    [row] = left(engine)
    assert (row["receipt_id"], row["source"]) == (receipt_id, "receipt")
    with engine.connect() as conn:
        assert conn.execute(select(CardVisit.receipt_id, CardVisit.act)).all() == [(receipt_id, "exchange")]


def test_who_erases_the_shopper_of_a_receipt_erases_the_contact_that_they_left_by_it(
    inside: Inside, till: Person, stranger: Person, owner: Person, card: CardRecord, engine: Engine
) -> None:
    receipt_id = through_a_receipt(inside, till, stranger, card)
    leave(stranger, card, name="Ben", email="ben@example.com")
    assert owner.delete(f"/v1/receipts/{receipt_id}/shopper").status_code == 204
    with engine.connect() as conn:
        assert conn.execute(select(CardVisit)).all() == []
        assert list(conn.scalars(select(CardContact.name))) == ["Ben"]
        [message] = conn.scalars(select(Message.subject_id))
        assert message == conn.scalar(select(CardContact.id))


# Over the API


def test_contacts_are_listed_newest_first_and_by_card_or_staff(
    stranger: Person, owner: Person, card: CardRecord
) -> None:
    for number in range(5):
        leave(stranger, card, name=f"Mia {number}")
    first = owner.get("/v1/contacts", limit=3, staff="emma").json()
    second = owner.get("/v1/contacts", limit=3, card=card.token, cursor=first["next_cursor"]).json()
    names = [each["name"] for each in first["contacts"] + second["contacts"]]
    assert (names, second["next_cursor"]) == ([f"Mia {number}" for number in range(4, -1, -1)], None)
    assert owner.get("/v1/contacts", store="kreuzberg").json()["contacts"] == []
    assert owner.get("/v1/contacts", staff="nobody").status_code == 404


def test_another_merchant_sees_and_erases_none(
    stranger: Person, outsider: Person, card: CardRecord, engine: Engine
) -> None:
    leave(stranger, card)
    assert outsider.get("/v1/contacts").json() == {"contacts": [], "next_cursor": None}
    assert "Mia" not in outsider.get("/v1/contacts.csv").text
    assert outsider.delete(f"/v1/contacts/{left(engine)[0]['id']}").status_code == 404
    assert len(left(engine)) == 1


def key_of(engine: Engine, shops: Shops, store: str, scopes: list[str]) -> str:
    with engine.begin() as conn:
        store_id = accounts_find.store_id(conn, shops.linden, store)
        return keys.create(conn, shops.linden, name="k", scopes=scopes, now=OPENED, store_id=store_id)[0]


@pytest.mark.parametrize("path", ["/v1/contacts", "/v1/contacts.csv"])
def test_who_may_read_cards_may_not_read_what_visitors_left(
    inside: Inside, shops: Shops, engine: Engine, path: str
) -> None:
    found = {}
    for scope in ("cards:read", "contacts:read"):
        found[scope] = Person(inside, key_of(engine, shops, "mitte", [scope])).get(path).status_code
    assert found == {"cards:read": 403, "contacts:read": 200}


def test_a_key_of_a_store_sees_the_contacts_of_its_cards(
    stranger: Person, inside: Inside, card: CardRecord, shops: Shops, engine: Engine
) -> None:
    leave(stranger, card)
    insider, person = (
        Person(inside, key_of(engine, shops, store, ["contacts:read"])) for store in ("mitte", "kreuzberg")
    )
    assert len(insider.get("/v1/contacts").json()["contacts"]) == 1
    assert person.get("/v1/contacts").json()["contacts"] == []
    assert person.get("/v1/contacts", card=card.id).status_code == 404
    assert person.get("/v1/contacts", store="mitte").status_code == 422
    assert person.get("/v1/contacts", staff="emma").status_code == 404


def test_a_contact_stays_with_the_store_in_which_it_was_left(
    stranger: Person, owner: Person, card: CardRecord, engine: Engine
) -> None:
    leave(stranger, card)
    with engine.begin() as conn:
        manage.move(conn, card, Belongs(store="kreuzberg"), now=OPENED)
    found = {store: owner.get("/v1/contacts", store=store).json()["contacts"] for store in ("mitte", "kreuzberg")}
    assert [len(each) for each in found.values()] == [1, 0]
    assert owner.get("/v1/contacts", card=card.id).json()["contacts"] == found["mitte"]


def test_a_long_table_keeps_nobody_else_waiting(
    inside: Inside, stranger: Person, owner: Person, card: CardRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave(stranger, card)
    writers: list[str] = []

    def written(*told: Any) -> bytes:
        writers.append(current_thread().name)
        return csv_text(*told)

    monkeypatch.setattr(api.contacts, "csv_text", written)
    with askers(inside, "card_contacts") as threads:
        owner.get("/v1/contacts.csv").raise_for_status()
    assert (threads, "inside" in writers) == (set(writers), False)


@on_sqlite
def test_a_short_list_is_read_at_once(inside: Inside, owner: Person) -> None:
    """The control: what reads it is seen."""
    with askers(inside, "card_contacts") as threads:
        owner.get("/v1/contacts").raise_for_status()
    assert threads == {"inside"}


@on_sqlite
def test_a_spreadsheet_runs_nothing_of_what_visitors_wrote(stranger: Person, owner: Person, card: CardRecord) -> None:
    leave(stranger, card, name='=HYPERLINK("https://evil.example")', organisation="@SUM(1)", note="a\n=1+1")
    answer = owner.get("/v1/contacts.csv")
    assert answer.headers["content-disposition"] == 'attachment; filename="contacts.csv"'
    [row] = csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig")))
    assert (row["name"][0], row["organisation"][0], row["phone"]) == ("'", "'", "'+49 170 5550123")
    assert (row["email"], row["note"]) == ("mia@example.com", "a\n=1+1")


def test_an_erased_contact_is_gone_with_the_message_that_told_of_it(
    stranger: Person, owner: Person, card: CardRecord, engine: Engine
) -> None:
    leave(stranger, card)
    contact = left(engine)[0]["id"]
    assert owner.delete(f"/v1/contacts/{contact}").status_code == 204
    assert owner.delete(f"/v1/contacts/{contact}").status_code == 404
    with engine.connect() as conn:
        assert (left(engine), conn.execute(select(Message)).all()) == ([], [])


def test_contacts_are_kept_as_long_as_receipts(
    stranger: Person, card: CardRecord, shops: Shops, engine: Engine, clock: Clock
) -> None:
    leave(stranger, card)
    limit(engine, shops.linden)
    assert forgetting.purge_contacts(engine, now=clock() + timedelta(days=29), stop=lambda: False) == 0
    assert forgetting.purge_contacts(engine, now=clock() + timedelta(days=31), stop=lambda: False) == 1
    with engine.connect() as conn:
        assert (left(engine), conn.execute(select(Message)).all()) == ([], [])
        assert conn.execute(select(CardVisitor)).all() != []
