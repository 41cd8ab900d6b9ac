"""Settings in small groups, each read from ``COUNTERFOIL_*`` variables and checked at start."""

import base64
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Final, Literal, Self
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from infra.mail_address import is_address
from infra.smtp_url import read_smtp_url

# To listen on all interfaces is the operator's choice; a link needs one that can be opened.
_EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104
ROOT = Path(__file__).resolve().parent.parent
_KEY_BYTES: Final = 32
_OF_TESTS: Final = "COUNTERFOIL_TEST_"
_PORTS: Final = range(1, 65536)
_A_BUCKET: Final = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[A-Za-z0-9][A-Za-z0-9._-]*)*/?")
_OF_APPLE: Final = (
    "apple_pass_certificate",
    "apple_pass_key",
    "apple_wwdr_certificate",
    "apple_team_id",
    "apple_pass_type",
)
_OF_GOOGLE: Final = ("google_wallet_key", "google_wallet_issuer")
_AN_URL: Final = re.compile(r"https?://[^\s/]+(/\S*)?")


def _database_url(url: str) -> str:
    if not url.startswith(("sqlite:///", "postgresql+psycopg://", "postgresql://")):
        raise ValueError("must start with sqlite:/// or postgresql+psycopg://")
    try:
        is_readable = (port := make_url(url).port) is None or port in _PORTS
    except (ArgumentError, ValueError):
        is_readable = False
    if not is_readable:
        raise ValueError("cannot be read; postgresql://user:password@host:5432/name would be one")
    return url.replace("postgresql://", "postgresql+psycopg://", 1)


def _storage_url(url: str) -> str:
    if not url.startswith("file:///") and not _A_BUCKET.fullmatch(url):
        raise ValueError("must be file:///… with an absolute folder, or s3://bucket/prefix without credentials")
    return url


def _endpoint_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not _has_host(parts) or "@" in parts.netloc:
        raise ValueError("must be http(s)://host[:port] without credentials")
    return url


def _base_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not _has_host(parts) or parts.path.strip("/") or parts.query:
        raise ValueError("must be http(s)://host[:port]; pages need a host name of their own, without a path")
    return f"{parts.scheme}://{parts.netloc}"


def _has_host(parts: SplitResult) -> bool:
    try:
        return bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _secret_key(key: SecretStr) -> SecretStr:
    try:
        is_right = len(base64.urlsafe_b64decode(key.get_secret_value())) == _KEY_BYTES
    except ValueError:
        is_right = False
    if not is_right:
        raise ValueError(f"must be {_KEY_BYTES} bytes in URL-safe base64")
    return key


def _smtp_url(url: SecretStr) -> SecretStr:
    read_smtp_url(url.get_secret_value())
    return url


def _address(address: str) -> str:
    if not is_address(address):
        raise ValueError("must be a bare address such as receipts@example.com")
    return address


def _http_url(url: str) -> str:
    if not _AN_URL.fullmatch(url):
        raise ValueError("must be http(s)://host[:port][/path]")
    return url


class _Group(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="COUNTERFOIL_", env_ignore_empty=True, extra="ignore", frozen=True)


class Data(_Group):
    """Where things are kept. What is not given lies in ``data_dir``."""

    data_dir: Path = Field(
        Path("var"), description="Folder of the embedded database, objects, fonts and the secret key."
    )
    database_url: Annotated[str, AfterValidator(_database_url)] | None = Field(
        None, description="SQLAlchemy URL. Default: sqlite:///<data_dir>/counterfoil.db"
    )
    storage_url: Annotated[str, AfterValidator(_storage_url)] | None = Field(
        None, description="Object storage, file:///folder or s3://bucket/prefix. Default: <data_dir>/objects"
    )
    s3_endpoint_url: Annotated[str, AfterValidator(_endpoint_url)] | None = Field(
        None, description="Address of an S3-compatible store. Default: that of AWS"
    )
    s3_region: str | None = Field(None, description="Region of the bucket. Default: AWS_REGION, or the profile's")
    s3_path_style: bool = Field(False, description="Put the bucket's name into the path, as many stores need it.")
    s3_link_seconds: int = Field(
        0, ge=0, le=3600, description="PDFs are read from the bucket, by links that live so long. 0: from the server."
    )
    secret_key: Annotated[SecretStr, AfterValidator(_secret_key)] | None = Field(
        None,
        description="32 bytes in URL-safe base64, for webhook secrets, signing keys and links that stop emails."
        " Default: made in <data_dir>/secret.key",
    )

    def where_database(self) -> str:
        return self.database_url or f"sqlite:///{self.data_dir.resolve() / 'counterfoil.db'}"

    def where_objects(self) -> str:
        return self.storage_url or (self.data_dir.resolve() / "objects").as_uri()


class Server(_Group):
    """How the service is reached."""

    base_url: Annotated[str, AfterValidator(_base_url)] | None = Field(
        None, description="Public address; every link and QR code starts with it. Default: http://<host>:<port>"
    )
    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8000, ge=0, le=65535, description="Port to listen on.")
    workers: int = Field(1, ge=1, le=64, description="Server processes. More than one needs PostgreSQL.")
    trusted_proxies: int = Field(
        0,
        ge=0,
        le=9,
        description="Proxies before the server that each add to X-Forwarded-For; visitors are told apart by it.",
    )

    def address(self) -> str:
        """Where a browser of this machine finds the service, unless a public address is set."""
        host = "127.0.0.1" if self.host in _EVERYWHERE else f"[{self.host}]" if ":" in self.host else self.host
        return self.base_url or f"http://{host}:{self.port}"


class Pdf(_Group):
    """The PDF engine."""

    pdf_processes: int = Field(1, ge=1, le=16, description="Child processes that render PDF.")
    pdf_seconds: int = Field(20, ge=1, le=300, description="A render that takes longer is stopped.")
    pdf_memory_mb: int = Field(
        512, ge=128, le=16_384, description="A render that needs more megabytes of memory is stopped."
    )


class Mail(_Group):
    """How messages leave: through a mail server, through Amazon SES, or into a folder."""

    smtp_url: Annotated[SecretStr, AfterValidator(_smtp_url)] | None = Field(
        None, description="Mail server: smtp://user:password@host:587 (STARTTLS) or smtps://host:465."
    )
    smtp_timeout: float = Field(20, gt=0, le=300, description="Seconds that the mail server may take for one answer.")
    ses_region: str | None = Field(
        None, pattern=r"^[a-z0-9-]{1,40}$", description="Amazon SES, in this region, instead of a mail server."
    )
    ses_endpoint_url: Annotated[str, AfterValidator(_http_url)] | None = Field(
        None, description="Another address of SES and SQS, such as a VPC endpoint."
    )
    ses_configuration_set: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9_-]{1,64}$",
        description="SES configuration set of the messages; its events tell of bounces.",
    )
    ses_events_queue_url: Annotated[str, AfterValidator(_http_url)] | None = Field(
        None, description="SQS queue that the events of SES are taken from."
    )
    mail_from: Annotated[str, AfterValidator(_address)] | None = Field(
        None, description="Address that messages come from. Must be set where mail is; its name is the brand's."
    )
    mail_bounces: Annotated[str, AfterValidator(_address)] | None = Field(
        None, description="Address that bounces go to, as local+TOKEN@domain. Default: the address messages come from"
    )
    mail_outbox: Path | None = Field(None, description="Folder in which messages are kept instead of being sent.")

    @model_validator(mode="after")
    def _is_one_whole_way(self) -> Self:
        ways = {"SMTP_URL": self.smtp_url, "SES_REGION": self.ses_region, "MAIL_OUTBOX": self.mail_outbox}
        chosen = [f"COUNTERFOIL_{name}" for name, value in ways.items() if value is not None]
        if len(chosen) > 1:
            raise ValueError(f"{' and '.join(chosen)}: set one of them, messages leave in one way")
        if chosen and not self.mail_from:
            raise ValueError(f"COUNTERFOIL_MAIL_FROM: must be set with {chosen[0]}")
        if not self.ses_region and (self.ses_endpoint_url or self.ses_configuration_set or self.ses_events_queue_url):
            raise ValueError("COUNTERFOIL_SES_REGION: must be set with the other settings of SES")
        return self

    def channels(self) -> frozenset[str]:
        """In which ways messages can leave."""
        return frozenset({"email"} if self.smtp_url or self.ses_region or self.mail_outbox else ())


class Wallet(_Group):
    """Passes of Apple Wallet and Google Wallet. Without, cards have no such buttons."""

    apple_pass_certificate: Path | None = Field(
        None, description="File of the certificate that signs passes of Apple Wallet, PEM."
    )
    apple_pass_key: Path | None = Field(None, description="File of its key, PEM.")
    apple_pass_key_password: SecretStr | None = Field(None, description="What opens the key, where it is sealed.")
    apple_wwdr_certificate: Path | None = Field(
        None, description="File of the certificate of Apple's WWDR (G4) that issued it, PEM or DER."
    )
    apple_team_id: str | None = Field(
        None, pattern=r"^[A-Z0-9]{10}$", description="Team of the certificate at Apple: ten letters and digits."
    )
    apple_pass_type: str | None = Field(
        None, pattern=r"^pass\.[A-Za-z0-9.-]{1,150}$", description="Pass type identifier, as in the certificate."
    )
    apple_push_url: Annotated[str, AfterValidator(_endpoint_url)] = Field(
        "https://api.push.apple.com", description="Apple's push service, which tells phones that a pass has changed."
    )
    google_wallet_key: Path | None = Field(
        None, description="JSON file of the service account that may write to Google Wallet."
    )
    google_wallet_issuer: str | None = Field(
        None, pattern=r"^[0-9]{1,20}$", description="Issuer id of the merchant's account at Google Wallet."
    )
    google_wallet_url: Annotated[str, AfterValidator(_http_url)] = Field(
        "https://walletobjects.googleapis.com/walletobjects/v1", description="Google Wallet's REST API."
    )

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        for needed in (_OF_APPLE, _OF_GOOGLE):
            lacking = self.lacking(needed)
            if lacking and len(lacking) < len(needed):
                raise ValueError(f"{', '.join(lacking)}: must be set with the others of that wallet")
        return self

    def lacking(self, names: tuple[str, ...]) -> list[str]:
        return [f"COUNTERFOIL_{name}".upper() for name in names if getattr(self, name) is None]

    @property
    def lacking_for_apple(self) -> list[str]:
        return self.lacking(_OF_APPLE)

    @property
    def lacking_for_google(self) -> list[str]:
        return self.lacking(_OF_GOOGLE)


class Work(_Group):
    """The jobs that are done behind the scenes."""

    worker: bool = Field(True, description="Whether a server does jobs by itself. Without, run `counterfoil worker`.")
    mail_at_once: int | None = Field(
        None,
        ge=1,
        le=64,
        description="Messages that are sent at the same time. Default: 4 by a worker, 1 by a server.",
    )


class Watch(_Group):
    """What the service tells of itself to those who watch it."""

    metrics_token: SecretStr | None = Field(
        None, min_length=16, description="Who sends it as a bearer token may read /metrics."
    )
    metrics_port: int | None = Field(
        None, ge=1, le=65535, description="Port on which `counterfoil worker` answers /metrics."
    )
    otel_endpoint: str | None = Field(
        None,
        pattern=r"^https?://[^\s/]+(/\S*)?$",
        description="OTLP/HTTP collector that traces go to, such as http://127.0.0.1:4318. Needs counterfoil[otel].",
    )


class Log(_Group):
    """What is written to standard error."""

    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least level that is written.")
    log_format: Literal["json", "text"] = Field("json", description="json for machines, text for eyes.")


class Commands(_Group):
    """What commands would ask for."""

    hook_secret: SecretStr | None = Field(
        None, description="The secret for `counterfoil hooks create` and `rotate`. Without it they ask."
    )


class Settings:
    """All groups together; built once at start and handed down."""

    def __init__(
        self,
        data: Data | None = None,
        server: Server | None = None,
        log: Log | None = None,
        *,
        mail: Mail | None = None,
        wallet: Wallet | None = None,
        is_demo: bool = False,
    ) -> None:
        self.data = data or Data()
        self.server = server or Server()
        self.pdf = Pdf()
        self.mail = mail or Mail()
        self.wallet = wallet or Wallet()
        self.work = Work()
        self.watch = Watch()
        self.log = log or Log()
        # Whether the shops are invented, so that anybody may read what they send.
        self.is_demo = is_demo


GROUPS: tuple[type[_Group], ...] = (Data, Server, Pdf, Mail, Wallet, Work, Watch, Log, Commands)


def misspelt(names: Iterable[str]) -> list[str]:
    """The ``COUNTERFOIL_*`` among ``names`` that no group reads: nobody would notice that they do nothing."""
    known = {f"COUNTERFOIL_{name}".upper() for group in GROUPS for name in group.model_fields}
    ours = (name for name in names if name.startswith("COUNTERFOIL_") and not name.startswith(_OF_TESTS))
    return sorted(name for name in ours if name not in known)


def explain(error: ValidationError) -> str:
    """A start-up error as lines that name the variable and what is wrong, without the value."""
    lines = []
    for found in error.errors(include_input=False, include_url=False):
        name = "COUNTERFOIL_" + "_".join(str(part) for part in found["loc"]).upper() + ": "
        # What is wrong with several together has no place, and names them itself.
        lines.append((name if found["loc"] else "") + found["msg"].removeprefix("Value error, "))
    return "\n".join(lines)
