"""Metrics of this process; and traces by OpenTelemetry, off unless an operator names a collector.

A span has a fixed name and only the attributes of ATTRIBUTES: templates of addresses, hosts, kinds and counts. Never a
URL, a statement's values, a name, an e-mail address or the text of an error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, Final, Protocol

from prometheus_client import CollectorRegistry, Counter, Histogram

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SpanExporter
    from sqlalchemy import Engine

ATTRIBUTES: Final = {
    "method": "http.request.method",
    "route": "http.route",
    "status": "http.response.status_code",
    "host": "server.address",
    "system": "db.system.name",
    "operation": "db.operation.name",
    "kind": "sceau.job.kind",
    "count": "sceau.count",
    "error": "error.type",
}
_STATEMENTS: Final = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE", "WITH"})
_provider: TracerProvider | None = None


class TelemetryUnusable(Exception):
    """OpenTelemetry cannot be used; the message, which a command translates, contains the remedy."""


class Span(Protocol):
    def set(self, **attributes: str | int) -> None: ...


class _Nothing:
    def set(self, **attributes: str | int) -> None:
        pass


_OFF: Final[AbstractContextManager[Span]] = nullcontext(_Nothing())


class _Recorded:
    def __init__(self, span: Any) -> None:
        self._span = span

    def set(self, **attributes: str | int) -> None:
        for name, value in attributes.items():
            self._span.set_attribute(ATTRIBUTES[name], value)


def span(name: str, **attributes: str | int) -> AbstractContextManager[Span]:
    """A span around a block, within the span around that one; of an error only the class is recorded."""
    return _OFF if _provider is None else _recorded(name, attributes)


@contextmanager
def _recorded(name: str, attributes: dict[str, str | int]) -> Iterator[Span]:
    assert _provider is not None
    tracer = _provider.get_tracer("sceau")
    with tracer.start_as_current_span(name, record_exception=False, set_status_on_exception=False) as current:
        recorded = _Recorded(current)
        recorded.set(**attributes)
        try:
            yield recorded
        except BaseException as error:
            recorded.set(error=type(error).__name__)
            raise


def start(collector: str, engine: Engine, *, exporter: SpanExporter | None = None) -> None:
    """Export to `collector` (OTLP over HTTP, by batches in a thread of its own), statements of `engine` too."""
    global _provider
    if not collector and exporter is None:
        return
    _trace_statements(engine)
    if _provider is not None:
        return
    try:
        from opentelemetry.sdk.resources import SERVICE_NAME, Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor

        # Without the host's and the process's own attributes: a command line may contain a secret.
        provider = TracerProvider(resource=Resource({SERVICE_NAME: "sceau"}))
        if exporter is not None:
            provider.add_span_processor(SimpleSpanProcessor(exporter))
        else:
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

            provider.add_span_processor(
                BatchSpanProcessor(OTLPSpanExporter(f"{collector.rstrip('/')}/v1/traces"))
            )
    except ImportError as error:
        raise TelemetryUnusable(
            "SCEAU_TELEMETRY demande OpenTelemetry : pip install 'sceau[telemetry]', ou laissez-la vide."
        ) from error
    _provider = provider


def _trace_statements(engine: Engine) -> None:
    """A span for each statement: its operation, never its text or values."""
    from sqlalchemy import event

    system = engine.dialect.name

    def before(*asked: Any) -> None:
        _connection, _cursor, statement, _values, context, _many = asked
        word = statement.lstrip()[:6].strip().upper()
        about = span("database", system=system, operation=word if word in _STATEMENTS else "OTHER")
        about.__enter__()
        context.sceau_span = about

    def end(context: Any) -> None:
        about = getattr(context, "sceau_span", None)
        if about is not None:
            context.sceau_span = None
            about.__exit__(None, None, None)

    event.listen(engine, "before_cursor_execute", before)
    event.listen(engine, "after_cursor_execute", lambda *asked: end(asked[4]))
    event.listen(engine, "handle_error", lambda trouble: end(trouble.execution_context))


# --- Metrics for the operator: requests, durations, verdicts, chunks of jobs, objects. No personal data


REGISTRY: Final = CollectorRegistry()
_REQUESTS: Final = Counter(
    "sceau_requests", "Requests by route and answer", ["method", "route", "status"], registry=REGISTRY
)
_SECONDS: Final = Histogram(
    "sceau_request_seconds",
    "Time to the end of the answer",
    ["route"],
    registry=REGISTRY,
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
_VERDICTS: Final = Counter(
    "sceau_verdicts", "Badges judged, by verdict and form", ["verdict", "form"], registry=REGISTRY
)
_CHUNKS: Final = Counter(
    "sceau_job_chunks", "Chunks of jobs, by kind and outcome", ["kind", "outcome"], registry=REGISTRY
)
_CHUNK_SECONDS: Final = Histogram(
    "sceau_job_chunk_seconds",
    "Time of a chunk, by kind of job",
    ["kind"],
    registry=REGISTRY,
    buckets=(0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60),
)
_OBJECTS: Final = Counter(
    "sceau_object_store_requests",
    "Objects read, written and removed, by outcome",
    ["operation", "outcome"],
    registry=REGISTRY,
)
_OBJECT_BYTES: Final = Counter(
    "sceau_object_store_bytes",
    "Bytes read from the object store and written there",
    ["operation"],
    registry=REGISTRY,
)
_MOVED: Final = Counter(
    "sceau_signed_bytes_moved", "Signed documents moved, by where they went", ["to"], registry=REGISTRY
)
_MOVED_BYTES: Final = Counter(
    "sceau_signed_bytes_moved_bytes", "Their bytes, by where they went", ["to"], registry=REGISTRY
)
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def note_verdict(verdict: str, form: str | None) -> None:
    _VERDICTS.labels(verdict, form or "unread").inc()


def note_chunk(kind: str, outcome: str, seconds: float) -> None:
    _CHUNKS.labels(kind, outcome).inc()
    _CHUNK_SECONDS.labels(kind).observe(seconds)


def note_object(operation: str, outcome: str, size: int) -> None:
    _OBJECTS.labels(operation, outcome).inc()
    _OBJECT_BYTES.labels(operation).inc(size)


def note_moved(to: str, documents: int, size: int) -> None:
    _MOVED.labels(to).inc(documents)
    _MOVED_BYTES.labels(to).inc(size)


def noter_of(method: str, route: str, status: int) -> Callable[[float], None]:
    """`note_request` for repeated use: resolves its counters once."""
    # Clients may invent methods: each one would create a permanent time series.
    counter = _REQUESTS.labels(method if method in _METHODS else "other", route or "none", status)
    seconds = _SECONDS.labels(route or "none")

    def note(took: float) -> None:
        counter.inc()
        seconds.observe(took)

    return note


def note_request(method: str, route: str, status: int, seconds: float) -> None:
    """`route`: its template, never the URL; "" if none matches."""
    noter_of(method, route, status)(seconds)
