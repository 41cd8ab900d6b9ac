"""Apple's push service: telling a phone that a pass has changed, so that it asks for it.

https://developer.apple.com/documentation/usernotifications/sending-notification-requests-to-apns
"""

import ssl
from types import TracebackType
from typing import TYPE_CHECKING, ClassVar, Final, Literal, Self
from urllib.parse import quote

import orjson

from infra.settings import Wallet
from kernel.errors import Unavailable

if TYPE_CHECKING:
    import httpx

_SECONDS: Final = 10.0
# The push itself says nothing; what changed is what the phone asks for.
_NOTHING: Final = b"{}"
# The phone has dropped the pass; or the service does not know its token, as none where Apple's other service is asked.
Heard = Literal["told", "gone", "unknown"]


class PushFailed(Unavailable):
    """Apple's service is away or wants less of it, or does not take our certificate: so the next phone would meet it,
    too. Another try may be answered."""

    slug: ClassVar[str] = "push-failed"
    title: ClassVar[str] = "The phone could not be told"


class PushRefused(PushFailed):
    """For this phone alone, as where its token is of another topic than our certificate."""

    slug: ClassVar[str] = "push-refused"
    title: ClassVar[str] = "This phone could not be told"


class Pusher:
    """One connection, over which any number is told, one after the other."""

    def __init__(self, wallet: Wallet) -> None:
        # Late: HTTP/2 takes megabytes, and a server that pushes nothing does without.
        import httpx

        self._topic = wallet.apple_pass_type or ""
        self._client = httpx.Client(base_url=wallet.apple_push_url, http2=True, verify=_tls(wallet), timeout=_SECONDS)

    def push(self, token: str) -> Heard:
        """Raises :class:`PushFailed`, and :class:`PushRefused` where others may be told."""
        import httpx

        headers = {"apns-topic": self._topic}
        try:
            answer = self._client.post(f"/3/device/{quote(token, safe='')}", content=_NOTHING, headers=headers)
        except httpx.HTTPError as error:
            raise PushFailed(f"no answer from Apple's push service: {type(error).__name__}") from None
        return _heard(answer.status_code, _reason(answer))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()


def _tls(wallet: Wallet) -> ssl.SSLContext:
    """It is the certificate of the passes that says who we are."""
    assert wallet.apple_pass_certificate
    assert wallet.apple_pass_key
    password = wallet.apple_pass_key_password
    context = ssl.create_default_context()
    context.load_cert_chain(
        wallet.apple_pass_certificate,
        wallet.apple_pass_key,
        # Without one, OpenSSL would ask at the terminal.
        password.get_secret_value() if password else "",
    )
    return context


def _heard(status: int, reason: str) -> Heard:
    if status == 200:
        return "told"
    if status == 410:
        return "gone"
    if (status, reason) == (400, "BadDeviceToken"):
        return "unknown"
    kind = PushFailed if status in (403, 429) or status >= 500 else PushRefused
    raise kind(f"Apple's push service answered {status} {reason}".strip())


def _reason(answer: "httpx.Response") -> str:
    try:
        told = orjson.loads(answer.content)
    except orjson.JSONDecodeError:
        return ""
    reason = told.get("reason") if isinstance(told, dict) else None
    return reason[:100] if isinstance(reason, str) else ""
