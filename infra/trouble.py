"""What a database's error is, in words that hold no value of a statement: they end up in logs."""

from typing import Any, Final

from sqlalchemy.exc import DataError, DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout

# https://www.sqlite.org/rescode.html#full and PostgreSQL's disk_full (appendix A of its manual).
_FULL: Final = ("SQLITE_FULL", "53100")


def kind(error: Exception) -> str:
    """Such as ``OperationalError SQLITE_FULL: the disk is full``."""
    code = _code(error)
    name = type(getattr(error, "orig", None) or error).__name__
    return f"{name} {code}".rstrip() + (": the disk is full" if is_disk_full(error) else "")


def reason(error: Exception) -> dict[str, Any]:
    """The same for a log, of whatever went wrong: what is no database's error, with where it was."""
    return {"reason": kind(error)} if isinstance(error, DBAPIError) else {"exc_info": error}


def is_of_its_values(error: Exception) -> bool:
    """Whether it is what was written that failed, and will each time: not the database or the disk, which was busy,
    gone or other than it should be."""
    return isinstance(error, DataError | IntegrityError) or not isinstance(error, DBAPIError | PoolTimeout | OSError)


def is_disk_full(error: Exception) -> bool:
    return _code(error) in _FULL


def _code(error: Exception) -> str:
    origin = getattr(error, "orig", None)
    return str(getattr(origin, "sqlite_errorname", None) or getattr(origin, "sqlstate", None) or "")
