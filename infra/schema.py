"""All tables of a database: ours, and those of the jobs."""

from infra import jobs
from infra.database import migrate


def bring_up_to_date(url: str) -> None:
    migrate(url)
    jobs.prepare(url)
