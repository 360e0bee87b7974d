"""Traces by OpenTelemetry, off unless an operator names a collector, and imported only then.

A span has a fixed name and only the attributes of ATTRIBUTES: templates of addresses, hosts, kinds and counts. Never a
URL, a statement's values, a name, an e-mail address or the text of an error.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, Final, Protocol

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
    """OpenTelemetry cannot be used; the message contains the remedy for the operator."""


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
            "SCEAU_TELEMETRY needs OpenTelemetry: pip install 'sceau[telemetry]', or leave it empty."
        ) from error
    _provider = provider


def stop() -> None:
    """Exports what is left."""
    global _provider
    provider, _provider = _provider, None
    if provider is not None:
        provider.shutdown()


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
