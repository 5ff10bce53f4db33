"""A server that stands for a replica: `python replica.py NAME READY|BROKEN|DIES`. It says its name."""

from __future__ import annotations

import os
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

NAME, BEHAVIOUR = sys.argv[1:3]


class Handler(BaseHTTPRequestHandler):
    """`/slow` takes half a second; `/readyz` says whether calls may come."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path == "/slow":
            time.sleep(0.5)
        status = 503 if self.path == "/readyz" and BEHAVIOUR == "BROKEN" else 200
        text = f"{NAME} {os.getpid()} {self.headers.get('X-Forwarded-Proto')} {self.headers['Host']}".encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


if BEHAVIOUR == "DIES":
    sys.exit("this revision is broken")
ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
