"""Who is told of alerts in the demo: Alertmanager's webhook, written out a line an alert."""

import json
from argparse import ArgumentParser
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PORT = 9095
LARGEST = 1_000_000


def lines(notification: dict[str, Any]) -> Iterator[str]:
    """JSON for each alert of a notification: its status, labels and texts."""
    for alert in notification["alerts"]:
        told = {"status": alert["status"], **alert["labels"], **alert["annotations"]}
        yield json.dumps(told, ensure_ascii=False)


class _Webhook(BaseHTTPRequestHandler):
    """Takes a notification; what is none is refused."""

    timeout = 10

    def do_POST(self) -> None:
        """Write the alerts out, and only then say that they have arrived."""
        try:
            length = int(self.headers.get("Content-Length", 0))
            told = list(lines(json.loads(self.rfile.read(min(length, LARGEST)))))
        except (ValueError, KeyError, TypeError):
            self.send_error(400, "this is no notification of Alertmanager's")
            return
        for line in told:
            print(line, flush=True)
        self.send_response(204)
        self.end_headers()

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Not a line a request: the alerts are the log."""


def main() -> None:
    """Listen until told to end."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=PORT)
    given = parser.parse_args()
    ThreadingHTTPServer((given.host, given.port), _Webhook).serve_forever()


if __name__ == "__main__":
    main()
