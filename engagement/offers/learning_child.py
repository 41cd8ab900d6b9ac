"""The process that learns, for ``apart``: ``python -m engagement.offers.learning_child SOCKET BYTES SEED AIM``.

It reads batches of rows until an empty one, tells its steps, then answers with the lesson: words as JSON, columns as
bytes. It ends when the other end of its line does, and with TOO_LARGE where it would need more than BYTES of memory.
"""

import os
import resource
import sys
import traceback
from collections.abc import Iterator
from functools import partial
from multiprocessing.connection import Connection
from typing import Any

import orjson

from engagement.offers.apart import TOO_LARGE
from engagement.offers.lesson import Aim, Lesson, Row

_NICE = 10


def main(socket: str, memory: str, seed: str, aim: Aim) -> None:
    os.nice(_NICE)  # a till's sale shall not wait for a lesson
    line: Connection[Any, Any] = Connection(int(socket))
    try:
        from engagement.offers import baskets, learning, ridge
    except ImportError as error:
        line.send_bytes(orjson.dumps({"error": f"learning needs a package that is not here: {error}"}))
        return
    ridge.warm()
    # Not RLIMIT_AS: that counts what is mapped and shared, which says little of what a lesson needs.
    resource.setrlimit(resource.RLIMIT_DATA, (int(memory), int(memory)))
    try:
        lesson = learning.learn(baskets.of(_rows(line)), seed=int(seed), aim=aim, told=partial(_step, line))
        _answer(line, lesson)
    except (MemoryError, SystemError, orjson.JSONDecodeError):  # which is what these three make of a failed allocation
        os._exit(TOO_LARGE)
    except (EOFError, BrokenPipeError):
        return
    except Exception:
        line.send_bytes(orjson.dumps({"error": traceback.format_exc(limit=-8)}))


def _step(line: "Connection[Any, Any]", step: str) -> None:
    line.send_bytes(orjson.dumps({"step": step}))


def _rows(line: "Connection[Any, Any]") -> Iterator[Row]:
    while batch := line.recv_bytes():
        for each in orjson.loads(batch):
            yield Row(*each)


def _answer(line: "Connection[Any, Any]", lesson: Lesson) -> None:
    found = lesson.neighbours
    line.send_bytes(
        orjson.dumps({"items": found.items, "popular": lesson.popular, "report": lesson.report}, default=tuple)
    )
    for column in (found.item, found.other, found.score, found.receipts):
        line.send_bytes(column.tobytes())


if __name__ == "__main__":
    main(*sys.argv[1:])  # type: ignore[arg-type] # the parent's
