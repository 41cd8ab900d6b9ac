"""``counterfoil doctor``: what is set up, what is not, and what to do about it."""

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass

import typer

from infra import database, fonts, secrets, static
from infra.pdf import PdfPool
from infra.settings import Settings, misspelt
from infra.storage import open_storage
from pos import endpoints


@dataclass(frozen=True, slots=True)
class Finding:
    what: str
    is_well: bool
    says: str


def doctor() -> None:
    """Check the database, the object storage, the secret key, the PDF engine and the fonts.

    Exits with 1 where something must be done.

    Example: counterfoil doctor
    """
    settings = Settings()
    findings = [_checked(what, check, settings) for what, check in _CHECKS.items()]
    for finding in findings:
        typer.echo(f"{'ok  ' if finding.is_well else 'FAIL'}  {finding.what}: {finding.says}")
    sys.exit(0 if all(finding.is_well for finding in findings) else 1)


def _checked(what: str, check: Callable[[Settings], str], settings: Settings) -> Finding:
    try:
        return Finding(what, True, check(settings))
    except Exception as error:
        return Finding(what, False, str(error).partition("\n")[0] or type(error).__name__)


def _database(settings: Settings) -> str:
    url = settings.data.where_database()
    engine = database.connect(url)
    try:
        if not database.is_current(engine):
            raise RuntimeError("the tables are not up to date; run: counterfoil migrate")
        return f"{engine.dialect.name}, up to date"
    finally:
        engine.dispose()


def _storage(settings: Settings) -> str:
    return open_storage(settings.data).check()


def _names(_settings: Settings) -> str:
    unread = misspelt(os.environ)
    if unread:
        raise RuntimeError(f"nobody reads {', '.join(unread)}; see docs/settings.md for the names")
    return "every name is known"


def _secret_key(settings: Settings) -> str:
    sealer = secrets.box(settings.data)
    secrets.unseal(sealer, secrets.seal(sealer, "doctor"))
    return "opens what it seals"


def _webhooks(settings: Settings) -> str:
    engine = database.connect(settings.data.where_database())
    try:
        with database.reading(engine) as conn:
            shut = endpoints.unopened(conn, secrets.box(settings.data))
    finally:
        engine.dispose()
    if shut:
        says = "was not sealed with this COUNTERFOIL_SECRET_KEY (or secret.key); put the right one back, or rotate it"
        raise RuntimeError(f"the secret of {', '.join(shut)} {says}")
    return "the secret of each address can be read"


def _pdf(settings: Settings) -> str:
    with PdfPool(fonts=settings.data.data_dir / "fonts", static=static.FOLDER) as pool:
        lacking = pool.available()
    if lacking is not None:
        raise RuntimeError(lacking)
    return "renders"


def _fonts(settings: Settings) -> str:
    absent = fonts.absent()
    if absent:
        packages = " ".join(sorted(set(absent.values())))
        raise RuntimeError(f"none for {', '.join(sorted(absent))}; on Debian: apt-get install {packages}")
    return "Latin, Greek, Cyrillic, Arabic and Devanagari"


_CHECKS: dict[str, Callable[[Settings], str]] = {
    "settings": _names,
    "database": _database,
    "storage": _storage,
    "secret key": _secret_key,
    "webhooks": _webhooks,
    "pdf": _pdf,
    "fonts": _fonts,
}
