"""Reading vCards of any version and make: what there is to take is taken, and what is not is told."""

from base64 import b64encode
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from cards.profile import Profile, plain
from cards.vcard import Version, vcard
from cards.vcard_reading import Reading, read
from tests.support.faces import emma, face_of, profiles

PUBLIC: Final = Path(__file__).parents[2] / "shared" / "vcf"
JPEG: Final = b"\xff\xd8\xff\xe0" + bytes(range(200))


def card(*lines: str, version: str = "3.0", name: str = "FN:Emma") -> bytes:
    return "\r\n".join(
        ["BEGIN:VCARD", f"VERSION:{version}", *([name] if name else []), *lines, "END:VCARD", ""]
    ).encode()


def told(reading: Reading) -> dict[str, Any]:
    assert reading.profile is not None
    return {name: value for name, value in plain(reading.profile).items() if value}


def taken(*lines: str, **how: str) -> dict[str, Any]:
    """What one card says beside its name, all of which must have been taken."""
    (reading,) = read(card(*lines, **how))
    assert reading.lost == ()
    return {name: value for name, value in told(reading).items() if name != "name"}


def lost(*lines: str) -> tuple[str, ...]:
    (reading,) = read(card(*lines))
    assert told(reading) == {"name": "Emma"}
    return reading.lost


def test_version_2_1_of_outlook_in_quoted_printable() -> None:
    said = taken(
        "N;LANGUAGE=de;CHARSET=Windows-1252;ENCODING=QUOTED-PRINTABLE:M=FCller;Zo=EB;;Dr.",
        "NOTE;CHARSET=us-ascii;ENCODING=QUOTED-PRINTABLE:First line=0D=0A=",
        "second\\, and a long =",
        "  third",
        "TEL;WORK;VOICE:(111) 555-1111",
        "TEL;CELL;VOICE:(111) 555-4444",
        "TEL;WORK;FAX:(111) 555-3333",
        "ADR;WORK;PREF;ENCODING=QUOTED-PRINTABLE:;Hof 2;Torstra=C3=9Fe 1;Berlin;;10119;Deutschland",
        "EMAIL;PREF;INTERNET:zoe@linden-rye.example",
        version="2.1",
        name="",
    )
    assert (said["prefix"], said["given"], said["family"]) == ("Dr.", "Zoë", "Müller")
    assert said["description"] == "First line\nsecond, and a long third"
    assert [(each["kind"], each["number"]) for each in said["phones"]] == [
        ("work", "(111) 555-1111"),
        ("mobile", "(111) 555-4444"),
        ("fax", "(111) 555-3333"),
    ]
    assert said["addresses"] == [
        {"lines": ["Hof 2", "Torstraße 1"], "postal_code": "10119", "city": "Berlin", "country": "DE", "kind": "work"}
    ]
    assert said["emails"] == [{"address": "zoe@linden-rye.example", "kind": "other"}]


def test_version_3_of_an_iphone_with_its_labels() -> None:
    said = taken(
        "item1.TEL;type=pref:+49 30 5550 1234",
        "item1.X-ABLabel:_$!<Main>!$_",
        "TEL;type=IPHONE;type=CELL;type=VOICE:0151 1234567",
        "item2.TEL:030 1",
        "item2.TEL:030 12345",
        "item2.X-ABLabel:Backstube",
        "item3.ADR;type=HOME:;;Torstraße 1\\nHof;Berlin;;10119;",
        "item3.X-ABADR:de",
        "item4.URL:http\\://linden-rye.example/a\\,b",
        "item4.X-ABLabel:_$!<HomePage>!$_",
        "X-SOCIALPROFILE;type=twitter;x-user=emma:https://x.com/emma",
        "X-SOCIALPROFILE;type=Instagram:x-apple:emma.l",
        "IMPP;X-SERVICE-TYPE=Telegram;type=HOME:x-apple:emmal",
    )
    assert said["phones"] == [
        {"number": "+49 30 5550 1234", "kind": "work"},
        {"number": "0151 1234567", "kind": "mobile"},
        {"number": "030 1", "kind": "other", "label": "Backstube"},
        {"number": "030 12345", "kind": "other", "label": "Backstube"},
    ]
    assert said["addresses"] == [
        {"lines": ["Torstraße 1", "Hof"], "postal_code": "10119", "city": "Berlin", "country": "DE", "kind": "home"}
    ]
    assert said["links"] == [{"url": "http://linden-rye.example/a,b"}]
    assert said["socials"] == [{"handle": "emma", "network": "x"}, {"handle": "emma.l", "network": "instagram"}]
    assert said["messengers"] == [{"handle": "emmal", "app": "telegram"}]


def test_version_4_with_its_addresses_of_everything() -> None:
    said = taken(
        "N:Perreault;Simon;;;ing. jr,M.Sc.",
        'TEL;VALUE=uri;TYPE="work,voice";PREF=2:tel:+1-418-656-9254;ext=102',
        'TEL;VALUE=uri;TYPE="work,cell,voice,video,text";PREF=1:tel:+1-418-262-6501',
        "EMAIL;TYPE=work:mailto:simon@viagenie.example",
        "LANG;TYPE=work;PREF=2:en",
        "LANG;TYPE=work;PREF=1:fr",
        "HOBBY;INDEX=1;LEVEL=high:reading",
        "PRONOUNS;LANGUAGE=en;PREF=1:they/them",
        "SOCIALPROFILE;SERVICE-TYPE=Mastodon:https://social.example/@simon",
        "LANGUAGE:fr",
        version="4.0",
        name="FN:Simon Perreault",
    )
    assert said["suffix"] == "ing. jr, M.Sc."
    assert said["phones"] == [
        {"number": "+1-418-262-6501", "kind": "mobile"},
        {"number": "+1-418-656-9254", "kind": "work", "label": "ext. 102"},
    ]
    assert said["emails"] == [{"address": "simon@viagenie.example", "kind": "work"}]
    assert (said["languages"], said["language"], said["hobbies"]) == (["fr", "en"], "fr", ["reading"])
    assert said["pronouns"] == "they/them"
    assert said["socials"] == [{"url": "https://social.example/@simon", "network": "mastodon"}]


@pytest.mark.parametrize(
    "line",
    [
        f"PHOTO;ENCODING=b;TYPE=JPEG:{b64encode(JPEG).decode()}",
        f"PHOTO;ENCODING=BASE64;JPEG:{b64encode(JPEG).decode()}",
        f"PHOTO;BASE64:\r\n  {b64encode(JPEG).decode()[:76]}\r\n  {b64encode(JPEG).decode()[76:]}",
        f"PHOTO;TYPE=JPEG;ENCODING=BASE64:\r\n{b64encode(JPEG).decode()[:76]}\r\n{b64encode(JPEG).decode()[76:]}\r\n",
        f"PHOTO:data:image/jpeg;base64,{b64encode(JPEG).decode()}",
        f"PHOTO;VALUE=uri:data:image/jpeg;base64\\,{b64encode(JPEG).decode().rstrip('=')}",
    ],
)
def test_a_photo_comes_out_of_each_way_in_which_it_is_put_in(line: str) -> None:
    (reading,) = read(card(line, "TITLE:Baker"))
    assert (reading.photo, reading.lost, told(reading)["title"]) == (JPEG, (), "Baker")


@pytest.mark.parametrize("ending", ["\r\n", "\n", "\r", "\r\r\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"])
def test_lines_may_end_and_be_encoded_as_they_like(ending: str, encoding: str) -> None:
    lines = ["begin:vcard", "version:3.0", "fn:Zoë", " Müller", "tel;type=cell:030 12345", "end:vcard"]
    (reading,) = read(ending.join(lines).encode(encoding))
    assert told(reading) == {"name": "ZoëMüller", "phones": [{"number": "030 12345", "kind": "mobile"}]}


def test_a_fold_may_cut_through_a_character() -> None:
    whole = card("TITLE:Bäckerin")
    cut = whole.index("ä".encode()) + 1
    (reading,) = read(whole[:cut] + b"\r\n " + whole[cut:])
    assert told(reading)["title"] == "Bäckerin"


def test_a_charset_is_believed_where_the_octets_do_not_say_better() -> None:
    line = "TITLE;CHARSET=KOI8-R:Пекарь".encode("koi8-r")
    (reading,) = read(card("@").replace(b"@", line))
    assert told(reading)["title"] == "Пекарь"
    assert taken("TITLE;CHARSET=ISO-8859-1:Bäckerin") == {"title": "Bäckerin"}
    assert taken("TITLE;CHARSET=idna:Baker") == {"title": "Baker"}


def test_each_card_of_a_file_is_one_also_where_an_end_is_missing() -> None:
    first, second, third = read(card("TITLE:A").replace(b"END:VCARD\r\n", b"") + card("TITLE:B") + b"BEGIN:VCARD\nFN:C")
    assert [told(each).get("title") for each in (first, second, third)] == ["A", "B", None]
    assert first.lost == third.lost == ("END: is missing; the file may have been cut off",)


def test_a_card_within_a_card_is_somebody_else() -> None:
    (reading,) = read(card("AGENT:", "BEGIN:VCARD", "VERSION:2.1", "FN:Susan", "END:VCARD", "TITLE:Baker"))
    assert told(reading) == {"name": "Emma", "title": "Baker"}
    assert reading.lost == ("AGENT: is somebody else",)


@pytest.mark.parametrize(
    "lines, name",
    [
        (("NICKNAME:Em", "ORG:Linden"), "Em"),
        (("ORG:Linden & Rye;Bakery",), "Linden & Rye"),
        (("EMAIL:emma.lind@linden-rye.example",), "emma.lind"),
        (("TEL:030 12345",), "030 12345"),
    ],
)
def test_who_has_no_name_is_called_as_a_phone_would(lines: tuple[str, ...], name: str) -> None:
    (reading,) = read(card(*lines, name=""))
    assert told(reading)["name"] == name
    assert reading.lost == ("FN: is missing; what else is known stands in its place",)


def test_who_is_nobody_is_told_to_be() -> None:
    (reading,) = read(card("BDAY:1990-01-01", name="N:;;;;"))
    assert reading.profile is None
    assert reading.reason == "The card names nobody; name, given or family is needed."
    assert reading.lost == ("BDAY: a card has no place for it",)


def test_the_parts_of_a_name_are_enough_where_the_whole_says_no_more() -> None:
    assert taken("N:Lind;Emma;;Dr.;", name="FN:Dr. Emma Lind") == {"prefix": "Dr.", "given": "Emma", "family": "Lind"}
    (reading,) = read(card("N:Lind;Emma;;;", name="FN:Emma L."))
    assert told(reading)["name"] == "Emma L."


@pytest.mark.parametrize(
    "line, why",
    [
        ("TEL:1-800-FLOWERS", "TEL: is not a telephone number; +49 30 5550 1234 would be one"),
        ("EMAIL:nobody", "EMAIL: is not an email address; hello@shop.example would be one"),
        ("URL:ftp://linden-rye.example", "URL: is not a web address; https://shop.example/bread would be one"),
        ("URL:javascript:alert(1)", "URL: is not a web address; https://shop.example/bread would be one"),
        ("IMPP:aim:emma", "IMPP: is of a messenger that a card does not know"),
        ("X-SOCIALPROFILE;TYPE=friendster:x-apple:emma", "X-SOCIALPROFILE: is of a network that a card does not know"),
        ("PHOTO;VALUE=uri:https://a.example/p.jpg", "PHOTO: is only linked; send the file itself"),
        ("BDAY:1990-01-01", "BDAY: a card has no place for it"),
        ("LOGO;ENCODING=b:SGVsbG8=", "LOGO: the brand's logo is on its cards"),
        ("UID:urn:uuid:4fbe8971", "UID: says nothing of the person"),
        ("X-ANYTHING:1", "X-ANYTHING: a card has no place for it"),
        ("FN:Somebody else", "FN: stands there more than once; the first was taken"),
        ("this is no property", "line 4: is no property"),
        ("TITLE:" + "x" * 301, "TITLE: String should have at most 300 characters"),
        ("NOTE:" + "x" * 100_001, "NOTE: has more than 100,000 characters"),
        ("ADR:;;;;;;Atlantis", "ADR: its country is not known by that name; the rest was taken"),
    ],
)
def test_what_cannot_be_taken_is_told_with_the_reason(line: str, why: str) -> None:
    assert lost(line) == (why,)


def test_what_is_said_twice_or_says_nothing_is_not_lost() -> None:
    assert taken("FN:Emma", "TEL:", "ADR:;;;;;;", "ORG:;", "X-ANYTHING:", "TEL:1234", "TEL:1234") == {
        "phones": [{"number": "1234", "kind": "other"}]
    }


def test_notes_stand_together_as_far_as_there_is_room() -> None:
    assert taken("NOTE:One\\nline", "NOTE:Two") == {"description": "One\nline\n\nTwo"}
    (reading,) = read(card("NOTE:" + "x" * 2100))
    assert (len(told(reading)["description"]), reading.lost) == (2000, ("NOTE: was cut after 2,000 characters",))


def test_a_link_to_an_account_is_one_unless_it_has_a_name_of_its_own() -> None:
    said = taken(
        "URL:https://www.linkedin.com/in/emma",
        "URL:https://twitter.com/emma",
        "URL:https://wa.me/491511234567",
        "item1.URL:https://github.com/emma/bread",
        "item1.X-ABLabel:My recipes",
        "URL:www.linden-rye.example",
    )
    assert [each["network"] for each in said["socials"]] == ["linkedin", "x"]
    assert said["messengers"] == [{"url": "https://wa.me/491511234567", "app": "whatsapp"}]
    assert said["links"] == [
        {"url": "https://github.com/emma/bread", "label": "My recipes"},
        {"url": "https://www.linden-rye.example"},
    ]


@pytest.mark.parametrize(
    "told, code", [("Germany", "DE"), ("ÖSTERREICH", "AT"), ("U.S.A.", "US"), ("भारत", "IN"), ("fr", "FR")]
)
def test_a_country_is_known_by_its_name_in_any_of_our_languages(told: str, code: str) -> None:
    assert taken(f"ADR:;;;Berlin;;;{told}")["addresses"][0]["country"] == code


def test_what_is_no_vcard_is_told() -> None:
    for data in (b"", b"\x00" * 100, b"Name,Phone\nEmma,1", b"END:VCARD", b"\xff\xfeB"):
        (reading,) = read(data)
        assert (reading.profile, reading.reason) == (None, "This is no vCard: no line says BEGIN:VCARD.")


def test_a_file_that_is_too_much_is_read_no_further() -> None:
    (reading,) = read(b" " * 20_000_001)
    assert reading.reason == "The file has more than 20 MB."
    many = read(b"BEGIN:VCARD\nFN:E\nEND:VCARD\n" * 5001)
    assert (len(many), many[-1].reason) == (5001, "The file has more than 5,000 cards; the rest was not read.")
    (long,) = read(card(*["X-A:1"] * 3000))
    assert long.lost[-1] == "1,002 lines after the first 2,000 were not read"


@given(profiles(), st.sampled_from(["3.0", "4.0"]))
@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large], deadline=None)
def test_what_we_write_we_read(content: Profile, version: Version) -> None:
    face = face_of(content)
    (reading,) = read(vcard(face, version=version, photo=JPEG))
    assert reading.profile is not None
    assert reading.photo == JPEG
    again = face_of(reading.profile)
    for name in (
        "given",
        "family",
        "additional",
        "prefix",
        "suffix",
        "title",
        "department",
        "organisation",
        "pronouns",
    ):
        assert getattr(again, name) == getattr(face, name)
    assert again.name == face.name
    assert {each.number for each in again.phones} == {each.number for each in face.phones}
    assert {each.address for each in again.emails} == {each.address for each in face.emails}
    assert {way.url for way in (*face.socials, *face.messengers)} <= {
        way.url for way in (*again.socials, *again.messengers, *again.links)
    } | {again.booking_url}


def test_emma_comes_back_as_she_went() -> None:
    (reading,) = read(vcard(emma()))
    again, face = face_of(reading.profile or Profile(name="?")), emma()
    for name in ("phones", "emails", "addresses", "socials", "languages", "booking_url"):
        assert getattr(again, name) == getattr(face, name)
    assert [way.url for way in again.messengers] == [way.url for way in face.messengers]
    assert sorted(reading.lost) == [f"{name}: says nothing of the person" for name in ("REV", "SOURCE", "UID")]


_PIECES: Final = st.sampled_from(
    [
        b"BEGIN:VCARD", b"END:VCARD", b"\r\n", b"\n", b"\r", b" ", b";", b":", b"=", b"\\", b'"', b",", b"FN:", b"N:",
        b"TEL;",
        b"TYPE=", b"ENCODING=QUOTED-PRINTABLE", b"ENCODING=B", b"CHARSET=utf-16", b"PHOTO", b"ADR:", b"URL:", b"http://[",
        b"IMPP:", b"item1.", b"X-ABLabel:", b"X-SOCIALPROFILE;", b"data:;base64,", b"AGENT:", b"\xff", b"\x00",
        b"PREF=", b"9" * 5000, b"tel:", b"%", b"LANG:", b"ORG:", b"\xe2\x80\xa8", b"https://x.com/@", b"mailto:",
    ]
)  # fmt: skip


@given(st.binary(max_size=500) | st.lists(_PIECES | st.binary(max_size=5), max_size=60).map(b"".join))
@settings(max_examples=500, deadline=None)
@example(b"BEGIN:VCARD\nURL:http://[\nFN:x\nEND:VCARD")
def test_no_octets_whatever_raise_anything(data: bytes) -> None:
    for reading in read(data) + read(b"BEGIN:VCARD\nFN:Emma\n" + data):
        assert bool(reading.profile) != bool(reading.reason)
        assert all("\n" not in line and len(line) < 200 for line in reading.lost)


@pytest.mark.skipif(not PUBLIC.is_dir(), reason="the public vectors are not here")
def test_public_vectors_are_read_and_lose_nothing_in_silence() -> None:
    found = {path.stem: read(path.read_bytes()) for path in sorted(PUBLIC.glob("*.vcf"))}
    assert all(reading.profile for readings in found.values() for reading in readings)
    assert {name: len(readings) for name, readings in found.items() if len(readings) > 1} == {
        "ezvcard_John_Doe_ANDROID": 6,
        "ezvcard_rfc2426-example": 2,
        "folker_v3": 2,
    }
    with_photo = {name for name, readings in found.items() if any(reading.photo for reading in readings)}
    assert {
        "ezvcard_John_Doe_ANDROID",
        "ezvcard_John_Doe_IPHONE",
        "ezvcard_outlook-2007",
        "folker_Photo_v3",
    } <= with_photo
