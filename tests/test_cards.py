"""A card belongs to one member of staff; its face is what one reader gets of it."""

import pytest
from pydantic import ValidationError
from sqlalchemy import Connection, Engine, event, insert, select

from accounts.tables import StaffMember
from cards import find, manage
from cards.manage import Belongs, CardExists, CardRevoked
from cards.template import Template
from kernel.errors import Invalid, NotFound
from tests.support.cards import a_card, profile
from tests.support.shops import OPENED, Shops

BASE = "https://receipts.test"


def test_a_card_is_found_by_its_id_its_token_and_its_member_of_staff(engine: Engine, shops: Shops) -> None:
    card = a_card(engine, shops)
    with engine.connect() as conn:
        found = [
            find.one(conn, shops.linden, card.id),
            find.one(conn, shops.linden, card.token),
            find.by_token(conn, card.token),
            find.of_staff(conn, shops.linden, card.staff_id),
            find.of_staff_named(conn, shops.linden, "emma"),
            *find.listed(conn, shops.linden, limit=5),
        ]
    assert found == [card] * 6
    assert (card.staff, card.store, card.state, card.profile) == ("emma", "mitte", "active", profile())


def test_another_merchant_finds_no_card(engine: Engine, shops: Shops) -> None:
    card = a_card(engine, shops)
    with engine.connect() as conn:
        assert find.listed(conn, shops.moor, limit=5) == []
        assert find.of_staff(conn, shops.moor, card.staff_id) is None
        for name in (card.id, card.token):
            with pytest.raises(NotFound):
                find.one(conn, shops.moor, name)


def test_a_member_of_staff_has_one_card(engine: Engine, shops: Shops) -> None:
    card = a_card(engine, shops)
    with pytest.raises(CardExists, match=card.id):
        a_card(engine, shops)


def test_who_is_no_member_of_staff_yet_becomes_one(engine: Engine, shops: Shops) -> None:
    with engine.begin() as conn:
        for _ in range(2):
            manage.create(conn, shops.linden, Belongs(store="mitte"), profile(name="Zoë Müller"), now=OPENED)
        mine = select(StaffMember.slug, StaffMember.name).where(StaffMember.merchant_id == shops.linden)
        staff = [tuple(row) for row in conn.execute(mine.order_by(StaffMember.slug))]
    assert [each for each in staff if "zoe" in each[0]] == [
        ("zoe-muller", "Zoë Müller"),
        ("zoe-muller-2", "Zoë Müller"),
    ]


def test_a_slug_is_found_among_many_alike_without_reading_them(engine: Engine, shops: Shops) -> None:
    """Names in another script are all alike."""

    row = {"merchant_id": shops.linden, "name": "李"}
    alike = [row | {"id": f"stf_{n}", "slug": "staff" if n == 1 else f"staff-{n}"} for n in range(1, 1500)]

    def asked(conn: Connection) -> tuple[str, int]:
        questions: list[str] = []
        event.listen(conn, "before_cursor_execute", lambda _c, _k, sql, *_: questions.append(sql))
        slug = manage._free_slug(conn, shops.linden, "李")
        assert not [each for each in questions if "LIKE" in each]
        return slug, len(questions)

    with engine.begin() as conn:
        assert asked(conn)[0] == "staff"
        conn.execute(insert(StaffMember), alike)
    with engine.begin() as conn:
        slug, questions = asked(conn)
        assert (slug, questions < 30) == ("staff-1500", True)


def test_a_revoked_card_never_comes_back(engine: Engine, shops: Shops) -> None:
    card = a_card(engine, shops)
    with engine.begin() as conn:
        manage.set_state(conn, card, "revoked", now=OPENED)
        with pytest.raises(CardRevoked):
            # What was read before the revocation.
            manage.put_profile(conn, card, profile(title="Ghost"), now=OPENED)
        with pytest.raises(CardRevoked):
            manage.set_state(conn, find.one(conn, shops.linden, card.id), "active", now=OPENED)


def test_the_brand_s_parts_stand_on_all_of_its_cards(engine: Engine, shops: Shops) -> None:
    a_card(engine, shops, organisation="Emma's own")
    template = Template(
        organisation="Linden & Rye GmbH",
        organisation_in={"de": "Linde & Roggen GmbH"},
        links=[{"url": "https://www.linden-rye.example/"}],
    )
    with engine.begin() as conn:
        manage.put_template(conn, shops.linden, "linden-rye", template, now=OPENED)
        card = find.of_staff_named(conn, shops.linden, "emma")
    assert card is not None
    english, german = (find.face_of(card, base_url=BASE, language=tag) for tag in ("en", "de"))
    assert (english.organisation, german.organisation) == ("Linden & Rye GmbH", "Linde & Roggen GmbH")
    assert [way.name for way in english.links] == ["linden-rye.example", "My breads"]


def test_a_face_speaks_the_reader_s_language_as_far_as_the_card_does(engine: Engine, shops: Shops) -> None:
    card = a_card(engine, shops)
    german = find.own_face(card, base_url=BASE, wished="de-AT")
    assert (german.title, german.department, german.hobbies) == ("Bäckermeisterin", "Backstube", ("Rudern",))
    assert german.description == "Sourdough by day, croissants by night."
    assert find.own_face(card, base_url=BASE, wished="fr").title == "Head baker"


def test_a_handle_leads_to_its_account(engine: Engine, shops: Shops) -> None:
    told = find.own_face(a_card(engine, shops), base_url=BASE)
    assert [way.url for way in (*told.socials, *told.messengers)] == [
        "https://www.linkedin.com/in/emma-lind",
        "https://berlin.example/@emma",
        "https://wa.me/491511234567",
        "https://t.me/emmalind",
    ]


@pytest.mark.parametrize(
    "change",
    [
        {"given": None, "family": None, "prefix": None},
        {"given": "a\r\nTEL:1"},
        {"emails": [{"address": "nobody"}]},
        {"phones": [{"number": "+49\n30"}]},
        {"links": [{"url": "javascript:alert(1)"}]},
        {"socials": [{"network": "linkedin"}]},
        {"socials": [{"network": "mastodon", "handle": "emma"}]},
        {"messengers": [{"app": "signal", "handle": "emma"}]},
        {"addresses": [{}]},
        {"languages": ["de", "de"]},
        {"unknown": 1},
    ],
    ids=str,
)
def test_what_no_card_could_say_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        profile(**change)


def test_a_card_needs_a_brand_of_its_merchant(engine: Engine, shops: Shops) -> None:
    with engine.begin() as conn, pytest.raises(Invalid):
        manage.create(conn, shops.linden, Belongs(brand="moor"), profile(), now=OPENED)


def test_who_comes_back_gets_another_card_and_keeps_one(engine: Engine, shops: Shops) -> None:
    old = a_card(engine, shops)
    with engine.begin() as conn:
        manage.set_state(conn, old, "revoked", now=OPENED)
    new = a_card(engine, shops)
    assert new.token != old.token
    with pytest.raises(CardExists, match=new.id):
        a_card(engine, shops)
    with engine.connect() as conn:
        assert find.of_staff(conn, shops.linden, old.staff_id) == new
        assert find.one(conn, shops.linden, old.token).state == "revoked"
