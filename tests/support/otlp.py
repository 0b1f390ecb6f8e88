"""A receiver of traces: OTLP over HTTP on loopback, as any collector has it."""

from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, Span


class Receiver:
    """What has come, as it came and as spans."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.bodies: list[bytes] = []

    def spans(self) -> list[Span]:
        """All spans, in the order in which they ended."""
        return [span for each in self._resources() for scope in each.scope_spans for span in scope.spans]

    def services(self) -> set[str]:
        """The services that sent them."""
        return {attributes(each.resource.attributes)["service.name"] for each in self._resources()}

    def _resources(self) -> Iterator[ResourceSpans]:
        for body in self.bodies:
            yield from ExportTraceServiceRequest.FromString(body).resource_spans


def attributes(given: Iterable[KeyValue]) -> dict[str, str]:
    """Attributes by their names, as text."""
    return {each.key: _text(each.value) for each in given}


def _text(value: AnyValue) -> str:
    if value.HasField("array_value"):
        return ",".join(_text(each) for each in value.array_value.values)
    return str(getattr(value, value.WhichOneof("value") or "string_value"))


@contextmanager
def receiving() -> Generator[Receiver]:
    """A receiver until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            receiver.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        receiver = Receiver(f"http://127.0.0.1:{server.server_port}")
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield receiver
        finally:
            server.shutdown()
            thread.join()
