"""vCards as they are written: what phones and programs need, and that no field becomes a property."""

import dataclasses
import re
from collections import Counter
from datetime import UTC, datetime
from random import Random
from typing import Any, Final

import pytest
import vobject
from hypothesis import HealthCheck, example, given, settings

from cards.face import Face
from cards.names import country_name
from cards.profile import Profile
from cards.vcard import Labels, Version, attached, file_name, vcard
from tests.support.faces import PAGE, SHOP, emma, face_of, hostile_face, hostile_faces, profiles

PHOTO: Final = b"\xff\xd8\xff" + bytes(range(256)) * 80
# All that we ever write.
NAMES: Final = frozenset(
    "BEGIN VERSION PRODID UID REV FN N NICKNAME ORG TITLE TEL EMAIL ADR URL X-ABLabel X-SOCIALPROFILE SOCIALPROFILE"
    " IMPP NOTE X-PRONOUNS PRONOUNS LANG LANGUAGE KIND HOBBY SOURCE PHOTO END".split()
)
SLOW: Final = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]


def unfolded(made: bytes) -> list[str]:
    """The logical lines, by nothing but the standard (RFC 2425 section 5.8.1)."""
    return made.decode().replace("\r\n ", "").removesuffix("\r\n").split("\r\n")


def said(made: bytes, name: str) -> list[str]:
    """What follows the name of each such property, groups aside."""
    lines = [line for line in unfolded(made) if re.match(rf"(item\d+\.)?{name}[;:]", line)]
    return [re.sub(rf"^(item\d+\.)?{name}", "", line) for line in lines]


def test_a_card_as_phones_take_it() -> None:
    made = vcard(emma(nickname="Em"))
    assert unfolded(made)[:3] == ["BEGIN:VCARD", "VERSION:3.0", "PRODID:-//Counterfoil//Cards//EN"]
    assert (said(made, "FN"), said(made, "N")) == ([":Dr. Emma Lind"], [":Lind;Emma;;Dr.;"])
    assert (said(made, "ORG"), said(made, "TITLE")) == ([":Linden & Rye;Bakery"], [":Head baker"])
    assert said(made, "REV") == [":2026-11-28T09:30:05Z"]
    assert said(made, "NICKNAME") == [":Em"]
    assert said(made, "X-PRONOUNS") == [":she/her"]
    assert said(made, "LANG") == [":de", ":en-GB"]
    assert said(made, "SOURCE") == [f":{PAGE}.vcf"]
    assert said(made, "NOTE") == [
        ":Sourdough by day\\, croissants by night.\\n\\nHobbies: Rowing\\, Rye\\nLanguages: German\\, British English"
    ]


class Elsewhere(datetime):
    """Where a time of day is written with dots, as in some locales."""

    def strftime(self, form: str) -> str:
        return super().strftime(form.replace("%X", "%H.%M.%S"))


def test_the_moment_of_the_last_change_is_written_alike_in_every_locale() -> None:
    face = dataclasses.replace(emma(), changed_at=Elsewhere(2026, 11, 28, 9, 30, 5, tzinfo=UTC))
    assert said(vcard(face), "REV") == [":2026-11-28T09:30:05Z"]
    assert said(vcard(face, version="4.0"), "REV") == [":20261128T093005Z"]


def test_an_id_that_is_no_uri_says_so_where_one_is_expected() -> None:
    assert said(vcard(emma()), "UID") == [":crd_01"]
    assert said(vcard(emma(), version="4.0"), "UID") == [";VALUE=text:crd_01"]


def test_outlook_finds_a_type_on_every_number_address_and_link() -> None:
    made = vcard(emma(phones=[{"number": f"+49 30 5550 100{n}", "kind": kind} for n, kind in enumerate(KINDS)]))
    for name in ("TEL", "EMAIL", "ADR", "URL"):
        assert all(each.startswith(";TYPE=") for each in said(made, name))
    assert [each.partition(":")[0] for each in said(made, "TEL")] == [
        ";TYPE=WORK,VOICE,PREF",
        ";TYPE=CELL,VOICE",
        ";TYPE=HOME,VOICE",
        ";TYPE=WORK,FAX",
        ";TYPE=VOICE,OTHER",
    ]


KINDS: Final = ("work", "mobile", "home", "fax", "other")


def test_ios_takes_the_photo_as_base64_named_jpeg_and_android_sees_no_logo_beside_it() -> None:
    made = vcard(emma(), photo=PHOTO)
    assert said(made, "PHOTO")[0].startswith(";ENCODING=b;TYPE=JPEG:/9j/")
    assert b"LOGO" not in made
    assert vobject.readOne(made.decode()).photo.value == PHOTO


def test_without_a_photo_there_is_no_photo() -> None:
    for photo in (None, b""):
        assert said(vcard(emma(), photo=photo), "PHOTO") == []


def test_accounts_are_apple_s_profiles_and_plain_links_for_all_others() -> None:
    made = vcard(emma())
    assert said(made, "X-SOCIALPROFILE") == [
        ";TYPE=linkedin;X-USER=emma-lind:https://www.linkedin.com/in/emma-lind",
        ";TYPE=mastodon:https://berlin.example/@emma",
    ]
    assert said(made, "IMPP") == [
        ";X-SERVICE-TYPE=WhatsApp;TYPE=WORK:x-apple:+491511234567",
        ";X-SERVICE-TYPE=Telegram;TYPE=WORK:x-apple:emmalind",
    ]
    labelled = labels_of(made, "URL")
    assert labelled["https://www.linkedin.com/in/emma-lind"] == "LinkedIn"
    assert labelled["https://wa.me/491511234567"] == "WhatsApp"
    assert labelled["https://linden-rye.example/emma?a=1,2;b"] == "My breads"
    assert labelled["https://linden-rye.example/book"] == "Book an appointment"


def labels_of(made: bytes, name: str) -> dict[str, str]:
    """The labels that Apple shows, by the values that they stand with."""
    grouped = [re.fullmatch(rf"(item\d+)\.({name}|X-ABLabel)[^:]*:(.*)", line) for line in unfolded(made)]
    found = [each.groups() for each in grouped if each]
    labels = {group: value for group, kind, value in found if kind == "X-ABLabel"}
    return {value: labels[group] for group, kind, value in found if kind == name}


def test_links_are_not_escaped_and_hold_nothing_that_a_url_may_not() -> None:
    made = vcard(face_of(Profile.model_validate({"given": "Emma", "links": [{"url": "https://a.example/\\n,;|"}]})))
    assert ";TYPE=WORK:https://a.example/%5Cn,;%7C" in said(made, "URL")


def test_who_gives_no_place_at_work_is_found_in_the_store() -> None:
    assert said(vcard(emma(shop=SHOP)), "ADR") == [";TYPE=WORK:;;Torstraße 112;Berlin;;10119;Germany"]
    at_home = emma(shop=SHOP, addresses=[{"city": "Potsdam", "kind": "home"}])
    assert said(vcard(at_home), "ADR") == [
        ";TYPE=HOME:;;;Potsdam;;;",
        ";TYPE=WORK:;;Rosenthaler Straße 9;Berlin;;10119;Germany",
    ]
    assert "Linden & Rye Mitte" in labels_of(vcard(at_home), "ADR").values()


def test_a_name_alone_makes_a_card_without_one_empty_property() -> None:
    for version in VERSIONS:
        made = vcard(face_of(Profile.model_validate({"name": "Emma"})), version=version)
        assert said(made, "FN") == [":Emma"]
        assert said(made, "N") == [":;Emma;;;"]
        assert not [line for line in unfolded(made) if re.search(r"^[^:]*:[;\s]*$", line)]


VERSIONS: Final[tuple[Version, ...]] = ("3.0", "4.0")


def test_version_4_says_the_same_in_its_own_words() -> None:
    made = vcard(emma(language="de"), version="4.0", photo=PHOTO)
    assert unfolded(made)[1] == "VERSION:4.0"
    assert said(made, "KIND") == [":individual"]
    assert said(made, "TEL")[0] == ";TYPE=work,voice;PREF=1:+49 30 5550 1234"
    assert said(made, "LANG") == [";PREF=1:de", ";PREF=2:en-GB"]
    assert (said(made, "PRONOUNS"), said(made, "HOBBY")) == ([":she/her"], [":Rudern"])
    assert said(made, "LANGUAGE") == [":de"]
    assert said(made, "REV") == [":20261128T093005Z"]
    assert said(made, "SOCIALPROFILE")[0] == (
        ";SERVICE-TYPE=LinkedIn;USERNAME=emma-lind:https://www.linkedin.com/in/emma-lind"
    )
    assert said(made, "PHOTO")[0].startswith(":data:image/jpeg;base64,/9j/")


def test_a_reader_gets_words_of_their_language() -> None:
    words = Labels(booking="Termin buchen", hobbies="Hobbys", languages="Sprachen")
    made = vcard(emma(language="de"), labels=words)
    assert said(made, "TITLE") == [":Bäckermeisterin"]
    assert said(made, "NOTE")[0].endswith("\\n\\nHobbys: Rudern\\nSprachen: Deutsch\\, Englisch (GB)")
    assert said(made, "ADR")[0].endswith(";Deutschland")
    assert labels_of(made, "URL")["https://linden-rye.example/book"] == "Termin buchen"


def test_a_short_one_fits_a_small_qr_code_with_the_mobile_number() -> None:
    made = vcard(emma(), photo=PHOTO, is_short=True)
    assert len(made) < 350
    assert [line.partition(":")[0] for line in unfolded(made)] == [
        "BEGIN", "VERSION", "EMAIL;TYPE=INTERNET", "FN", "N", "ORG", "TEL;TYPE=CELL", "TITLE", "URL;TYPE=WORK", "END",
    ]  # fmt: skip


def test_a_short_one_names_its_charset_only_where_ios_would_garble_it() -> None:
    made = vcard(emma(title="Bäckerin"), is_short=True)
    assert said(made, "TITLE") == [";CHARSET=utf-8:Bäckerin"]
    assert said(made, "FN") == [":Dr. Emma Lind"]


@given(profiles())
@settings(suppress_health_check=SLOW, deadline=None)
def test_a_short_one_stays_short_whatever_there_is_to_say(content: Profile) -> None:
    made = vcard(face_of(content), is_short=True)
    # The name may take 60 characters twice, of up to 4 octets each, escaped and folded.
    names = sum(len(each.encode()) for name in ("FN", "N") for each in said(made, name))
    assert len(made) <= max(350, names + 120)


@pytest.mark.parametrize(
    "name, expected",
    [
        ({"given": "Emma", "family": "Lind", "prefix": "Dr."}, 'attachment; filename="Emma-Lind.vcf"'),
        (
            {"given": "Zoë", "family": 'O\'Neil "x"; y'},
            "attachment; filename=\"Zo_-O'Neil-x-y.vcf\"; filename*=UTF-8''Zo%C3%AB-O%27Neil-x-y.vcf",
        ),
        ({"name": "../../etc"}, 'attachment; filename="etc.vcf"'),
        ({"name": "🙂"}, 'attachment; filename="contact.vcf"'),
    ],
)
def test_a_browser_saves_it_under_the_person_s_name(name: dict[str, str], expected: str) -> None:
    assert attached(face_of(Profile.model_validate(name))).decode() == expected


def folds_and_ends_well(made: bytes) -> None:
    """At most 75 octets in a line, each of which is whole UTF-8 by itself and ends with CRLF."""
    lines = made.split(b"\r\n")
    assert lines.pop() == b""
    assert max(map(len, lines)) <= 75
    for line in lines:
        assert not set(line.decode()) & set("\r\n\x00")


@given(profiles())
@settings(suppress_health_check=SLOW, deadline=None)
def test_vobject_reads_what_was_written(content: Profile) -> None:
    face = face_of(content)
    made = vcard(face, photo=PHOTO[:300])
    folds_and_ends_well(made)
    card = vobject.readOne(made.decode())
    name = card.n.value
    assert [name.family, name.given, name.additional, name.prefix, name.suffix] == plain(
        face.family, face.given, face.additional, face.prefix, face.suffix
    )
    assert card.fn.value == face.name
    assert card.org.value == plain(*filter(None, (face.organisation, face.department)))
    assert values(card, "title") == plain(*filter(None, [face.title]))
    assert values(card, "nickname") == plain(*filter(None, [face.nickname]))
    assert values(card, "tel") == [each.number for each in face.phones]
    assert values(card, "email") == [each.address for each in face.emails]
    assert card.photo.value == PHOTO[:300]
    assert "".join(values(card, "note")).startswith(face.description)
    assert [lines_of(each.value) for each in card.contents.get("adr", ())] == [
        (*each.lines, each.city or "", each.region or "", each.postal_code or "", named(each.country))
        for each in face.addresses
    ]
    assert Counter(urls(made)) == Counter(
        [*(way.url for way in (*face.socials, *face.messengers, *face.links)), *filter(None, [face.booking_url]), PAGE]
    )
    assert Counter(values(card, "x-ablabel")) == Counter(labels_in(face))


def plain(*told: str) -> list[str]:
    return list(told)


def named(code: str | None) -> str:
    return country_name(code, "en") if code else ""


def values(card: Any, name: str) -> list[str]:
    return [each.value for each in card.contents.get(name, ())]


def urls(made: bytes) -> list[str]:
    """By vobject's reader of lines: its reader of cards takes a link for text and cuts it at a comma."""
    lines = [
        vobject.base.parseLine(line)
        for line, _ in vobject.base.getLogicalLines(vobject.base.six.StringIO(made.decode()), False)
    ]
    return [value for name, _, value, _ in lines if name == "URL"]


def lines_of(address: Any) -> tuple[str, ...]:
    return (*address.street.split("\n"), address.city, address.region, address.code, address.country)


def labels_in(face: Face) -> list[str]:
    own = [each.label for part in (face.phones, face.emails, face.addresses) for each in part if each.label]
    ways = [way.name for way in (*face.socials, *face.messengers, *face.links)]
    return [*own, *ways, *(["Book an appointment"] if face.booking_url else [])]


def most_of(face: Face) -> dict[str, int]:
    """How often a property may stand there; one that is not named here may do so once."""
    ways = (*face.socials, *face.messengers, *face.links)
    at_shop = bool(face.shop and face.shop.address and all(each.kind != "work" for each in face.addresses))
    return {
        "TEL": len(face.phones),
        "EMAIL": len(face.emails),
        "ADR": len(face.addresses) + at_shop,
        "URL": len(ways) + bool(face.booking_url) + 1,
        "X-ABLabel": len(labels_in(face)) + at_shop,
        "X-SOCIALPROFILE": len(face.socials),
        "SOCIALPROFILE": len(face.socials),
        "IMPP": len(face.messengers),
        "LANG": len(face.languages),
        "HOBBY": len(face.hobbies),
    }


def injects_nothing(face: Face, made: bytes) -> None:
    """Every line is a property of ours, as often as the face has something to say in it."""
    folds_and_ends_well(made)
    names = Counter(re.split("[;:]", re.sub(r"^item\d+\.", "", line), maxsplit=1)[0] for line in unfolded(made))
    assert set(names) <= NAMES
    assert names["BEGIN"] == names["END"] == names["FN"] == names["N"] == names["VERSION"] == 1
    most = most_of(face)
    assert {name: count for name, count in names.items() if count > most.get(name, 1)} == {}
    assert not [line for line in unfolded(made) if re.search(r"^[^:]*:[;\s]*$", line)]


@pytest.mark.parametrize("version", VERSIONS)
def test_every_property_that_stands_there_once_too_often_is_found(version: Version) -> None:
    face = emma(nickname="Em", booking_url="https://linden-rye.example/book")
    made = vcard(face, version=version, photo=PHOTO)
    injects_nothing(face, made)
    for name in NAMES - {"BEGIN", "END"}:
        if said(made, name):
            with pytest.raises(AssertionError):
                injects_nothing(face, made.replace(b"END:VCARD", f"{name}:x\r\nEND:VCARD".encode()))


def test_a_link_that_is_not_cleaned_is_found_to_inject(monkeypatch: pytest.MonkeyPatch) -> None:
    face = dataclasses.replace(emma(), booking_url="https://linden-rye.example/\r\nURL:https://elsewhere.example/")
    injects_nothing(face, vcard(face))
    monkeypatch.setattr("cards.vcard_ways.url", str)
    with pytest.raises(AssertionError):
        injects_nothing(face, vcard(face))


@given(hostile_faces())
@example(dataclasses.replace(emma(), given="\ud800", family="\x00"))
@settings(max_examples=200, suppress_health_check=SLOW, deadline=None)
def test_no_field_becomes_a_property(face: Face) -> None:
    for version in VERSIONS:
        made = vcard(face, version=version)
        injects_nothing(face, made)
        assert set(vobject.readOne(made.decode()).contents) <= {name.lower() for name in NAMES}
    injects_nothing(face, vcard(face, is_short=True))
    assert re.fullmatch(
        rb"attachment; filename=\"[^\"\r\n\x00-\x1f;/]+\"(; filename\*=UTF-8''[A-Za-z0-9%._~-]+)?", attached(face)
    )
    assert file_name(face).endswith(".vcf")


@pytest.mark.long
def test_no_field_of_ten_thousand_hostile_profiles_becomes_a_property() -> None:
    """Drawn by ourselves: so many would take Hypothesis half an hour."""
    random = Random(2426)
    for _ in range(10_000):
        face = hostile_face(random)
        for version in VERSIONS:
            injects_nothing(face, vcard(face, version=version))
        injects_nothing(face, vcard(face, is_short=True))
