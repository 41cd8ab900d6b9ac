"""Settings come from COUNTERFOIL_* variables, are checked at start, and are explained without their values."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from infra.settings import GROUPS, Data, Log, Pdf, Server, explain

KEY = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="


def refused(group: type[Data | Server | Pdf | Log], monkeypatch: pytest.MonkeyPatch, **values: str) -> str:
    for name, value in values.items():
        monkeypatch.setenv(f"COUNTERFOIL_{name.upper()}", value)
    with pytest.raises(ValidationError) as error:
        group()
    return explain(error.value)


def test_without_any_setting_there_is_a_service_on_this_machine() -> None:
    assert Server().address() == "http://127.0.0.1:8000"
    assert Data().where_database() == f"sqlite:///{Path('var').resolve()}/counterfoil.db"
    assert Data().where_objects() == (Path("var").resolve() / "objects").as_uri()


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("COUNTERFOIL_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("COUNTERFOIL_BASE_URL", "https://receipts.example.com/")
    monkeypatch.setenv("COUNTERFOIL_PDF_PROCESSES", "3")
    monkeypatch.setenv("COUNTERFOIL_LOG_FORMAT", "text")
    assert Data().where_database() == f"sqlite:///{tmp_path}/counterfoil.db"
    assert Server().address() == "https://receipts.example.com"
    assert Pdf().pdf_processes == 3
    assert Log().log_format == "text"


@pytest.mark.parametrize("url", ["s3://receipts", "s3://receipts/", "s3://my.receipts-1/shop/one"])
def test_objects_may_lie_in_a_bucket(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("COUNTERFOIL_STORAGE_URL", url)
    assert Data().where_objects() == url


@pytest.mark.parametrize("scheme", ["postgresql", "postgresql+psycopg"])
def test_postgresql_is_spoken_through_psycopg(monkeypatch: pytest.MonkeyPatch, scheme: str) -> None:
    monkeypatch.setenv("COUNTERFOIL_DATABASE_URL", f"{scheme}://till:secret@db.example/receipts")
    assert Data().where_database() == "postgresql+psycopg://till:secret@db.example/receipts"


@pytest.mark.parametrize(
    "host, address",
    [("0.0.0.0", "http://127.0.0.1:80"), ("::", "http://127.0.0.1:80"), ("::1", "http://[::1]:80")],  # noqa: S104
)
def test_a_link_leads_to_an_address_that_can_be_opened(host: str, address: str) -> None:
    assert Server(host=host, port=80).address() == address


@pytest.mark.parametrize(
    "group, values, said",
    [
        (Data, {"database_url": "mysql://db/receipts"}, "COUNTERFOIL_DATABASE_URL: must start with sqlite:///"),
        (Data, {"database_url": "postgresql://db:port/x"}, "COUNTERFOIL_DATABASE_URL: cannot be read; postgresql://"),
        (Data, {"database_url": "postgresql://db:99999/x"}, "COUNTERFOIL_DATABASE_URL: cannot be read; postgresql://"),
        (Data, {"database_url": "postgresql://db:/x"}, "COUNTERFOIL_DATABASE_URL: cannot be read; postgresql://"),
        (Data, {"storage_url": "/srv/objects"}, "COUNTERFOIL_STORAGE_URL: must be file:///"),
        (Data, {"storage_url": "s3://"}, "COUNTERFOIL_STORAGE_URL: must be file:///"),
        (Data, {"storage_url": "s3://key:secret@bucket"}, "COUNTERFOIL_STORAGE_URL: must be file:///"),
        (Data, {"storage_url": "s3://bucket/../other"}, "COUNTERFOIL_STORAGE_URL: must be file:///"),
        (Data, {"s3_endpoint_url": "http://key:secret@store"}, "COUNTERFOIL_S3_ENDPOINT_URL: must be http(s)://host"),
        (Data, {"s3_endpoint_url": "store:9000"}, "COUNTERFOIL_S3_ENDPOINT_URL: must be http(s)://host"),
        (Data, {"s3_link_seconds": "86400"}, "COUNTERFOIL_S3_LINK_SECONDS: "),
        (Data, {"secret_key": "short"}, "COUNTERFOIL_SECRET_KEY: must be 32 bytes in URL-safe base64"),
        (Server, {"base_url": "receipts.example.com"}, "COUNTERFOIL_BASE_URL: must be http(s)://host"),
        (Server, {"base_url": "https://receipts.example.com:port"}, "COUNTERFOIL_BASE_URL: must be http(s)://host"),
        (Server, {"base_url": "https://receipts.example.com/?a=b"}, "COUNTERFOIL_BASE_URL: must be http(s)://host"),
        (Server, {"port": "80a"}, "COUNTERFOIL_PORT: "),
        (Server, {"port": "65536"}, "COUNTERFOIL_PORT: "),
        (Server, {"workers": "0"}, "COUNTERFOIL_WORKERS: "),
        (Pdf, {"pdf_seconds": "0"}, "COUNTERFOIL_PDF_SECONDS: "),
        (Log, {"log_level": "loud"}, "COUNTERFOIL_LOG_LEVEL: Input should be 'debug', 'info', 'warning' or 'error'"),
    ],
)
def test_a_setting_that_cannot_be_is_explained(
    monkeypatch: pytest.MonkeyPatch, group: type[Data], values: dict[str, str], said: str
) -> None:
    assert refused(group, monkeypatch, **values).startswith(said)


def test_an_explanation_tells_no_value(monkeypatch: pytest.MonkeyPatch) -> None:
    said = refused(
        Data, monkeypatch, database_url="mysql://till:hunter2@db", secret_key="hunter2", storage_url="hunter2"
    )
    assert len(said.splitlines()) == 3
    assert "hunter2" not in said


def test_the_secret_key_is_not_shown_with_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COUNTERFOIL_SECRET_KEY", KEY)
    assert Data().secret_key is not None
    assert KEY not in repr(Data())


def test_every_setting_is_described() -> None:
    fields = {name: field for group in GROUPS for name, field in group.model_fields.items()}
    assert [name for name, field in fields.items() if not field.description] == []


def test_what_is_empty_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """As files of variables leave what they do not fill in."""
    for name in ("DATABASE_URL", "STORAGE_URL", "SECRET_KEY", "S3_REGION"):
        monkeypatch.setenv(f"COUNTERFOIL_{name}", "")
    data = Data()
    assert (data.database_url, data.storage_url, data.secret_key, data.s3_region) == (None, None, None, None)
