"""Letters to a mail server, over a few connections that are kept."""

import ssl
from threading import BoundedSemaphore, Lock
from time import monotonic
from typing import Final

from pydantic import SecretStr

from infra.mail import Letter, Refused, Undelivered
from infra.mail_address import is_address
from infra.smtp_session import CLOSING, Gone, Session
from infra.smtp_url import read_smtp_url

# Within what servers allow by default, so that it is we who hang up.
LONGEST_IDLE: Final = 30.0  # seconds
LONGEST_LIFE: Final = 300.0
MOST_LETTERS: Final = 100


class SmtpMailer:
    """See :class:`infra.mail.Mailer`. More threads than ``connections`` wait for each other, as long as it takes: that
    we are busy says nothing about the server."""

    def __init__(self, url: SecretStr, *, timeout: float, connections: int) -> None:
        self._server = read_smtp_url(url.get_secret_value())
        self._tls = None if self._server.tls == "none" else ssl.create_default_context()
        self._timeout = timeout
        self._free = BoundedSemaphore(connections)
        self._lock = Lock()
        self._idle: list[Session] = []
        self._is_closed = False

    def send(self, letter: Letter) -> str:
        if not (is_address(letter.sender) and is_address(letter.recipient)):
            raise Refused("the address cannot be written to")
        with self._free:
            kept = self._kept()
            if kept:
                try:
                    return self._send(kept, letter)
                except Gone:
                    pass  # the server hung up while nothing was going on: no loss
            return self._send(self._connect(), letter)

    def check(self) -> str | None:
        try:
            self._connect().close()
        except Undelivered as error:
            return f"{error.detail}; see COUNTERFOIL_SMTP_URL"
        return None

    def close(self) -> None:
        with self._lock:
            self._is_closed, idle, self._idle = True, self._idle, []
        for session in idle:
            session.close()

    def _connect(self) -> Session:
        return Session(self._server, self._tls, self._timeout)

    def _send(self, session: Session, letter: Letter) -> str:
        is_fit = False
        try:
            word = session.hand_over(letter)
            is_fit = True
        except Undelivered as error:
            is_fit = error.code != CLOSING and session.recover()
            raise
        finally:
            self._put_back(session, is_fit=is_fit)
        return word

    def _kept(self) -> Session | None:
        """The connection that was used last; those that are too old are let go."""
        now = monotonic()
        with self._lock:
            stale = [session for session in self._idle if _is_stale(session, now)]
            self._idle = [session for session in self._idle if session not in stale]
            kept = self._idle.pop() if self._idle else None
        for session in stale:
            session.close()
        return kept

    def _put_back(self, session: Session, *, is_fit: bool) -> None:
        with self._lock:
            is_kept = is_fit and not self._is_closed and not _is_stale(session, monotonic())
            if is_kept:
                self._idle.append(session)
        if not is_kept:
            session.close()


def _is_stale(session: Session, now: float) -> bool:
    return now - session.used > LONGEST_IDLE or now - session.began > LONGEST_LIFE or session.letters >= MOST_LETTERS
