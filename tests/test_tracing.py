"""Traces tell what was slow, and nothing of anybody."""

import subprocess
import sys
from collections.abc import Iterator

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode
from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError

from infra import tracing
from infra.database import connect
from infra.settings import ROOT, Watch
from kernel.errors import Unavailable
from tests.support.inside import Inside, Person, on_sqlite
from tests.support.sales import example

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
def spans(inside: Inside) -> Iterator[InMemorySpanExporter]:
    """What the running application traces."""
    exporter = InMemorySpanExporter()
    with tracing.tracing_to(SimpleSpanProcessor(exporter), inside.app.state.house.engine):
        yield exporter


def named(spans: InMemorySpanExporter, name: str) -> ReadableSpan:
    return next(span for span in spans.get_finished_spans() if span.name == name)


def test_a_request_is_a_span_named_by_its_template_below_its_callers(
    owner: Person, spans: InMemorySpanExporter
) -> None:
    assert owner.ask("GET", "/v1/stores/mitte/tills", headers={"traceparent": PARENT}).status_code == 200
    span = named(spans, "GET /v1/stores/{store}/tills")
    assert span.parent is not None
    assert f"{span.context.trace_id:032x}" == PARENT.split("-")[1]
    assert (span.attributes or {})["http.response.status_code"] == 200
    asked = [each for each in spans.get_finished_spans() if each.parent and each.parent.span_id == span.context.span_id]
    assert "SELECT" in {each.name for each in asked}


def test_a_sale_is_written_below_one_span_of_its_commit(owner: Person, spans: InMemorySpanExporter) -> None:
    assert owner.post("/v1/receipts", example()).status_code == 201
    commit = named(spans, "commit")
    below = {span.name for span in spans.get_finished_spans() if span.parent and span.parent == commit.context}
    assert any(name.startswith(("INSERT", "WITH")) for name in below)


def test_no_span_tells_a_link_a_key_a_person_or_a_value(owner: Person, spans: InMemorySpanExporter) -> None:
    token = owner.post("/v1/receipts", example()).json()["token"]
    for form in ("", ".json", ".txt", "?lang=de"):
        assert owner.get(f"/r/{token}{form}").status_code == 200
    owner.get("/v1/receipts", email="shopper@example.com")
    owner.get(f"/nowhere/{token}")
    told = "\n".join(span.to_json() for span in spans.get_finished_spans())
    for secret in (token, owner.key, "shopper@example.com", "Sourdough", "000417", "lang=de"):
        assert secret not in told


def test_a_statement_that_fails_is_marked_without_what_the_database_said(
    inside: Inside, spans: InMemorySpanExporter
) -> None:
    engine: Engine = inside.app.state.house.engine
    with pytest.raises(SQLAlchemyError), engine.connect() as conn:
        conn.execute(text("SELECT nothing FROM nowhere WHERE name = 'Emma'"))
    failed = next(span for span in spans.get_finished_spans() if span.status.status_code is StatusCode.ERROR)
    assert (failed.attributes or {})["db.query.text"] == "SELECT nothing FROM nowhere WHERE name = ?"
    assert failed.events == ()
    assert "nowhere" not in (failed.status.description or "")


@on_sqlite
def test_a_worker_that_ends_with_an_error_is_watched_no_longer(database_url: str, spans: InMemorySpanExporter) -> None:
    engine = connect(database_url)
    wanted = Watch(otel_endpoint="http://127.0.0.1:4318")
    with pytest.raises(ValueError, match="ended"), tracing.tracing(wanted, engine):
        raise ValueError("ended")
    with engine.connect() as conn:
        conn.execute(text("SELECT 'afterwards' AS word"))
    engine.dispose()
    assert "AS word" not in "\n".join(span.to_json() for span in spans.get_finished_spans())


@on_sqlite
def test_a_job_that_fails_is_a_span_marked_by_the_kind_of_error(spans: InMemorySpanExporter) -> None:
    with pytest.raises(ValueError, match="Emma"), tracing.span("mail", kind="receipt"):
        raise ValueError("no such person: Emma")
    span = named(spans, "mail")
    assert (span.attributes, span.status.description) == ({"kind": "receipt"}, "ValueError")
    assert "Emma" not in span.to_json()


def test_where_nothing_is_traced_a_span_is_nothing() -> None:
    assert tracing.span("mail") is tracing.span("pdf", pages=2)
    assert not tracing.is_wanted(Watch())


@pytest.mark.parametrize("name", ["COUNTERFOIL_OTEL_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"])
def test_traces_that_are_wanted_and_cannot_be_made_end_the_start_in_a_line(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, "http://127.0.0.1:4318")
    tracing.require_installed(Watch())
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    with pytest.raises(Unavailable, match=r"Install counterfoil\[otel\]"):
        tracing.require_installed(Watch())


def test_without_the_extra_the_service_can_be_imported() -> None:
    blocked = "import sys; sys.modules |= {'opentelemetry.sdk': None, 'opentelemetry.exporter': None}; import cli.serve"
    subprocess.run([sys.executable, "-c", blocked], cwd=ROOT, check=True)
