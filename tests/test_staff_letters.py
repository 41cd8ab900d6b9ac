"""Letters to the member of staff on a card: of a contact that was left, and of the link by which they edit it."""

from collections.abc import Iterator
from dataclasses import replace
from email.message import EmailMessage

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr
from sqlalchemy import Engine, select, update

from accounts.find import BrandLook
from cards import invites
from cards.contacts import Contact
from cards.find import CardRecord
from cards.letters import contact_letter, invite_letter
from cards.links import from_receipt
from cards.tables import CardInvite
from cards.template import ORDINARY
from infra.settings import Settings
from infra.smtp import SmtpMailer
from kernel.locale import LANGUAGES, direction
from notify import asking
from notify.letters import LONGEST_SUBJECT
from notify.tables import Message
from tests.support.cards import a_card, profile
from tests.support.exchange import leave
from tests.support.inside import Inside, Person, on_sqlite
from tests.support.sales import coffee
from tests.support.shops import OPENED, Shops
from tests.support.smtp import MailServer
from tests.support.workshop import Clock, Postman, opened, work, workshop
from worker.workshop import Workshop

BASE = "https://receipts.test"


@pytest.fixture
def card(engine: Engine, shops: Shops) -> CardRecord:
    return a_card(engine, shops)


def parts(message: EmailMessage) -> tuple[str, str]:
    found = [message.get_body((kind,)) for kind in ("plain", "html")]
    plain, html = (str(each.get_content()) for each in found if each is not None)
    return plain, html


@pytest.fixture
def server() -> Iterator[MailServer]:
    with MailServer() as server:
        yield server


@pytest.fixture
def mailing(settings: Settings, server: MailServer, clock: Clock) -> Iterator[Workshop]:
    """A worker that sends through a real mail server."""
    mailer = SmtpMailer(SecretStr(server.url()), timeout=30, connections=1)
    with workshop(settings, Postman(), clock) as shop:
        yield replace(shop, mailer=mailer)
    mailer.close()


def test_who_is_on_the_card_hears_of_a_contact_by_email(
    stranger: Person, till: Person, owner: Person, inside: Inside, card: CardRecord, mailing: Workshop,
    server: MailServer, clock: Clock,
) -> None:  # fmt: skip
    receipt = till.post("/v1/receipts", coffee(number="000417")).json()
    link = from_receipt("", card.token, inside.app.state.house.card_key, receipt["id"]).partition("?")[2]
    leave(stranger, card, query=f"?lang=en&{link}", organisation="Café Roth")
    work(mailing, clock)
    [accepted] = server.accepted
    message = opened(accepted)  # type: ignore[arg-type]
    assert accepted.recipient == "emma@linden-rye.example"
    assert (message["Subject"], message["Reply-To"]) == ("Mia Roth left you their contact", "mia@example.com")
    for text in parts(message):
        for said in ("Mia Roth", "mia@example.com", "+49 170 5550123", "Café Roth", "weekly?", "000417", "I agree"):
            assert said in text
        assert receipt["token"] not in text
    [vcf] = message.iter_attachments()
    assert (vcf.get_content_type(), vcf.get_filename()) == ("text/vcard", "Mia-Roth.vcf")
    assert b"EMAIL;" in vcf.get_payload(decode=True)
    [told] = owner.get("/v1/deliveries").json()["deliveries"]
    assert (told["receipt_id"], told["about"][:4], told["state"]) == (None, "con_", "sent")


def test_the_same_contact_is_told_of_once(
    stranger: Person, card: CardRecord, shop: Workshop, clock: Clock, postman: Postman
) -> None:
    for _ in range(2):
        leave(stranger, card)
        work(shop, clock)
    assert len(postman.taken) == 1


@on_sqlite
def test_a_card_without_an_email_tells_nobody_and_takes_the_contact(
    stranger: Person, owner: Person, engine: Engine, shops: Shops
) -> None:
    leave(stranger, a_card(engine, shops, emails=[]))
    assert len(owner.get("/v1/contacts").json()["contacts"]) == 1
    with engine.connect() as conn:
        assert conn.execute(select(Message)).all() == []


@on_sqlite
def test_of_a_contact_that_was_erased_meanwhile_nobody_hears(
    stranger: Person, owner: Person, card: CardRecord, shop: Workshop, clock: Clock, postman: Postman
) -> None:
    leave(stranger, card)
    [contact] = owner.get("/v1/contacts").json()["contacts"]
    owner.delete(f"/v1/contacts/{contact['id']}")
    work(shop, clock)
    assert postman.taken == []


def test_who_was_revoked_meanwhile_hears_of_no_contact(
    stranger: Person, owner: Person, card: CardRecord, shop: Workshop, clock: Clock, postman: Postman
) -> None:
    leave(stranger, card)
    owner.delete(f"/v1/cards/{card.id}")
    work(shop, clock)
    assert postman.taken == []


@on_sqlite
def test_a_hostile_contact_breaks_out_of_nothing(
    stranger: Person, card: CardRecord, shop: Workshop, clock: Clock, postman: Postman
) -> None:
    hostile = '<script>alert(1)</script>"\u202e\u2028'
    leave(stranger, card, name=hostile, organisation=hostile, note=f"{hostile}\nBcc: all@x.example\n.\n")
    work(shop, clock)
    message = opened(postman.taken[0])
    assert message["Bcc"] is None
    assert "<script" not in parts(message)[1]
    assert "\u202e" not in message["Subject"]
    assert b"\nBcc" not in next(message.iter_attachments()).get_payload(decode=True)


# Invites


def invited(engine: Engine, inside: Inside, card: CardRecord, clock: Clock) -> str:
    """The id of an invite whose letter was asked for."""
    with engine.begin() as conn:
        new = invites.invite(conn, card.merchant_id, card.id, now=clock())
        asking.ask(conn, inside.app.state.house.post, [invites.letter(card, new)], now=clock())
        return new.id


def test_an_invite_carries_the_link_that_edits_the_card(
    inside: Inside, card: CardRecord, engine: Engine, shop: Workshop, clock: Clock, postman: Postman
) -> None:
    invite_id = invited(engine, inside, card, clock)
    work(shop, clock)
    message = opened(postman.taken[0])
    link = f"{BASE}/i/{invites.link_token(inside.app.state.house.invite_key, invite_id)}"
    assert message["Subject"] == "Your business card at Linden & Rye"
    assert all(link in text for text in parts(message))


@on_sqlite
@pytest.mark.parametrize("change", [{"revoked_at": OPENED}, {"expires_at": OPENED}], ids=["withdrawn", "over"])
def test_an_invite_that_holds_no_more_is_not_sent(
    inside: Inside, card: CardRecord, engine: Engine, shop: Workshop, clock: Clock, postman: Postman,
    owner: Person, change: dict[str, object],
) -> None:  # fmt: skip
    invited(engine, inside, card, clock)
    with engine.begin() as conn:
        conn.execute(update(CardInvite).values(change))
    work(shop, clock)
    [told] = owner.get("/v1/deliveries").json()["deliveries"]
    assert (postman.taken, told["state"], told["about"][:4]) == ([], "failed", "inv_")


# Whatever the names

LOOK = BrandLook("brd_1", "Linden & Rye", "#1f5c47", tuple(LANGUAGES), None, None, None, None, {}, "logos/ab/c.png")
CARD = CardRecord(
    "crd_1", "mer_1", "t" * 22, "active", "emma", "stf_1", None, None, "linden-rye", None, profile(), ORDINARY, LOOK,
    None, OPENED, OPENED,
)  # fmt: skip
LEFT = Contact(
    "con_1", "crd_1", "Mia Roth", "mia@example.com", "+49 170 5550123", None, None, "en", "I agree.", "1",
    "qr", None, OPENED,
)  # fmt: skip


@settings(max_examples=60)
@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=300), st.sampled_from(sorted(LANGUAGES)))
@example("Mia\r\nBcc: all@x.example\u2028\u202e", "en")
@example("بن النور " * 30, "ar")
@example("x" * 300, "en")
def test_every_subject_is_one_short_line(name: str, language: str) -> None:
    card = replace(CARD, look=replace(LOOK, name=name))
    letters = (
        contact_letter(card, replace(LEFT, name=name), base_url=BASE, language=language, receipt_number=""),
        invite_letter(card, url=f"{BASE}/i/x", expires_at=OPENED, base_url=BASE, language=language),
    )
    for letter in letters:
        assert letter.subject.splitlines() == [letter.subject]
        assert len(letter.subject) <= LONGEST_SUBJECT
        assert letter.subject.count("\u2068") == letter.subject.count("\u2069")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_letter_is_whole_in_every_language(language: str) -> None:
    letter = contact_letter(CARD, LEFT, base_url=BASE, language=language, receipt_number="000417")
    assert f'lang="{language}" dir="{direction(language)}"' in letter.html
    assert "prefers-color-scheme:dark" in letter.html
    assert 'href="mailto:mia@example.com"' in letter.html
    assert 'href="tel:+491705550123"' in letter.html
    assert f"{BASE}/media/logos/ab/c.png" in letter.html
