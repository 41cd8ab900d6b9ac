"""Brands, stores, tills and staff over the API: each is put under its slug, and belongs to one merchant."""

from io import BytesIO
from typing import Any, get_args

import pytest
from PIL import Image
from pydantic import BaseModel

from accounts import fields
from api import schemas
from kernel.locale import LANGUAGES
from tests.support.inside import Inside, Person, on_sqlite

BRAND = {"name": "Linden & Rye", "colour": "#1f5c47", "languages": ["de", "en"]}
STORE = {"name": "Linden & Rye Wedding", "brand": "linden-rye", "timezone": "Europe/Berlin"}


def listed(person: Person, path: str, name: str) -> dict[str, dict[str, Any]]:
    answer = person.get(path)
    assert answer.status_code == 200, answer.text
    return {each["slug"]: each for each in answer.json()[name]}


def bound(owner: Person, **where: str) -> Person:
    """A key that may change accounts, but is bound to a place."""
    wanted = {"name": "bound", "scopes": ["accounts:read", "accounts:write", "keys:write"]} | where
    return Person(owner.inside, owner.post("/v1/keys", wanted).json()["key"])


def picture(size: tuple[int, int] = (64, 64)) -> bytes:
    out = BytesIO()
    Image.new("RGB", size, "#1f5c47").save(out, "PNG")
    return out.getvalue()


def test_a_merchant_says_who_it_is(owner: Person) -> None:
    at_first = {"slug": "linden-rye", "name": "Linden & Rye", "on_mismatch": "refuse", "keep_days": None}
    assert owner.get("/v1/merchant").json() == at_first
    changes = {"name": "Linden und Roggen", "on_mismatch": "flag", "keep_days": 3650}
    owner.put("/v1/merchant", changes)
    assert owner.get("/v1/merchant").json() == at_first | changes


@on_sqlite
@pytest.mark.parametrize(
    "path, model",
    [
        ("/v1/merchant", schemas.MerchantAnswer),
        ("/v1/brands", schemas.BrandList),
        ("/v1/stores", schemas.StoreList),
        ("/v1/stores/mitte/tills", schemas.TillList),
        ("/v1/staff", schemas.StaffList),
    ],
)
def test_an_answer_is_what_the_openapi_document_says(owner: Person, path: str, model: type[BaseModel]) -> None:
    answer = owner.get(path).json()
    model.model_validate(answer, extra="forbid")
    told = owner.get("/openapi.json").json()["paths"][path.replace("mitte", "{store}")]["get"]["responses"]["200"]
    assert told["content"]["application/json"]["schema"] == {"$ref": f"#/components/schemas/{model.__name__}"}


def test_a_brand_is_put_twice_and_is_there_once(owner: Person) -> None:
    look: dict[str, Any] = BRAND | {"website": "https://linden.example", "support_email": "hallo@linden.example"}
    look |= {"support_phone": "+49 30 5550 1234", "support_url": "https://linden.example/help"}
    look |= {"return_text": {"de": "Umtausch innerhalb von 30 Tagen.\nMit Beleg.", "en": "Within 30 days."}}
    assert [owner.put("/v1/brands/linden-rye", look).status_code for _ in range(2)] == [204, 204]
    (brand,) = listed(owner, "/v1/brands", "brands").values()
    assert brand == look | {"slug": "linden-rye", "logo_key": None, "id": brand["id"]}


def test_what_is_left_out_goes_back_to_its_default(owner: Person) -> None:
    owner.put("/v1/brands/linden-rye", BRAND | {"website": "https://linden.example"})
    owner.put("/v1/brands/linden-rye", {"name": "Linden & Rye"})
    brand = listed(owner, "/v1/brands", "brands")["linden-rye"]
    assert (brand["website"], brand["colour"], brand["languages"]) == (None, "#1f5c47", ["en"])


@on_sqlite
@pytest.mark.parametrize(
    "wrong, pointer, said",
    [
        ({"support_email": "hello"}, "/support_email", "hello@shop.example would be one"),
        ({"support_email": "hello@shop"}, "/support_email", "hello@shop.example would be one"),
        ({"colour": "green"}, "/colour", "#1f5c47 would be one"),
        ({"website": "shop.example"}, "/website", "https://shop.example/bread would be one"),
        ({"support_phone": "call us"}, "/support_phone", "+49 30 5550 1234 would be one"),
        ({"languages": ["en", "en"]}, "/languages", "names a language twice; each belongs there once"),
    ],
)
def test_what_is_wrong_with_a_brand_is_told_with_what_would_be_right(
    owner: Person, wrong: dict[str, Any], pointer: str, said: str
) -> None:
    answer = owner.put("/v1/brands/linden-rye", BRAND | wrong)
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert error["pointer"] == pointer
    assert said in error["detail"]


@on_sqlite
@pytest.mark.parametrize("path", ["/v1/brands/LINDEN", "/v1/stores/mitte/tills/-", "/v1/receipts/abc"])
def test_an_address_with_a_name_that_cannot_be_is_told_in_words(owner: Person, path: str) -> None:
    answer = owner.put(path, BRAND)
    assert answer.status_code == 422
    assert "pattern" not in answer.text
    assert "[" not in answer.json()["errors"][0]["detail"]


def test_a_brand_may_have_every_language_that_is_spoken() -> None:
    assert get_args(fields.Language) == tuple(LANGUAGES)


def test_a_store_belongs_to_a_brand_of_its_merchant(owner: Person) -> None:
    assert owner.put("/v1/stores/wedding", STORE).status_code == 204
    assert listed(owner, "/v1/stores", "stores")["wedding"]["brand"] == "linden-rye"
    answer = owner.put("/v1/stores/wedding", STORE | {"brand": "moor"})
    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"pointer": "/brand", "detail": "names none of this merchant's brands"}]


def test_a_till_belongs_to_a_store(owner: Person) -> None:
    assert owner.put("/v1/stores/mitte/tills/till-9", {"name": "Till 9"}).status_code == 204
    assert "till-9" in listed(owner, "/v1/stores/mitte/tills", "tills")
    assert "till-9" not in listed(owner, "/v1/stores/kreuzberg/tills", "tills")
    assert owner.put("/v1/stores/nowhere/tills/till-9", {"name": "Till 9"}).status_code == 404
    assert owner.get("/v1/stores/nowhere/tills").status_code == 404


def test_staff_may_belong_to_a_store(owner: Person) -> None:
    assert owner.put("/v1/staff/jonas", {"name": "Jonas", "store": "mitte"}).status_code == 204
    assert owner.put("/v1/staff/aylin", {"name": "Aylin"}).status_code == 204
    staff = listed(owner, "/v1/staff", "staff")
    assert (staff["jonas"]["store"], staff["aylin"]["store"]) == ("mitte", None)
    assert owner.put("/v1/staff/jonas", {"name": "Jonas", "store": "nowhere"}).status_code == 422


def test_a_logo_is_kept_anew_and_taken_away(owner: Person) -> None:
    put = owner.ask("PUT", "/v1/brands/linden-rye/logo", content=picture(), headers={"Content-Type": "image/png"})
    assert put.status_code == 204
    assert listed(owner, "/v1/brands", "brands")["linden-rye"]["logo_key"].startswith("logos/")
    assert owner.delete("/v1/brands/linden-rye/logo").status_code == 204
    assert listed(owner, "/v1/brands", "brands")["linden-rye"]["logo_key"] is None


@on_sqlite
@pytest.mark.parametrize("data", [b"", b"no picture", b"<svg xmlns='http://www.w3.org/2000/svg'/>", picture()[:60]])
def test_what_is_no_picture_is_no_logo(owner: Person, data: bytes) -> None:
    answer = owner.ask("PUT", "/v1/brands/linden-rye/logo", content=data, headers={"Content-Type": "image/png"})
    assert answer.status_code == 422
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_a_logo_has_a_limit_and_a_brand(owner: Person) -> None:
    assert owner.ask("PUT", "/v1/brands/linden-rye/logo", content=b"x" * 2_000_001).status_code == 413
    assert owner.ask("PUT", "/v1/brands/nobody/logo", content=picture()).status_code == 404
    assert owner.delete("/v1/brands/nobody/logo").status_code == 404


@on_sqlite
@pytest.mark.parametrize(
    "path, body, pointer",
    [
        ("/v1/merchant", {"name": "", "on_mismatch": "flag"}, "/name"),
        ("/v1/merchant", {"name": "L", "on_mismatch": "ignore"}, "/on_mismatch"),
        ("/v1/merchant", {"name": "L", "slug": "other"}, "/slug"),
        ("/v1/brands/b", {"name": "B", "colour": "green"}, "/colour"),
        ("/v1/brands/b", {"name": "B", "languages": []}, "/languages"),
        ("/v1/brands/b", {"name": "B", "languages": ["xx"]}, "/languages/0"),
        ("/v1/brands/b", {"name": "B", "website": "javascript:alert(1)"}, "/website"),
        ("/v1/brands/b", {"name": "B", "return_text": {"xx": "?"}}, "/return_text/xx/[key]"),
        ("/v1/stores/s", STORE | {"timezone": "Berlin"}, "/timezone"),
        ("/v1/stores/s", STORE | {"address": {"country": "Germany"}}, "/address/country"),
        ("/v1/stores/s", STORE | {"name": "a\0b"}, "/name"),
        ("/v1/stores/s", STORE | {"phone": "call me"}, "/phone"),
        ("/v1/stores/mitte/tills/t", {}, "/name"),
        ("/v1/staff/s", {"name": "S", "store": "Mitte"}, "/store"),
        ("/v1/staff/s", [], ""),
    ],
)
def test_a_field_at_fault_is_named(owner: Person, path: str, body: Any, pointer: str) -> None:
    answer = owner.put(path, body)
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    assert not answer.json()["errors"][0]["detail"].startswith("Value error")


@on_sqlite
@pytest.mark.parametrize("slug", ["Upper", "-dash", "a" * 65, "a%20b", "%C3%BC", "a%00"])
def test_a_slug_is_plain(owner: Person, slug: str) -> None:
    assert owner.put(f"/v1/staff/{slug}", {"name": "S"}).status_code == 422


def test_a_key_that_is_bound_to_a_place_changes_nothing(owner: Person) -> None:
    for person in (bound(owner, store="mitte"), bound(owner, store="mitte", till="till-3")):
        assert person.get("/v1/stores").status_code == 200
        assert person.put("/v1/staff/eve", {"name": "Eve"}).status_code == 403
        assert person.put("/v1/merchant", {"name": "Mine"}).status_code == 403
        assert person.delete("/v1/brands/linden-rye/logo").status_code == 403


def test_reading_and_writing_are_different_rights(owner: Person, inside: Inside) -> None:
    keys = {
        scope: Person(inside, owner.post("/v1/keys", {"name": "one", "scopes": [scope]}).json()["key"])
        for scope in ("accounts:read", "accounts:write", "receipts:read")
    }
    reads = [keys[scope].get("/v1/brands").status_code for scope in keys]
    writes = [keys[scope].put("/v1/staff/eve", {"name": "Eve"}).status_code for scope in keys]
    assert (reads, writes) == ([200, 403, 403], [403, 204, 403])


def test_two_merchants_have_their_own_slugs(owner: Person, outsider: Person) -> None:
    assert outsider.put("/v1/staff/emma", {"name": "Somebody else"}).status_code == 204
    assert listed(owner, "/v1/staff", "staff")["emma"]["name"] == "Emma"


@on_sqlite
@pytest.mark.parametrize("days", [True, "5", 5.0, 0, -1, 36501])
def test_how_long_to_keep_is_a_whole_number_of_days(owner: Person, days: object) -> None:
    """It deletes: nothing is taken for a number that is none."""
    answer = owner.put("/v1/merchant", {"name": "Linden & Rye", "keep_days": days})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/keep_days")
