"""``counterfoil demo``: the demo shops, filled and served by one command."""

import asyncio
import socket
import sys
from contextlib import closing
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
import uvicorn
from sqlalchemy import Connection

from accounts import keys
from api.app import create_app
from cli import demo_campaigns, demo_cards, demo_products, demo_receipts, demo_shops, demo_surveys, demo_voice
from engagement.rewards.keys import RewardKeys
from infra import database, logs, schema, secrets
from infra.jobs import Jobs
from infra.settings import Data, Log, Mail, Server, Settings
from infra.storage import open_storage
from kernel.clock import utc_now
from notify.asking import Post
from pos.gifts import Giver
from worker.work import working

_KEY_NAME = "demo"
_MAIL_FROM = "receipts@counterfoil.example"


def demo(
    data: Annotated[Path, typer.Option(help="Folder for the demo's database and files.")] = Path("var/demo"),
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on; 0 takes a free one.")] = 8000,
) -> None:
    """Fill a folder with demo shops, serve them, and print where to look.

    Emails are not sent: they are kept in the folder and shown at /mailbox, to everybody who reaches the demo. Where a
    mail server is set up (COUNTERFOIL_SMTP_URL), they are sent.

    Starting it again keeps what is there. Example: counterfoil demo --data /tmp/shop --port 8080
    """
    listening = _listen(host, port)
    settings = _settings(data, host, listening.getsockname()[1])
    logs.configure(settings.log)
    url = settings.data.where_database()
    schema.bring_up_to_date(url)
    lines = _fill(settings, utc_now())
    app = create_app(settings, warm_pdf=True, beside=partial(working, settings))
    server = _Announcing(uvicorn.Config(app, access_log=False, log_config=None), lines)
    asyncio.run(server.serve([listening]))


class _Announcing(uvicorn.Server):
    """Prints where to look once requests are answered, not before."""

    def __init__(self, config: uvicorn.Config, lines: list[str]) -> None:
        super().__init__(config)
        self._lines = lines

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        typer.echo("\n".join(self._lines))


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        sys.exit(
            f"Cannot listen on {host}:{port}: {error.strerror}. Choose another with --port, or --port 0 for a free one."
        )
    return listening


def _settings(data: Path, host: str, port: int) -> Settings:
    # A database or storage that is set belongs to a real service: invented shops must not get into it.
    own = Data(data_dir=data, database_url=None, storage_url=None)
    log = Log(log_format="text", log_level="warning")
    return Settings(own, Server(host=host, port=port), log, mail=_mail(data), is_demo=True)


def _mail(data: Path) -> Mail:
    mail = Mail()
    if mail.channels():
        return mail
    return Mail(mail_outbox=data / "outbox", mail_from=mail.mail_from or _MAIL_FROM)


def _fill(settings: Settings, now: datetime) -> list[str]:
    url = settings.data.where_database()
    engine = database.connect(url)
    with closing(Jobs(url)) as jobs, engine.begin() as conn:
        storage = open_storage(settings.data)
        merchants = demo_shops.put_all(conn, storage, now=now)
        cards = demo_cards.put_all(conn, storage, merchants, now=now)
        demo_products.put_all(conn, storage, merchants, now=now)
        # Its people are invented: through a real mail server they are not written to.
        post = Post(jobs, settings.mail.channels()) if settings.mail.mail_outbox else None
        sealer = secrets.box(settings.data)
        demo_surveys.put_all(conn, merchants, now=now)
        demo_campaigns.put_all(conn, merchants, sealer, now=now)
        demo_products.show_an_ally(conn, storage, merchants, now=now)
        giver = Giver(RewardKeys.of(settings.data, sealer))
        receipts = demo_receipts.put_all(conn, merchants, now=now, post=post, giver=giver)
        said = demo_voice.put_all(conn, merchants, now=now)
        merchant_id = merchants[demo_shops.MAIN]
        told = new_key(conn, merchant_id, now=now)
    demo_products.learn(engine, settings.data, merchants)
    engine.dispose()
    address = settings.server.address()
    shown = [f"receipt: {address}/r/{token}" + (f"  ({what})" if what else "") for what, token in receipts.items()]
    shown += [f"card: {address}/c/{token}  ({name})" for name, token in cards.items()]
    shown += [f"{what}: {address}{path}" for what, path in said.items()]
    mailbox = [f"mailbox: {address}/mailbox"] if settings.mail.mail_outbox else []
    return [*shown, *mailbox, f"docs: {address}/docs", *told]


def new_key(conn: Connection, merchant_id: str, *, now: datetime) -> list[str]:
    """What is told of the demo's key. Only its hash is kept, so each start makes another in place of the last."""
    before = [each for each in keys.list_keys(conn, merchant_id) if each.name == _KEY_NAME and not each.revoked_at]
    for old in before:
        keys.revoke(conn, merchant_id, old.id, now=now)
    key, _ = keys.create(conn, merchant_id, name=_KEY_NAME, scopes=list(keys.SCOPES), now=now)
    note = ["note: each start has a new key; the one of the start before is revoked"] if before else []
    return [*note, f"api key: {key}"]
