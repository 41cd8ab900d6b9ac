"""The signature of a receipt's document: whoever changes anything breaks it, and others can verify it."""

import base64
import copy
import json
import random
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from kernel import jcs
from receipts.records import canonical
from receipts.signed import State, TrustedKey, Verdict, signed_document, verify_document
from tests.support.records import BREAD, COFFEE, INDIRANAGAR, JUMEIRAH, SILK, record, related
from tests.support.sales import superset
from tests.support.signing import BASE, signer, trusted

KEY, OTHER = signer(), signer("moor")
KEYS = trusted(KEY, OTHER)
SIGNED = signed_document(record(BREAD, amendments=(related("refund", 500),)), KEY, base_url=BASE)
DOCUMENT: dict[str, Any] = json.loads(SIGNED)


def verdict(document: Any, keys: dict[str, TrustedKey] = KEYS) -> Verdict:
    data = document if isinstance(document, bytes) else json.dumps(document).encode()
    return verify_document(data, keys.get)


def state(document: Any, keys: dict[str, TrustedKey] = KEYS) -> State:
    return verdict(document, keys).state


def places(value: Any, *path: Any) -> Iterator[tuple[Any, ...]]:
    """The way to every value within ``value`` that holds no other."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    if not inner:
        yield path
    for name, each in inner:
        yield from places(each, *path, name)


LEAVES = list(places(DOCUMENT))
OF_ANOTHER_KIND: tuple[Any, ...] = (None, True, 7, "9.99", "", [], {})


def with_signature(document: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return document | {"signature": document["signature"] | changes}


def with_header(**changes: Any) -> dict[str, Any]:
    """The document with another protected header, its signature left as it was."""
    protected, _, rest = DOCUMENT["signature"]["jws"].partition(".")
    header = json.loads(base64.urlsafe_b64decode(protected + "==")) | changes
    kept = {name: value for name, value in header.items() if value is not None}
    return with_signature(DOCUMENT, jws=f"{encoded(json.dumps(kept).encode())}.{rest}")


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@pytest.mark.parametrize(
    "of",
    [
        record(superset(), original=related("sale", 100)),
        record(SILK, issuer=INDIRANAGAR),
        record(COFFEE, issuer=JUMEIRAH),
        record(BREAD | {"flags": ["gift"]}),
        record(BREAD, amendments=(related("void", 3062),)),
    ],
    ids=["everything", "silk", "coffee", "gift", "voided"],
)
def test_a_signed_document_is_genuine_and_says_who_signed_it(of: Any) -> None:
    found = verdict(signed_document(of, KEY, base_url=BASE))
    assert (found.state, found.kid) == (State.GENUINE, KEY.kid)
    assert found.issuer == "https://receipts.test/.well-known/linden-rye"
    assert "signature" not in found.document


def test_the_same_receipt_is_signed_with_the_same_bytes() -> None:
    of = record(BREAD)
    assert signed_document(of, KEY, base_url=BASE) == signed_document(of, KEY, base_url=BASE)


def test_beside_the_signature_stands_the_canonical_document_and_nothing_else() -> None:
    document = json.loads(signed_document(record(BREAD), KEY, base_url=BASE))
    assert document.pop("signature").keys() == {"kid", "alg", "jws"}
    assert document == canonical(record(BREAD))


@given(st.sampled_from(LEAVES), st.data())
def test_whoever_changes_a_value_breaks_the_signature(path: tuple[Any, ...], data: Any) -> None:
    changed = copy.deepcopy(DOCUMENT)
    holder: Any = changed
    for name in path[:-1]:
        holder = holder[name]
    holder[path[-1]] = data.draw(st.sampled_from([each for each in OF_ANOTHER_KIND if each != holder[path[-1]]]))
    assert state(changed) not in (State.GENUINE, State.DISTRUSTED)


@pytest.mark.parametrize("path", LEAVES, ids=lambda path: "/".join(map(str, path)))
def test_whoever_leaves_something_out_breaks_the_signature(path: tuple[Any, ...]) -> None:
    changed = copy.deepcopy(DOCUMENT)
    holder: Any = changed
    for name in path[:-1]:
        holder = holder[name]
    del holder[path[-1]]
    assert state(changed) not in (State.GENUINE, State.DISTRUSTED)


def test_whoever_adds_something_breaks_the_signature() -> None:
    assert state(DOCUMENT | {"note": "paid twice"}) is State.CHANGED
    assert state(with_signature(DOCUMENT, note="paid twice")) is State.CHANGED


@given(st.integers(0, len(SIGNED) - 1), st.integers(1, 255))
def test_no_byte_can_be_changed_unnoticed(at: int, by: int) -> None:
    changed = bytes([*SIGNED[:at], SIGNED[at] ^ by, *SIGNED[at + 1 :]])
    found = verdict(changed)
    # White space for white space is the only change that changes nothing; our documents hold none outside of strings.
    assert found.state not in (State.GENUINE, State.DISTRUSTED)


@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_nonsense_is_never_genuine_and_never_an_error(data: bytes) -> None:
    assert state(data) in (State.UNREADABLE, State.UNSIGNED)


def test_another_order_and_other_white_space_change_nothing() -> None:
    members = list(DOCUMENT.items())
    random.Random(417).shuffle(members)
    for text in (json.dumps(dict(members), indent=4), json.dumps(dict(members), ensure_ascii=True)):
        assert state(text.encode()) is State.GENUINE
        assert state(b"\xef\xbb\xbf" + text.encode()) is State.GENUINE


def test_a_member_that_stands_there_twice_is_refused() -> None:
    """Another reader might show the first of them."""
    assert state(SIGNED.replace(b'"number":', b'"number":"9999","number":', 1)) is State.UNREADABLE


def test_a_whole_number_as_a_fraction_is_refused() -> None:
    assert state(b'{"a":1.0,"signature":{}}') is State.UNREADABLE


def test_another_merchants_key_does_not_hold() -> None:
    assert state(with_header(kid=OTHER.kid)) is State.CHANGED
    assert state(with_signature(DOCUMENT, kid=OTHER.kid)) is State.CHANGED
    of_the_other = json.loads(signed_document(record(BREAD), OTHER, base_url=BASE))
    assert state(DOCUMENT | {"signature": of_the_other["signature"]}) is State.CHANGED


def test_a_key_that_nobody_knows_is_foreign() -> None:
    assert state(DOCUMENT, trusted(OTHER)) is State.FOREIGN
    assert state(with_header(kid="sgk_unknown")) is State.FOREIGN


def test_what_a_distrusted_key_signed_is_said_to_be_so() -> None:
    keys = trusted(KEY, OTHER, distrusted=("linden-rye",))
    assert state(DOCUMENT, keys) is State.DISTRUSTED
    assert state(DOCUMENT | {"number": "9"}, keys) is State.CHANGED


@pytest.mark.parametrize(
    "changes",
    [
        {"alg": "none"},
        {"alg": "HS256"},
        {"alg": "ES256"},
        {"alg": None},
        {"typ": "JWT"},
        {"jwk": {"kty": "OKP", "crv": "Ed25519", "x": "mine"}},
        {"jku": "https://evil.example/jwks.json"},
        {"crit": ["b64"], "b64": False},
        {"kid": 7},
        {"iss": None},
    ],
    ids=str,
)
def test_the_header_does_not_choose_how_it_is_verified(changes: dict[str, Any]) -> None:
    assert state(with_header(**changes)) is State.FOREIGN


def test_an_hmac_with_the_public_key_is_no_signature() -> None:
    """The old confusion: the verifier takes the public key for a shared secret."""
    body = jcs.canonicalise({name: each for name, each in DOCUMENT.items() if name != "signature"})
    header = {"kid": KEY.kid, "typ": "counterfoil-receipt+jws", "iss": BASE}
    forged = jwt.PyJWS().encode(
        body, KEYS[KEY.kid].public, algorithm="HS256", headers=header, is_payload_detached=False
    )
    protected, _, mac = forged.split(".")
    assert state(with_signature(DOCUMENT, jws=f"{protected}..{mac}")) is State.FOREIGN
    assert state(with_signature(DOCUMENT, alg="HS256")) is State.CHANGED


@pytest.mark.parametrize("jws", ["", ".", "..", "...", "a..b", "é..é", "e30..", 7, None, []])
def test_a_signature_that_is_none_is_not_genuine(jws: Any) -> None:
    assert state(with_signature(DOCUMENT, jws=jws)) in (State.FOREIGN, State.UNSIGNED)


def test_a_signature_is_written_in_one_way_only() -> None:
    protected, _, signature = DOCUMENT["signature"]["jws"].split(".")
    body = encoded(jcs.canonicalise({name: each for name, each in DOCUMENT.items() if name != "signature"}))
    for jws in (f"{protected}..{signature}=", f"{protected}..{signature}.", f"{protected}.{body}.{signature}"):
        assert state(with_signature(DOCUMENT, jws=jws)) is State.CHANGED
    # The last of 86 characters holds two bits that nobody needs.
    near = signature[:-1] + chr(ord(signature[-1]) + 1)
    assert state(with_signature(DOCUMENT, jws=f"{protected}..{near}")) is State.CHANGED


def test_pyjwt_verifies_what_we_sign() -> None:
    document = json.loads(SIGNED)
    header, _, signature = document.pop("signature")["jws"].split(".")
    # No member's name here is outside of ASCII, so this is canonical too.
    payload = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    public = Ed25519PublicKey.from_public_bytes(KEYS[KEY.kid].public)
    jws = jwt.PyJWS()
    assert jws.decode(f"{header}.{encoded(payload)}.{signature}", public, algorithms=["EdDSA"]) == payload
    changed = payload.replace(b"30.62", b"30.63")
    with pytest.raises(jwt.InvalidSignatureError):
        jws.decode(f"{header}.{encoded(changed)}.{signature}", public, algorithms=["EdDSA"])


IN_A_BROWSERS_LANGUAGE = """
const {createPublicKey, verify} = require("crypto"), [file, x] = process.argv.slice(1);
const sorted = (_, value) => value && typeof value === "object" && !Array.isArray(value)
  ? Object.fromEntries(Object.keys(value).sort().map((name) => [name, value[name]])) : value;
const {signature, ...document} = JSON.parse(require("fs").readFileSync(file, "utf8"));
const [header, , mine] = signature.jws.split(".");
const input = header + "." + Buffer.from(JSON.stringify(document, sorted)).toString("base64url");
const key = createPublicKey({key: {kty: "OKP", crv: "Ed25519", x}, format: "jwk"});
console.log(verify(null, Buffer.from(input), key, Buffer.from(mine, "base64url")));
"""


@pytest.mark.long
def test_node_verifies_what_we_sign(tmp_path: Path) -> None:
    node = shutil.which("node")
    assert node, "Node is missing: apt-get install nodejs"
    for name, each in {"bread": record(BREAD), "coffee": record(COFFEE, issuer=JUMEIRAH)}.items():
        file = tmp_path / f"{name}.json"
        file.write_bytes(signed_document(each, KEY, base_url=BASE))
        command = [node, "-e", IN_A_BROWSERS_LANGUAGE, str(file), encoded(KEYS[KEY.kid].public)]
        assert subprocess.run(command, capture_output=True, text=True).stdout == "true\n"
        file.write_text(file.read_text().replace("issued_at", "issued_it"))
        assert subprocess.run(command, capture_output=True, text=True).stdout == "false\n"
