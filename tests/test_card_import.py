"""Cards out of files: what becomes of each row, and that twice is the same as once."""

import base64
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from io import BytesIO
from itertools import chain
from typing import Any

import pytest
from PIL import Image
from sqlalchemy import Connection, Engine, event, select

from cards import importing
from cards.importing import Import, Ready
from cards.reading import StaffFile, read
from cards.recognised import Recognised
from infra.database import Base
from infra.jobs import Jobs
from kernel.clock import utc_now
from tests.support.cards import EMMA
from tests.support.inside import Inside, Person, on_sqlite
from tests.support.pdf import a_square
from tests.support.shops import OPENED, Shops
from tests.test_races import at_once

JSON = dict[str, Any]
STAFF = """\
staff,store,first name,last name,title,e-mail,mobile,languages,shoe size
emma,mitte,Emma,Lind,Head baker,emma@linden-rye.example,+49 151 1234567,"de, en",39
noor,kreuzberg,Noor,Haddad,,noor@linden-rye.example,,ar,
,,Zoë,Müller,Barista,zoe@linden-rye.example,,,
"""


def imported(person: Person, text: str | bytes, kind: str = "text/csv", **query: Any) -> JSON:
    data = text.encode() if isinstance(text, str) else text
    answer = person.ask("POST", "/v1/cards/import", content=data, params=query, headers={"Content-Type": kind})
    assert answer.status_code == 200, answer.text
    report: JSON = answer.json()
    return report


def states(report: JSON) -> list[str]:
    return [each["state"] for each in report["rows"]]


def everything(engine: Engine) -> dict[str, list[tuple[Any, ...]]]:
    with engine.connect() as conn:
        return {
            table.name: [tuple(row) for row in conn.execute(select(table))] for table in Base.metadata.sorted_tables
        }


def test_a_table_makes_cards_and_the_same_table_again_changes_nothing(owner: Person, engine: Engine) -> None:
    report = imported(owner, STAFF)
    assert [(each["row"], each["state"], each["errors"]) for each in report["rows"]] == [
        (number, "created", []) for number in (2, 3, 4)
    ]
    assert report["counts"] == {"created": 3, "changed": 0, "unchanged": 0, "refused": 0}
    assert report["columns"][-1] == {"column": "shoe size", "field": None}
    before = everything(engine)
    again = imported(owner, STAFF)
    assert states(again) == ["unchanged"] * 3
    assert [each["card"] for each in again["rows"]] == [each["card"] for each in report["rows"]]
    assert everything(engine) == before
    card = owner.get(f"/v1/cards/{report['rows'][0]['card']}").json()
    assert (card["staff"], card["store"], card["profile"]["languages"]) == ("emma", "mitte", ["de", "en"])
    assert card["profile"]["phones"] == [{"number": "+49 151 1234567", "kind": "mobile"}]


def test_a_dry_run_gives_the_same_report_and_writes_nothing(owner: Person, engine: Engine) -> None:
    imported(owner, STAFF.partition("noor")[0])
    before = everything(engine)
    text = STAFF.replace("Head baker", "Owner") + ",,,,,not an address,,,\n"
    dry = imported(owner, text, dry_run=1)
    assert everything(engine) == before
    real = imported(owner, text)
    assert states(dry) == states(real) == ["changed", "created", "created", "refused"]
    assert [each["card"] for each in dry["rows"]] == [real["rows"][0]["card"], None, None, None]
    assert [each["errors"] for each in dry["rows"]] == [each["errors"] for each in real["rows"]]


def test_a_row_is_known_by_its_email_and_what_it_does_not_say_stays(owner: Person) -> None:
    card = owner.post("/v1/cards", {"staff": "emma", "store": "mitte", "profile": EMMA}).json()
    report = imported(owner, "Email,Job Title\nEMMA@linden-rye.example,Owner\n")
    assert (states(report), report["rows"][0]["card"]) == (["changed"], card["id"])
    after = owner.get(f"/v1/cards/{card['id']}").json()
    assert after["profile"]["title"] == "Owner"
    assert after["profile"]["phones"] == card["profile"]["phones"]
    assert after["store"] == "mitte"


def test_a_row_that_is_wrong_says_so_by_its_column_and_the_others_are_taken(owner: Person) -> None:
    text = "Vorname;Nachname;Telefon;Filiale\nA;B;none;\nC;D;+49 30 1234;nowhere\nE;F;+49 30 1234;\n;;;mitte\n"
    report = imported(owner, text)
    assert states(report) == ["refused", "refused", "created", "refused"]
    faults = [[(each["column"], each["pointer"]) for each in row["errors"]] for row in report["rows"]]
    assert faults == [[("Telefon", "/phones/0/number")], [("Filiale", "/store")], [], [(None, "")]]
    assert "+49 30 5550 1234 would be one" in report["rows"][0]["errors"][0]["detail"]


def test_rows_of_one_person_are_taken_once(owner: Person) -> None:
    text = "staff,name,email\nzoe,Zoë,\nzoe,Zoë,\nzoe,Zoe,\n,Ben,b@x.example\n,Ben,B@x.example\nben,Other,\n"
    report = imported(owner, text)
    assert states(report) == ["created", "unchanged", "refused", "created", "refused", "refused"]
    assert "row 2" in report["rows"][2]["errors"][0]["detail"]
    assert states(imported(owner, text)) == ["unchanged", "unchanged", "refused", "unchanged", "refused", "refused"]


def test_one_without_an_email_is_known_by_all_that_it_says(owner: Person) -> None:
    text = "name,title\nZoë,Barista\nZoë,Baker\n"
    assert states(imported(owner, text)) == ["created", "created"]
    assert states(imported(owner, text)) == ["unchanged", "unchanged"]


def test_nobody_comes_back_by_an_import(owner: Person) -> None:
    report = imported(owner, STAFF)
    for row in report["rows"]:
        owner.delete(f"/v1/cards/{row['card']}")
    again = imported(owner, STAFF)
    assert states(again) == ["refused"] * 3


def test_an_email_on_several_cards_is_nobody_s(owner: Person) -> None:
    imported(owner, "staff,name,email\na,A,shop@x.example\nb,B,shop@x.example\n")
    report = imported(owner, "name,email\nC,shop@x.example\n")
    assert "staff" in report["rows"][0]["errors"][0]["detail"]


@pytest.mark.parametrize(
    "map_",
    [["Rufnummer:phones.mobile", "first name:nickname"], ['{"Rufnummer": "phones.mobile", "first name": "nickname"}']],
)
def test_a_column_goes_where_it_is_mapped(owner: Person, map_: list[str]) -> None:
    report = imported(owner, "staff,name,first name,Rufnummer\nzoe,Zoë,Z,+49 151 1\n", map=map_)
    profile = owner.get(f"/v1/cards/{report['rows'][0]['card']}").json()["profile"]
    assert (profile["nickname"], profile["phones"][0]["kind"]) == ("Z", "mobile")
    assert "given" not in profile


@on_sqlite
@pytest.mark.parametrize(
    "map_", ["nothing", "Missing:title", "name:shoe_size", "{", '{"name": 1}', "name:phones.pager"]
)
def test_a_mapping_that_does_not_fit_is_refused(owner: Person, map_: str) -> None:
    answer = owner.ask(
        "POST", "/v1/cards/import", content=b"name\nA\n", params={"map": map_}, headers={"Content-Type": "text/csv"}
    )
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "query:map")


@on_sqlite
@pytest.mark.parametrize(
    "data, kind, status",
    [
        (b"", "text/csv", 422),
        (b"\n\n", "text/csv", 422),
        (b'name\n"A\nB\n', "text/csv", 422),
        (b"name\n" + b"A\n" * 5001, "text/csv", 413),
        (b"{}", "application/json", 415),
    ],
    ids=["empty", "no table", "open quotes", "too long", "no table at all"],
)
def test_what_is_no_table_is_refused(owner: Person, data: bytes, kind: str, status: int) -> None:
    answer = owner.ask("POST", "/v1/cards/import", content=data, headers={"Content-Type": kind})
    assert answer.status_code == status


def test_a_store_s_key_imports_nothing(till: Person) -> None:
    answer = till.ask("POST", "/v1/cards/import", content=b"name\nA\n", headers={"Content-Type": "text/csv"})
    assert answer.status_code == 403


def test_an_import_that_was_cut_off_is_finished_by_the_next(owner: Person, engine: Engine, shops: Shops) -> None:
    file, jobs = entries(STAFF), Jobs(engine.url.render_as_string(hide_password=False))
    with engine.begin() as conn:
        importing.bring(conn, Import(shops.linden, jobs), [Ready(file.entries[0])], now=OPENED)
    jobs.close()
    assert states(imported(owner, STAFF)) == ["unchanged", "created", "created"]


def entries(text: str) -> StaffFile:
    return read(text.encode(), "text/csv", asked={})


def test_of_two_imports_at_once_each_person_gets_one_card(owner: Person) -> None:
    text = "name,email\n" + "".join(f"P{number},p{number}@x.example\n" for number in range(5))
    reports = at_once(4, lambda _: imported(owner, text))
    assert sorted(chain.from_iterable(map(states, reports))) == ["created"] * 5 + ["unchanged"] * 15


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_without_the_lock_two_imports_would_make_two(
    engine: Engine, shops: Shops, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: both look before either writes. SQLite lets one transaction write at a time."""
    meet = threading.Barrier(2)

    def looked(conn: Connection, merchant_id: str, known: Recognised) -> None:
        known.read_anew(conn, merchant_id)
        meet.wait(60)

    monkeypatch.setattr(importing, "known_cards", looked)
    row = Ready(entries("name,email\nZoë,zoe@x.example\n").entries[0])
    jobs = Jobs(engine.url.render_as_string(hide_password=False))

    def act(_: int) -> str:
        with engine.begin() as conn:
            return importing.bring(conn, Import(shops.linden, jobs), [row], now=OPENED)[0].state

    assert at_once(2, act) == ["created", "created"]
    jobs.close()


def test_a_long_table_is_taken_in_parts(owner: Person) -> None:
    text = "staff,name\n" + "".join(f"s{number},P{number}\n" for number in range(120))
    assert imported(owner, text)["counts"]["created"] == 120


@pytest.fixture
def jobs(engine: Engine) -> Iterator[Jobs]:
    with closing(Jobs(engine.url.render_as_string(hide_password=False))) as opened:
        yield opened


def test_an_import_reads_what_cards_say_once(owner: Person, engine: Engine, shops: Shops, jobs: Jobs) -> None:
    imported(owner, "staff,name\n" + "".join(f"s{number},P{number}\n" for number in range(120)))
    cards_read: list[int] = []

    def look(_conn: Any, _cursor: Any, sql: str, given: Any, *_: Any) -> None:
        if "cards.profile, cards.state" in sql:
            # All are named, and the merchant.
            cards_read.append(len(given) - 1)

    event.listen(engine, "before_cursor_execute", look)
    work = Import(shops.linden, jobs)
    for entry in entries("staff,name\nzoe,Zoë\nben,Ben\n").entries:
        with engine.begin() as conn:
            importing.bring(conn, work, [Ready(entry)], now=utc_now())
    assert cards_read == [120, 1]


def test_what_others_change_between_two_parts_of_an_import_is_seen(
    owner: Person, engine: Engine, shops: Shops, jobs: Jobs
) -> None:
    work, file = (
        Import(shops.linden, jobs),
        entries("name,email\nBen,ben@x.example\nZoë,zoe@x.example\nMia,mia@x.example\n"),
    )

    def part(row: int) -> str:
        with engine.begin() as conn:
            return importing.bring(conn, work, [Ready(file.entries[row])], now=utc_now())[0].state

    mia = owner.post(
        "/v1/cards", {"store": "mitte", "profile": {"name": "Mia", "emails": [{"address": "mia@x.example"}]}}
    )
    assert part(0) == "created"
    owner.post("/v1/cards", {"store": "mitte", "profile": {"name": "Zoë", "emails": [{"address": "zoe@x.example"}]}})
    owner.delete(f"/v1/cards/{mia.json()['id']}")
    assert [part(1), part(2)] == ["unchanged", "refused"]


# --- vCards


PHOTO = "PHOTO;ENCODING=b;TYPE=PNG:" + base64.b64encode(a_square("red")).decode()


def vcard(name: str, *lines: str) -> str:
    return "\r\n".join(["BEGIN:VCARD", "VERSION:3.0", f"FN:{name}", *lines, "END:VCARD", ""])


def test_vcards_make_cards_with_photos_and_tell_what_is_lost(owner: Person) -> None:
    text = vcard("Zoë", "EMAIL:zoe@x.example", PHOTO, "X-SHOE-SIZE:39") + vcard("Ben", "PHOTO;ENCODING=b:AAAA")
    report = imported(owner, text, "text/vcard")
    assert states(report) == ["created", "created"]
    cards = [owner.get(f"/v1/cards/{each['card']}").json() for each in report["rows"]]
    assert [bool(each["photo_url"]) for each in cards] == [True, False]
    assert [each["lost"][-1].partition(":")[0] for each in report["rows"]] == ["X-SHOE-SIZE", "PHOTO"]
    assert states(imported(owner, text, "text/vcard")) == ["unchanged", "unchanged"]


def test_a_dry_run_keeps_no_photo(owner: Person, inside: Inside) -> None:
    before = sorted(str(path) for path in _objects(inside))
    assert states(imported(owner, vcard("Zoë", PHOTO), "text/vcard", dry_run=1)) == ["created"]
    assert sorted(str(path) for path in _objects(inside)) == before


def test_a_photo_that_is_too_large_is_lost_and_its_row_is_taken(owner: Person) -> None:
    file = BytesIO()
    Image.new("1", (7000, 6000)).save(file, "PNG")
    photo = "PHOTO;ENCODING=b;TYPE=PNG:" + base64.b64encode(file.getvalue()).decode()
    report = imported(owner, vcard("Zoë", photo) + vcard("Ben", PHOTO), "text/vcard")
    assert states(report) == ["created", "created"]
    assert [each["lost"] and each["lost"][0].partition(":")[0] for each in report["rows"]] == ["PHOTO", []]


def test_where_the_storage_fails_the_report_tells_what_was_written(owner: Person, inside: Inside) -> None:
    people = [vcard(f"P{number}", *[PHOTO] * (number == 55)) for number in range(120)]
    with blocked(inside):
        report = imported(owner, "".join(people), "text/vcard")
    assert states(report) == ["created"] * 50 + ["refused"] * 70
    assert "object storage" in report["rows"][50]["errors"][0]["detail"]
    assert states(imported(owner, "".join(people), "text/vcard")) == ["unchanged"] * 50 + ["created"] * 70


def test_where_the_storage_fails_at_once_the_whole_file_is_to_be_sent_again(owner: Person, inside: Inside) -> None:
    with blocked(inside):
        answer = owner.ask(
            "POST", "/v1/cards/import", content=vcard("Zoë", PHOTO), headers={"Content-Type": "text/vcard"}
        )
    assert (answer.status_code, answer.json()["type"].rpartition(":")[2]) == (503, "storage-down")


@contextmanager
def blocked(inside: Inside) -> Iterator[None]:
    """No photo can be kept: a file stands where their folder would be."""
    path = inside.app.state.house.settings.data.data_dir / "objects" / "photos"
    path.touch()
    yield
    path.unlink()


def _objects(inside: Inside) -> list[Any]:
    return list(inside.app.state.house.settings.data.data_dir.rglob("photos/**/*.jpg"))


def test_what_is_no_vcard_is_refused_as_a_row(owner: Person) -> None:
    report = imported(owner, "nothing", "text/vcard")
    assert [each["detail"] for each in report["rows"][0]["errors"]] == ["This is no vCard: no line says BEGIN:VCARD."]
