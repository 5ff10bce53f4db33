"""Serves client ID metadata documents on this machine, as a vendor's web site does, and counts who asks."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class DocumentServer:
    """A context manager. `documents` by path: what is served as JSON, or status and headers; `asked`: paths."""

    def __init__(self) -> None:
        self.documents: dict[str, Any] = {}
        self.asked: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked.append(self.path)
                found = outer.documents.get(self.path)
                status, headers = found if isinstance(found, tuple) else (200 if found else 404, {})
                body = b"" if isinstance(found, tuple) else json.dumps(found).encode()
                self.send_response(status)
                for name, value in {"Content-Type": "application/json", **headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def publish(self, path: str, *redirect_uris: str, **more: Any) -> str:
        """Serve a sound document at that path; return its address, which is the client id."""
        address = f"{self.url}{path}"
        self.documents[path] = {"client_id": address, "redirect_uris": list(redirect_uris), **more}
        return address

    def __enter__(self) -> DocumentServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
