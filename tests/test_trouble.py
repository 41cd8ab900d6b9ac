"""What is of its values fails each time; what is the database's passes."""

import pytest
from sqlalchemy.exc import DataError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from infra.trouble import is_of_its_values


@pytest.mark.parametrize(
    "error", [KeyError("lines"), DataError("", {}, ValueError()), IntegrityError("", {}, ValueError())]
)
def test_what_cannot_be_read_or_written_fails_each_time(error: Exception) -> None:
    assert is_of_its_values(error)


@pytest.mark.parametrize(
    "error", [OperationalError("", {}, ValueError()), PoolTimeout(), ConnectionResetError(), OSError()]
)
def test_a_database_that_is_busy_or_gone_is_there_again_later(error: Exception) -> None:
    assert not is_of_its_values(error)
