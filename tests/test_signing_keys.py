"""The keys that sign: every merchant has one, they are rotated and distrusted, and what was signed is told apart."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import Engine, delete, update

from accounts import signing_keys
from accounts.signing_keys import NoSigningKey, PublicKey
from accounts.tables import SigningKey
from api.house import House
from infra.secrets import Unsealable
from kernel.errors import Conflict, NotFound
from receipts.jwks import read_key_set
from receipts.signed import State, verify_document
from tests.support.inside import Inside, Person, on_sqlite
from tests.support.sales import coffee, refund
from tests.support.shops import OPENED, Shops

SEALER = Fernet(Fernet.generate_key())
LATER = OPENED + timedelta(days=30)
LATEST = LATER + timedelta(days=30)


def made(engine: Engine, merchant: str) -> list[PublicKey]:
    """A merchant's keys, after each merchant got its first."""
    with engine.begin() as conn:
        signing_keys.ensure(conn, sealer=SEALER)
        return signing_keys.public_keys(conn, merchant)


def kid_for(engine: Engine, merchant: str, accepted_at: datetime) -> str:
    with engine.connect() as conn:
        keys = signing_keys.signers(conn, merchant, sealer=SEALER)
    return signing_keys.signer_for(keys, accepted_at).kid


def test_each_merchant_gets_one_key_however_often_that_is_asked_for(engine: Engine, shops: Shops) -> None:
    with engine.begin() as conn:
        assert signing_keys.ensure(conn, sealer=SEALER) == 2
        assert signing_keys.ensure(conn, sealer=SEALER) == 0
        assert len({key.public for key in signing_keys.all_public_keys(conn)}) == 2
        [key] = signing_keys.public_keys(conn, shops.linden)
    assert (key.slug, key.name, key.active_from, key.distrusted_at) == ("linden-rye", "Linden & Rye", OPENED, None)


def test_a_receipt_is_signed_by_the_key_of_its_day(engine: Engine, shops: Shops) -> None:
    [first] = made(engine, shops.linden)
    with engine.begin() as conn:
        second = signing_keys.rotate(conn, shops.linden, sealer=SEALER, now=LATER)
    assert kid_for(engine, shops.linden, OPENED - timedelta(days=1)) == first.kid
    assert kid_for(engine, shops.linden, LATER - timedelta(seconds=1)) == first.kid
    assert kid_for(engine, shops.linden, LATER) == second


def test_what_a_distrusted_key_signed_is_signed_by_another(engine: Engine, shops: Shops) -> None:
    [first] = made(engine, shops.linden)
    with engine.begin() as conn:
        second = signing_keys.rotate(conn, shops.linden, sealer=SEALER, now=LATER)
        signing_keys.distrust(conn, shops.linden, first.kid, sealer=SEALER, now=LATEST)
        signing_keys.distrust(conn, shops.linden, first.kid, sealer=SEALER, now=LATEST + timedelta(days=1))
        assert [key.distrusted_at for key in signing_keys.public_keys(conn, shops.linden)] == [LATEST, None]
    assert kid_for(engine, shops.linden, OPENED) == second


def test_whoever_distrusts_the_last_key_gets_a_new_one(engine: Engine, shops: Shops) -> None:
    [first] = made(engine, shops.linden)
    with engine.begin() as conn:
        signing_keys.distrust(conn, shops.linden, first.kid, sealer=SEALER, now=LATER)
    assert kid_for(engine, shops.linden, OPENED) != first.kid


def test_another_merchants_key_cannot_be_distrusted(engine: Engine, shops: Shops) -> None:
    [key] = made(engine, shops.linden)
    with engine.begin() as conn, pytest.raises(NotFound):
        signing_keys.distrust(conn, shops.moor, key.kid, sealer=SEALER, now=LATER)


def test_the_private_part_is_sealed(engine: Engine, shops: Shops) -> None:
    made(engine, shops.linden)
    with engine.connect() as conn:
        [signer] = signing_keys.signers(conn, shops.linden, sealer=SEALER)
        raw = signer.private.private_bytes_raw()
        row = conn.execute(SigningKey.__table__.select()).first()
        with pytest.raises(Unsealable):
            signing_keys.signers(conn, shops.linden, sealer=Fernet(Fernet.generate_key()))
    assert row is not None
    assert raw not in row.private
    assert raw.hex().encode() not in row.private
    assert raw.hex() not in repr(signer)


def test_no_kid_that_somebody_makes_up_is_an_error(engine: Engine, shops: Shops) -> None:
    with engine.connect() as conn:
        for kid in ("", "\0", "sgk_" + "0" * 26, "x" * 100_000, "\ud800"):
            assert signing_keys.public_key(conn, kid) is None


def house(inside: Inside) -> House:
    found: House = inside.app.state.house
    return found


def test_a_rotated_key_leaves_old_receipts_as_they_were(inside: Inside, owner: Person, shops: Shops) -> None:
    link = owner.post("/v1/receipts", coffee()).json()["token"]
    before = owner.get(f"/r/{link}.json").content
    with house(inside).engine.begin() as conn:
        signing_keys.rotate(conn, shops.linden, sealer=house(inside).sealer, now=datetime.now(UTC))
    house(inside).signers.ensure()
    assert owner.get(f"/r/{link}.json").content == before


def test_a_key_set_verifies_what_is_served(owner: Person, stranger: Person) -> None:
    link = owner.post("/v1/receipts", coffee()).json()["token"]
    document = stranger.get(f"/r/{link}.json").content
    for path in ("/.well-known/jwks.json", "/.well-known/linden-rye/jwks.json"):
        answer = stranger.get(path)
        assert answer.headers["access-control-allow-origin"] == "*"
        found = verify_document(document, read_key_set(answer.content).get)
        assert found.state is State.GENUINE
        assert f"{found.issuer}/jwks.json" == "https://receipts.test/.well-known/linden-rye/jwks.json"
        again = stranger.ask("GET", path, headers={"If-None-Match": answer.headers["etag"]})
        assert again.status_code == 304
    of_another = read_key_set(stranger.get("/.well-known/moor/jwks.json").content)
    assert verify_document(document, of_another.get).state is State.FOREIGN
    assert stranger.get("/.well-known/nobody/jwks.json").status_code == 404


def test_a_distrusted_key_leaves_the_set_and_is_named_beside_it(
    inside: Inside, owner: Person, stranger: Person, shops: Shops
) -> None:
    link = owner.post("/v1/receipts", coffee()).json()["token"]
    document = stranger.get(f"/r/{link}.json").content
    kid = json.loads(document)["signature"]["kid"]
    with house(inside).engine.begin() as conn:
        signing_keys.distrust(conn, shops.linden, kid, sealer=house(inside).sealer, now=LATER)
    found = stranger.get("/.well-known/linden-rye/jwks.json")
    assert kid not in [key["kid"] for key in found.json()["keys"]]
    assert [key["distrusted_at"] for key in found.json()["distrusted"]] == ["2026-12-01T08:00:00Z"]
    assert verify_document(document, read_key_set(found.content).get).state is State.DISTRUSTED


def test_the_document_tells_what_came_back_under_its_signature(owner: Person, stranger: Person) -> None:
    sale = owner.post("/v1/receipts", coffee()).json()
    owner.post("/v1/receipts", refund(sale["id"], "1.20"))
    keys = read_key_set(stranger.get("/.well-known/jwks.json").content)
    found = verify_document(stranger.get(f"/r/{sale['token']}.json").content, keys.get)
    assert found.state is State.GENUINE
    assert [each["total"] for each in found.document["amendments"]] == ["1.20"]


@on_sqlite
def test_where_a_key_cannot_be_unsealed_nothing_goes_out_unsigned_and_the_page_does(
    inside: Inside, owner: Person, stranger: Person, shops: Shops
) -> None:
    link = owner.post("/v1/receipts", coffee()).json()["token"]
    with house(inside).engine.begin() as conn:
        conn.execute(update(SigningKey).values(private=Fernet(Fernet.generate_key()).encrypt(b"00")))
    answer = stranger.get(f"/r/{link}.json")
    assert (answer.status_code, answer.json()["type"]) == (503, "urn:counterfoil:problem:sealed-with-another-key")
    assert stranger.get(f"/r/{link}").status_code == stranger.get(f"/r/{link}.txt").status_code == 200


@on_sqlite
def test_after_the_secret_key_was_exchanged_a_rotation_heals_every_receipt(
    inside: Inside, owner: Person, stranger: Person, shops: Shops
) -> None:
    link = owner.post("/v1/receipts", coffee()).json()["token"]
    with house(inside).engine.begin() as conn:
        conn.execute(update(SigningKey).values(private=Fernet(Fernet.generate_key()).encrypt(b"00")))
        kid = signing_keys.rotate(conn, shops.linden, sealer=house(inside).sealer, now=LATEST)
    answer = stranger.get(f"/r/{link}.json")
    assert (answer.status_code, answer.json()["signature"]["kid"]) == (200, kid)


def test_a_key_that_was_not_written_is_not_named(engine: Engine, shops: Shops) -> None:
    with engine.begin() as conn:
        signing_keys.rotate(conn, shops.linden, sealer=SEALER, now=LATER)
        with pytest.raises(Conflict):
            signing_keys.rotate(conn, shops.linden, sealer=SEALER, now=LATER)


@on_sqlite
def test_a_merchant_without_a_key_gets_one_when_a_server_starts(
    inside: Inside, owner: Person, stranger: Person, shops: Shops
) -> None:
    link = owner.post("/v1/receipts", coffee()).json()["token"]
    with house(inside).engine.begin() as conn:
        conn.execute(delete(SigningKey))
    refused = stranger.get(f"/r/{link}.json")
    assert (refused.status_code, refused.json()["type"]) == (503, f"urn:counterfoil:problem:{NoSigningKey.slug}")
    house(inside).signers.ensure()
    assert stranger.get(f"/r/{link}.json").status_code == 200


@pytest.mark.parametrize("name", ["%00", "Linden", "a%20b", "%F0%9F%8D%9E"])
def test_a_name_that_no_merchant_can_have_leads_to_no_keys(stranger: Person, name: str) -> None:
    assert stranger.get(f"/.well-known/{name}/jwks.json").status_code == 404
