"""Structured logs on standard error: one JSON object a line, each with the id of its request."""

import logging
import sys
from typing import Any

import orjson
import structlog

from infra.settings import Log


def _json(event: Any, **_options: Any) -> str:
    return orjson.dumps(event, default=repr).decode()


def configure(settings: Log) -> None:
    """Send both structlog and the standard library's loggers through one chain."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last: structlog.typing.Processor
    if settings.log_format == "text":
        # Plain: prettier tracebacks show what the variables hold, and so keys and card numbers.
        plain = structlog.dev.plain_traceback
        last = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain)
    else:
        shared.append(structlog.processors.format_exc_info)
        last = structlog.processors.JSONRenderer(serializer=_json)
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    structlog.configure(
        processors=[*shared, last],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    formatter = structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processor=last)
    handler = logging.StreamHandler()
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(level, logging.WARNING))
