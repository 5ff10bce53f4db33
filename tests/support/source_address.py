"""An address of this machine for each test, so that tests do not use up one another's requests a minute."""

from __future__ import annotations

import hashlib
import http.client
import os
import sys
import urllib.request
from functools import partial


class FromOwnAddress(urllib.request.HTTPHandler):
    """Connects to 127.0.0.1 from another address of 127.0.0.0/8, which only Linux has without being told."""

    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        local = sys.platform == "linux" and req.host.startswith("127.0.0.1:")
        connection = partial(http.client.HTTPConnection, source_address=(_address(), 0) if local else None)
        return self.do_open(connection, req)


def _address() -> str:
    test, _, _ = os.environ.get("PYTEST_CURRENT_TEST", "").rpartition(" ")  # without its phase
    one, two, three = hashlib.sha256(test.encode()).digest()[:3]
    return f"127.{one}.{two}.{max(1, min(three, 254))}"
