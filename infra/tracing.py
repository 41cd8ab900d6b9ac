"""Traces for OpenTelemetry, where ``counterfoil[otel]`` is installed and a collector is named. Else nothing is traced.

A span never holds a value: no path, query, header or body, no parameter of a statement, no message of an error.
"""

import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Engine, event

from infra.metrics import METHODS
from infra.settings import Watch
from kernel.errors import Unavailable

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import SpanProcessor
    from opentelemetry.trace import Tracer

Ended = Callable[[str, int], None]
_STANDARD: Final = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_LITERAL: Final = re.compile(r"'(?:[^']|'')*'")
_LONGEST: Final = 2000
_NOTHING: Final[AbstractContextManager[None]] = nullcontext()
_NO_REQUEST: Final[AbstractContextManager[Ended]] = nullcontext(lambda _route, _status: None)
_tracer: "Tracer | None" = None


def is_wanted(settings: Watch) -> bool:
    """Whether a collector is named, by our setting or by OpenTelemetry's own."""
    is_off = os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true"
    return not is_off and (settings.otel_endpoint is not None or any(os.environ.get(name) for name in _STANDARD))


def require_installed(settings: Watch) -> None:
    """Raises :class:`Unavailable` where traces are wanted and the extra is not there."""
    if not is_wanted(settings):
        return
    try:
        import opentelemetry.exporter.otlp.proto.http
        import opentelemetry.sdk.trace  # noqa: F401 - to see that they are there; they are an extra
    except ImportError:
        raise Unavailable(
            "Traces are wanted (COUNTERFOIL_OTEL_ENDPOINT or OTEL_EXPORTER_OTLP_ENDPOINT), but what makes them is not"
            " installed. Install counterfoil[otel], or unset it."
        ) from None


@contextmanager
def tracing(settings: Watch, engine: Engine) -> Iterator[None]:
    """Trace this process and what it asks of ``engine``, where that is wanted; what is left is sent at the end."""
    require_installed(settings)
    if not is_wanted(settings):
        yield
        return
    if _tracer is not None:
        # A worker within a server: what traces the process is there.
        forget = _watch(engine, _tracer)
        try:
            yield
        finally:
            forget()
        return
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    own = settings.otel_endpoint
    # Without an address the exporter reads OpenTelemetry's own variables.
    exporter = OTLPSpanExporter(endpoint=f"{own.rstrip('/')}/v1/traces" if own else None)
    with tracing_to(BatchSpanProcessor(exporter), engine):
        yield


@contextmanager
def tracing_to(processor: "SpanProcessor", engine: Engine) -> Iterator[None]:
    """Hand every span of this process to ``processor`` until the block ends."""
    global _tracer  # noqa: PLW0603 - one a process, as the library's own is
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider

    named = Resource.create({"service.name": "counterfoil", "service.version": version("counterfoil")})
    provider = TracerProvider(resource=named, shutdown_on_exit=False)
    provider.add_span_processor(processor)
    _tracer = provider.get_tracer("counterfoil")
    forget = _watch(engine, _tracer)
    try:
        yield
    finally:
        _tracer = None
        forget()
        provider.shutdown()


def span(name: str, **attributes: str | float | bool) -> AbstractContextManager[None]:
    """Around a piece of work such as a job. Costs nothing where nothing is traced.

    ``attributes`` are kinds, counts and ids of ours, never what belongs to a shopper, nor a token.
    """
    return _NOTHING if _tracer is None else _span(_tracer, name, attributes)


@contextmanager
def _span(tracer: "Tracer", name: str, attributes: Mapping[str, Any]) -> Iterator[None]:
    from opentelemetry.trace import StatusCode

    with tracer.start_as_current_span(name, attributes=dict(attributes), **_QUIET) as made:
        try:
            yield
        except BaseException as error:
            made.set_status(StatusCode.ERROR, type(error).__name__)
            raise


def request(method: str, headers: list[tuple[bytes, bytes]]) -> AbstractContextManager[Ended]:
    """Around a request: gives what is to be told the route's template and the status at its end."""
    return _NO_REQUEST if _tracer is None else _request(_tracer, method, headers)


@contextmanager
def _request(tracer: "Tracer", method: str, headers: list[tuple[bytes, bytes]]) -> Iterator[Ended]:
    """As OpenTelemetry's conventions for HTTP server spans name it, a child of the caller's span where one is sent."""
    from opentelemetry.trace import SpanKind, StatusCode
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    sent = {name.decode("latin-1"): value.decode("latin-1") for name, value in headers if name.startswith(b"trace")}
    above = TraceContextTextMapPropagator().extract(sent)
    method = method if method in METHODS else "_OTHER"
    with tracer.start_as_current_span(method, context=above, kind=SpanKind.SERVER, **_QUIET) as made:

        def ended(route: str, status: int) -> None:
            made.update_name(f"{method} {route}")
            made.set_attributes({"http.request.method": method, "http.route": route})
            made.set_attribute("http.response.status_code", status)
            if status >= 500:
                made.set_status(StatusCode.ERROR)

        yield ended


# The text of an error may repeat what was sent.
_QUIET: Final[dict[str, Any]] = {"record_exception": False, "set_status_on_exception": False}


def _watch(engine: Engine, tracer: "Tracer") -> Callable[[], None]:
    """A span for each statement. Gives what ends that."""
    from opentelemetry.trace import SpanKind, StatusCode

    def begin(_conn: Any, _cursor: Any, statement: str, _values: Any, context: Any, _many: bool) -> None:
        text = _LITERAL.sub("?", statement)[:_LONGEST]
        told = {"db.system.name": engine.dialect.name, "db.query.text": text}
        name = text.split(maxsplit=1)[0].upper() if text.strip() else "SQL"
        context.counterfoil_span = tracer.start_span(name, kind=SpanKind.CLIENT, attributes=told, **_QUIET)

    def end(_conn: Any, _cursor: Any, _statement: str, _values: Any, context: Any, _many: bool) -> None:
        context.counterfoil_span.end()

    def fail(failed: Any) -> None:
        made = getattr(failed.execution_context, "counterfoil_span", None)
        if made is not None:
            made.set_status(StatusCode.ERROR, type(failed.original_exception).__name__)
            made.end()

    listeners: dict[str, Callable[..., None]] = {
        "before_cursor_execute": begin,
        "after_cursor_execute": end,
        "handle_error": fail,
    }
    for name, listener in listeners.items():
        event.listen(engine, name, listener)

    def forget() -> None:
        for name, listener in listeners.items():
            event.remove(engine, name, listener)

    return forget
