"""A small REST API on loopback, with an OpenAPI document that describes it."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

_OBJECT = {"content": {"application/json": {"schema": {"type": "object"}}}, "description": "an object"}


class RestApi:
    """Orders: GET lists them, POST adds one. `document`: its description, as a file in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.orders: list[Any] = []
        self.document = folder / "shop.json"
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self.orders))
        self.port = int(self._server.server_address[1])
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> RestApi:
        body = {"content": {"application/json": {"schema": {"type": "object", "properties": {"item": _TEXT}}}}}
        orders = {
            "get": {"operationId": "listOrders", "responses": {"200": _OBJECT}},
            "post": {"operationId": "createOrder", "requestBody": body, "responses": {"200": _OBJECT}},
        }
        described = {"openapi": "3.0.3", "info": {"title": "Shop", "version": "1"}, "servers": [{"url": self.url}]}
        self.document.write_text(json.dumps({**described, "paths": {"/orders": orders}}), encoding="utf-8")
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


_TEXT = {"type": "string"}


def _handler(orders: list[Any]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer({"orders": orders})

        def do_POST(self) -> None:
            orders.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self._answer({"orders": orders})

        def _answer(self, document: Any) -> None:
            body = json.dumps(document).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Nothing: the test says what happened."""

    return Handler
