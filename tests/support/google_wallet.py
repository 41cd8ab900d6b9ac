"""Google on this machine: its accounts, which give a token for a signed JWT, and Google Wallet's REST API."""

import json
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from time import sleep
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import parse_qs, unquote

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from infra.settings import Wallet

ISSUER: Final = "3388000000012345678"
EMAIL: Final = "passes@counterfoil-tests.iam.gserviceaccount.com"
CLASSES: Final = "/walletobjects/v1/genericClass"
_SCOPE: Final = "https://www.googleapis.com/auth/wallet_object.issuer"
_GRANT: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"


@dataclass
class Google:
    """Listens while it is entered. ``broken`` is the status that it answers everything with, if any. Where an object
    ``is_made_meanwhile``, somebody else makes it as soon as it was found missing. Objects whose ids are in ``refused``
    are answered 400. Its accounts answer after ``accounts_wait`` seconds."""

    broken: int = 0
    is_made_meanwhile: bool = False
    refused: set[str] = field(default_factory=set)
    accounts_wait: float = 0
    classes: dict[str, Any] = field(default_factory=dict)
    objects: dict[str, Any] = field(default_factory=dict)
    tokens: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    connections: int = 0
    key: rsa.RSAPrivateKey = field(default_factory=lambda: rsa.generate_private_key(65537, 2048))

    def __enter__(self) -> Self:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Talk)
        self._server.daemon_threads = True
        self._server.google = self  # type: ignore[attr-defined]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def settings(self, folder: Path, **others: Any) -> Wallet:
        """With the file of a service account that this server knows."""
        pem = self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        account = {"client_email": EMAIL, "private_key": pem, "token_uri": f"{self.url}/token"}
        path = folder / "google.json"
        path.write_text(json.dumps(account))
        address = f"{self.url}/walletobjects/v1"
        return Wallet(google_wallet_key=path, google_wallet_issuer=ISSUER, google_wallet_url=address, **others)

    def read(self, token: str, audience: str) -> dict[str, Any]:
        """What a JWT says, where it was signed by the account."""
        claims: dict[str, Any] = jwt.decode(token, self.key.public_key(), algorithms=["RS256"], audience=audience)
        return claims

    def grant(self, form: dict[str, list[str]]) -> tuple[int, Any]:
        try:
            claims = self.read(form["assertion"][0], f"{self.url}/token")
        except (jwt.PyJWTError, KeyError):
            return 400, {"error": "invalid_grant"}
        if form.get("grant_type") != [_GRANT] or claims["iss"] != EMAIL or claims["scope"] != _SCOPE:
            return 400, {"error": "invalid_grant"}
        if claims["exp"] - claims["iat"] > 3600:
            return 400, {"error": "invalid_grant"}
        self.tokens.append(f"ya29.{len(self.tokens)}")
        return 200, {"access_token": self.tokens[-1], "expires_in": 3599, "token_type": "Bearer"}

    def rest(self, method: str, path: str, authorization: str, content: Any) -> tuple[int, Any]:
        if authorization.removeprefix("Bearer ") not in self.tokens:
            return 401, {"error": {"code": 401}}
        kind, _, name = path.removeprefix("/walletobjects/v1/").partition("/")
        kept = {"genericClass": self.classes, "genericObject": self.objects}[kind]
        is_known = kept is self.classes or content["classId"] in self.classes
        if not content["id"].startswith(f"{ISSUER}.") or not is_known or content["id"] in self.refused:
            return 400, {"error": {"code": 400}}
        if method == "POST":
            if content["id"] in kept:
                return 409, {"error": {"code": 409}}
            kept[content["id"]] = content
            return 200, content
        if unquote(name) not in kept:
            if self.is_made_meanwhile:
                kept[unquote(name)] = {"id": unquote(name)}
            return 404, {"error": {"code": 404}}
        kept[unquote(name)] = content if method == "PUT" else kept[unquote(name)] | content
        return 200, kept[unquote(name)]


class _Talk(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def setup(self) -> None:
        super().setup()
        self.server.google.connections += 1  # type: ignore[attr-defined]

    def do_POST(self) -> None:
        google: Google = self.server.google  # type: ignore[attr-defined]
        body = self.rfile.read(int(self.headers["Content-Length"]))
        google.asked.append(f"{self.command} {self.path}")
        said: Any
        if google.accounts_wait and self.path == "/token":
            sleep(google.accounts_wait)
        if google.broken:
            status, said = google.broken, None
        elif self.path == "/token":
            status, said = google.grant(parse_qs(body.decode()))
        else:
            told = (self.command, self.path, self.headers.get("Authorization", ""), json.loads(body))
            status, said = google.rest(*told)
        answer = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        # Who asked may have gone meanwhile.
        with suppress(OSError):
            self.end_headers()
            self.wfile.write(answer)

    do_PUT = do_PATCH = do_POST  # noqa: N815 – the base class's names

    def log_message(self, *_args: Any) -> None:
        """Nobody reads it."""
