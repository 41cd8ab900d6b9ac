"""Many small writes in one commit: each answered, none lost, and one that fails takes no other along."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Sequence

import pytest
from sqlalchemy import Connection, Engine, text

from infra.group_commit import GroupCommit
from kernel.errors import Conflict, Problem, Unavailable

Numbers = GroupCommit[int, int]


@pytest.fixture
def kept(engine: Engine) -> Callable[[], list[int]]:
    """A table of numbers, and what a reader sees of it."""
    with engine.begin() as conn:
        conn.execute(text("CREATE TABLE numbers (number BIGINT PRIMARY KEY)"))

    def read() -> list[int]:
        with engine.connect() as conn:
            return sorted(conn.scalars(text("SELECT number FROM numbers")))

    return read


def insert(conn: Connection, numbers: Sequence[int]) -> list[int | Problem]:
    """Keeps the numbers and answers them doubled; a negative one is refused, 13 breaks the batch."""
    answers: list[int | Problem] = []
    for number in numbers:
        if number < 0:
            answers.append(Conflict("negative"))
            continue
        conn.execute(text("INSERT INTO numbers VALUES (:number)"), {"number": number})
        if number == 13:
            raise RuntimeError("unlucky")
        answers.append(2 * number)
    return answers


def during(numbers: Numbers, work: Callable[[], Awaitable[object]]) -> object:
    async def run() -> object:
        numbers.start()
        try:
            return await work()
        finally:
            await numbers.stop()

    return asyncio.run(run())


def test_an_answer_comes_after_the_commit(engine: Engine, kept: Callable[[], list[int]]) -> None:
    numbers: Numbers = GroupCommit(engine, insert)

    async def work() -> None:
        for number in range(5):
            assert await numbers.submit(number) == 2 * number
            assert number in kept()

    during(numbers, work)


def test_answers_come_in_order(engine: Engine, kept: Callable[[], list[int]]) -> None:
    numbers: Numbers = GroupCommit(engine, insert)
    wanted = [7, 3, -1, 5]
    answers = during(numbers, lambda: numbers.submit_all(wanted))
    assert isinstance(answers, list)
    assert [answer if isinstance(answer, int) else type(answer) for answer in answers] == [14, 6, Conflict, 10]
    assert kept() == [3, 5, 7]


def test_what_waits_is_written_together(engine: Engine, kept: Callable[[], list[int]]) -> None:
    sizes: list[int] = []
    first_is_in, go = threading.Event(), threading.Event()

    def work(conn: Connection, numbers: Sequence[int]) -> list[int | Problem]:
        sizes.append(len(numbers))
        first_is_in.set()
        go.wait(10)
        return insert(conn, numbers)

    numbers: Numbers = GroupCommit(engine, work, most=50)

    async def crowd() -> None:
        tasks = [asyncio.create_task(numbers.submit(1))]
        await asyncio.to_thread(first_is_in.wait, 10)
        tasks += [asyncio.create_task(numbers.submit(number)) for number in range(100, 220)]
        await asyncio.sleep(0)
        go.set()
        await asyncio.gather(*tasks)

    during(numbers, crowd)
    assert sizes == [1, 50, 50, 20]
    assert len(kept()) == 121


def test_one_that_fails_takes_no_other_along(engine: Engine, kept: Callable[[], list[int]]) -> None:
    numbers: Numbers = GroupCommit(engine, insert)

    async def crowd() -> list[object]:
        tasks = [asyncio.create_task(numbers.submit(number)) for number in (11, 12, 13, 14)]
        return list(await asyncio.gather(*tasks, return_exceptions=True))

    answers = during(numbers, crowd)
    assert isinstance(answers, list)
    assert answers[:2] + answers[3:] == [22, 24, 28]
    assert isinstance(answers[2], RuntimeError)
    assert kept() == [11, 12, 14]


def test_what_the_database_refuses_is_to_be_sent_again(engine: Engine, kept: Callable[[], list[int]]) -> None:
    numbers: Numbers = GroupCommit(engine, insert)

    async def twice() -> object:
        await numbers.submit(4711)
        return await numbers.submit(4711)

    answer = during(numbers, twice)
    assert isinstance(answer, Unavailable)
    assert answer.retry_after
    assert "4711" not in answer.detail
    assert kept() == [4711]


def test_who_finds_no_room_finds_nothing_done(engine: Engine, kept: Callable[[], list[int]]) -> None:
    started, go = threading.Event(), threading.Event()

    def work(conn: Connection, numbers: Sequence[int]) -> list[int | Problem]:
        started.set()
        go.wait(10)
        return insert(conn, numbers)

    numbers: Numbers = GroupCommit(engine, work, waiting=3)

    async def crowd() -> None:
        first = asyncio.create_task(numbers.submit(1))
        await asyncio.to_thread(started.wait, 10)
        second = asyncio.create_task(numbers.submit_all([2, 3]))
        await asyncio.sleep(0)
        with pytest.raises(Unavailable):
            await numbers.submit_all([4, 5])
        third = asyncio.create_task(numbers.submit(6))
        await asyncio.sleep(0)
        go.set()
        await asyncio.gather(first, second, third)

    during(numbers, crowd)
    assert kept() == [1, 2, 3, 6]


def test_what_was_submitted_is_finished_before_the_end(engine: Engine, kept: Callable[[], list[int]]) -> None:
    numbers: Numbers = GroupCommit(engine, insert, most=10)

    async def leave() -> list[object]:
        numbers.start()
        tasks = [asyncio.create_task(numbers.submit(number)) for number in range(20, 120)]
        await asyncio.sleep(0)
        await numbers.stop()
        return list(await asyncio.gather(*tasks))

    assert asyncio.run(leave()) == [2 * number for number in range(20, 120)]
    assert kept() == list(range(20, 120))


def test_who_no_longer_waits_stops_nobody(engine: Engine, kept: Callable[[], list[int]]) -> None:
    numbers: Numbers = GroupCommit(engine, insert)

    async def impatient() -> object:
        gone = asyncio.create_task(numbers.submit(1))
        await asyncio.sleep(0)
        gone.cancel()
        return await numbers.submit(2)

    assert during(numbers, impatient) == 4
    assert kept() == [1, 2]
