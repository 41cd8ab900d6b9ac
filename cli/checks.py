"""Checks of this machine: settings, address, files, fonts, PDF, storage, mail."""

import os
import resource
import stat
from contextlib import suppress
from pathlib import Path
from shutil import copytree, disk_usage
from tempfile import TemporaryDirectory
from typing import Final
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import urlopen

from sqlalchemy import make_url

from api.from_here import is_here
from cli.verdict import Verdict, doubtful, ill, well
from infra import fonts, lettering, secrets, static
from infra.mail import open_mailer
from infra.pdf import PdfPool
from infra.settings import Settings, misspelt
from infra.storage import is_made, open_storage
from infra.tracing import is_wanted, require_installed
from kernel.errors import Problem, in_words

_FEW_FILES: Final = 4096
_LITTLE: Final = 200_000_000  # bytes; below it a busy day may fill the disk
_SLIP: Final = '<html lang="en"><head><title>doctor</title></head><body>0</body></html>'


def names(_settings: Settings) -> Verdict:
    unread = misspelt(os.environ)
    if unread:
        return ill(f"nobody reads {', '.join(unread)}", "see docs/settings.md for the names")
    return well("every name is known")


def address(settings: Settings) -> Verdict:
    url = settings.server.address()
    parts = urlsplit(url)
    if is_here(parts.hostname or ""):
        return doubtful(f"{url} opens on this machine alone", "set COUNTERFOIL_BASE_URL to what shoppers reach")
    if parts.scheme != "https":
        return ill(f"{url} is not https, so receipts cross the net in the clear", "let a proxy speak TLS")
    try:
        with urlopen(f"{url}/healthz", timeout=5) as answer:  # noqa: S310 - checked to be https
            answer.read()
    except HTTPError as error:
        return ill(f"{url}/healthz answers {error.code}", "look at the proxy: does it lead to this service?")
    except (URLError, OSError) as error:
        reason = getattr(error, "reason", error)
        return doubtful(f"{url} is not reached from here ({reason})", "start the service; look at DNS and the proxy")
    return well(f"{url} answers")


def visitors(settings: Settings) -> Verdict:
    """The server speaks no TLS itself: before an https address stands a proxy."""
    trusted = settings.server.trusted_proxies
    if trusted == 0 and settings.server.address().startswith("https://"):
        says = "all seem to come from the proxy; its 21st contact of a card in a day, or 501st view, is refused"
        return doubtful(says, "set COUNTERFOIL_TRUSTED_PROXIES to the number of proxies, 1 for a single nginx")
    return well(f"their addresses are told by {trusted} of the proxies" if trusted else "are known by their addresses")


def open_files(settings: Settings) -> Verdict:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < _FEW_FILES:
        do = f"raise it to {_FEW_FILES} or more: LimitNOFILE of systemd, ulimits of a container"
        return doubtful(f"a process may hold {soft} files and sockets, a client being one each", do)
    return well(f"a process may hold {'any number' if soft == resource.RLIM_INFINITY else soft}")


def disk(settings: Settings) -> Verdict:
    folders = {"data": settings.data.data_dir.resolve()}
    url = make_url(settings.data.where_database())
    if url.get_backend_name() == "sqlite" and url.database:
        folders["database"] = Path(url.database).parent
    told = []
    for what, folder in folders.items():
        there = next(each for each in (folder, *folder.parents) if each.exists())
        if not os.access(there, os.W_OK):
            return ill(f"the folder of the {what}, {folder}, cannot be written", f"give {there} to the service's user")
        free = disk_usage(there).free
        if free < _LITTLE:
            return ill(f"{folder} has {free // 1_000_000} MB left", "make room: a full disk refuses every sale")
        told.append(f"{folder} has {free / 1e9:.1f} GB")
    return well("; ".join(dict.fromkeys(told)))


def secret_key(settings: Settings) -> Verdict:
    key = secrets.known_key(settings.data)
    if key is None:
        return well("none yet; the first start makes one")
    sealer = secrets.box(settings.data)
    secrets.unseal(sealer, secrets.seal(sealer, "doctor"))
    path = settings.data.data_dir / "secret.key"
    if settings.data.secret_key is None and path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        return ill(f"{path} can be read by others", f"chmod 600 {path}")
    return well("opens what it seals, and its owner alone reads it")


def storage(settings: Settings) -> Verdict:
    if not is_made(settings.data):
        return well("none yet; the first start makes it")
    return well(open_storage(settings.data).check())


def pdf(settings: Settings) -> Verdict:
    wanted = settings.pdf
    with TemporaryDirectory() as folder:
        # What is missing is cut here, and not left behind: the service could not replace files of another user's.
        fonts_here = Path(folder) / "fonts"
        with suppress(FileNotFoundError):
            copytree(settings.data.data_dir / "fonts", fonts_here)
        with PdfPool(fonts=fonts_here, static=static.FOLDER, seconds=60, memory_mb=wanted.pdf_memory_mb) as pool:
            made = pool.render(_SLIP, page="roll")
    return well(f"renders ({len(made)} bytes), {wanted.pdf_processes} at a time")


def installed_fonts(_settings: Settings) -> Verdict:
    absent = fonts.absent()
    if absent:
        packages = " ".join(sorted(set(absent.values())))
        return ill(f"none for {', '.join(sorted(absent))}", f"on Debian: apt-get install {packages}")
    if not lettering.has_shaping():
        lacking = "Pillow finds no FriBiDi, so pictures of cards leave out Arabic and Devanagari"
        return ill(lacking, "on Debian: apt-get install libfribidi0")
    return well("Latin, Greek, Cyrillic, Arabic and Devanagari")


def mail(settings: Settings) -> Verdict:
    mailer = open_mailer(settings.mail)
    if mailer is None:
        return doubtful("no way is set, so no receipt is sent", "set COUNTERFOIL_SMTP_URL and COUNTERFOIL_MAIL_FROM")
    try:
        lacking = mailer.check()
    finally:
        mailer.close()
    return well("messages could be sent") if lacking is None else ill(lacking, "messages wait, and are tried again")


def metrics(settings: Settings) -> Verdict:
    if settings.watch.metrics_token is not None:
        return well("told to who sends COUNTERFOIL_METRICS_TOKEN")
    if is_here(urlsplit(settings.server.address()).hostname or ""):
        return well("told to this machine")
    return doubtful("nobody may read them", "set COUNTERFOIL_METRICS_TOKEN, and let Prometheus send it")


def traces(settings: Settings) -> Verdict:
    try:
        require_installed(settings.watch)
    except Problem as problem:
        return ill("; ".join(in_words(problem)), "pip install 'counterfoil[otel]'")
    return well("are sent" if is_wanted(settings.watch) else "none are wanted")
