"""JSContact (RFC 9553): the same card, for programs."""

from typing import Final

from hypothesis import HealthCheck, given, settings

from cards.jscontact import jscontact
from cards.profile import Profile
from kernel import jcs
from tests.support.faces import PAGE, SHOP, emma, face_of, profiles

EMMA: Final = {
    "@type": "Card",
    "version": "1.0",
    "uid": "crd_01",
    "kind": "individual",
    "language": "en",
    "updated": "2026-11-28T09:30:05Z",
    "name": {
        "full": "Dr. Emma Lind",
        "components": [
            {"kind": "title", "value": "Dr."},
            {"kind": "given", "value": "Emma"},
            {"kind": "surname", "value": "Lind"},
        ],
        "isOrdered": True,
    },
    "nicknames": {"1": {"name": "Em"}},
    "speakToAs": {"pronouns": {"1": {"pronouns": "she/her"}}},
    "organizations": {"1": {"name": "Linden & Rye", "units": [{"name": "Bakery"}]}},
    "titles": {"1": {"name": "Head baker", "kind": "title"}},
    "phones": {
        "1": {"number": "+49 30 5550 1234", "features": {"voice": True}, "contexts": {"work": True}, "pref": 1},
        "2": {"number": "+49 151 1234567", "features": {"mobile": True, "voice": True}, "label": "Direct"},
    },
    "emails": {
        "1": {"address": "emma@linden-rye.example", "contexts": {"work": True}, "pref": 1},
        "2": {"address": "emma@home.example", "contexts": {"private": True}},
    },
    "addresses": {
        "1": {
            "components": [
                {"kind": "name", "value": "Torstraße 112"},
                {"kind": "postcode", "value": "10119"},
                {"kind": "locality", "value": "Berlin"},
            ],
            "isOrdered": True,
            "countryCode": "DE",
            "contexts": {"work": True},
        }
    },
    "onlineServices": {
        "1": {"service": "LinkedIn", "uri": "https://www.linkedin.com/in/emma-lind", "user": "emma-lind"},
        "2": {"service": "Mastodon", "uri": "https://berlin.example/@emma"},
        "3": {"service": "WhatsApp", "uri": "https://wa.me/491511234567", "user": "+49 151 1234567"},
        "4": {"service": "Telegram", "uri": "https://t.me/emmalind", "user": "@emmalind"},
    },
    "links": {
        "1": {"uri": PAGE},
        "2": {"uri": "https://linden-rye.example/emma?a=1,2;b", "label": "My breads"},
        "3": {"uri": "https://linden-rye.example/book", "label": "booking"},
    },
    "media": {"1": {"kind": "photo", "uri": f"{PAGE}/photo.jpg", "mediaType": "image/jpeg"}},
    "notes": {"1": {"note": "Sourdough by day, croissants by night."}},
    "personalInfo": {"1": {"kind": "hobby", "value": "Rowing"}, "2": {"kind": "hobby", "value": "Rye"}},
    "preferredLanguages": {"1": {"language": "de", "pref": 1}, "2": {"language": "en-GB", "pref": 2}},
}


def test_a_card_as_programs_take_it() -> None:
    assert jscontact(emma(nickname="Em"), photo_url=f"{PAGE}/photo.jpg") == EMMA


def test_a_country_alone_has_no_order() -> None:
    assert jscontact(emma(addresses=[{"country": "DE"}]))["addresses"] == {
        "1": {"countryCode": "DE", "contexts": {"work": True}}
    }


def test_a_name_alone_has_nothing_empty() -> None:
    told = jscontact(face_of(Profile.model_validate({"name": "Emma"})))
    assert told["name"] == {"full": "Emma"}
    assert set(told) == {
        "@type", "version", "uid", "kind", "language", "updated", "name", "organizations", "links",
    }  # fmt: skip


def test_who_gives_no_place_at_work_is_found_in_the_store() -> None:
    told = jscontact(emma(shop=SHOP, addresses=[{"city": "Potsdam", "kind": "home"}]))
    assert [each["contexts"] for each in told["addresses"].values()] == [{"private": True}, {"work": True}]


@given(profiles())
@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large], deadline=None)
def test_any_profile_is_json_with_nothing_empty_in_it(content: Profile) -> None:
    told = jscontact(face_of(content))
    assert jcs.parse(jcs.canonicalise(told)) == told
    assert all(told.values())
