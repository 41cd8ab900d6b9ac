"""A mail server on this machine that does as it is told, and remembers what it accepted.

As a process of its own, ``python -m tests.support.smtp PORT FILE`` writes a line ``Message-ID<TAB>recipient`` for each
accepted letter and makes it durable before it answers 250. It prints its port once it listens; 0 takes any. A third
argument is how many seconds pass between the two.
"""

import asyncio
import os
import ssl
import sys
import threading
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from email.parser import BytesHeaderParser
from enum import Enum
from time import time
from types import TracebackType
from typing import Any, Self

with warnings.catch_warnings():
    # It imports what Python deprecates; its own use of it is none of our tests' business.
    warnings.simplefilter("ignore", DeprecationWarning)
    from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session


class Does(Enum):
    """What a server can do beside answering."""

    HANG = "says nothing, for ever"
    HANG_UP = "drops the connection"


# Where it does so: at a command, "RCPT anna@example.com" for that one alone, or at LETTER, after the last dot.
Stage = str
LETTER: Stage = "LETTER"


@dataclass(frozen=True)
class Accepted:
    """A letter that was answered with 250. ``at`` is in seconds since 1970."""

    sender: str
    recipient: str
    data: bytes
    at: float

    @property
    def message_id(self) -> str:
        return str(BytesHeaderParser().parsebytes(self.data).get("Message-ID", ""))


@dataclass
class MailServer:
    """Listens while it is entered. ``at`` may be changed at any time; ``{"RCPT": "450 later"}`` is an example."""

    at: dict[Stage, str | Does] = field(default_factory=dict)
    port: int = 0
    login: tuple[str, str] | None = None
    tls: ssl.SSLContext | None = None
    is_tls_from_start: bool = False
    largest: int = 10_000_000
    has_smtputf8: bool = False
    keep: Callable[[Accepted], None] | None = None
    # Seconds from accepting a letter to saying so.
    pause: float = 0
    accepted: list[Accepted] = field(default_factory=list)
    options: list[list[str]] = field(default_factory=list)
    connections: int = 0

    def __enter__(self) -> Self:
        self._loop = asyncio.new_event_loop()
        self._open: set[_Talk] = set()
        self._server = self._loop.run_until_complete(self._listen())
        self.port = self._server.sockets[0].getsockname()[1]
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._leave(), self._loop).result(60)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(60)
        self._loop.close()

    def url(self, options: str = "", *, user: str = "") -> str:
        scheme = "smtps" if self.is_tls_from_start else "smtp"
        return f"{scheme}://{user}localhost:{self.port}{options}"

    def hang_up_all(self) -> None:
        """Drop every connection, as a server does that starts anew."""
        asyncio.run_coroutine_threadsafe(self._drop(), self._loop).result(60)

    def take(self, envelope: Envelope) -> None:
        for recipient in envelope.rcpt_tos:
            data = bytes(envelope.original_content or b"")
            letter = Accepted(envelope.mail_from or "", recipient, data, time())
            if self.keep:
                self.keep(letter)
            self.accepted.append(letter)

    def joined(self, talk: "_Talk") -> None:
        self.connections += 1
        self._open.add(talk)

    def left(self, talk: "_Talk") -> None:
        self._open.discard(talk)

    async def _listen(self) -> asyncio.Server:
        from_start = self.tls if self.is_tls_from_start else None
        return await self._loop.create_server(lambda: _Talk(self), "127.0.0.1", self.port, ssl=from_start)

    async def _drop(self) -> None:
        under_way = [talk.drop() for talk in self._open]
        if under_way:
            await asyncio.wait(under_way, timeout=5)

    async def _leave(self) -> None:
        self._server.close()
        await self._server.wait_closed()
        await self._drop()


class _Talk(SMTP):
    """One connection."""

    line_length_limit = 100_000

    def __init__(self, server: MailServer) -> None:
        self.told = server
        starttls = None if server.is_tls_from_start else server.tls
        super().__init__(
            _Hooks(server),
            data_size_limit=server.largest,
            enable_SMTPUTF8=server.has_smtputf8,
            hostname="mail.test",
            tls_context=starttls,
            require_starttls=bool(starttls),
            auth_require_tls=False,
            authenticator=self._is_known if server.login else None,
        )

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.told.joined(self)

    def connection_lost(self, error: Exception | None) -> None:
        super().connection_lost(error)
        self.told.left(self)

    def drop(self) -> "asyncio.Task[None]":
        """The conversation, which ends once the connection is down."""
        assert self.transport
        assert self._handler_coroutine
        self.transport.abort()  # type: ignore[attr-defined]
        return self._handler_coroutine

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802 – aiosmtpd's name
        answer = await done(self, "DATA")
        await (self.push(answer) if answer else super().smtp_DATA(arg))

    def _is_known(self, server: Any, session: Any, envelope: Any, mechanism: str, auth_data: Any) -> AuthResult:
        is_right = isinstance(auth_data, LoginPassword) and self.told.login == (
            auth_data.login.decode(),
            auth_data.password.decode(),
        )
        return AuthResult(success=is_right, handled=is_right)


class _Hooks:
    """aiosmtpd calls these by their names."""

    def __init__(self, server: MailServer) -> None:
        self.told = server

    async def handle_MAIL(  # noqa: N802
        self, talk: _Talk, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        answer = await done(talk, "MAIL")
        if answer:
            return answer
        self.told.options.append(options)
        envelope.mail_from = address
        return "250 sender welcome"

    async def handle_RCPT(  # noqa: N802
        self, talk: _Talk, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        answer = await done(talk, f"RCPT {address}") or await done(talk, "RCPT")
        if answer:
            return answer
        envelope.rcpt_tos.append(address)
        return "250 recipient welcome"

    async def handle_DATA(self, talk: _Talk, session: Session, envelope: Envelope) -> str:  # noqa: N802
        answer = await done(talk, LETTER)
        if answer:
            return answer
        self.told.take(envelope)
        await asyncio.sleep(self.told.pause)
        return f"250 2.0.0 queued as {len(self.told.accepted)}"


async def done(talk: _Talk, stage: Stage) -> str | None:
    """The answer that the server was told to give here, if any. Never returns where it hangs or hangs up."""
    match talk.told.at.get(stage):
        case Does.HANG_UP:
            talk.drop()
            await asyncio.Event().wait()
        case Does.HANG:
            await asyncio.Event().wait()
        case str() as answer:
            return answer
    return None


def _appending(path: str) -> Callable[[Accepted], None]:
    file = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)

    def keep(letter: Accepted) -> None:
        os.write(file, f"{letter.message_id}\t{letter.recipient}\n".encode())
        os.fsync(file)

    return keep


def main(port: str, path: str, pause: str = "0") -> None:
    with MailServer(port=int(port), keep=_appending(path), pause=float(pause)) as server:
        print(server.port, flush=True)  # noqa: T201 – whoever started it waits for this
        threading.Event().wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
