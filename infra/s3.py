"""The S3 client: quick to give up, quiet while the store is gone, and the one place that knows boto3's errors."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING, Final

import structlog
from boto3.session import Session
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    CredentialRetrievalError,
    EndpointConnectionError,
    NoCredentialsError,
    PartialCredentialsError,
    ReadTimeoutError,
)

from infra.metrics import storage_failed
from infra.settings import Data
from infra.storage import StorageDown
from kernel.errors import Unavailable

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_log = structlog.get_logger(__name__)
# At worst one call takes both, twice.
CONNECT_SECONDS, READ_SECONDS = 2.0, 4.0
# So long is a store that failed left alone: its callers get their answer at once, not after each has waited.
PAUSE: Final = 5.0

_CREDENTIALS: Final = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give this machine a role"
_RIGHTS: Final = "allow s3:GetObject, s3:PutObject and s3:DeleteObject on its objects, and s3:ListBucket on itself"
_REGION: Final = "it is in another region: mend COUNTERFOIL_S3_REGION"
_TO_DO: Final = {
    "NoSuchBucket": "there is no such bucket: make it, or mend COUNTERFOIL_STORAGE_URL",
    "AccessDenied": f"it refuses: {_RIGHTS}",
    "403": f"it refuses: {_RIGHTS}",
    "InvalidAccessKeyId": f"it does not know the key: {_CREDENTIALS}",
    "SignatureDoesNotMatch": f"the secret is not that of the key: {_CREDENTIALS}",
    "ExpiredToken": f"the credentials have expired: {_CREDENTIALS}",
    "RequestTimeTooSkewed": "the clock of this machine is wrong: set it",
    "PermanentRedirect": _REGION,
    "AuthorizationHeaderMalformed": _REGION,
    "301": _REGION,
}
_UNREACHED: Final = "it cannot be reached: look at the network, and at COUNTERFOIL_S3_ENDPOINT_URL"
_SAID: Final[dict[type[BotoCoreError], str]] = {
    NoCredentialsError: f"there are no credentials: {_CREDENTIALS}",
    PartialCredentialsError: f"the credentials are not whole: {_CREDENTIALS}",
    CredentialRetrievalError: f"the credentials cannot be had: {_CREDENTIALS}",
    EndpointConnectionError: _UNREACHED,
    ConnectTimeoutError: _UNREACHED,
    ReadTimeoutError: "it is too slow: look at the store and at the network",
}


class Absent(Exception):
    """There is no object under the key."""


class Taken(Exception):
    """There is one already, or one is just being put."""


_OF_THE_KEY: Final = {
    "NoSuchKey": Absent,
    "404": Absent,
    "PreconditionFailed": Taken,
    "412": Taken,
    "ConditionalRequestConflict": Taken,
}


def connect(data: Data) -> "S3Client":
    """Credentials come from boto3's own chain: environment, profile, role. Nothing is sent yet.

    Raises :class:`Unavailable` where the profile or the address cannot be used.
    """
    config = Config(
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        retries={"total_max_attempts": 2, "mode": "standard"},
        max_pool_connections=32,
        signature_version="s3v4",
        s3={"addressing_style": "path" if data.s3_path_style else "auto"},
        # Without these the signature covers the body's SHA-256, which every store understands.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    try:
        return Session().client("s3", region_name=data.s3_region, endpoint_url=data.s3_endpoint_url, config=config)
    except (BotoCoreError, ValueError) as error:
        raise Unavailable(f"The object storage cannot be set up: {error}") from error


class Asking:
    """Around every call. After one that got no answer, others are refused for a while; then one may try again."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._why = ""
        self._until = 0.0
        # Whether the last call was done as it was asked.
        self.is_well = True

    @contextmanager
    def __call__(self) -> Iterator[None]:
        """Raises :class:`Absent` and :class:`Taken` of the key, and :class:`StorageDown` for all else."""
        self._enter()
        try:
            yield
        except ClientError as error:
            raise self._answered(error) from error
        except BotoCoreError as error:
            raise self._fail(_SAID.get(type(error), f"it failed with {type(error).__name__}")) from error
        self._why, self.is_well = "", True

    def _enter(self) -> None:
        with self._lock:
            if self._why and self._clock() < self._until:
                raise StorageDown(self._why)
            # Whoever comes while this one tries is refused too.
            self._until = self._clock() + PAUSE

    def _answered(self, error: ClientError) -> Exception:
        code, status = error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]
        if status >= 500 or status == 429:
            return self._fail(f"it answers {status} {code}: look at the store")
        self._why, self.is_well = "", code in _OF_THE_KEY
        if self.is_well:
            return _OF_THE_KEY[code]()
        return _told(_TO_DO.get(code, f"it answers {status} {code}"))

    def _fail(self, why: str) -> StorageDown:
        with self._lock:
            self._why, self._until, self.is_well = why, self._clock() + PAUSE, False
        return _told(why)


def _told(why: str) -> StorageDown:
    storage_failed("bucket")
    _log.warning("object storage down", why=why)
    return StorageDown(why)
