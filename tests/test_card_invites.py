"""Invites: a link by which a member of staff edits what is theirs, and nothing else."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select

from cards import find, invites, manage
from cards.find import CardRecord
from cards.invites import Invited
from cards.manage import Belongs
from cards.template import Template
from kernel.errors import Invalid
from notify.tables import Message
from tests.support.cards import EMMA, a_card, profile
from tests.support.inside import Person
from tests.support.shops import OPENED, Shops

KEY = b"k" * 32
CARDS = "/v1/cards"
Open = Callable[..., Invited | None]


@pytest.fixture
def card(engine: Engine, shops: Shops) -> CardRecord:
    return a_card(engine, shops)


@pytest.fixture
def open_(engine: Engine) -> Open:
    def opened(token: str, now: datetime = OPENED, key: bytes = KEY) -> Invited | None:
        with engine.connect() as conn:
            return invites.opened(conn, key, token, now=now)

    return opened


@pytest.fixture
def token(engine: Engine, card: CardRecord) -> str:
    return a_link(engine, card)


def a_link(engine: Engine, card: CardRecord) -> str:
    with engine.begin() as conn:
        return invites.link_token(KEY, invites.invite(conn, card.merchant_id, card.id, now=OPENED).id)


def edited(engine: Engine, token: str, **changes: Any) -> CardRecord:
    with engine.begin() as conn:
        invited = invites.opened(conn, KEY, token, now=OPENED)
        assert invited
        return invites.edit(conn, invited, changes, now=OPENED + timedelta(hours=1))


def refused(engine: Engine, token: str, **changes: Any) -> list[str]:
    with pytest.raises(Invalid) as caught:
        edited(engine, token, **changes)
    return [each.pointer for each in caught.value.errors]


def locking(engine: Engine, shops: Shops, *names: str) -> None:
    with engine.begin() as conn:
        manage.put_template(conn, shops.linden, "linden-rye", Template(locked=list(names)), now=OPENED)


def test_a_link_opens_its_card_for_two_weeks_as_often_as_one_likes(token: str, card: CardRecord, open_: Open) -> None:
    for days in (0, 1, 13):
        invited = open_(token, OPENED + timedelta(days=days))
        assert invited
        assert (invited.card, invited.expires_at) == (card, OPENED + timedelta(days=14))
    assert open_(token, OPENED + timedelta(days=14)) is None


def test_a_newer_link_takes_the_place_of_the_older(engine: Engine, card: CardRecord, open_: Open) -> None:
    first, second = a_link(engine, card), a_link(engine, card)
    assert open_(first) is None
    assert open_(second) is not None


def test_a_link_that_was_withdrawn_opens_nothing(engine: Engine, token: str, card: CardRecord, open_: Open) -> None:
    with engine.begin() as conn:
        invites.withdraw(conn, card, now=OPENED)
    assert open_(token) is None


def test_the_link_of_a_revoked_card_opens_nothing(engine: Engine, token: str, card: CardRecord, open_: Open) -> None:
    with engine.begin() as conn:
        manage.set_state(conn, card, "revoked", now=OPENED)
    assert open_(token) is None


def test_nobody_makes_a_link_by_themselves(token: str, open_: Open) -> None:
    invite_id, _, mark = token.partition(".")
    other = invites.link_token(b"x" * 32, invite_id)
    for forged in (
        invite_id,
        f"{invite_id}.",
        f"{invite_id}.{mark[:-1]}",
        f"inv_{'0' * 26}.{mark}",
        other,
        "",
        "ü.ü",
        "\udc80",
    ):
        assert open_(forged) is None
    assert open_(token, key=b"x" * 32) is None


def test_a_member_of_staff_changes_what_is_theirs(engine: Engine, token: str, card: CardRecord) -> None:
    after = edited(engine, token, nickname="Em", hobbies=["Chess"], booking_url=None, phones=[])
    assert (after.profile.nickname, after.profile.hobbies, after.profile.booking_url) == ("Em", ["Chess"], None)
    assert (after.profile.phones, after.profile.emails) == ([], card.profile.emails)
    assert after.changed_at > card.changed_at


def test_what_is_the_same_changes_nothing(engine: Engine, token: str, card: CardRecord) -> None:
    assert edited(engine, token, title=card.profile.title, hobbies=card.profile.hobbies) == card


@pytest.mark.parametrize("name", ["organisation", "language", "brand", "store", "state", "photo", "staff", "x" * 300])
def test_what_is_not_theirs_is_refused(engine: Engine, token: str, name: str) -> None:
    assert refused(engine, token, **{name: "Mine"}) == [f"/{name[:100]}"]


def test_a_locked_field_may_be_sent_and_not_changed(engine: Engine, token: str, card: CardRecord) -> None:
    assert edited(engine, token, title="Head baker", nickname="Em").profile.nickname == "Em"
    assert refused(engine, token, title="Owner", nickname="E") == ["/title"]
    assert refused(engine, token, title=None) == ["/title"]


def test_a_locked_field_is_locked_in_every_language(engine: Engine, token: str) -> None:
    german = EMMA["translations"]["de"]
    assert refused(engine, token, translations={"de": german | {"title": "Chefin"}}) == ["/translations/de/title"]
    assert refused(engine, token, translations={"de": german, "fr": {"title": "Chef"}}) == ["/translations/fr/title"]
    assert refused(engine, token, translations={}) == ["/translations/de/title", "/translations/de/department"]
    assert refused(engine, token, translations={"de": german | {"organisation": "Meins"}}) == [
        "/translations/de/organisation"
    ]
    after = edited(engine, token, translations={"de": german | {"hobbies": ["Schach"]}})
    assert after.profile.translations["de"].hobbies == ["Schach"]


@pytest.mark.parametrize(
    "lock, change",
    [
        ("name", {"given": "Eve"}),
        ("family", {"name": "Eve Else"}),
        ("phones", {"phones": []}),
        ("translations", {"translations": {"de": EMMA["translations"]["de"] | {"hobbies": []}}}),
    ],
)
def test_a_lock_has_no_way_around_it(
    engine: Engine, shops: Shops, token: str, lock: str, change: dict[str, Any]
) -> None:
    locking(engine, shops, lock)
    assert refused(engine, token, **change) == [f"/{name}" for name in change]


def test_what_no_card_can_say_is_refused_by_its_field(engine: Engine, token: str) -> None:
    assert refused(engine, token, phones=[{"number": "none"}]) == ["/phones/0/number"]
    assert refused(engine, token, given=None, family=None, prefix=None) == [""]


def test_a_photo_is_put_unless_the_brand_locks_it(engine: Engine, shops: Shops, token: str, open_: Open) -> None:
    invited = open_(token)
    assert invited
    with engine.begin() as conn:
        assert invites.set_photo(conn, invited, "photos/a.jpg", now=OPENED).photo_key == "photos/a.jpg"
    locking(engine, shops, "photo")
    with engine.begin() as conn, pytest.raises(Invalid) as caught:
        invites.set_photo(conn, invited, None, now=OPENED)
    assert [each.pointer for each in caught.value.errors] == ["/photo"]


def test_another_s_invite_touches_their_own_card_only(engine: Engine, shops: Shops, card: CardRecord) -> None:
    with engine.begin() as conn:
        manage.create(conn, shops.linden, Belongs("noor", store="mitte"), profile(name="Noor"), now=OPENED)
        noor = find.of_staff_named(conn, shops.linden, "noor")
    assert noor
    edited(engine, a_link(engine, noor), nickname="N")
    with engine.connect() as conn:
        assert find.one(conn, shops.linden, card.id) == card


def test_what_the_merchant_changed_meanwhile_stays(engine: Engine, token: str, card: CardRecord, open_: Open) -> None:
    invited = open_(token)
    assert invited
    with engine.begin() as conn:
        manage.put_profile(conn, card, profile(title="Owner"), now=OPENED)
        after = invites.edit(conn, invited, {"nickname": "Em"}, now=OPENED)
    assert (after.profile.title, after.profile.nickname) == ("Owner", "Em")


# --- over the API


def test_an_invite_is_shown_once_and_withdrawn(owner: Person, stranger: Person) -> None:
    card = owner.post(CARDS, {"staff": "emma", "profile": EMMA}).json()
    answer = owner.post(f"{CARDS}/{card['id']}/invites", {"send": False})
    assert answer.status_code == 201
    invite = answer.json()
    assert invite["url"].startswith(f"https://receipts.test/i/{invite['id']}.")
    page = invite["url"].removeprefix("https://receipts.test")
    assert stranger.get(page).status_code == 200
    assert owner.delete(f"{CARDS}/{card['id']}/invites").status_code == 204
    assert stranger.get(page).status_code in (404, 410)


def messages(engine: Engine) -> list[tuple[str | None, ...]]:
    with engine.connect() as conn:
        return [tuple(row) for row in conn.execute(select(Message.subject_id, Message.address, Message.language))]


def test_an_invite_goes_to_the_first_email_of_the_card(owner: Person, engine: Engine) -> None:
    card = owner.post(CARDS, {"staff": "emma", "profile": EMMA}).json()
    invite = owner.post(f"{CARDS}/{card['id']}/invites", {"send": True}).json()
    assert messages(engine) == [(invite["id"], "emma@linden-rye.example", "en")]


def test_an_invite_that_cannot_be_sent_is_not_made(owner: Person, stranger: Person, engine: Engine) -> None:
    card = owner.post(CARDS, {"staff": "emma", "profile": EMMA | {"emails": []}}).json()
    before = owner.post(f"{CARDS}/{card['id']}/invites", {}).json()
    answer = owner.post(f"{CARDS}/{card['id']}/invites", {"send": True})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/send")
    assert stranger.get(before["url"].removeprefix("https://receipts.test")).status_code == 200
    assert messages(engine) == []
