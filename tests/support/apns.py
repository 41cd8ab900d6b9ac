"""Apple's push service on this machine: HTTP/2 over TLS, to whoever has a certificate of a pass type.

https://developer.apple.com/documentation/usernotifications/handling-notification-responses-from-apns
"""

import json
import socket
import ssl
import threading
import uuid
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from cryptography import x509
from cryptography.x509.oid import NameOID
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, RequestReceived, StreamEnded

from tests.support.authority import Authority

_PATH: Final = "/3/device/"


@dataclass(frozen=True)
class Push:
    token: str
    topic: str
    payload: bytes
    # Subject of the client's certificate.
    sender: str


@dataclass
class PushServer:
    """Listens while it is entered. ``words`` is what it answers for a token, ``{"ab": (410, "Unregistered")}``, or for
    all under ``"*"``; else it takes the push. One that is ``is_silent`` reads what it is asked, and never answers."""

    authority: Authority
    folder: Path
    words: dict[str, tuple[int, str]] = field(default_factory=dict)
    taken: list[Push] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    is_silent: bool = False
    connections: int = 0

    @property
    def url(self) -> str:
        return f"https://localhost:{self._listener.getsockname()[1]}"

    def tokens(self) -> list[str]:
        return [push.token for push in self.taken]

    def __enter__(self) -> Self:
        self._tls = _tls(self.authority, self.folder)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: set[socket.socket] = set()
        threading.Thread(target=self._listen, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):
            # Closed alone, it would still be waited for.
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for each in list(self._open):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def _listen(self) -> None:
        while True:
            try:
                bare, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._talk, args=(bare,), daemon=True).start()

    def _talk(self, bare: socket.socket) -> None:
        with bare, suppress(OSError), self._tls.wrap_socket(bare, server_side=True) as talk:
            assert talk.selected_alpn_protocol() == "h2"
            self._open.add(talk)
            self.connections += 1
            _Talk(self, talk).run()
            self._open.discard(talk)


class _Talk:
    """One connection."""

    def __init__(self, server: PushServer, socket_: ssl.SSLSocket) -> None:
        self._server, self._socket = server, socket_
        self._http = H2Connection(H2Configuration(client_side=False, header_encoding="utf-8"))
        self._asked: dict[int, dict[str, str]] = {}
        self._bodies: dict[int, bytes] = {}

    def run(self) -> None:
        self._http.initiate_connection()
        self._send()
        while data := self._socket.recv(65536):
            for event in self._http.receive_data(data):
                self._hear(event)
            self._send()

    def _send(self) -> None:
        self._socket.sendall(self._http.data_to_send())

    def _hear(self, event: Any) -> None:
        match event:
            case RequestReceived():
                self._asked[event.stream_id] = dict(event.headers)  # type: ignore[arg-type]
                self._bodies[event.stream_id] = b""
            case DataReceived():
                self._bodies[event.stream_id] += event.data
                self._http.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            case StreamEnded():
                self._answer(event.stream_id, self._asked.pop(event.stream_id), self._bodies.pop(event.stream_id))

    def _answer(self, stream: int, asked: dict[str, str], body: bytes) -> None:
        self._server.asked.append(asked[":path"].removeprefix(_PATH))
        if self._server.is_silent:
            return
        status, reason = self._judged(asked, body)
        said = json.dumps({"reason": reason}).encode() if reason else b""
        self._http.send_headers(stream, [(":status", str(status)), ("apns-id", str(uuid.uuid4()))], end_stream=not said)
        if said:
            self._http.send_data(stream, said, end_stream=True)

    def _judged(self, asked: dict[str, str], body: bytes) -> tuple[int, str]:
        token = asked[":path"].removeprefix(_PATH)
        sender = self._sender()
        if asked[":method"] != "POST":
            return 405, "MethodNotAllowed"
        if not asked[":path"].startswith(_PATH) or not token:
            return 404, "BadPath"
        if asked.get("apns-topic") != sender:
            return 400, "TopicDisallowed"
        if not isinstance(json.loads(body), dict):
            return 400, "PayloadEmpty"
        found = self._server.words.get(token) or self._server.words.get("*")
        if found is None:
            self._server.taken.append(Push(token, asked["apns-topic"], body, sender))
        return found or (200, "")

    def _sender(self) -> str:
        """The pass type of the client's certificate."""
        presented = self._socket.getpeercert(binary_form=True)
        assert presented
        subject = x509.load_der_x509_certificate(presented).subject
        return "".join(str(each.value) for each in subject.get_attributes_for_oid(NameOID.USER_ID))


def _tls(authority: Authority, folder: Path) -> ssl.SSLContext:
    server = authority.server()
    folder.mkdir(parents=True, exist_ok=True)
    pem, known = folder / "server.pem", folder / "known.pem"
    pem.write_bytes(server.pem() + server.key_pem())
    known.write_bytes(authority.root.pem() + authority.wwdr.pem())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    context.load_verify_locations(known)
    context.verify_mode = ssl.CERT_REQUIRED
    context.set_alpn_protocols(["h2"])
    return context
