"""A worker: opened, run, closed."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Final

from infra import metrics, secrets
from infra.database import connect
from infra.jobs import Jobs
from infra.mail import Mailer, open_mailer
from infra.pdf import open_pool
from infra.runner import Runner
from infra.settings import Settings
from infra.storage import open_storage
from infra.tracing import tracing
from kernel.clock import Clock, utc_now
from notify import figures, stopping
from worker.kinds import kinds, schedules
from worker.workshop import Workshop

# Letters that are made and sent at the same time, where no setting says. Threads that make letters take the interpreter
# from those that take sales, in the one process of a server.
AT_ONCE: Final = 4
_AT_ONCE_BESIDE_SALES: Final = 1
# And there it rests after each letter, for so many times as long as that kept the processor.
_REST_BESIDE_SALES: Final = 2.0


@contextmanager
def working(settings: Settings, *, beside_sales: bool = False, clock: Clock = utc_now) -> Iterator[Workshop]:
    """Jobs are done in threads of this process until the block ends; what is under way is finished first.

    ``beside_sales``: the process takes sales too, and these come first.
    """
    with ExitStack() as opened:
        shop = _open(opened, settings, clock, beside_sales)
        runner = Runner(settings.data.where_database(), shop.jobs, kinds(shop), schedules(shop), metrics.jobs_done)
        runner.start()
        opened.callback(runner.stop)
        opened.callback(shop.ended.set)
        yield shop


def _open(opened: ExitStack, settings: Settings, clock: Clock, beside_sales: bool) -> Workshop:
    at_once = settings.work.mail_at_once or (_AT_ONCE_BESIDE_SALES if beside_sales else AT_ONCE)
    rest = _REST_BESIDE_SALES if beside_sales else 0
    mailer = open_mailer(settings.mail, at_once=at_once)
    if mailer is not None:
        opened.callback(mailer.close)
    shop = furnished(opened, settings, mailer=mailer, mail_at_once=at_once, mail_rest=rest, clock=clock)
    metrics.watch_pool(shop.engine)
    opened.enter_context(tracing(settings.watch, shop.engine))
    figures.register()
    return shop


def furnished(
    opened: ExitStack,
    settings: Settings,
    *,
    mailer: Mailer | None,
    mail_at_once: int = AT_ONCE,
    mail_rest: float = 0,
    clock: Clock,
) -> Workshop:
    """What the settings say, with a clock and a mailer of the caller's. It is closed with ``opened``."""
    url = settings.data.where_database()
    engine = connect(url)
    opened.callback(engine.dispose)
    jobs = Jobs(url)
    opened.callback(jobs.close)
    return Workshop(
        settings=settings,
        engine=engine,
        jobs=jobs,
        storage=open_storage(settings.data),
        sealer=secrets.box(settings.data),
        stop_key=secrets.derived(settings.data, stopping.PURPOSE),
        pdf=opened.enter_context(open_pool(settings)),
        mailer=mailer,
        mail_at_once=mail_at_once,
        mail_rest=mail_rest,
        clock=clock,
    )
