"""Google Wallet: objects over REST, and the link by which somebody takes one.

https://developers.google.com/wallet/generic/rest and https://developers.google.com/wallet/generic/use-cases/jwt. A link
that carries a whole card would be too long for many phones, so the object is made first and the link names it.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeVar
from urllib.parse import quote

import orjson

from infra.settings import Wallet
from kernel.errors import Unavailable

if TYPE_CHECKING:
    import httpx

Seen = TypeVar("Seen")

# Where a form that takes an object ends: a page's policy has to allow it.
ORIGIN: Final = "https://pay.google.com"
SAVE: Final = f"{ORIGIN}/gp/v/save/"
_SCOPE: Final = "https://www.googleapis.com/auth/wallet_object.issuer"
_GRANT: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_SECONDS: Final = 5.0
_TOKEN_SECONDS: Final = 3600
# So long before its end a token is no longer used.
_SPARE: Final = 120
# Seconds for which nobody asks again for a token that was not to be had.
_PAUSE: Final = 3.0
_NEEDED: Final = ("client_email", "private_key", "token_uri")
# Changes that may come while one is written.
_MOST_TIMES: Final = 3


class GoogleWalletDown(Unavailable):
    """``why`` is for who runs the service; who asked learns only that it does not work."""

    slug: ClassVar[str] = "google-wallet-down"
    title: ClassVar[str] = "Google Wallet does not answer just now"

    def __init__(self, why: str) -> None:
        super().__init__("Please try again.", retry_after=30)
        self.why = why

    def __str__(self) -> str:
        return self.why


class GoogleWalletRefused(GoogleWalletDown):
    """This object or class alone: others may be written."""

    slug: ClassVar[str] = "google-wallet-refused"
    title: ClassVar[str] = "Google Wallet does not take this card"


@dataclass(frozen=True, slots=True)
class Account:
    """A service account, as Google's console gives it away."""

    email: str
    key: str
    token_url: str


def read_account(path: Path) -> Account:
    """Raises :class:`GoogleWalletDown` for a file that is none."""
    try:
        told = orjson.loads(path.read_bytes())
    except OSError as error:
        raise GoogleWalletDown(f"COUNTERFOIL_GOOGLE_WALLET_KEY: {path} cannot be read ({error.strerror})") from None
    except orjson.JSONDecodeError:
        raise GoogleWalletDown(f"COUNTERFOIL_GOOGLE_WALLET_KEY: {path} is not JSON") from None
    values = [str(told.get(name) or "") if isinstance(told, dict) else "" for name in _NEEDED]
    if not all(values):
        raise GoogleWalletDown(f"COUNTERFOIL_GOOGLE_WALLET_KEY: {path} lacks one of {', '.join(_NEEDED)}")
    account = Account(*values)
    _signed(account, {})
    return account


class GoogleWallet:
    """Any number of threads may use it; they share connections, and the token that Google gives for an hour."""

    def __init__(self, wallet: Wallet) -> None:
        assert wallet.google_wallet_key
        self._account = read_account(wallet.google_wallet_key)
        self._issuer = wallet.google_wallet_issuer
        self._url = wallet.google_wallet_url.rstrip("/")
        self._lock = Lock()
        self._token, self._until = "", 0.0
        # Why there was no token, and when.
        self._why, self._failed_at = "", 0.0
        # Those that Google has: none is ever deleted there.
        self._classes: set[str] = set()
        self._client = _client()

    def close(self) -> None:
        self._client.close()

    def named(self, name: str) -> str:
        """The id of a class or object of ours."""
        return f"{self._issuer}.{name}"

    def make_class(self, class_id: str) -> None:
        """Once for each: there it keeps what was set in Google's console. Raises :class:`GoogleWalletDown`."""
        if class_id in self._classes:
            return
        status = self._ask("POST", "genericClass", {"id": class_id})
        if status != 409:
            _require_done(status, "a class")
        self._classes.add(class_id)

    def put(self, content: Mapping[str, Any]) -> None:
        """Change the object, or make it where it is not there: it becomes ``content`` and nothing else. Raises
        :class:`GoogleWalletDown`, and :class:`GoogleWalletRefused` where others may be written."""
        named = f"genericObject/{quote(content['id'], safe='')}"
        status = self._ask("PUT", named, content)
        if status == 404:
            status = self._ask("POST", "genericObject", content)
            if status == 409:
                # Somebody else made it meanwhile.
                status = self._ask("PUT", named, content)
        _require_done(status, "an object")

    def link(self, object_id: str, class_id: str, *, origin: str) -> str:
        """Where somebody takes the object into their wallet."""
        claims = {
            "iss": self._account.email,
            "aud": "google",
            "typ": "savetowallet",
            "iat": int(time.time()),
            "origins": [origin],
            "payload": {"genericObjects": [{"id": object_id, "classId": class_id}]},
        }
        return SAVE + _signed(self._account, claims)

    def _ask(self, method: str, path: str, content: Mapping[str, Any]) -> int:
        """The status. A token that Google takes no more is replaced once."""
        status, token = self._asked(method, path, content)
        if status == 401:
            with self._lock:
                # Unless another thread has a newer one already.
                self._until = 0.0 if self._token == token else self._until
            status, _ = self._asked(method, path, content)
        return status

    def _asked(self, method: str, path: str, content: Mapping[str, Any]) -> tuple[int, str]:
        token = self._bearer()
        headers = {"Authorization": f"Bearer {token}"}
        return self._sent(method, f"{self._url}/{path}", json=content, headers=headers).status_code, token

    def _bearer(self) -> str:
        """Of those who wait while Google's accounts do not answer, one asks; the others hear what it heard."""
        with self._lock:
            now = time.monotonic()
            if now > self._until:
                if self._why and now < self._failed_at + _PAUSE:
                    raise GoogleWalletDown(self._why)
                try:
                    self._token, seconds = self._granted()
                except GoogleWalletDown as error:
                    self._why, self._failed_at = error.why, time.monotonic()
                    raise
                self._why, self._until = "", time.monotonic() + seconds - _SPARE
            return self._token

    def _granted(self) -> tuple[str, float]:
        """A token, for a JWT that proves that we have the key (RFC 7523)."""
        account, now = self._account, int(time.time())
        claims = {"iss": account.email, "scope": _SCOPE, "aud": account.token_url}
        assertion = _signed(account, claims | {"iat": now, "exp": now + _TOKEN_SECONDS})
        answer = self._sent("POST", account.token_url, data={"grant_type": _GRANT, "assertion": assertion})
        try:
            told = orjson.loads(answer.content)
            return str(told["access_token"]), float(told["expires_in"])
        except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
            raise GoogleWalletDown(f"Google's accounts answered {answer.status_code}, and no token") from None

    def _sent(self, method: str, url: str, **options: Any) -> "httpx.Response":
        import httpx

        try:
            return self._client.request(method, url, **options)
        except httpx.HTTPError as error:
            raise GoogleWalletDown(f"no answer from Google: {type(error).__name__}") from None


def write_newest(read: Callable[[], Seen], write: Callable[[Seen], None], missed: Callable[[], None]) -> None:
    """Write what ``read`` tells until it is what was written: of several who write at once, the last then wrote the
    newest. ``missed`` is called where it may not have been written, and a job shall. Raises
    :class:`GoogleWalletDown`."""
    newest = read()
    for again in range(_MOST_TIMES):
        written = newest
        try:
            write(written)
        except GoogleWalletDown:
            if again or read() != written:
                missed()
            raise
        newest = read()
        if newest == written:
            return
    missed()


def said(texts: Mapping[str, str]) -> dict[str, Any]:
    """A text by language, as Google has it: in the first of them, and in the others where it differs."""
    own, text = next(iter(texts.items()))
    others = [_value(each, told) for each, told in texts.items() if told not in ("", text)]
    return {"defaultValue": _value(own, text)} | ({"translatedValues": others} if others else {})


def image(address: str) -> dict[str, Any]:
    """Google fetches it, so it must be where it can."""
    return {"sourceUri": {"uri": address}}


def _value(language: str, text: str) -> dict[str, str]:
    return {"language": language, "value": text}


def _client() -> "httpx.Client":
    # Late, as PyJWT is: a service without Google Wallet does without.
    import httpx

    return httpx.Client(timeout=_SECONDS, follow_redirects=False)


def _require_done(status: int, what: str) -> None:
    if status >= 300:
        kind = GoogleWalletDown if status in (401, 403, 429) or status >= 500 else GoogleWalletRefused
        raise kind(f"Google Wallet answered {status} for {what}")


def _signed(account: Account, claims: Mapping[str, Any]) -> str:
    import jwt

    try:
        return jwt.encode(dict(claims), account.key, algorithm="RS256")
    except (ValueError, TypeError, jwt.PyJWTError):
        raise GoogleWalletDown("COUNTERFOIL_GOOGLE_WALLET_KEY: its private_key is no RSA key in PEM") from None
